//===- Loops.h - what plans of memory ask of loops ------------------------------------------------===//
#pragma once

#include "dialects/kernel/KernelOps.h"

namespace sinter::passes {

/// What lies behind aliases.
inline mlir::Value rootOf(mlir::Value value) {
  while (auto alias = value.getDefiningOp<kernel::AliasOp>())
    value = alias.getX();
  return value;
}

/// The operands of a loop that it reads.
inline mlir::ValueRange inputsOf(mlir::Operation *op) {
  const unsigned outputs = mlir::cast<mlir::DestinationStyleOpInterface>(op).getNumDpsInits();
  return op->getOperands().drop_back(outputs);
}

} // namespace sinter::passes
