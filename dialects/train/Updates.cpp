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
  Value root = s.div(s.make<math::SqrtOp>(v), s.make<math::SqrtOp>(c2));
  Value step = s.div(s.mul(s.div(rate, c1), m), s.add(root, s.number(getEps())));
  return {s.sub(w, step), m, v};
}

LogicalResult AdamOp::verify() {
  for (auto [name, beta] : {std::pair("beta1", getBeta1()), std::pair("beta2", getBeta2())})
    if (const double value = beta.convertToDouble(); !(value >= 0 && value < 1))
      return emitOpError("(C1) 0 ≤ ") << name << " < 1, is " << value;
  if (!(getEps().convertToDouble() >= 0))
    return emitOpError("(C2) eps must not be negative, is ") << getEps().convertToDouble();
  return verifyUpdate(*this, 4);
}
