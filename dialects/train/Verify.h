//===- Verify.h - what verifiers of several train ops share -----------------------------------===//
#pragma once

#include "dialects/train/TrainOps.h"

namespace sinter::train {

/// Results have one shape, each tensor operand has it or has rank 0.
mlir::LogicalResult verifyPointwise(mlir::Operation *op);

/// `shape` is what `op`'s value called `name` must have; the message begins with `constraint`.
mlir::LogicalResult verifyShape(mlir::Operation *op, llvm::StringRef constraint,
                                llvm::StringRef name, mlir::Type type,
                                llvm::ArrayRef<int64_t> shape);

/// Axes are distinct, sorted and below `rank`.
mlir::LogicalResult verifyAxes(mlir::Operation *op, llvm::StringRef constraint,
                               llvm::StringRef name, llvm::ArrayRef<int64_t> axes, int64_t rank);

/// The extent that a window of `size` taps, `dilation` apart, moved by `stride`, leaves of `extent`
/// padded points; floors. Below 1 where the window does not fit.
int64_t windowExtent(int64_t extent, int64_t padding, int64_t size, int64_t stride,
                     int64_t dilation);

} // namespace sinter::train
