//===- Backward.h - gradients along one straight block ----------------------------------------===//
// What the pass over a step and the derivative of a scan's body have in common. A value is *live*
// when it depends on something that the gradient is of, through ops that let a gradient pass;
// gradients are asked of ops for live operands only, so what is frozen costs nothing. Sums over
// several uses are taken in a fixed order, the last use first.
#pragma once

#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace sinter::train {

/// Adds to `live` the results of `op` that depend on a value in it. Whether there were any.
bool spreadLive(mlir::Operation *op, llvm::DenseSet<mlir::Value> &live);

class Backward {
public:
  /// Builds where `builder` stands.
  Backward(mlir::OpBuilder &builder, const llvm::DenseSet<mlir::Value> &live)
      : builder(builder), live(live) {}

  /// The gradient found so far, or null: the sum of what came back from the uses visited.
  mlir::Value of(mlir::Value value) const { return sums.lookup(value); }
  void add(mlir::Value value, mlir::Value part);

  /// Passes the gradients of op's results back to its live operands. Fails, with an error on the
  /// op, where it has no derivative.
  mlir::LogicalResult visit(mlir::Operation *op);

private:
  mlir::OpBuilder &builder;
  const llvm::DenseSet<mlir::Value> &live;
  llvm::DenseMap<mlir::Value, mlir::Value> sums;
};

} // namespace sinter::train
