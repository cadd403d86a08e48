//===- TrainToKernelParts.h - the parts of the lowering, one file each ------------------------===//
#pragma once

#include "compiler/lower/KernelBuilder.h"
#include "dialects/train/TrainInterfaces.h"

namespace sinter::lower {

/// Each lowers one op and tells the builder where its results lie. Fails, with an error on the op,
/// where it cannot.
mlir::LogicalResult lowerContraction(KernelBuilder &builder, train::Contraction op);
/// As a sweep, where the result's last axis is one of both operands; false where it is not. Maps of a and b are from the
/// contraction's domain.
bool lowerAlongLanes(KernelBuilder &builder, train::Contraction op, const Access &a,
                     const Access &b);
mlir::LogicalResult lowerPointwise(KernelBuilder &builder, train::Pointwise op);
mlir::LogicalResult lowerView(KernelBuilder &builder, train::View op);
/// Sums, maxima, means and moments.
mlir::LogicalResult lowerReduction(KernelBuilder &builder, mlir::Operation *op);
/// What works along the last axis: softmax and cross entropy.
mlir::LogicalResult lowerNormalization(KernelBuilder &builder, mlir::Operation *op);
/// Lowers any op of a step.
using LowerOp = llvm::function_ref<mlir::LogicalResult(KernelBuilder &, mlir::Operation *)>;
/// A scan, the ops of its body by `lower`.
mlir::LogicalResult lowerScan(KernelBuilder &builder, train::ScanOp op, LowerOp lower);
mlir::LogicalResult lowerPool(KernelBuilder &builder, mlir::Operation *op);
/// Attention and its gradient, the scores in tiles.
mlir::LogicalResult lowerAttention(KernelBuilder &builder, mlir::Operation *op);
/// Convolutions in Winograd's tiles.
mlir::LogicalResult lowerWinograd(KernelBuilder &builder, mlir::Operation *op);
/// Rows of a table, and the sums that go back to them.
mlir::LogicalResult lowerTable(KernelBuilder &builder, mlir::Operation *op);

} // namespace sinter::lower
