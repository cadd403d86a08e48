//===- KernelEvaluator.h - planned tasks, point by point, slow and obvious -------------------------===//
// Plays a kernel.step on an arena and a state block as the generated program would, at its places in memory. What is
// between the train floor and generated code is tested with it: the lowering, fusion and the memory plan against the
// train evaluator, generated code against this.
#pragma once

#include "dialects/kernel/KernelOps.h"
#include "llvm/ADT/ArrayRef.h"

namespace sinter::reference {

/// In which order the tasks between two waits run; they may run in any.
enum class TaskOrder { AsListed, Reversed };

/// Runs each task of the step. The caller has written the clock (runtime/Abi.h), the fields and the ids into the arena.
/// Bodies and sums are computed in f64; what is stored is rounded. Fails, with an error at the op, on a body op that it does
/// not know.
mlir::LogicalResult runStep(kernel::StepOp step, llvm::MutableArrayRef<uint8_t> arena,
                            llvm::MutableArrayRef<uint8_t> state,
                            TaskOrder order = TaskOrder::AsListed);

} // namespace sinter::reference
