//===- Emit.h - building train ops without spelling out their types ---------------------------===//
#pragma once

#include "dialects/train/TrainOps.h"

namespace sinter::train {

/// Where the gradient of `op` comes from: "gradient" at op's own place.
mlir::Location gradientLocation(mlir::Operation *op);

/// Two places become one: what a rewrite of `first` and `second` into one op says about itself.
mlir::Location joinLocations(mlir::Location first, mlir::Location second);

/// Builds train ops at a builder's insertion point and at one location. Operands of pointwise ops
/// may be of rank 0.
class Emit {
public:
  Emit(mlir::OpBuilder &builder, mlir::Location location) : builder(builder), location(location) {}
  /// For the gradient of `op`.
  Emit(mlir::OpBuilder &builder, mlir::Operation *op) : Emit(builder, gradientLocation(op)) {}

  /// tensor<f32>
  mlir::Value scalar(double value);

  mlir::Value add(mlir::Value a, mlir::Value b) { return binary<AddOp>(a, b); }
  mlir::Value sub(mlir::Value a, mlir::Value b) { return binary<SubOp>(a, b); }
  mlir::Value mul(mlir::Value a, mlir::Value b) { return binary<MulOp>(a, b); }
  mlir::Value mul(mlir::Value a, double b) { return binary<MulOp>(a, scalar(b)); }
  mlir::Value div(mlir::Value a, mlir::Value b) { return binary<DivOp>(a, b); }
  mlir::Value pow(mlir::Value a, mlir::Value b) { return binary<PowOp>(a, b); }

  /// An op of one operand whose result has the operand's type.
  template <typename Op> mlir::Value unary(mlir::Value x) {
    return Op::create(builder, location, x.getType(), x);
  }

  /// i1: a `predicate` b, predicate as in `train.compare`.
  mlir::Value compare(llvm::StringRef predicate, mlir::Value a, mlir::Value b);
  /// a where c, else b; of c's shape unless c has rank 0.
  mlir::Value select(mlir::Value c, mlir::Value a, mlir::Value b);

  /// Axes are dropped. Without axes, x itself.
  mlir::Value sum(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  /// x's axis i is the result's axis dims[i]. To the same shape: x itself.
  mlir::Value broadcast(mlir::Value x, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> dims);
  mlir::Value contract(llvm::StringRef axes, mlir::Value a, mlir::Value b, mlir::Type result);

  /// The gradient of an operand that stood for every element: `gradient` summed to the operand's
  /// shape.
  mlir::Value reduceTo(mlir::Value operand, mlir::Value gradient);

  mlir::OpBuilder &builder;
  const mlir::Location location;

private:
  template <typename Op> mlir::Value binary(mlir::Value a, mlir::Value b) {
    return Op::create(builder, location, wider(a, b), a, b);
  }
  /// The type of a pointwise op's result: that of an operand with rank, if there is one.
  static mlir::Type wider(mlir::Value a, mlir::Value b);
};

/// The shape of a tensor value.
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

} // namespace sinter::train
