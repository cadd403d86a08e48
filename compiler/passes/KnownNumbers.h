//===- KnownNumbers.h - values that are one known number, or a multiple by one ---------------------===//
#pragma once

#include "dialects/train/TrainOps.h"
#include "mlir/IR/Matchers.h"

#include <optional>

namespace sinter::passes {

/// The number that a scalar, or every element of a tensor, is known to be.
inline std::optional<double> numberOf(mlir::Value value) {
  mlir::DenseFPElementsAttr values;
  if (mlir::matchPattern(value, mlir::m_Constant(&values)) && values.isSplat())
    return values.getSplatValue<mlir::APFloat>().convertToDouble();
  return std::nullopt;
}

/// x · c, of a tensor x and a known number c.
inline std::optional<std::pair<mlir::Value, double>> multipleOf(mlir::Value value) {
  auto product = value.getDefiningOp<train::MulOp>();
  if (!product)
    return std::nullopt;
  for (auto [x, c] :
       {std::pair(product.getA(), product.getB()), std::pair(product.getB(), product.getA())})
    if (const auto number = numberOf(c); number && x.getType() == value.getType())
      return std::pair(mlir::Value(x), *number);
  return std::nullopt;
}

} // namespace sinter::passes
