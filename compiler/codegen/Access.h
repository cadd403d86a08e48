//===- Access.h - where a domain point lies in memory ---------------------------------------------===//
// Kernel ops say by affine maps which element a point of their domain touches; memory is row-major and static. Composed, an
// access is an offset plus a stride for each domain axis, in elements.
#pragma once

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace sinter::codegen {

/// offset + Σ strides[d] · point[d], in elements.
struct Access {
  int64_t offset = 0;
  llvm::SmallVector<int64_t> strides;

  bool operator==(const Access &) const = default;
};

/// One coordinate of a tensor as a linear expression of the domain's axes.
struct LinearExpr {
  int64_t constant = 0;
  llvm::SmallVector<int64_t> factors; ///< one a domain axis
};

/// The expression as a sum of multiples of dimensions, or nothing where it is not one (floordiv, mod, …).
std::optional<LinearExpr> linearize(mlir::AffineExpr expr, unsigned numDims);

/// The access of a row-major tensor through `map`, or nothing where the map is not linear.
std::optional<Access> composeAccess(mlir::AffineMap map, llvm::ArrayRef<int64_t> shape);

} // namespace sinter::codegen
