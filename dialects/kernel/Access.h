//===- Access.h - arithmetic on access maps over rectangular domains --------------------------===//
// A domain is given by its extents: axis i runs over 0 … extents[i]-1. Tensors lie in row-major
// order.
#pragma once

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/IntegerSet.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace sinter::kernel {

/// How many elements apart neighbours along each axis lie.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// The map from a domain point to the element's position in memory, as one expression.
mlir::AffineExpr flatPosition(mlir::AffineMap map, llvm::ArrayRef<int64_t> shape);

/// By how many elements the position moves with one step along `axis`; nothing where that is not
/// one number (mod, floordiv).
std::optional<int64_t> strideAlong(mlir::AffineMap map, llvm::ArrayRef<int64_t> shape,
                                   unsigned axis);

/// Whether some domain point inside `guard` (null: all of them) maps to a negative coordinate
/// `result` or to one of `extent` or more.
bool mayLeave(mlir::AffineExpr result, int64_t extent, llvm::ArrayRef<int64_t> extents,
              mlir::IntegerSet guard);

/// Whether every element of a tensor of this shape is the image of some domain point. Coordinates
/// must not share axes; where they do, the answer is no.
bool coversAll(mlir::AffineMap map, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> extents);

/// Whether no two domain points inside a tensor of this shape have one image. Errs towards no.
bool isOneToOne(mlir::AffineMap map, llvm::ArrayRef<int64_t> extents);

/// The axes that occur in the expression, in rising order.
llvm::SmallVector<unsigned> axesOf(mlir::AffineExpr expression);

} // namespace sinter::kernel
