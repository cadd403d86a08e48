//===- Updates.cpp - optimizers as pointwise ops ----------------------------------------------===//
#include "dialects/train/Scalar.h"
#include "dialects/train/Verify.h"

using namespace mlir;
using namespace sinter::train;

/// What the gradient and all states of an update share: w's type. Operands from `firstScalar` on
/// are scalars.
static LogicalResult verifyUpdate(Operation *op, unsigned firstScalar) {
  Type type = op->getOperand(0).getType();
  auto same = [&](Type other) { return other == type; };
  if (!llvm::all_of(op->getOperands().take_front(firstScalar).getTypes(), same) ||
      !llvm::all_of(op->getResultTypes(), same))
    return op->emitOpError("(U1) w, its gradient, its states and all results must have one type");
  return success();
}

/// (C1) for what multiplies an average of the past.
static LogicalResult verifyShare(Operation *op, StringRef name, const APFloat &share) {
  if (const double value = share.convertToDouble(); !(value >= 0 && value < 1))
    return op->emitOpError("(C1) 0 ≤ ") << name << " < 1, is " << value;
  return success();
}

/// g + decay · w, g itself without decay.
static Value withDecay(Scalar &s, Value g, Value w, double decay) {
  return decay == 0 ? g : s.add(g, s.mul(s.number(decay), w));
}

//===--- SGD ----------------------------------------------------------------------------------===//

SmallVector<Value> SgdOp::buildScalar(OpBuilder &builder, Location location, ValueRange arguments,
                                      ValueRange) {
  Scalar s(builder, location);
  Value w = arguments[0], g = arguments[1], rate = arguments.back();
  if (const double decay = getWeightDecay().convertToDouble(); decay != 0)
    g = s.add(g, s.mul(s.number(decay), w));
  if (!getM())
    return {s.sub(w, s.mul(rate, g))};
  Value momentum = s.number(getMomentum());
  Value m = s.add(s.mul(momentum, arguments[2]), g);
  Value step = getNesterov() ? s.add(g, s.mul(momentum, m)) : m;
  return {s.sub(w, s.mul(rate, step)), m};
}

LogicalResult SgdOp::verify() {
  if ((getMomentum().convertToDouble() > 0) != static_cast<bool>(getM()) ||
      static_cast<bool>(getM()) != static_cast<bool>(getM1()))
    return emitOpError("(C1) momentum's state and its result stand exactly where momentum > 0");
  if (getNesterov() && !getM())
    return emitOpError("(C2) nesterov needs a momentum");
  return verifyUpdate(*this, getM() ? 3 : 2);
}

//===--- Adam and AdamW -----------------------------------------------------------------------===//

SmallVector<Value> AdamOp::buildScalar(OpBuilder &builder, Location location, ValueRange arguments,
                                       ValueRange) {
  Scalar s(builder, location);
  Value w = arguments[0], g = arguments[1];
  Value rate = arguments[4], c1 = arguments[5], c2 = arguments[6];
  if (const double decay = getWeightDecay().convertToDouble(); decay != 0) {
    Value share = s.number(decay);
    if (getDecoupled())
      w = s.mul(w, s.sub(s.number(1), s.mul(rate, share)));
    else
      g = s.add(g, s.mul(share, w));
  }
  // 1 - beta in f64, as PyTorch passes it.
  const double beta1 = getBeta1().convertToDouble(), beta2 = getBeta2().convertToDouble();
  Value m = s.add(s.mul(s.number(beta1), arguments[2]), s.mul(s.number(1 - beta1), g));
  Value v = s.add(s.mul(s.number(beta2), arguments[3]), s.mul(s.number(1 - beta2), s.mul(g, g)));
  // Section 2 of the paper: the corrections as two scalars, so that an element takes one root and one quotient. A core
  // divides sixteen floats in the time of some thirty multiply-adds.
  Value root2 = s.make<math::SqrtOp>(c2);
  Value size = s.div(s.mul(rate, root2), c1), eps = s.mul(s.number(getEps()), root2);
  Value step = s.div(s.mul(size, m), s.add(s.make<math::SqrtOp>(v), eps));
  return {s.sub(w, step), m, v};
}

LogicalResult AdamOp::verify() {
  if (failed(verifyShare(*this, "beta1", getBeta1())) ||
      failed(verifyShare(*this, "beta2", getBeta2())))
    return failure();
  if (!(getEps().convertToDouble() >= 0))
    return emitOpError("(C2) eps must not be negative, is ") << getEps().convertToDouble();
  return verifyUpdate(*this, 4);
}

//===--- RMSprop ------------------------------------------------------------------------------===//

SmallVector<Value> RmspropOp::buildScalar(OpBuilder &builder, Location location,
                                          ValueRange arguments, ValueRange) {
  Scalar s(builder, location);
  const ValueRange states = arguments.drop_front(2).drop_back();
  const bool hasMomentum = getMomentum().convertToDouble() != 0;
  Value w = arguments[0], rate = arguments.back();
  Value g = withDecay(s, arguments[1], w, getWeightDecay().convertToDouble());
  // 1 - alpha in f64, as PyTorch passes it.
  const double alpha = getAlpha().convertToDouble();
  auto average = [&](Value old, Value now) {
    return s.add(s.mul(s.number(alpha), old), s.mul(s.number(1 - alpha), now));
  };
  SmallVector<Value> results{Value(), average(states.front(), s.mul(g, g))};
  Value square = results[1], mean;
  if (getCentered()) {
    mean = average(states.back(), g);
    square = s.sub(square, s.mul(mean, mean));
  }
  Value step = s.div(g, s.add(s.make<math::SqrtOp>(square), s.number(getEps())));
  if (hasMomentum) {
    step = s.add(s.mul(s.number(getMomentum()), states[1]), step);
    results.push_back(step);
  }
  if (mean)
    results.push_back(mean);
  results[0] = s.sub(w, s.mul(rate, step));
  return results;
}

LogicalResult RmspropOp::verify() {
  if (failed(verifyShare(*this, "alpha", getAlpha())))
    return failure();
  const size_t states = 1u + (getMomentum().convertToDouble() != 0) + getCentered();
  if (getStates().size() != states || getStates1().size() != states)
    return emitOpError("(C2) has ") << states << " states and as many results for them, has "
                                    << getStates().size() << " and " << getStates1().size();
  return verifyUpdate(*this, static_cast<unsigned>(2 + states));
}

//===--- Adagrad ------------------------------------------------------------------------------===//

SmallVector<Value> AdagradOp::buildScalar(OpBuilder &builder, Location location,
                                          ValueRange arguments, ValueRange) {
  Scalar s(builder, location);
  Value w = arguments[0];
  Value g = withDecay(s, arguments[1], w, getWeightDecay().convertToDouble());
  Value sum = s.add(arguments[2], s.mul(g, g));
  Value size = s.add(s.make<math::SqrtOp>(sum), s.number(getEps()));
  return {s.sub(w, s.mul(arguments[3], s.div(g, size))), sum};
}

LogicalResult AdagradOp::verify() { return verifyUpdate(*this, 3); }

//===--- Lion ---------------------------------------------------------------------------------===//

SmallVector<Value> LionOp::buildScalar(OpBuilder &builder, Location location, ValueRange arguments,
                                       ValueRange) {
  Scalar s(builder, location);
  Value w = arguments[0], g = arguments[1], m = arguments[2], rate = arguments[3];
  auto average = [&](const APFloat &share) {
    const double beta = share.convertToDouble();
    return s.add(s.mul(s.number(beta), m), s.mul(s.number(1 - beta), g));
  };
  Value way = average(getBeta1()), zero = s.number(0);
  // A NaN is neither above nor below 0 and stays one.
  Value step = s.choose(s.greater(way, zero), s.number(1),
                        s.choose(s.greater(zero, way), s.number(-1), s.mul(way, zero)));
  step = withDecay(s, step, w, getWeightDecay().convertToDouble());
  return {s.sub(w, s.mul(rate, step)), average(getBeta2())};
}

LogicalResult LionOp::verify() {
  if (failed(verifyShare(*this, "beta1", getBeta1())) ||
      failed(verifyShare(*this, "beta2", getBeta2())))
    return failure();
  return verifyUpdate(*this, 3);
}
