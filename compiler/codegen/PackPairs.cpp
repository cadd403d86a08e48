//===- PackPairs.cpp - operands as pairs of bfloat16 ------------------------------------------------===//

#include "compiler/codegen/PackPairs.h"

#include "compiler/codegen/PackOperands.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using llvm::divideCeil;

namespace sinter::codegen {
namespace {

/// What the copies of rows may take of a thread's stack, and of the second-level cache: 512 KiB.
constexpr int64_t maxKeptWords = 128 * 1024;
/// Rows of the largest tile.
constexpr int64_t maxTileRows = lanes;

} // namespace

PairCopies::PairCopies(const TaskScope &scope, const ContractPlan &plan, const Schedule &schedule,
                       Products products, int64_t rows)
    : scope(scope), plan(plan), schedule(schedule), products(products),
      perPair(wordsOfPair(products)) {
  if (!plan.sum.empty() && rows * words(plan.block) <= maxKeptWords)
    keptRows = rows;
}

int64_t PairCopies::pairs(ArrayRef<int64_t> sizes) {
  return llvm::product_of(sizes.drop_back()) * divideCeil(sizes.back(), 2);
}

Value PairCopies::zeros() {
  OpBuilder &builder = scope.emitter.builder;
  return arith::ConstantOp::create(builder, scope.emitter.location,
                                   builder.getZeroAttr(Emitter::vectorOf(builder.getF32Type())));
}

int64_t PairCopies::innermostStride(unsigned operand) const {
  return plan.accesses[operand].strides[plan.sumAxis(plan.sum.size() - 1)];
}

void PairCopies::overPairs(unsigned operand, ArrayRef<int64_t> sizes, Value offset,
                           llvm::function_ref<void(Value, Value, bool)> body) {
  Emitter &emit = scope.emitter;
  const int64_t stride = innermostStride(operand), whole = sizes.back() / 2;
  emit.loop(0, whole, 1, [&](Value pair) {
    body(emit.add(offset, emit.multiply(pair, 2 * stride)), pair, false);
  });
  if (sizes.back() % 2 != 0)
    body(emit.add(offset, 2 * whole * stride), emit.constant(whole), true);
}

void PairCopies::storePair(Value first, Value second, Value to, int64_t apart, Value mask) {
  Emitter &emit = scope.emitter;
  const auto store = [&](Value value, Value at) {
    if (isa<VectorType>(value.getType()))
      emit.storeLanes(value, at, mask);
    else
      emit.store(value, at);
  };
  if (products == Products::Pairs)
    return store(pairOf(emit, first, second), to);
  store(rounded(emit, first), to);
  store(rounded(emit, second), emit.advance(to, apart, emit.builder.getF32Type()));
}

Value PairCopies::panel(Value offset, int64_t vectors, int64_t lastColumns,
                        ArrayRef<int64_t> sizes) {
  Emitter &emit = scope.emitter;
  const Type f32 = emit.builder.getF32Type(), i32 = emit.builder.getI32Type();
  if (!copyOfB)
    copyOfB = emit.stack(words(plan.block) * schedule.nr * lanes);
  const int64_t perRun = divideCeil(sizes.back(), 2), stride = innermostStride(1);
  overSum(scope, plan, 1, sizes.drop_back(), offset, [&](Value start, Value run) {
    overPairs(1, sizes, start, [&](Value at, Value pair, bool isHalf) {
      Value from = emit.advance(scope.pointers[1], at, f32);
      Value number = emit.add(emit.multiply(run, perRun), pair);
      Value to = emit.advance(copyOfB, emit.multiply(number, vectors * lanes * perPair), i32);
      for (int64_t j = 0; j < vectors; ++j) {
        Value mask = j + 1 == vectors ? emit.firstLanes(lastColumns) : Value();
        Value first = emit.loadLanes(emit.advance(from, j * lanes, f32), f32, mask);
        Value second = isHalf
                           ? zeros()
                           : emit.loadLanes(emit.advance(from, stride + j * lanes, f32), f32, mask);
        storePair(first, second, emit.advance(to, j * lanes, i32), vectors * lanes);
      }
    });
  });
  return copyOfB;
}

Value PairCopies::placeOf(Value before, ArrayRef<int64_t> sizes) {
  Emitter &emit = scope.emitter;
  const Type i32 = emit.builder.getI32Type();
  if (!copyOfA)
    copyOfA = emit.stack(words(plan.block) * std::max(keptRows, maxTileRows));
  return keepsRows() ? emit.advance(copyOfA, emit.multiply(before, words(sizes)), i32) : copyOfA;
}

bool PairCopies::rowsLieTogether(const Tile &tile) const {
  return innermostStride(0) != 1 && tile.x > 1 && tile.strideX == 1;
}

PairStrides PairCopies::stridesOf(const Tile &tile, ArrayRef<int64_t> sizes) const {
  return rowsLieTogether(tile) ? PairStrides{1, tile.rows()} : PairStrides{words(sizes), 1};
}

/// `count` numbers side by side, and a zero behind an odd one.
void PairCopies::copyRun(Value from, Value to, int64_t count) {
  Emitter &emit = scope.emitter;
  const Type f32 = emit.builder.getF32Type(), i32 = emit.builder.getI32Type();
  const auto part = [&](Value number, int64_t size) {
    Value at = emit.advance(from, emit.multiply(number, 2 * lanes), f32);
    Value low = emit.loadLanes(at, f32, emit.firstLanes(size)), high = zeros();
    if (size > lanes)
      high = emit.loadLanes(emit.advance(at, lanes, f32), f32, emit.firstLanes(size - lanes));
    Value place = emit.advance(to, emit.multiply(number, lanes * perPair), i32);
    if (products == Products::Pairs)
      return emit.storeLanes(pairsOfRun(emit, low, high), place,
                             emit.firstLanes(divideCeil(size, 2)));
    const int64_t even = llvm::alignTo(size, 2);
    emit.storeLanes(rounded(emit, low), place, emit.firstLanes(std::min(even, lanes)));
    if (even > lanes)
      emit.storeLanes(rounded(emit, high), emit.advance(place, lanes, f32),
                      emit.firstLanes(even - lanes));
  };
  const int64_t whole = count / (2 * lanes), rest = count % (2 * lanes);
  emit.loop(0, whole, 1, [&](Value number) { part(number, 2 * lanes); });
  if (rest != 0)
    part(emit.constant(whole), rest);
}

Value PairCopies::tile(const Tile &tile, Value before, ArrayRef<int64_t> sizes) {
  Emitter &emit = scope.emitter;
  const Type f32 = emit.builder.getF32Type(), i32 = emit.builder.getI32Type();
  Value place = placeOf(before, sizes);
  const int64_t perRun = divideCeil(sizes.back(), 2), stride = innermostStride(0);
  // Of a pair: where the first is read, where it is written; of a row alone, or of all along x.
  const auto copyPairs = [&](Value offset, Value to, Value lanesOfRows) {
    const int64_t step = stridesOf(tile, sizes).step;
    const auto load = [&](Value from) {
      return lanesOfRows ? emit.loadLanes(from, f32, lanesOfRows) : emit.load(from, f32);
    };
    overSum(scope, plan, 0, sizes.drop_back(), offset, [&](Value start, Value run) {
      overPairs(0, sizes, start, [&](Value at, Value pair, bool isHalf) {
        Value from = emit.advance(scope.pointers[0], at, f32);
        Value first = load(from), second;
        if (!isHalf)
          second = load(emit.advance(from, stride, f32));
        else
          second = lanesOfRows ? zeros()
                               : arith::ConstantOp::create(emit.builder, emit.location,
                                                           emit.builder.getF32FloatAttr(0));
        Value number = emit.add(emit.multiply(run, perRun), pair);
        storePair(first, second, emit.advance(to, emit.multiply(number, step * perPair), i32), step,
                  lanesOfRows);
      });
    });
  };
  emit.loop(0, tile.y, 1, [&](Value y) {
    Value atY = emit.add(tile.offset, emit.multiply(y, tile.strideY));
    if (rowsLieTogether(tile))
      return copyPairs(atY, emit.advance(place, emit.multiply(y, tile.x), i32),
                       emit.firstLanes(tile.x));
    emit.loop(0, tile.x, 1, [&](Value x) {
      Value offset = emit.add(atY, emit.multiply(x, tile.strideX));
      Value row = emit.add(emit.multiply(y, tile.x), x);
      Value to = emit.advance(place, emit.multiply(row, words(sizes)), i32);
      if (stride != 1)
        return copyPairs(offset, to, {});
      overSum(scope, plan, 0, sizes.drop_back(), offset, [&](Value start, Value run) {
        copyRun(emit.advance(scope.pointers[0], start, f32),
                emit.advance(to, emit.multiply(run, perRun * perPair), i32), sizes.back());
      });
    });
  });
  return place;
}

} // namespace sinter::codegen
