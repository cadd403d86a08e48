//===- Body.h - a scalar body, for one element or for sixteen -------------------------------------===//
#pragma once

#include "compiler/codegen/Emitter.h"
#include "mlir/IR/IRMapping.h"

namespace sinter::codegen {

/// Clones the ops of `body` at the emitter's place and returns what its terminator yields. `mapping` knows the block's arguments and
/// what the body uses from outside. With `vectors`, every scalar stands for sixteen elements and every value becomes a vector.
/// `coordinate` gives `kernel.index d`: an index, or with `vectors` an index or a vector of them.
llvm::SmallVector<mlir::Value> emitBody(Emitter &emitter, mlir::Block &body,
                                        mlir::IRMapping &mapping, bool vectors,
                                        llvm::function_ref<mlir::Value(int64_t)> coordinate);

/// The values from outside `body` that its ops use, constants left out, in order of first use.
llvm::SmallVector<mlir::Value> capturedValues(mlir::Region &region);

} // namespace sinter::codegen
