//===- Provenance.h - which part of a step an op belongs to ---------------------------------------===//
#pragma once

#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"

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

} // namespace sinter::passes
