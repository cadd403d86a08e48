//===- Pooling.cpp - the largest and the mean of each window ----------------------------------===//
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"

using namespace mlir;
using namespace sinter::train;

/// x [B, H, W, C] and what the windows leave of it, y [B, Ho, Wo, C].
template <typename Op> static LogicalResult verifyPool(Op op, Value x, ValueRange pooled) {
  auto positive = [](int64_t value) { return value > 0; };
  const ArrayRef<int64_t> size = op.getSize(), strides = op.getStrides(), padding = op.getPadding();
  if (size.size() != 2 || strides.size() != 2 || padding.size() != 4 ||
      !llvm::all_of(size, positive) || !llvm::all_of(strides, positive) ||
      llvm::any_of(padding, [](int64_t value) { return value < 0; }))
    return op.emitOpError(
        "(C3) size and strides are two positive numbers, padding is four that are "
        "not negative");
  for (int i = 0; i < 4; ++i)
    if (padding[i] >= size[i % 2])
      return op.emitOpError("(C2) padding ")
             << padding[i] << " must be less than size " << size[i % 2];
  if (shapeOf(x).size() != 4)
    return op.emitOpError("(C1) images have rank 4");
  SmallVector<int64_t> shape(shapeOf(x));
  for (int axis : {0, 1}) {
    shape[1 + axis] = windowExtent(shape[1 + axis], padding[axis] + padding[axis + 2], size[axis],
                                   strides[axis], /*dilation=*/1);
    if (shape[1 + axis] < 1)
      return op.emitOpError("(C1) the window is larger than the padded image along axis ")
             << 1 + axis;
  }
  for (Value value : pooled)
    if (failed(verifyShape(op, "(C1)", "what is pooled", value.getType(), shape)))
      return failure();
  return success();
}

LogicalResult MaxPool2dOp::verify() {
  if (failed(verifyPool(*this, getX(), getResults())))
    return failure();
  if (llvm::product_of(getSize()) > 128 && getIndex().getType().getElementType().isInteger(8))
    return emitOpError("(C4) positions in a window of ")
           << llvm::product_of(getSize()) << " do not fit i8";
  return success();
}
LogicalResult MaxPool2dGradOp::verify() { return verifyPool(*this, getDx(), getOperands()); }
LogicalResult AvgPool2dOp::verify() { return verifyPool(*this, getX(), getY()); }
LogicalResult AvgPool2dGradOp::verify() { return verifyPool(*this, getDx(), getDy()); }

template <typename Op> static int64_t poolFlops(Op op, Value pooled) {
  return llvm::product_of(op.getSize()) * llvm::product_of(shapeOf(pooled));
}
int64_t MaxPool2dOp::getFlops() { return poolFlops(*this, getY()); }
int64_t MaxPool2dGradOp::getFlops() { return poolFlops(*this, getDy()); }
int64_t AvgPool2dOp::getFlops() { return poolFlops(*this, getY()); }
int64_t AvgPool2dGradOp::getFlops() { return poolFlops(*this, getDy()); }

void MaxPool2dOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                 ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  operandGradients[0] = MaxPool2dGradOp::create(builder, gradientLocation(*this), getX().getType(),
                                                resultGradients[0], getIndex(), getSizeAttr(),
                                                getStridesAttr(), getPaddingAttr());
}

// Each dy went to one position of its window; its gradient is g there: of the window's positions,
// seen as strided slices of the padded g, the one that `index` names.
void MaxPool2dGradOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                     ArrayRef<bool> wanted,
                                     MutableArrayRef<Value> operandGradients) {
  if (!wanted[0])
    return;
  Emit emit(builder, *this);
  Value g = resultGradients[0];
  const ArrayRef<int64_t> pad = getPadding();
  if (llvm::any_of(pad, [](int64_t value) { return value != 0; })) {
    SmallVector<int64_t> shape(shapeOf(g));
    shape[1] += pad[0] + pad[2];
    shape[2] += pad[1] + pad[3];
    g = PadOp::create(builder, emit.location, cast<RankedTensorType>(g.getType()).clone(shape), g,
                      ArrayRef<int64_t>{0, pad[0], pad[1], 0}, ArrayRef<int64_t>{1, 1, 1, 1},
                      llvm::APFloat(0.0));
  }
  const Type slice = getDy().getType();
  auto indexType = RankedTensorType::get({}, getIndex().getType().getElementType());
  const ArrayRef<int64_t> strides = getStrides();
  Value zero = emit.scalar(0), found;
  for (int64_t row = 0; row < getSize()[0]; ++row)
    for (int64_t column = 0; column < getSize()[1]; ++column) {
      Value here =
          SliceOp::create(builder, emit.location, slice, g, ArrayRef<int64_t>{0, row, column, 0},
                          ArrayRef<int64_t>{1, strides[0], strides[1], 1});
      auto number =
          DenseElementsAttr::get(indexType, builder.getIntegerAttr(indexType.getElementType(),
                                                                   row * getSize()[1] + column));
      Value position = ConstantOp::create(builder, emit.location, indexType, number);
      found = emit.select(emit.compare("eq", getIndex(), position), here, found ? found : zero);
    }
  operandGradients[0] = found;
}

void AvgPool2dOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                 ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  operandGradients[0] = AvgPool2dGradOp::create(builder, gradientLocation(*this), getX().getType(),
                                                resultGradients[0], getSizeAttr(), getStridesAttr(),
                                                getPaddingAttr());
}

void AvgPool2dGradOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                     ArrayRef<bool> wanted,
                                     MutableArrayRef<Value> operandGradients) {
  operandGradients[0] =
      AvgPool2dOp::create(builder, gradientLocation(*this), getDy().getType(), resultGradients[0],
                          getSizeAttr(), getStridesAttr(), getPaddingAttr());
}
