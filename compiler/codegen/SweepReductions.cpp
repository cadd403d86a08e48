//===- SweepReductions.cpp - sums and maxima of a kernel.sweep -------------------------------------===//
// Accumulators are values of the loops; along lanes there are sixteen partial ones, joined by a fixed tree.

#include "compiler/codegen/SweepEmitter.h"

#include <functional>

using namespace mlir;

namespace sinter::codegen {

namespace {

/// Fewer rows are not worth to go through memory for.
constexpr int64_t leastRowsInMemory = 16;
/// Float ops of a body that is written for sixteen vectors side by side.
constexpr int64_t largestWideBody = 12;

} // namespace

std::optional<Combine> combineOf(Value yielded, BlockArgument accumulator) {
  Operation *op = yielded.getDefiningOp();
  if (!op || op->getNumOperands() != 2 || !accumulator.hasOneUse() || !yielded.hasOneUse() ||
      !llvm::is_contained(op->getOperands(), accumulator))
    return std::nullopt;
  if (isa<arith::AddFOp>(op))
    return Combine::Add;
  if (isa<arith::MaximumFOp>(op))
    return Combine::Max;
  return std::nullopt;
}

Value SweepEmitter::initialLanes(unsigned output) {
  const Combine kind =
      *combineOf(body.getTerminator()->getOperand(output), body.getArgument(numInputs + output));
  auto attribute = cast<FloatAttr>((*op.getInit())[output]);
  SmallVector<APFloat> values(lanes, attribute.getValue());
  if (kind == Combine::Add)
    for (APFloat &value : llvm::drop_begin(values))
      value = APFloat::getZero(value.getSemantics());
  return arith::ConstantOp::create(
      emit.builder, emit.location,
      DenseElementsAttr::get(Emitter::vectorOf(attribute.getType()), values));
}

SmallVector<Value> SweepEmitter::reduce(unsigned axis, int vector, SmallVector<Value> accumulated) {
  if (axis == extents.size())
    return guarded(accumulated, [&] {
      SmallVector<Value> results;
      overGroup(vector, [&](int64_t first) {
        llvm::append_range(
            results,
            evaluateBody(vector, ArrayRef(accumulated).slice(first, op.getOutputs().size())));
      });
      return results;
    });
  if (extents[axis] == 1)
    return reduce(axis + 1, vector, std::move(accumulated));
  ValueRange out = emit.loop(emit.constant(0), emit.constant(extents[axis]), 1, accumulated,
                             [&](Value i, ValueRange carried) {
                               coordinates[axis] = i;
                               if (group > 1 && isLong())
                                 sideBySide();
                               return reduce(axis + 1, vector,
                                             SmallVector<Value>(carried.begin(), carried.end()));
                             });
  return SmallVector<Value>(out.begin(), out.end());
}

int64_t SweepEmitter::accumulatorsInRegisters() const {
  const auto outputs = static_cast<int64_t>(op.getOutputs().size());
  const auto ops = llvm::count_if(body, [](Operation &op) {
    return !op.hasTrait<OpTrait::ConstantLike>() && op.getNumResults() == 1 &&
           isa<FloatType>(op.getResult(0).getType());
  });
  return ops <= largestWideBody && outputs == 1 ? 4 * accumulatorVectors : accumulatorVectors;
}

bool SweepEmitter::accumulatesInMemory(unsigned axis) const {
  const int64_t rows = llvm::product_of(ArrayRef(extents).drop_front(numParallel));
  if (!hasReduction() || op.getGuard() || op.getZero() ||
      extents[axis] <= accumulatorsInRegisters() * lanes || rows < leastRowsInMemory)
    return false;
  for (unsigned operand = 0; operand < accesses.size(); ++operand)
    if (isOutput(operand) ? !elements[operand].isF32() : strideOf(operand, axis).value_or(2) > 1)
      return false;
  return true;
}

void SweepEmitter::accumulateInMemory(unsigned axis, bool isCut) {
  const auto numOutputs = static_cast<unsigned>(op.getOutputs().size());
  const auto at = [&](Value i, Value lanesThere, llvm::function_ref<void()> visit) {
    coordinates[axis] = i;
    mask = lanesThere;
    visit();
    mask = {};
  };
  const auto overRow = [&](bool inGroups, llvm::function_ref<void()> visit) {
    int64_t done = 0;
    if (inGroups && !isCut) {
      group = accumulatorVectors;
      done = extents[axis] / (group * lanes) * (group * lanes);
      emit.loop(0, done, group * lanes, [&](Value i) {
        if (isLong())
          sideBySide();
        at(i, {}, visit);
      });
      group = 1;
    }
    inBlocks(axis, isCut ? static_cast<int>(axis) : -1, done, [&](Value i, int64_t count) {
      at(i, count == lanes ? Value() : emit.firstLanes(count), visit);
    });
  };
  const auto store = [&](ArrayRef<Value> sums) {
    for (unsigned i = 0; i < numOutputs; ++i)
      emit.storeLanes(sums[i], addressOf(numInputs + i), mask);
  };
  overRow(false, [&] {
    SmallVector<Value> sums;
    for (unsigned i = 0; i < numOutputs; ++i)
      sums.push_back(initial(i, /*vectors=*/true));
    store(sums);
  });
  const auto addRow = [&] {
    SmallVector<Value> sums;
    overGroup(static_cast<int>(axis), [&](int64_t) {
      SmallVector<Value> before;
      for (unsigned i = 0; i < numOutputs; ++i)
        before.push_back(emit.loadLanes(addressOf(numInputs + i), elements[numInputs + i], mask));
      llvm::append_range(sums, evaluateBody(static_cast<int>(axis), before));
    });
    overGroup(static_cast<int>(axis),
              [&](int64_t first) { store(ArrayRef(sums).slice(first, numOutputs)); });
  };
  const std::function<void(unsigned)> overRows = [&](unsigned reduced) {
    if (reduced == extents.size())
      return overRow(true, addRow);
    if (extents[reduced] == 1)
      return overRows(reduced + 1);
    emit.loop(0, extents[reduced], 1, [&](Value i) {
      coordinates[reduced] = i;
      overRows(reduced + 1);
    });
  };
  overRows(numParallel);
}

SmallVector<Value> SweepEmitter::reduceByLanes(unsigned axis, SmallVector<Value> accumulated) {
  SmallVector<Value> partial = lanesOver(axis, std::move(accumulated));
  SmallVector<Value> results;
  for (auto [i, value] : llvm::enumerate(partial)) {
    const Combine kind =
        *combineOf(body.getTerminator()->getOperand(i), body.getArgument(numInputs + i));
    results.push_back(
        emit.reduceLanes(value, [&](Value a, Value b) { return combine(kind, a, b); }));
  }
  return results;
}

Value SweepEmitter::combine(Combine kind, Value a, Value b) {
  if (kind == Combine::Add)
    return arith::AddFOp::create(emit.builder, emit.location, a, b);
  return arith::MaximumFOp::create(emit.builder, emit.location, a, b);
}

SmallVector<Value> SweepEmitter::lanesOver(unsigned axis, SmallVector<Value> accumulated) {
  const unsigned last = extents.size() - 1;
  if (axis < last) {
    if (extents[axis] == 1)
      return lanesOver(axis + 1, std::move(accumulated));
    ValueRange out =
        emit.loop(emit.constant(0), emit.constant(extents[axis]), 1, accumulated,
                  [&](Value i, ValueRange carried) {
                    coordinates[axis] = i;
                    return lanesOver(axis + 1, SmallVector<Value>(carried.begin(), carried.end()));
                  });
    return SmallVector<Value>(out.begin(), out.end());
  }
  const int64_t whole = extents[last] / lanes * lanes;
  const auto walk = [&](int64_t begin, int64_t end, int64_t vectors) {
    if (begin == end)
      return;
    ValueRange out = emit.loop(emit.constant(begin), emit.constant(end), vectors * lanes,
                               accumulated, [&](Value i, ValueRange carried) {
                                 if (vectors > 1)
                                   sideBySide();
                                 SmallVector<Value> sums(carried.begin(), carried.end());
                                 for (int64_t vector = 0; vector < vectors; ++vector) {
                                   coordinates[last] = emit.add(i, vector * lanes);
                                   sums = evaluateBody(static_cast<int>(last), sums);
                                 }
                                 return sums;
                               });
    accumulated.assign(out.begin(), out.end());
  };
  // Each sum takes one vector after the other all the same.
  const int64_t together = isLong() && !op.getGuard() ? accumulatorVectors : 1;
  const int64_t inGroups = whole / (together * lanes) * (together * lanes);
  walk(0, inGroups, together);
  walk(inGroups, whole, 1);
  if (whole == extents[last])
    return accumulated;
  coordinates[last] = emit.constant(whole);
  mask = emit.firstLanes(extents[last] - whole);
  SmallVector<Value> ragged = evaluateBody(static_cast<int>(last), accumulated);
  for (auto [value, old] : llvm::zip_equal(ragged, accumulated))
    value = arith::SelectOp::create(emit.builder, emit.location, mask, value, old);
  mask = {};
  return ragged;
}

} // namespace sinter::codegen
