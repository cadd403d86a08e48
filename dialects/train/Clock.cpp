//===- Clock.cpp - scalar bodies of what depends on the step or on a counter ---------------------------===//
#include "dialects/train/Scalar.h"
#include "dialects/train/Verify.h"

#include <numbers>

using namespace mlir;
using namespace sinter::train;

//===--- constant and count -------------------------------------------------------------------===//

SmallVector<Value> CountOp::buildScalar(OpBuilder &builder, Location location, ValueRange arguments,
                                        ValueRange) {
  Scalar s(builder, location);
  return {s.mul(s.number(getScale()), s.toFloat(arguments[0], builder.getF32Type()))};
}

//===--- schedules, in f64 --------------------------------------------------------------------===//

SmallVector<Value> RateOp::buildScalar(OpBuilder &builder, Location location, ValueRange arguments,
                                       ValueRange) {
  Scalar s(builder, location);
  const FloatType f64 = builder.getF64Type();
  auto number = [&](double value) { return s.number(value, f64); };
  const double value = getValue().convertToDouble(), to = getTo().convertToDouble();
  Value step = s.toFloat(arguments[0], f64);

  auto length = [&](uint64_t count, bool epochs) {
    Value steps = number(static_cast<double>(count));
    return epochs ? s.mul(steps, s.toFloat(arguments[2], f64)) : steps;
  };
  // How far between the end of the warm-up (0) and the stage's end (1).
  auto progress = [&] {
    Value warmup = length(getWarmup(), getWarmupEpochs());
    Value behind = s.sub(s.toFloat(arguments[1], f64), warmup), one = number(1);
    return s.div(s.sub(step, warmup), s.choose(s.greater(behind, one), behind, one));
  };
  Value rate;
  if (getKind() == "constant") {
    rate = number(value);
  } else if (getKind() == "linear") {
    rate = s.add(number(value), s.mul(number(to - value), progress()));
  } else if (getKind() == "cosine") {
    Value wave = s.make<math::CosOp>(s.mul(number(std::numbers::pi), progress()));
    rate = s.add(number(to), s.mul(number((value - to) / 2), s.add(number(1), wave)));
  } else {
    Value power = step;
    if (getKind() == "step")
      power = s.make<math::FloorOp>(s.div(step, length(getEvery(), getEveryEpochs())));
    rate = s.mul(number(value), s.make<math::PowFOp>(number(getBy().convertToDouble()), power));
  }

  if (const auto warmup = static_cast<int64_t>(getWarmup()); warmup > 0) {
    Value limit = length(getWarmup(), getWarmupEpochs());
    Value rise = s.mul(number(value), s.div(s.add(step, number(1)), limit));
    rate = s.choose(s.greater(limit, step), rise, rate);
  }
  if (getFactor().convertToDouble() != 1)
    rate = s.mul(number(getFactor().convertToDouble()), rate);
  return {s.make<arith::TruncFOp>(builder.getF32Type(), rate)};
}

LogicalResult RateOp::verify() {
  if (!llvm::is_contained({"constant", "linear", "cosine", "exponential", "step"}, getKind()))
    return emitOpError("(C1) kind is constant, linear, cosine, exponential or step, is \"")
           << getKind() << "\"";
  if (static_cast<int64_t>(getWarmup()) < 0)
    return emitOpError("(C2) warmup must not be negative, is ")
           << static_cast<int64_t>(getWarmup());
  if (static_cast<int64_t>(getEvery()) < 1)
    return emitOpError("(C3) every must be positive, is ") << getEvery();
  if ((getEveryEpochs() || getWarmupEpochs()) && !getEpoch())
    return emitOpError("(C4) a length in epochs needs `epochs`, how many steps one has");
  return success();
}

SmallVector<Value> PulseOp::buildScalar(OpBuilder &builder, Location location, ValueRange arguments,
                                        ValueRange) {
  Scalar s(builder, location);
  const FloatType f64 = builder.getF64Type();
  Value every = s.number(static_cast<double>(getEvery()), f64);
  Value done = s.add(s.toFloat(arguments[0], f64), s.number(1, f64));
  Value rest = s.sub(done, s.mul(every, s.make<math::FloorOp>(s.div(done, every))));
  return {s.choose(s.greater(s.number(0.5, f64), rest), s.number(1), s.number(0))};
}

LogicalResult PulseOp::verify() {
  if (static_cast<int64_t>(getEvery()) < 1)
    return emitOpError("(C1) every must be positive, is ") << static_cast<int64_t>(getEvery());
  return success();
}

SmallVector<Value> BiasCorrectionOp::buildScalar(OpBuilder &builder, Location location,
                                                 ValueRange arguments, ValueRange) {
  Scalar s(builder, location);
  const FloatType f64 = builder.getF64Type();
  Value one = s.number(1, f64);
  Value power = s.make<math::PowFOp>(s.number(getBeta().convertToDouble(), f64),
                                     s.add(s.toFloat(arguments[0], f64), one));
  return {s.make<arith::TruncFOp>(builder.getF32Type(), s.sub(one, power))};
}

//===--- random numbers -----------------------------------------------------------------------===//

/// 32-bit FNV-1a, as runtime/Philox.h has it.
static uint32_t fnv1a(StringRef text) {
  uint32_t hash = 2166136261u;
  for (char c : text)
    hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

// Philox4x32-10 (Salmon et al., SC 2011), word for word as runtime/Philox.h computes it.
static std::array<Value, 4> philox(Scalar &s, std::array<Value, 4> counter, Value k0, Value k1) {
  Type i32 = s.builder.getI32Type();
  Value m0 = s.integer(0xD2511F53u, i32), m1 = s.integer(0xCD9E8D57u, i32);
  Value w0 = s.integer(0x9E3779B9u, i32), w1 = s.integer(0xBB67AE85u, i32);
  for (int round = 0; round < 10; ++round) {
    auto p0 = arith::MulUIExtendedOp::create(s.builder, s.location, m0, counter[0]);
    auto p1 = arith::MulUIExtendedOp::create(s.builder, s.location, m1, counter[2]);
    auto mix = [&](Value a, Value b, Value c) {
      return s.make<arith::XOrIOp>(s.make<arith::XOrIOp>(a, b), c);
    };
    counter = {mix(p1.getHigh(), counter[1], k0), p1.getLow(), mix(p0.getHigh(), counter[3], k1),
               p0.getLow()};
    if (round < 9) {
      k0 = s.make<arith::AddIOp>(k0, w0);
      k1 = s.make<arith::AddIOp>(k1, w1);
    }
  }
  return counter;
}

SmallVector<Value> RandomOp::buildScalar(OpBuilder &builder, Location location,
                                         ValueRange arguments, ValueRange point) {
  Scalar s(builder, location);
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  auto number = [&](int64_t value) { return s.integer(value, i32); };

  // The element's number within its example, row-major.
  Value element = number(0);
  int64_t stride = 1;
  const ArrayRef<int64_t> shape = getY().getType().getShape();
  for (size_t axis = shape.size(); axis-- > 1;) {
    Value coordinate = s.make<arith::IndexCastOp>(i32, point[axis]);
    element = s.make<arith::AddIOp>(element, s.make<arith::MulIOp>(coordinate, number(stride)));
    stride *= shape[axis];
  }

  // element = 64 q + 16 word + lane; block = 16 q + lane
  Value lane = s.make<arith::AndIOp>(element, number(15));
  Value block = s.make<arith::OrIOp>(
      s.make<arith::ShLIOp>(s.make<arith::ShRUIOp>(element, number(6)), number(4)), lane);
  Value word = s.make<arith::AndIOp>(s.make<arith::ShRUIOp>(element, number(4)), number(3));

  Value seed = s.make<arith::IndexCastOp>(i64, arguments[2]);
  Value k0 = s.make<arith::TruncIOp>(i32, seed);
  Value k1 = s.make<arith::TruncIOp>(i32, s.make<arith::ShRUIOp>(seed, s.integer(32, i64)));
  Value draw = s.make<arith::TruncIOp>(i32, s.make<arith::IndexCastOp>(i64, arguments[1]));
  const std::array<Value, 4> words =
      philox(s, {block, arguments[0], draw, number(fnv1a(getPurpose()))}, k0, k1);

  Value bits = words[0];
  for (int64_t w = 1; w < 4; ++w)
    bits =
        s.choose(s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, word, number(w)), words[w], bits);
  // 24 bits are exact in f32, and positive as a signed number.
  Value high = s.make<arith::ShRUIOp>(bits, number(8));
  return {s.mul(s.make<arith::SIToFPOp>(builder.getF32Type(), high), s.number(0x1p-24))};
}

LogicalResult RandomOp::verify() {
  if (getY().getType().getRank() == 0)
    return emitOpError("(C1) y has rows, one an example");
  return verifyPointwise(*this);
}
