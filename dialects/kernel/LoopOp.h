//===- LoopOp.h - what contract and sweep have in common --------------------------------------===//
#pragma once

#include "dialects/kernel/KernelOps.h"

namespace sinter::kernel {

/// Inputs are read, outputs written, where they are memory; on tensors a loop op has no effect.
void addLoopEffects(
    mlir::MutableOperandRange outputs, bool readsOutputs,
    llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<mlir::MemoryEffects::Effect>> &effects);

/// As many maps as operands, each from the domain to its operand (C1).
mlir::LogicalResult verifyMaps(mlir::Operation *op, mlir::ArrayAttr maps,
                               mlir::OperandRange operands, unsigned rank);

/// All tensors with results, or all memrefs without; `number` is the constraint's.
mlir::LogicalResult verifySemantics(mlir::Operation *op, mlir::OperandRange outputs,
                                    llvm::StringRef number);

/// The body takes scalars of these types and yields one scalar an output; `number` is the
/// constraint's.
mlir::LogicalResult verifyBody(mlir::Operation *op, mlir::Region &body,
                               llvm::ArrayRef<mlir::Type> arguments, mlir::OperandRange outputs,
                               llvm::StringRef number);

/// What the body takes from outside is of type index, and kernel.index names axes below `axes`.
mlir::LogicalResult verifyCaptures(mlir::Operation *op, mlir::Region &body, int64_t axes,
                                   llvm::StringRef number);

} // namespace sinter::kernel
