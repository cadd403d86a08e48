//===- PointwiseGradients.cpp - derivatives of pointwise ops ----------------------------------===//
// Each in its cheap form: from the result where that says enough (relu, tanh, sigmoid, exp), so
// that the operand need not be kept. An operand of rank 0 stood for every element: its gradient is
// the sum over all.
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace sinter::train;

// The signature of every derivative.
#define GRADIENTS(OP)                                                                              \
  void OP::buildGradients(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted,   \
                          MutableArrayRef<Value> operandGradients)

// No gradient flows: into the sign of a number, a choice, a label, a draw, a clock.
#define NO_GRADIENT(OP)                                                                            \
  GRADIENTS(OP) {}

NO_GRADIENT(SignOp)
NO_GRADIENT(StopGradientOp)
NO_GRADIENT(CompareOp)
NO_GRADIENT(LogicOp)
NO_GRADIENT(CastOp)
NO_GRADIENT(OneHotOp)
NO_GRADIENT(SinusoidOp)
NO_GRADIENT(RandomOp)
NO_GRADIENT(NumberOp)
NO_GRADIENT(CountOp)
NO_GRADIENT(RateOp)
NO_GRADIENT(PulseOp)
NO_GRADIENT(BiasCorrectionOp)

//===--- one operand --------------------------------------------------------------------------===//

GRADIENTS(NegOp) { operandGradients[0] = Emit(builder, *this).unary<NegOp>(resultGradients[0]); }

GRADIENTS(Bf16Op) { operandGradients[0] = resultGradients[0]; }

GRADIENTS(ExpOp) { operandGradients[0] = Emit(builder, *this).mul(resultGradients[0], getY()); }

GRADIENTS(LogOp) { operandGradients[0] = Emit(builder, *this).div(resultGradients[0], getX()); }

GRADIENTS(SqrtOp) {
  Emit emit(builder, *this);
  operandGradients[0] = emit.div(emit.mul(resultGradients[0], 0.5), getY());
}

GRADIENTS(AbsOp) {
  Emit emit(builder, *this);
  operandGradients[0] = emit.mul(resultGradients[0], emit.unary<SignOp>(getX()));
}

GRADIENTS(SquareOp) {
  Emit emit(builder, *this);
  operandGradients[0] = emit.mul(emit.mul(resultGradients[0], 2), getX());
}

GRADIENTS(SinOp) {
  Emit emit(builder, *this);
  operandGradients[0] = emit.mul(resultGradients[0], emit.unary<CosOp>(getX()));
}

GRADIENTS(CosOp) {
  Emit emit(builder, *this);
  operandGradients[0] = emit.unary<NegOp>(emit.mul(resultGradients[0], emit.unary<SinOp>(getX())));
}

// dy (1 - y²)
GRADIENTS(TanhOp) {
  Emit emit(builder, *this);
  operandGradients[0] =
      emit.mul(resultGradients[0], emit.sub(emit.scalar(1), emit.unary<SquareOp>(getY())));
}

// dy y (1 - y)
GRADIENTS(SigmoidOp) {
  Emit emit(builder, *this);
  operandGradients[0] =
      emit.mul(emit.mul(resultGradients[0], getY()), emit.sub(emit.scalar(1), getY()));
}

GRADIENTS(SoftplusOp) {
  Emit emit(builder, *this);
  operandGradients[0] = emit.mul(resultGradients[0], emit.unary<SigmoidOp>(getX()));
}

// With s = sigmoid(x), y = x s: dy (s + y (1 - s))
GRADIENTS(SiluOp) {
  Emit emit(builder, *this);
  Value s = emit.unary<SigmoidOp>(getX());
  Value slope = emit.add(s, emit.mul(getY(), emit.sub(emit.scalar(1), s)));
  operandGradients[0] = emit.mul(resultGradients[0], slope);
}

GRADIENTS(ReluOp) {
  Emit emit(builder, *this);
  Value zero = emit.scalar(0);
  operandGradients[0] = emit.select(emit.compare("gt", getY(), zero), resultGradients[0], zero);
}

GRADIENTS(ErfOp) {
  Emit emit(builder, *this);
  Value bell = emit.unary<ExpOp>(emit.unary<NegOp>(emit.unary<SquareOp>(getX())));
  operandGradients[0] = emit.mul(resultGradients[0], emit.mul(bell, 2 * std::numbers::inv_sqrtpi));
}

// y > 0 says the same as x > 0 unless the slope is negative.
GRADIENTS(LeakyReluOp) {
  Emit emit(builder, *this);
  const double slope = getSlope().convertToDouble();
  Value sign = slope >= 0 ? getY() : getX();
  operandGradients[0] = emit.select(emit.compare("gt", sign, emit.scalar(0)), resultGradients[0],
                                    emit.mul(resultGradients[0], slope));
}

// Below 0 the slope is alpha eˣ = y + alpha.
GRADIENTS(EluOp) {
  Emit emit(builder, *this);
  const double alpha = getAlpha().convertToDouble();
  Value sign = alpha >= 0 ? getY() : getX();
  Value below = emit.mul(resultGradients[0], emit.add(getY(), emit.scalar(alpha)));
  operandGradients[0] =
      emit.select(emit.compare("gt", sign, emit.scalar(0)), resultGradients[0], below);
}

GRADIENTS(GeluOp) {
  Emit emit(builder, *this);
  Value x = getX(), slope;
  if (getApproximate()) {
    // y = x/2 (1 + t), t = tanh u, u = c (x + a x³): slope = (1 + t)/2 + x/2 (1 - t²) c (1 + 3 a
    // x²)
    const double c = std::sqrt(2 / std::numbers::pi), a = 0.044715;
    Value square = emit.unary<SquareOp>(x);
    Value inner = emit.mul(x, emit.add(emit.mul(square, c * a), emit.scalar(c)));
    Value t = emit.unary<TanhOp>(inner);
    Value steep = emit.add(emit.mul(square, 3 * c * a), emit.scalar(c));
    Value bend = emit.mul(emit.sub(emit.scalar(1), emit.unary<SquareOp>(t)), steep);
    slope = emit.mul(emit.add(emit.add(t, emit.scalar(1)), emit.mul(x, bend)), 0.5);
  } else {
    slope = emit.unary<GeluSlopeOp>(x);
  }
  operandGradients[0] = emit.mul(resultGradients[0], slope);
}

// φ(x) (2 - x²)
GRADIENTS(GeluSlopeOp) {
  Emit emit(builder, *this);
  Value square = emit.unary<SquareOp>(getX());
  Value bell = emit.mul(emit.unary<ExpOp>(emit.mul(square, -0.5)),
                        std::numbers::inv_sqrtpi / std::numbers::sqrt2);
  operandGradients[0] =
      emit.mul(resultGradients[0], emit.mul(bell, emit.sub(emit.scalar(2), square)));
}

//===--- two operands -------------------------------------------------------------------------===//

GRADIENTS(AddOp) {
  Emit emit(builder, *this);
  for (unsigned i = 0; i < 2; ++i)
    if (wanted[i])
      operandGradients[i] = emit.reduceTo(getOperand(i), resultGradients[0]);
}

GRADIENTS(SubOp) {
  Emit emit(builder, *this);
  if (wanted[0])
    operandGradients[0] = emit.reduceTo(getA(), resultGradients[0]);
  if (wanted[1])
    operandGradients[1] = emit.unary<NegOp>(emit.reduceTo(getB(), resultGradients[0]));
}

GRADIENTS(MulOp) {
  Emit emit(builder, *this);
  for (unsigned i = 0; i < 2; ++i)
    if (wanted[i])
      operandGradients[i] =
          emit.reduceTo(getOperand(i), emit.mul(resultGradients[0], getOperand(1 - i)));
}

// da = dy / b, db = -da y
GRADIENTS(DivOp) {
  Emit emit(builder, *this);
  Value share = emit.div(resultGradients[0], getB());
  if (wanted[0])
    operandGradients[0] = emit.reduceTo(getA(), share);
  if (wanted[1])
    operandGradients[1] = emit.unary<NegOp>(emit.reduceTo(getB(), emit.mul(share, getY())));
}

// da = dy b a^(b-1), 0 where b = 0; db = dy y ln a, 0 where a = 0 and b ≥ 0: the limits, as PyTorch
// has them.
GRADIENTS(PowOp) {
  Emit emit(builder, *this);
  Value dy = resultGradients[0], zero = emit.scalar(0);
  if (wanted[0]) {
    Value slope = emit.mul(getB(), emit.pow(getA(), emit.sub(getB(), emit.scalar(1))));
    Value flat = emit.compare("eq", getB(), zero);
    operandGradients[0] = emit.reduceTo(getA(), emit.select(flat, zero, emit.mul(dy, slope)));
  }
  if (wanted[1]) {
    Value atZero = emit.compare("eq", getA(), zero), notBelow = emit.compare("ge", getB(), zero);
    Type type = emit.mul(getA(), getB()).getType();
    Value flat = LogicOp::create(builder, emit.location,
                                 cast<RankedTensorType>(type).clone(builder.getI1Type()), "and",
                                 atZero, notBelow);
    Value slope = emit.mul(getY(), emit.unary<LogOp>(getA()));
    operandGradients[1] = emit.reduceTo(getB(), emit.select(flat, zero, emit.mul(dy, slope)));
  }
}

/// The gradient goes where the value came from: to b where `second`, else to a.
static void chooseGradients(Emit &emit, Operation *op, Value second, Value gradient,
                            ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  Value zero = emit.scalar(0);
  if (wanted[0])
    operandGradients[0] = emit.reduceTo(op->getOperand(0), emit.select(second, zero, gradient));
  if (wanted[1])
    operandGradients[1] = emit.reduceTo(op->getOperand(1), emit.select(second, gradient, zero));
}

GRADIENTS(MaxOp) {
  Emit emit(builder, *this);
  chooseGradients(emit, *this, emit.compare("gt", getB(), getA()), resultGradients[0], wanted,
                  operandGradients);
}

GRADIENTS(MinOp) {
  Emit emit(builder, *this);
  chooseGradients(emit, *this, emit.compare("lt", getB(), getA()), resultGradients[0], wanted,
                  operandGradients);
}

GRADIENTS(SelectOp) {
  Emit emit(builder, *this);
  Value zero = emit.scalar(0);
  if (wanted[1])
    operandGradients[1] = emit.reduceTo(getA(), emit.select(getC(), resultGradients[0], zero));
  if (wanted[2])
    operandGradients[2] = emit.reduceTo(getB(), emit.select(getC(), zero, resultGradients[0]));
}

//===--- positions ----------------------------------------------------------------------------===//

GRADIENTS(CausalMaskOp) {
  operandGradients[0] = CausalMaskOp::create(builder, gradientLocation(*this), getX().getType(),
                                             resultGradients[0], /*zero=*/true);
}

//===--- rows that are there ------------------------------------------------------------------===//

GRADIENTS(MaskRowsOp) {
  operandGradients[0] = MaskRowsOp::create(builder, gradientLocation(*this), getX().getType(),
                                           resultGradients[0], getCount());
}

// Linear in dy: the same op again, summed where dy stood for every element.
GRADIENTS(BatchMeanGradOp) {
  Emit emit(builder, *this);
  Value share = BatchMeanGradOp::create(builder, emit.location, getDx().getType(),
                                        resultGradients[0], getCount());
  operandGradients[0] = emit.reduceTo(getDy(), share);
}
