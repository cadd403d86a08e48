//===- Access.cpp - arithmetic on access maps over rectangular domains ------------------------===//
#include "dialects/kernel/Access.h"

#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace sinter::kernel {

SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t axis = static_cast<int64_t>(shape.size()) - 2; axis >= 0; --axis)
    strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

AffineExpr flatPosition(AffineMap map, ArrayRef<int64_t> shape) {
  AffineExpr position = getAffineConstantExpr(0, map.getContext());
  for (auto [result, stride] : llvm::zip_equal(map.getResults(), rowMajorStrides(shape)))
    position = position + result * stride;
  return simplifyAffineExpr(position, map.getNumDims(), 0);
}

/// The value of the expression at a point.
static int64_t valueAt(AffineExpr expression, ArrayRef<int64_t> point) {
  MLIRContext *context = expression.getContext();
  auto values = llvm::map_to_vector(
      point, [&](int64_t value) { return getAffineConstantExpr(value, context); });
  return cast<AffineConstantExpr>(expression.replaceDims(values)).getValue();
}

std::optional<int64_t> strideAlong(AffineMap map, ArrayRef<int64_t> shape, unsigned axis) {
  const AffineExpr position = flatPosition(map, shape);
  if (!position.isFunctionOfDim(axis))
    return 0;
  SmallVector<int64_t> point(map.getNumDims(), 0);
  const int64_t origin = valueAt(position, point);
  point[axis] = 1;
  const int64_t stride = valueAt(position, point) - origin;
  const AffineExpr rest = simplifyAffineExpr(
      position - getAffineDimExpr(axis, map.getContext()) * stride, map.getNumDims(), 0);
  if (rest.isFunctionOfDim(axis))
    return std::nullopt;
  return stride;
}

/// Whether all the expressions can be ≥ 0 at once at some point of the domain.
static bool canHold(ArrayRef<AffineExpr> conditions, ArrayRef<int64_t> extents, IntegerSet guard) {
  MLIRContext *context = conditions.front().getContext();
  SmallVector<AffineExpr> constraints(conditions);
  SmallVector<bool> isEquality(conditions.size(), false);
  for (auto [axis, extent] : llvm::enumerate(extents)) {
    const AffineExpr at = getAffineDimExpr(axis, context);
    constraints.push_back(at);
    constraints.push_back(getAffineConstantExpr(extent - 1, context) - at);
    isEquality.append(2, false);
  }
  if (guard) {
    llvm::append_range(constraints, guard.getConstraints());
    llvm::append_range(isEquality, guard.getEqFlags());
  }
  const FlatLinearValueConstraints set(IntegerSet::get(extents.size(), 0, constraints, isEquality));
  return !set.isIntegerEmpty();
}

bool mayLeave(AffineExpr result, int64_t extent, ArrayRef<int64_t> extents, IntegerSet guard) {
  if (llvm::is_contained(extents, 0))
    return false;
  SmallVector<std::optional<int64_t>> low(extents.size(), 0), high;
  for (int64_t size : extents)
    high.push_back(size - 1);
  const auto least = getBoundForAffineExpr(result, extents.size(), 0, low, high, false);
  const auto most = getBoundForAffineExpr(result, extents.size(), 0, low, high, true);
  if (least && *least >= 0 && most && *most < extent)
    return false;
  if (!guard && least && most)
    return true;
  return canHold({-result - 1}, extents, guard) || canHold({result - extent}, extents, guard);
}

SmallVector<unsigned> axesOf(AffineExpr expression) {
  SmallVector<unsigned> axes;
  expression.walk([&](AffineExpr part) {
    if (auto dim = dyn_cast<AffineDimExpr>(part);
        dim && !llvm::is_contained(axes, dim.getPosition()))
      axes.push_back(dim.getPosition());
  });
  llvm::sort(axes);
  return axes;
}

/// Calls `visit` with the expression's value at every point of the axes that it uses.
static void forEachValue(AffineExpr expression, ArrayRef<int64_t> extents,
                         llvm::function_ref<void(int64_t)> visit) {
  const SmallVector<unsigned> axes = axesOf(expression);
  SmallVector<int64_t> point(extents.size(), 0);
  while (true) {
    visit(valueAt(expression, point));
    size_t next = axes.size();
    while (next > 0 && ++point[axes[next - 1]] == extents[axes[next - 1]])
      point[axes[--next]] = 0;
    if (next == 0)
      return;
  }
}

bool coversAll(AffineMap map, ArrayRef<int64_t> shape, ArrayRef<int64_t> extents) {
  llvm::SmallBitVector used(map.getNumDims());
  for (auto [result, extent] : llvm::zip_equal(map.getResults(), shape)) {
    for (unsigned axis : axesOf(result)) {
      if (used.test(axis))
        return false;
      used.set(axis);
    }
    if (auto dim = dyn_cast<AffineDimExpr>(result)) {
      if (extents[dim.getPosition()] < extent)
        return false;
      continue;
    }
    llvm::SmallBitVector hit(extent);
    forEachValue(result, extents, [&, size = extent](int64_t value) {
      if (value >= 0 && value < size)
        hit.set(value);
    });
    if (!hit.all())
      return false;
  }
  return true;
}

bool isOneToOne(AffineMap map, ArrayRef<int64_t> extents) {
  llvm::SmallBitVector used(map.getNumDims());
  for (AffineExpr result : map.getResults()) {
    for (unsigned axis : axesOf(result)) {
      if (used.test(axis))
        return false;
      used.set(axis);
    }
    if (isa<AffineDimExpr>(result))
      continue;
    SmallVector<int64_t> values;
    forEachValue(result, extents, [&](int64_t value) { values.push_back(value); });
    llvm::sort(values);
    if (std::adjacent_find(values.begin(), values.end()) != values.end())
      return false;
  }
  for (auto [axis, extent] : llvm::enumerate(extents))
    if (extent > 1 && !used.test(axis))
      return false;
  return true;
}

} // namespace sinter::kernel
