//===- SweepSquares.cpp - a kernel.sweep whose input lies across its outputs -----------------------===//
// Sixteen vectors of the input are turned round in registers, so that both sides move in whole cache lines.

#include "compiler/codegen/SweepEmitter.h"

using namespace mlir;

namespace sinter::codegen {

namespace {

/// Larger bodies are not written out sixteen times.
constexpr size_t largestTurnedBody = 48;

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
  inBlocks(rows, cut, 0, [&](Value row, int64_t numRows) {
    inBlocks(columns, cut, 0, [&](Value column, int64_t numColumns) {
      square(rows, row, numRows, columns, column, numColumns);
    });
  });
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
