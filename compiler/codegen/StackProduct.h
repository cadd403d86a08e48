//===- StackProduct.h - small products of matrices inside a task ----------------------------------===//
// What a task computes on the stack (scores, Winograd's 36 products) is multiplied by register tiles as large as fit, at hand-picked
// addresses; no schedule says how, and shapes of tiles change no bit.
#pragma once

#include "compiler/codegen/Emitter.h"
#include "compiler/codegen/MicroKernel.h"

namespace sinter::codegen {

/// Rows that will be read soon, from an element on.
struct RowsToCome {
  mlir::Value first;
  RowsAhead rows;
};

/// c[row, column] (+)= Σ over steps of a[row, step] · b[step, column]; pointers to the first elements and the distances between rows and
/// steps, in elements of f32.
struct StackProduct {
  int64_t rows, columns, steps;
  mlir::Value a;
  int64_t rowA, stepA;
  mlir::Value b;
  int64_t stepB;
  mlir::Value c;
  int64_t rowC;
  When first = When::Always;                ///< whether c is overwritten
  mlir::Value isFirst = {};                 ///< where that is known at run time
  llvm::SmallVector<RowsToCome> ahead = {}; ///< to ask for meanwhile
};

void emitProduct(Emitter &emit, const StackProduct &product, const Target &target,
                 MicroKernels &microKernels, mlir::Location place);

} // namespace sinter::codegen
