//===- SweepSquares.cpp - a kernel.sweep whose input lies across its outputs -----------------------===//
// Sixteen vectors of the input are turned round in registers, so that both sides move in whole cache lines.

#include "compiler/codegen/SweepEmitter.h"

using namespace mlir;

namespace sinter::codegen {

namespace {

/// Larger bodies are not written out sixteen times.
constexpr size_t largestTurnedBody = 48;
/// Four lines of an input's row.
constexpr int64_t rowsOfBand = 4 * lanes;

} // namespace

bool SweepEmitter::isTurned(unsigned input, unsigned rows, unsigned columns) const {
  return stride(input, rows) == 1 && stride(input, columns) > 1 &&
         elements[input].getIntOrFloatBitWidth() == 32;
}

std::optional<std::pair<unsigned, unsigned>> SweepEmitter::turnedAxes() const {
  if (!isLinear || hasReduction() || op.getGuard() || op.getZero() ||
      body.getOperations().size() > largestTurnedBody)
    return std::nullopt;
  for (unsigned columns = numParallel; columns-- > 0;) {
    bool alongOutputs = extents[columns] > 1;
    for (unsigned operand = numInputs; operand < accesses.size(); ++operand)
      alongOutputs &= stride(operand, columns) == 1;
    if (!alongOutputs)
      continue;
    for (unsigned rows = 0; rows < numParallel; ++rows)
      for (unsigned input = 0; input < numInputs; ++input)
        if (rows != columns && extents[rows] > 1 && isTurned(input, rows, columns))
          return std::pair(rows, columns);
  }
  return std::nullopt;
}

void SweepEmitter::inSquares(unsigned rows, unsigned columns, int cut) {
  // A band of rows goes through all columns: so neighbouring lines of the input are used together. Its rows may lie kilobytes apart, where a
  // line's place in the caches is another's before the next band comes.
  const auto band = [&](Value first, Value end) {
    inBlocks(columns, cut, 0, [&](Value column, int64_t numColumns) {
      emit.loop(first, end, lanes,
                [&](Value row) { square(rows, row, lanes, columns, column, numColumns); });
    });
  };
  const int64_t whole = extents[rows] / lanes * lanes;
  auto [low, high] = bounds(rows, cut, lanes);
  Value end = arith::MinSIOp::create(emit.builder, emit.location, high, emit.constant(whole));
  emit.loop(low, end, rowsOfBand, [&](Value first) {
    band(first,
         arith::MinSIOp::create(emit.builder, emit.location, emit.add(first, rowsOfBand), end));
  });
  if (whole == extents[rows])
    return;
  const auto rest = [&] {
    inBlocks(columns, cut, 0, [&](Value column, int64_t numColumns) {
      square(rows, emit.constant(whole), extents[rows] - whole, columns, column, numColumns);
    });
  };
  if (static_cast<int>(rows) != cut)
    return rest();
  Value isLast = arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::sgt, high,
                                       emit.constant(whole));
  auto branch = scf::IfOp::create(emit.builder, emit.location, isLast, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(emit.builder);
  emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  rest();
}

void SweepEmitter::square(unsigned rows, Value row, int64_t numRows, unsigned columns, Value column,
                          int64_t numColumns) {
  llvm::SmallDenseMap<unsigned, SmallVector<Value>> squares;
  for (unsigned input = 0; input < numInputs; ++input) {
    if (!isTurned(input, rows, columns) || body.getArgument(input).use_empty())
      continue;
    SmallVector<Value> lines;
    coordinates[rows] = row;
    for (int64_t i = 0; i < numColumns; ++i) {
      coordinates[columns] = emit.add(column, i);
      lines.push_back(emit.loadLanes(addressOf(input), elements[input], emit.firstLanes(numRows)));
    }
    squares[input] = emit.transpose(std::move(lines));
  }
  mask = emit.firstLanes(numColumns);
  coordinates[columns] = column;
  for (int64_t i = 0; i < numRows; ++i) {
    coordinates[rows] = emit.add(row, i);
    for (auto &[input, lines] : squares)
      turned[input] = lines[i];
    point(static_cast<int>(columns));
  }
  turned.clear();
  mask = {};
}

} // namespace sinter::codegen
