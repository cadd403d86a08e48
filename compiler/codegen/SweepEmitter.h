//===- SweepEmitter.h - what writes a kernel.sweep ------------------------------------------------===//
#pragma once

#include "compiler/codegen/Access.h"
#include "compiler/codegen/Body.h"
#include "compiler/codegen/Tasks.h"
#include "dialects/kernel/Access.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace sinter::codegen {

using namespace mlir;

/// How many vectors a reduction along parallel lanes sums side by side: enough to use whole cache lines of narrow rows.
inline constexpr int64_t accumulatorVectors = 4;

/// What is accumulated, of a body `acc + f(inputs)` or `max(acc, f(inputs))`.
enum class Combine { Add, Max };

/// None of a body that does something else.
std::optional<Combine> combineOf(Value yielded, BlockArgument accumulator);

/// Writes one op. Its methods are in EmitSweep.cpp, SweepReductions.cpp and SweepSquares.cpp.
class SweepEmitter {
public:
  SweepEmitter(kernel::SweepOp op, const TaskScope &scope);

  LogicalResult run();

private:
  mutable kernel::SweepOp op; // a handle: asking it changes nothing
  const TaskScope &scope;
  Emitter &emit;
  Block &body;
  SmallVector<int64_t> extents; // parallel, then reduce
  unsigned numParallel, numInputs;
  SmallVector<Type> elements;                  // of each operand
  SmallVector<std::optional<Access>> accesses; // of each operand, where linear
  bool isLinear = true;
  SmallVector<unsigned> axisOf;   // the op's axis → ours, after joining
  SmallVector<Value> coordinates; // where the loops stand
  Value mask;                     // of the lanes that are there; null for all
  int64_t group = 1;              // vectors side by side
  Value groupBase;             // the first one's coordinate, where that is a multiple of the group
  int64_t inGroup = 0;         // which of them is written
  SmallVector<bool> pastCache; // of each output: whether whole lines are written past the cache
  llvm::SmallDenseMap<unsigned, Value> turned;  // inputs whose vector is there already
  llvm::SmallDenseMap<unsigned, Value> uniform; // inputs of one element

  bool hasReduction() const { return extents.size() > numParallel; }
  int64_t stride(unsigned operand, unsigned axis) const;
  /// Nothing where a floordiv or mod stands in the way.
  std::optional<int64_t> strideOf(unsigned operand, unsigned axis) const;
  bool isOutput(unsigned operand) const { return operand >= numInputs; }

  /// Joins neighbours that every operand walks as one axis and no kernel.index tells apart.
  void joinAxes();

  /// The axis whose neighbours are a vector: parallel, reduce (partial sums by lane), or -1.
  int vectorAxis() const;

  /// Whether the guard tells points of this axis apart: then its lanes could part ways.
  bool guardUses(unsigned axis) const;

  /// Parallel axes as loops go, outermost first.
  SmallVector<unsigned> parallelOrder() const;

  bool goesPastCache(unsigned operand);

  /// Shares cut the outermost parallel axis that is long enough.
  int shareAxis() const;

  std::pair<Value, Value> bounds(unsigned axis, int cut, int64_t granule = 1);

  /// Zeroes this share's part of every output, which the loops do not write whole.
  LogicalResult zeroFill(int cut);

  void overParallel(ArrayRef<unsigned> axes, int cut, llvm::function_ref<void()> inner);

  //===--- vectors along a parallel axis ----------------------------------------------------------===//

  void overVectors(unsigned axis, bool isCut);

  /// Whether the body holds a chain so long that several vectors' are worth to be written side by side.
  bool isLong() const;

  /// The innermost loop that is being written holds the same chain for several vectors.
  void sideBySide();

  /// Calls `visit` for sixteen points of an axis after the other, and once for the fewer ones at its end.
  void inBlocks(unsigned axis, int cut, int64_t begin,
                llvm::function_ref<void(Value, int64_t)> visit);

  //===--- one point, or sixteen ------------------------------------------------------------------===//

  /// Where an operand's element lies at the current coordinates.
  Value addressOf(unsigned operand);

  /// An affine expression at the current coordinates.
  Value evaluate(AffineExpr expr);

  /// Whether the body asks for its place along this axis.
  bool isIndexed(unsigned axis);

  /// Lanes of the vector axis: coordinates[axis] + 0 … 15. Within a group the sum is written as bits, which leaves
  /// what the vectors have in common plain to see.
  Value laneCoordinates(unsigned axis);

  Value coordinateOf(int64_t opAxis, int vector);

  Value loadInput(unsigned operand, int vector);

  /// How far ahead of a vector of a large input to ask for another, which its loop reads later; 0: not at all.
  int64_t elementsAhead(unsigned operand, int vector);

  /// Inputs that all points read one element of, before anything is stored: behind a store, which might have changed it, what follows
  /// from it would be computed again at every point.
  void loadUniform();

  Value initial(unsigned output, bool vectors);

  /// The body at the current coordinates.
  SmallVector<Value> evaluateBody(int vector, ValueRange accumulated);

  /// Whether the current point lies inside the guard: an i1, with a vector axis sixteen of them; null without a guard.
  Value insideGuard();

  /// `values()` where the guard holds, else `otherwise`.
  SmallVector<Value> guarded(ValueRange otherwise, llvm::function_ref<SmallVector<Value>()> values);

  void point(int vector);

  /// Calls `visit` for each vector of the group, the coordinates moved there, with the number of its first output.
  void overGroup(int vector, llvm::function_ref<void(int64_t)> visit);

  //===--- reductions (SweepReductions.cpp) -------------------------------------------------------===//

  /// Partial sums begin with `init` in the first lane and zero in the others, so that it counts once.
  Value initialLanes(unsigned output);

  SmallVector<Value> reduce(unsigned axis, int vector, SmallVector<Value> accumulated);

  /// How many vectors of accumulators are kept in registers: more where the body leaves room for them.
  int64_t accumulatorsInRegisters() const;

  /// Whether sums along parallel lanes stand in the output while the inputs go by row after row, as they lie: there are too many
  /// columns for registers, and to walk all rows for some columns at a time would read memory in pieces.
  bool accumulatesInMemory(unsigned axis) const;
  void accumulateInMemory(unsigned axis, bool isCut);

  /// Sixteen partial sums along the last axis, then their tree.
  SmallVector<Value> reduceByLanes(unsigned axis, SmallVector<Value> accumulated);

  Value combine(Combine kind, Value a, Value b);

  SmallVector<Value> lanesOver(unsigned axis, SmallVector<Value> accumulated);

  //===--- squares (SweepSquares.cpp) -------------------------------------------------------------===//

  /// Whether an input lies along `rows` and is read along `columns`.
  bool isTurned(unsigned input, unsigned rows, unsigned columns) const;

  /// The axes along which an input and the outputs lie, where those are two.
  std::optional<std::pair<unsigned, unsigned>> turnedAxes() const;

  void inSquares(unsigned rows, unsigned columns, int cut);

  void square(unsigned rows, Value row, int64_t numRows, unsigned columns, Value column,
              int64_t numColumns);
};

} // namespace sinter::codegen
