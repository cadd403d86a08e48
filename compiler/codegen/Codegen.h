//===- Codegen.h - from the kernel floor to a program ---------------------------------------------===//
// Three steps, each usable alone: kernel tasks to LLVM-dialect functions, these to an object file, the object and
// the runtime to an executable.
#pragma once

#include "compiler/codegen/Target.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir {
class DialectRegistry;
class ModuleOp;
class OpPassManager;
} // namespace mlir

namespace sinter::codegen {

/// Appends the passes from planned kernel tasks (`kernel.task`, `kernel.step`) to the LLVM dialect. Behind them the
/// module holds one function a task, the micro-kernels they call, and the constant `sinter_program` (runtime/Abi.h).
void addKernelToLLVMPasses(mlir::OpPassManager &manager, const Target &target);

/// The same for tasks alone, without a program that lists them.
void addTasksToLLVMPasses(mlir::OpPassManager &manager, const Target &target);

/// What translation to LLVM IR needs in the context.
void registerTranslations(mlir::DialectRegistry &registry);

/// Translates an LLVM-dialect module, optimises it (-O2; loops are already in shape) and writes an ELF object to `object`.
llvm::Error emitObject(mlir::ModuleOp module, const Target &target,
                       llvm::SmallVectorImpl<char> &object);

/// Links the object with the runtime into an executable at `output`, which appears whole or not at all.
/// `libraries` are the runtime's archives, in link order.
llvm::Error linkProgram(llvm::ArrayRef<char> object, llvm::ArrayRef<std::string> libraries,
                        llvm::StringRef output);

} // namespace sinter::codegen
