//===- LoopCost.h - what a kernel loop op costs ----------------------------------------------------===//
#pragma once

#include "dialects/kernel/KernelOps.h"

namespace sinter::passes {

struct LoopCost {
  int64_t flops = 0; ///< float operations of the body at every point, or 2 · multiply-adds
  int64_t bytes = 0; ///< operands, each touched once
  int64_t work =
      0; ///< flops, with divisions, roots and transcendental functions counted by what they take
};

/// Of a kernel.sweep or kernel.contract.
LoopCost costOf(mlir::Operation *op);

/// What one evaluation of a body takes, in float operations.
int64_t workOf(mlir::Block &body);

/// Bytes of a tensor or memref.
int64_t bytesOf(mlir::Type type);

} // namespace sinter::passes
