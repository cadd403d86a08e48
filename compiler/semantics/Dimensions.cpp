//===- Dimensions.cpp - sizes and types, which are known at build time ------------------------===//
#include "compiler/semantics/Evaluator.h"

#include <fmt/format.h>
#include <limits>

namespace sinter::semantics {

using namespace syntax;

constexpr int64_t largestDimension = std::numeric_limits<int32_t>::max();

std::optional<int64_t> Evaluator::dimension(const Expr &expr) {
  Evaluator exact = atBuildTime();
  exact.exactDivision = true;
  std::optional<int64_t> size = exact.integer(expr, "a dimension");
  if (!size)
    return std::nullopt;
  if (*size < 1 || *size > largestDimension) {
    session.engine.report(Diag::DimensionRange, expr.span, *size);
    return std::nullopt;
  }
  return size;
}

static Scalar scalarOf(ScalarKind kind) {
  switch (kind) {
  case ScalarKind::F32:
    return Scalar::F32;
  case ScalarKind::BF16: // a value is f32; who declares it so rounds it
    return Scalar::F32;
  case ScalarKind::I32:
    return Scalar::I32;
  case ScalarKind::Bool:
    return Scalar::Bool;
  case ScalarKind::Class:
    return Scalar::Class;
  }
  return Scalar::F32;
}

std::optional<Type> Evaluator::type(const TensorType &written) {
  if (written.broken)
    return std::nullopt;
  Type result{scalarOf(written.scalar), 0, {}};
  bool good = true;
  if (written.classCount) {
    std::optional<int64_t> count = dimension(*written.classCount);
    good &= count.has_value();
    result.classes = count.value_or(0);
  }
  for (const ExprPtr &dim : written.dims) {
    std::optional<int64_t> size = dimension(*dim);
    good &= size.has_value();
    result.dims.push_back(size.value_or(1));
  }
  if (!good || !checkSize(result, written.span))
    return std::nullopt;
  return result;
}

bool Evaluator::checkSize(const Type &type, Span place) {
  int64_t bytes = 4;
  bool fits = true;
  for (int64_t dim : type.dims)
    fits &= dim <= largestDimension && !__builtin_mul_overflow(bytes, dim, &bytes);
  if (!fits)
    session.engine.report(Diag::TensorTooLarge, place, type.str());
  return fits;
}

} // namespace sinter::semantics
