//===- ProgramToModel.h - checked program to model dialect ------------------------------------===//
#pragma once

#include "compiler/semantics/Program.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace sinter::lower {

/// Builds the module of a program: one `model.data` and one `model.train` a block, in the program's
/// order. Every op has its place in the spec as location, within a NameLoc of the layer's path
/// where it is of a layer. The module is called `name`, and its own location is the start of
/// `spec`. The context must have the dialects registered. Null, with errors emitted, where the
/// program breaks the contract of Program.h (an unknown kind, a missing attribute): a bug of ours,
/// not of the spec.
mlir::OwningOpRef<mlir::ModuleOp> programToModel(const semantics::Program &program,
                                                 const syntax::SourceManager &sources,
                                                 syntax::FileId spec, llvm::StringRef name,
                                                 mlir::MLIRContext &context);

} // namespace sinter::lower
