//===- Access.cpp - affine maps to offsets and strides --------------------------------------------===//

#include "compiler/codegen/Access.h"

#include "dialects/kernel/Access.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;

namespace sinter::codegen {

std::optional<LinearExpr> linearize(AffineExpr expr, unsigned numDims) {
  LinearExpr result;
  result.factors.assign(numDims, 0);
  switch (expr.getKind()) {
  case AffineExprKind::Constant:
    result.constant = cast<AffineConstantExpr>(expr).getValue();
    return result;
  case AffineExprKind::DimId:
    result.factors[cast<AffineDimExpr>(expr).getPosition()] = 1;
    return result;
  case AffineExprKind::Add: {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    auto lhs = linearize(binary.getLHS(), numDims), rhs = linearize(binary.getRHS(), numDims);
    if (!lhs || !rhs)
      return std::nullopt;
    lhs->constant += rhs->constant;
    for (auto [sum, term] : llvm::zip_equal(lhs->factors, rhs->factors))
      sum += term;
    return lhs;
  }
  case AffineExprKind::Mul: {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    auto lhs = linearize(binary.getLHS(), numDims);
    if (!factor || !lhs)
      return std::nullopt;
    lhs->constant *= factor.getValue();
    for (int64_t &value : lhs->factors)
      value *= factor.getValue();
    return lhs;
  }
  default:
    return std::nullopt;
  }
}

std::optional<Access> composeAccess(AffineMap map, llvm::ArrayRef<int64_t> shape) {
  Access access;
  access.strides.assign(map.getNumDims(), 0);
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), kernel::rowMajorStrides(shape))) {
    std::optional<LinearExpr> linear = linearize(expr, map.getNumDims());
    if (!linear)
      return std::nullopt;
    access.offset += linear->constant * stride;
    for (auto [total, factor] : llvm::zip_equal(access.strides, linear->factors))
      total += factor * stride;
  }
  return access;
}

} // namespace sinter::codegen
