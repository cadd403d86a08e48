//===- Codegen.h - from the kernel floor to a program ---------------------------------------------===//
// Three steps, each usable alone: kernel tasks to LLVM-dialect functions, these to object files, the objects and
// the runtime to an executable.
#pragma once

#include "compiler/codegen/Target.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir {
class DialectRegistry;
class ModuleOp;
class OpPassManager;
class TimingScope;
} // namespace mlir

namespace sinter::codegen {

/// Appends the passes from planned kernel tasks (`kernel.task`, `kernel.step`) to the LLVM dialect. Behind them the
/// module holds one function a task, the micro-kernels they call, and the constant `sinter_program` (runtime/Abi.h).
void addKernelToLLVMPasses(mlir::OpPassManager &manager, const Target &target);

/// The same for tasks alone, without a program that lists them.
void addTasksToLLVMPasses(mlir::OpPassManager &manager, const Target &target);

/// What translation to LLVM IR needs in the context.
void registerTranslations(mlir::DialectRegistry &registry);

/// The bytes of an ELF object.
using Object = llvm::SmallVector<char, 0>;

/// Translates an LLVM-dialect module, optimises it (little: loops are already in shape) and writes ELF objects that belong
/// together, by the context's threads. Takes what is in the module.
llvm::Expected<std::vector<Object>> emitObjects(mlir::ModuleOp module, const Target &target,
                                                mlir::TimingScope &timing);

/// Links the objects with the runtime into an executable at `output`, which appears whole or not at all.
/// `libraries` are the runtime's archives, in link order.
llvm::Error linkProgram(llvm::ArrayRef<Object> objects, llvm::ArrayRef<std::string> libraries,
                        llvm::StringRef output);

} // namespace sinter::codegen
