//===- Tasks.h - loop ops to loops ----------------------------------------------------------------===//
#pragma once

#include "compiler/codegen/MicroKernel.h"
#include "compiler/codegen/Target.h"
#include "mlir/IR/IRMapping.h"

namespace sinter::kernel {
class AttendOp;
class ContractOp;
class GatherOp;
class ScatterAddOp;
class SweepOp;
class WinogradOp;
} // namespace sinter::kernel

namespace sinter::codegen {

/// What a loop op finds where its loops are written.
struct TaskScope {
  Emitter &emitter;
  mlir::Value share;                       ///< i64
  llvm::SmallVector<mlir::Value> pointers; ///< one an operand of the op: its first element
  const mlir::IRMapping &outside;          ///< clock values and the like that the body captures
};

/// Returns into how many shares the contraction is cut on this target; `whole`: it is not cut, whatever that brings.
mlir::FailureOr<int64_t> emitContract(kernel::ContractOp op, const TaskScope &scope,
                                      const Target &target, MicroKernels &microKernels,
                                      bool whole = false);
mlir::LogicalResult emitSweep(kernel::SweepOp op, const TaskScope &scope);
void emitAttend(kernel::AttendOp op, const TaskScope &scope, const Target &target,
                MicroKernels &microKernels);
void emitWinograd(kernel::WinogradOp op, const TaskScope &scope, const Target &target,
                  MicroKernels &microKernels);
void emitGather(kernel::GatherOp op, const TaskScope &scope);
void emitScatterAdd(kernel::ScatterAddOp op, const TaskScope &scope);

} // namespace sinter::codegen
