//===- ForwardPass.h - which ops of a differentiated step are its forward pass --------------------===//
#pragma once

#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseSet.h"

namespace sinter::passes {

/// What a step measures is made by its forward pass alone.
class ForwardPass {
public:
  explicit ForwardPass(train::StepOp step) {
    llvm::SmallVector<mlir::Value> open;
    llvm::append_range(open, step.getCommit().getOutputs());
    while (!open.empty())
      if (mlir::Operation *op = open.pop_back_val().getDefiningOp(); op && ops.insert(op).second)
        llvm::append_range(open, op->getOperands());
  }

  bool contains(mlir::Operation *op) const { return ops.contains(op); }

private:
  llvm::DenseSet<mlir::Operation *> ops;
};

} // namespace sinter::passes
