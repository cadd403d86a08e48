//===- Scalar.h - scalar bodies, spelled briefly ----------------------------------------------===//
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/APFloat.h"

namespace sinter::train {

/// Builds arith and math ops on scalars at one place.
struct Scalar {
  Scalar(mlir::OpBuilder &builder, mlir::Location location)
      : builder(builder), location(location) {}

  template <typename Op, typename... Args> mlir::Value make(Args... args) {
    return Op::create(builder, location, args...);
  }

  mlir::Value number(double value, mlir::FloatType type) {
    return make<mlir::arith::ConstantOp>(builder.getFloatAttr(type, value));
  }
  mlir::Value number(double value) { return number(value, builder.getF32Type()); }
  mlir::Value number(const llvm::APFloat &value) { return number(value.convertToDouble()); }
  mlir::Value integer(int64_t value, mlir::Type type) {
    return make<mlir::arith::ConstantOp>(builder.getIntegerAttr(type, value));
  }

  mlir::Value neg(mlir::Value x) { return make<mlir::arith::NegFOp>(x); }
  mlir::Value add(mlir::Value a, mlir::Value b) { return make<mlir::arith::AddFOp>(a, b); }
  mlir::Value sub(mlir::Value a, mlir::Value b) { return make<mlir::arith::SubFOp>(a, b); }
  mlir::Value mul(mlir::Value a, mlir::Value b) { return make<mlir::arith::MulFOp>(a, b); }
  mlir::Value div(mlir::Value a, mlir::Value b) { return make<mlir::arith::DivFOp>(a, b); }
  mlir::Value greater(mlir::Value a, mlir::Value b) {
    return make<mlir::arith::CmpFOp>(mlir::arith::CmpFPredicate::OGT, a, b);
  }
  mlir::Value choose(mlir::Value c, mlir::Value a, mlir::Value b) {
    return make<mlir::arith::SelectOp>(c, a, b);
  }

  /// 1 + e^-x
  mlir::Value onePlusExpNeg(mlir::Value x) {
    return add(number(1), make<mlir::math::ExpOp>(neg(x)));
  }

  /// An index as a float.
  mlir::Value toFloat(mlir::Value index, mlir::FloatType type) {
    mlir::Value wide = make<mlir::arith::IndexCastOp>(builder.getI64Type(), index);
    return make<mlir::arith::SIToFPOp>(type, wide);
  }

  /// i1: row < count.
  mlir::Value isPresent(mlir::Value row, mlir::Value count) {
    return make<mlir::arith::CmpIOp>(mlir::arith::CmpIPredicate::slt, row, count);
  }

  mlir::OpBuilder &builder;
  mlir::Location location;
};

} // namespace sinter::train
