//===- Parts.h - a module cut into some that can be compiled at the same time ---------------------===//
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SmallVector.h"

namespace sinter::codegen {

/// Moves the functions of an LLVM-dialect module into parts of about equal size, in their order; all else goes into the first. What one
/// part uses of another is declared there and hidden from other programs. How many parts there are and what each holds follows from
/// the module alone, so that a program's bytes do not depend on the machine that builds it. `module` is left empty.
llvm::SmallVector<mlir::OwningOpRef<mlir::ModuleOp>> cutIntoParts(mlir::ModuleOp module);

} // namespace sinter::codegen
