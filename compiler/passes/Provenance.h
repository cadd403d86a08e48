//===- Provenance.h - which part of a step an op belongs to ---------------------------------------===//
#pragma once

#include "mlir/IR/Location.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseSet.h"

namespace sinter::passes {

/// Whether differentiation built the op: its location says so, and joined ops keep all of theirs.
inline bool isGradient(mlir::Operation *op) {
  return op->getLoc()
      ->walk([](mlir::Location part) {
        auto name = mlir::dyn_cast<mlir::NameLoc>(part);
        return name && name.getName() == "gradient" ? mlir::WalkResult::interrupt()
                                                    : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

/// An op of a step that differentiation built and that the commit does not need: it would be of the gradient of something
/// that nobody may write. Null where there is none.
inline mlir::Operation *strayGradient(mlir::Block &step) {
  llvm::DenseSet<mlir::Operation *> needed;
  for (mlir::Operation &op : llvm::reverse(step)) {
    if (op.hasTrait<mlir::OpTrait::IsTerminator>() ||
        llvm::any_of(op.getUsers(), [&](mlir::Operation *user) { return needed.contains(user); }))
      needed.insert(&op);
    else if (isGradient(&op))
      return &op;
  }
  return nullptr;
}

} // namespace sinter::passes
