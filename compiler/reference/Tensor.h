//===- Tensor.h - the evaluator's tensors: plain vectors -------------------------------------------===//
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include <cstdint>
#include <utility>
#include <vector>

namespace sinter::reference {

/// Whether every operation rounds to f32, or none does.
enum class Precision { Single, Double };

/// Row-major. Floats lie in `floats`, whatever else (i32, i8, i1, index) in `integers`; the other vector is empty.
/// A scalar has an empty shape and one element.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<double> floats;
  std::vector<int64_t> integers;

  Tensor() = default;
  /// Zeros of this type (a ranked tensor, or index for a scalar).
  explicit Tensor(mlir::Type type) {
    mlir::Type element = type;
    if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type)) {
      shape.assign(tensor.getShape().begin(), tensor.getShape().end());
      element = tensor.getElementType();
    }
    if (llvm::isa<mlir::FloatType>(element))
      floats.resize(elements());
    else
      integers.resize(elements());
  }

  static Tensor scalar(int64_t value) {
    Tensor tensor;
    tensor.integers = {value};
    return tensor;
  }

  bool isFloat() const { return !floats.empty(); }
  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t elements() const {
    int64_t product = 1;
    for (int64_t extent : shape)
      product *= extent;
    return product;
  }

  /// How far apart neighbours along each axis lie.
  std::vector<int64_t> strides() const {
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t axis = shape.size(); axis-- > 1;)
      strides[axis - 1] = strides[axis] * shape[axis];
    return strides;
  }
};

/// Calls visit(point) for every point below `extents`, the last axis fastest.
template <typename Visit> void forEachPoint(llvm::ArrayRef<int64_t> extents, Visit visit) {
  for (int64_t extent : extents)
    if (extent == 0)
      return;
  std::vector<int64_t> point(extents.size(), 0);
  while (true) {
    visit(std::as_const(point));
    size_t axis = extents.size();
    while (axis > 0 && ++point[axis - 1] == extents[axis - 1])
      point[--axis] = 0;
    if (axis == 0)
      return;
  }
}

} // namespace sinter::reference
