//===- Pointwise.cpp - scalar bodies of pointwise ops and what verifies them ------------------===//
// One body an op, for one element; evaluator, fusion and kernels all take it from here. Bodies
// compute in f32 except where an op says f64, and never hide a NaN.
#include "dialects/train/Scalar.h"
#include "dialects/train/Verify.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <limits>
#include <numbers>

using namespace mlir;
using namespace sinter::train;

//===--- one operand --------------------------------------------------------------------------===//

// The signature of every body.
#define SCALAR_BODY(OP)                                                                            \
  SmallVector<Value> OP::buildScalar(OpBuilder &builder, Location location, ValueRange arguments,  \
                                     ValueRange point)

SCALAR_BODY(NegOp) { return {Scalar(builder, location).neg(arguments[0])}; }
SCALAR_BODY(ExpOp) { return {math::ExpOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(LogOp) { return {math::LogOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(SqrtOp) { return {math::SqrtOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(AbsOp) { return {math::AbsFOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(SinOp) { return {math::SinOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(CosOp) { return {math::CosOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(TanhOp) { return {math::TanhOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(ErfOp) { return {math::ErfOp::create(builder, location, arguments[0])}; }
SCALAR_BODY(StopGradientOp) { return {arguments[0]}; }

SCALAR_BODY(SignOp) {
  Scalar s(builder, location);
  Value x = arguments[0], zero = s.number(0);
  return {
      s.choose(s.greater(x, zero), s.number(1), s.choose(s.greater(zero, x), s.number(-1), zero))};
}

SCALAR_BODY(SquareOp) { return {Scalar(builder, location).mul(arguments[0], arguments[0])}; }

SCALAR_BODY(SigmoidOp) {
  Scalar s(builder, location);
  return {s.div(s.number(1), s.onePlusExpNeg(arguments[0]))};
}

SCALAR_BODY(SiluOp) {
  Scalar s(builder, location);
  return {s.div(arguments[0], s.onePlusExpNeg(arguments[0]))};
}

SCALAR_BODY(SoftplusOp) {
  Scalar s(builder, location);
  Value x = arguments[0], zero = s.number(0);
  Value small = s.make<math::Log1pOp>(s.make<math::ExpOp>(s.neg(s.make<math::AbsFOp>(x))));
  return {s.add(s.choose(s.greater(zero, x), zero, x), small)};
}

SCALAR_BODY(ReluOp) {
  Scalar s(builder, location);
  Value x = arguments[0], zero = s.number(0);
  return {s.choose(s.greater(zero, x), zero, x)};
}

SCALAR_BODY(LeakyReluOp) {
  Scalar s(builder, location);
  Value x = arguments[0];
  return {s.choose(s.greater(x, s.number(0)), x, s.mul(s.number(getSlope()), x))};
}

SCALAR_BODY(EluOp) {
  Scalar s(builder, location);
  Value x = arguments[0];
  return {s.choose(s.greater(x, s.number(0)), x,
                   s.mul(s.number(getAlpha()), s.make<math::ExpM1Op>(x)))};
}

SCALAR_BODY(GeluOp) {
  Scalar s(builder, location);
  Value x = arguments[0], inner;
  if (getApproximate()) {
    // As in the gradient, so that the two can share the tanh.
    const double c = std::sqrt(2 / std::numbers::pi);
    Value bend = s.add(s.mul(s.mul(x, x), s.number(c * 0.044715)), s.number(c));
    inner = s.make<math::TanhOp>(s.mul(x, bend));
  } else {
    inner = s.make<math::ErfOp>(s.mul(x, s.number(1 / std::numbers::sqrt2)));
  }
  return {s.mul(s.mul(s.number(0.5), x), s.add(s.number(1), inner))};
}

SCALAR_BODY(GeluSlopeOp) {
  Scalar s(builder, location);
  Value x = arguments[0];
  Value below = s.make<math::ErfOp>(s.mul(x, s.number(1 / std::numbers::sqrt2)));
  Value share = s.mul(s.add(below, s.number(1)), s.number(0.5));
  Value bell = s.make<math::ExpOp>(s.mul(s.mul(x, x), s.number(-0.5)));
  Value density = s.mul(bell, s.number(std::numbers::inv_sqrtpi / std::numbers::sqrt2));
  return {s.add(share, s.mul(x, density))};
}

// Half of the last place that stays, a bit less where that place is even, is added to the bits, and
// the lower half cut off; a NaN, whose bits could run over, gets a bit that stays instead.
SCALAR_BODY(Bf16Op) {
  Scalar s(builder, location);
  Type i32 = builder.getI32Type(), f32 = builder.getF32Type();
  Value x = arguments[0];
  Value bits = s.make<arith::BitcastOp>(i32, x), half = s.integer(16, i32);
  Value odd = s.make<arith::AndIOp>(s.make<arith::ShRUIOp>(bits, half), s.integer(1, i32));
  Value rounded = s.make<arith::AddIOp>(bits, s.make<arith::AddIOp>(odd, s.integer(0x7fff, i32)));
  Value isNumber = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, x, x);
  Value quiet = s.make<arith::OrIOp>(bits, s.integer(0x00400000, i32));
  Value kept = s.make<arith::AndIOp>(s.choose(isNumber, rounded, quiet),
                                     s.integer(static_cast<int32_t>(0xffff0000u), i32));
  return {s.make<arith::BitcastOp>(f32, kept)};
}

//===--- two operands -------------------------------------------------------------------------===//

SCALAR_BODY(AddOp) { return {Scalar(builder, location).add(arguments[0], arguments[1])}; }
SCALAR_BODY(SubOp) { return {Scalar(builder, location).sub(arguments[0], arguments[1])}; }
SCALAR_BODY(MulOp) { return {Scalar(builder, location).mul(arguments[0], arguments[1])}; }
SCALAR_BODY(DivOp) { return {Scalar(builder, location).div(arguments[0], arguments[1])}; }
SCALAR_BODY(PowOp) { return {math::PowFOp::create(builder, location, arguments[0], arguments[1])}; }
SCALAR_BODY(MaxOp) {
  Scalar s(builder, location);
  return {s.choose(s.greater(arguments[1], arguments[0]), arguments[1], arguments[0])};
}
SCALAR_BODY(MinOp) {
  Scalar s(builder, location);
  return {s.choose(s.greater(arguments[0], arguments[1]), arguments[1], arguments[0])};
}

LogicalResult AddOp::verify() { return verifyPointwise(*this); }
LogicalResult SubOp::verify() { return verifyPointwise(*this); }
LogicalResult MulOp::verify() { return verifyPointwise(*this); }
LogicalResult DivOp::verify() { return verifyPointwise(*this); }
LogicalResult PowOp::verify() { return verifyPointwise(*this); }
LogicalResult MaxOp::verify() { return verifyPointwise(*this); }
LogicalResult MinOp::verify() { return verifyPointwise(*this); }

//===--- choices ------------------------------------------------------------------------------===//

static std::optional<arith::CmpFPredicate> floatPredicate(StringRef name) {
  using enum arith::CmpFPredicate;
  // A NaN differs from everything and is neither smaller nor greater.
  return llvm::StringSwitch<std::optional<arith::CmpFPredicate>>(name)
      .Case("eq", OEQ)
      .Case("ne", UNE)
      .Case("lt", OLT)
      .Case("le", OLE)
      .Case("gt", OGT)
      .Case("ge", OGE)
      .Default(std::nullopt);
}

static arith::CmpIPredicate integerPredicate(StringRef name, bool isBool) {
  using enum arith::CmpIPredicate;
  return llvm::StringSwitch<arith::CmpIPredicate>(name)
      .Case("eq", eq)
      .Case("ne", ne)
      .Case("lt", isBool ? ult : slt)
      .Case("le", isBool ? ule : sle)
      .Case("gt", isBool ? ugt : sgt)
      .Default(isBool ? uge : sge);
}

SCALAR_BODY(CompareOp) {
  Scalar s(builder, location);
  Type type = arguments[0].getType();
  if (isa<FloatType>(type))
    return {s.make<arith::CmpFOp>(*floatPredicate(getPredicate()), arguments[0], arguments[1])};
  return {s.make<arith::CmpIOp>(integerPredicate(getPredicate(), type.isInteger(1)), arguments[0],
                                arguments[1])};
}

LogicalResult CompareOp::verify() {
  if (!floatPredicate(getPredicate()))
    return emitOpError("(C1) predicate is eq, ne, lt, le, gt or ge, is \"")
           << getPredicate() << "\"";
  if (getA().getType().getElementType() != getB().getType().getElementType())
    return emitOpError("(C2) a and b must have one element type");
  return verifyPointwise(*this);
}

SCALAR_BODY(LogicOp) {
  Scalar s(builder, location);
  if (getKind() == "and")
    return {s.make<arith::AndIOp>(arguments[0], arguments[1])};
  if (getKind() == "or")
    return {s.make<arith::OrIOp>(arguments[0], arguments[1])};
  return {s.make<arith::XOrIOp>(arguments[0], arguments[1])};
}

LogicalResult LogicOp::verify() {
  if (!llvm::is_contained({"and", "or", "xor"}, getKind()))
    return emitOpError("(C1) kind is and, or or xor, is \"") << getKind() << "\"";
  return verifyPointwise(*this);
}

SCALAR_BODY(SelectOp) {
  return {Scalar(builder, location).choose(arguments[0], arguments[1], arguments[2])};
}
LogicalResult SelectOp::verify() { return verifyPointwise(*this); }

SCALAR_BODY(CastOp) {
  Type type = arguments[0].getType(), f32 = builder.getF32Type();
  if (type.isInteger(1))
    return {arith::UIToFPOp::create(builder, location, f32, arguments[0])};
  return {arith::SIToFPOp::create(builder, location, f32, arguments[0])};
}
LogicalResult CastOp::verify() {
  if (getX().getType().getElementType().isF32())
    return emitOpError("(C1) x holds integers or booleans");
  return verifyPointwise(*this);
}

SCALAR_BODY(OneHotOp) {
  Scalar s(builder, location);
  Value axis = s.make<arith::IndexCastOp>(builder.getI32Type(), point.back());
  Value hit = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, arguments[0], axis);
  return {s.choose(hit, s.number(1), s.number(0))};
}
LogicalResult OneHotOp::verify() {
  if (getY().getType().getRank() == 0)
    return emitOpError("(C1) y has a last axis, the classes");
  return verifyPointwise(*this);
}

SCALAR_BODY(NumberOp) {
  return {arith::IndexCastOp::create(builder, location, builder.getI32Type(), point[getAxis()])};
}
LogicalResult NumberOp::verify() {
  if (getAxis() >= static_cast<uint64_t>(getY().getType().getRank()))
    return emitOpError("(C1) axis ")
           << getAxis() << " is none of y's " << getY().getType().getRank();
  return success();
}

//===--- positions ----------------------------------------------------------------------------===//

SCALAR_BODY(CausalMaskOp) {
  Scalar s(builder, location);
  Value sees =
      s.make<arith::CmpIOp>(arith::CmpIPredicate::sle, point.back(), point[point.size() - 2]);
  return {s.choose(sees, arguments[0],
                   s.number(getZero() ? 0.0 : -std::numeric_limits<double>::infinity()))};
}
LogicalResult CausalMaskOp::verify() {
  if (getX().getType().getRank() < 3)
    return emitOpError("(C1) x has two axes behind the batch's");
  return verifyPointwise(*this);
}

// The frequency 10000^(-2i / D) is the product of one factor for each bit that is set in i: exact to
// a rounding of f64 or two, with neither a table nor a power. An angle is in turns until its whole
// turns are gone, so that f32 sees a small one at any t.
SCALAR_BODY(SinusoidOp) {
  Scalar s(builder, location);
  const FloatType f64 = builder.getF64Type();
  const int64_t size = getY().getType().getDimSize(1);
  const Type i32 = builder.getI32Type();
  Value column = s.make<arith::IndexCastOp>(i32, point[1]);
  Value turns = s.mul(s.toFloat(point[0], f64), s.number(0.5 * std::numbers::inv_pi, f64));
  for (int64_t bit = 2; bit < size; bit *= 2) { // of column = 2i or 2i + 1
    Value isSet = s.make<arith::CmpIOp>(arith::CmpIPredicate::ne,
                                        s.make<arith::AndIOp>(column, s.integer(bit, i32)),
                                        s.integer(0, i32));
    const double factor = std::pow(10000.0, -static_cast<double>(bit) / static_cast<double>(size));
    turns = s.choose(isSet, s.mul(turns, s.number(factor, f64)), turns);
  }
  // cos x = sin(x + a quarter turn)
  Value isOdd =
      s.make<arith::CmpIOp>(arith::CmpIPredicate::ne,
                            s.make<arith::AndIOp>(column, s.integer(1, i32)), s.integer(0, i32));
  turns = s.choose(isOdd, s.add(turns, s.number(0.25, f64)), turns);
  Value part = s.sub(turns, s.make<math::FloorOp>(s.add(turns, s.number(0.5, f64))));
  Value angle = s.mul(part, s.number(2 * std::numbers::pi, f64));
  return {s.make<math::SinOp>(s.make<arith::TruncFOp>(builder.getF32Type(), angle))};
}
LogicalResult SinusoidOp::verify() {
  if (getY().getType().getRank() != 2)
    return emitOpError("(C1) y is [T, D]");
  return verifyPointwise(*this);
}

//===--- rows that are there ------------------------------------------------------------------===//

SCALAR_BODY(MaskRowsOp) {
  Scalar s(builder, location);
  return {s.choose(s.isPresent(point[0], arguments[1]), arguments[0], s.number(0))};
}
LogicalResult MaskRowsOp::verify() {
  if (getY().getType().getRank() == 0)
    return emitOpError("(C1) y has rows");
  return verifyPointwise(*this);
}

SCALAR_BODY(BatchMeanGradOp) {
  Scalar s(builder, location);
  Value share = s.div(arguments[0], s.toFloat(arguments[1], builder.getF32Type()));
  return {s.choose(s.isPresent(point[0], arguments[1]), share, s.number(0))};
}
LogicalResult BatchMeanGradOp::verify() {
  if (getDx().getType().getRank() == 0)
    return emitOpError("(C1) dx has rows");
  return verifyPointwise(*this);
}
