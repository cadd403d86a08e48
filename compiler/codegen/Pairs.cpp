//===- Pairs.cpp - pairs of bfloat16, and their products -------------------------------------------===//

#include "compiler/codegen/Pairs.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Bit arithmetic on i32 or a vector of them, whichever a value is.
class Bits {
public:
  Bits(Emitter &emit, Type like) : emit(emit), type(like) {}

  Value number(uint32_t value) {
    Attribute scalar = emit.builder.getI32IntegerAttr(static_cast<int32_t>(value));
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(emit.builder, emit.location,
                                       DenseElementsAttr::get(vector, scalar));
    return arith::ConstantOp::create(emit.builder, emit.location, cast<TypedAttr>(scalar));
  }
  template <typename Op> Value make(Value a, Value b) {
    return Op::create(emit.builder, emit.location, a, b);
  }
  Value isEqual(Value a, Value b) {
    return arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::eq, a, b);
  }
  Value isAbove(Value a, Value b) {
    return arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::ugt, a, b);
  }
  Value choose(Value condition, Value yes, Value no) {
    return arith::SelectOp::create(emit.builder, emit.location, condition, yes, no);
  }

private:
  Emitter &emit;
  Type type;
};

Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

Value bitcast(Emitter &emit, Type type, Value value) {
  if (isa<VectorType>(type))
    return vector::BitCastOp::create(emit.builder, emit.location, cast<VectorType>(type), value);
  return arith::BitcastOp::create(emit.builder, emit.location, type, value);
}

/// An f32's bits, rounded; the lower half is anything. A NaN, whose bits could run over, gets a bit that stays.
Value roundedBits(Emitter &emit, Value number) {
  const Type type = withElement(number.getType(), emit.builder.getI32Type());
  Bits bits(emit, type);
  Value x = bitcast(emit, type, number);
  Value odd =
      bits.make<arith::AndIOp>(bits.make<arith::ShRUIOp>(x, bits.number(16)), bits.number(1));
  Value rounded = bits.make<arith::AddIOp>(x, bits.make<arith::AddIOp>(odd, bits.number(0x7fff)));
  Value size = bits.make<arith::AndIOp>(x, bits.number(0x7fffffff));
  Value isNaN = bits.isAbove(size, bits.number(0x7f800000));
  rounded = bits.choose(isNaN, bits.make<arith::OrIOp>(x, bits.number(0x00400000)), rounded);
  Value isSmall = bits.isAbove(bits.number(0x00800000), size);
  return bits.choose(isSmall, bits.make<arith::AndIOp>(x, bits.number(0x80000000)), rounded);
}

VectorType halves(Emitter &emit) {
  return VectorType::get({2 * lanes}, emit.builder.getBF16Type());
}

Value shuffled(Emitter &emit, Value value, llvm::function_ref<int64_t(int64_t)> from) {
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < 2 * lanes; ++lane)
    order.push_back(from(lane));
  Value moved = vector::ShuffleOp::create(emit.builder, emit.location, value, value, order);
  return bitcast(emit, Emitter::vectorOf(emit.builder.getI32Type()), moved);
}

/// `low` sixteen and `high` sixteen numbers as one vector of bfloat16.
Value converted(Emitter &emit, Value low, Value high) {
  return LLVM::CallIntrinsicOp::create(
             emit.builder, emit.location, halves(emit),
             emit.builder.getStringAttr("llvm.x86.avx512bf16.cvtne2ps2bf16.512"),
             ValueRange{high, low})
      .getResult(0);
}

} // namespace

Value rounded(Emitter &emit, Value number) {
  Value bits = roundedBits(emit, number);
  Bits of(emit, bits.getType());
  return bitcast(emit, number.getType(), of.make<arith::AndIOp>(bits, of.number(0xffff0000)));
}

Value pairOf(Emitter &emit, Value first, Value second) {
  if (isa<VectorType>(first.getType()))
    return shuffled(emit, converted(emit, second, first),
                    [](int64_t lane) { return lane % 2 == 0 ? lane / 2 : lanes + lane / 2; });
  Value upper = roundedBits(emit, first), lower = roundedBits(emit, second);
  Bits bits(emit, upper.getType());
  return bits.make<arith::OrIOp>(bits.make<arith::AndIOp>(upper, bits.number(0xffff0000)),
                                 bits.make<arith::ShRUIOp>(lower, bits.number(16)));
}

Value pairsOfRun(Emitter &emit, Value low, Value high) {
  return shuffled(emit, converted(emit, low, high), [](int64_t lane) { return lane ^ 1; });
}

Value addPairs(Emitter &emit, Value a, Value b, Value sum) {
  return LLVM::CallIntrinsicOp::create(
             emit.builder, emit.location, sum.getType(),
             emit.builder.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
             ValueRange{sum, bitcast(emit, halves(emit), a), bitcast(emit, halves(emit), b)})
      .getResult(0);
}

} // namespace sinter::codegen
