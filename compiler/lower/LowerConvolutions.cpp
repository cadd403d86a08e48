//===- LowerConvolutions.cpp - convolutions as train ops ------------------------------------------===//
// Images lie as [B, H, W, C], weights as [kh, kw, C, O]. Groups become an axis of their own by
// reshapes, which move nothing: one op whatever their number. Depthwise is the case of one channel a
// group; the kernels make of it what goes along the groups.
#include "compiler/lower/StepBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::lower {

/// [top, bottom, left, right] as the spec says it to [top, left, bottom, right].
static SmallVector<int64_t> corners(ArrayRef<int64_t> padding) {
  return {padding[0], padding[2], padding[1], padding[3]};
}

LogicalResult StepBuilder::sharedWeights(Operation *op, Value weight, Value bias) {
  if (get(weight).batched || (bias && get(bias).batched))
    return op->emitOpError("takes weights that are the same for every example");
  return success();
}

/// [.., C] as [.., groups, C / groups].
static SmallVector<int64_t> inGroups(ArrayRef<int64_t> shape, int64_t groups) {
  SmallVector<int64_t> cut(shape.drop_back());
  cut.append({groups, shape.back() / groups});
  return cut;
}

Value StepBuilder::convolve(Value x, Value w, ArrayRef<int64_t> yShape, ArrayRef<int64_t> stride,
                            ArrayRef<int64_t> padding, ArrayRef<int64_t> dilation, int64_t groups) {
  auto type = cast<RankedTensorType>(x.getType());
  if (groups == 1)
    return train::Conv2dForwardOp::create(builder, type.clone(yShape), x, w, stride, padding,
                                          dilation);
  const int64_t inputs = type.getShape().back() / groups, outputs = yShape.back() / groups;
  if (inputs == 1 && outputs > 1) {
    // Several kernels a channel: each has its own copy of the channel, and is depthwise.
    SmallVector<int64_t> spread(type.getShape());
    spread.push_back(outputs);
    x = reshaped(broadcast(x, spread, {0, 1, 2, 3}),
                 {spread[0], spread[1], spread[2], yShape.back()});
    return convolve(x, w, yShape, stride, padding, dilation, yShape.back());
  }
  auto wType = cast<RankedTensorType>(w.getType());
  const Value y = train::Conv2dForwardOp::create(
      builder, type.clone(inGroups(yShape, groups)), reshaped(x, inGroups(type.getShape(), groups)),
      reshaped(w, inGroups(wType.getShape(), groups)), stride, padding, dilation);
  return reshaped(y, yShape);
}

LogicalResult StepBuilder::lower(model::Conv2dOp op) {
  const Order image{1, 2, 0};
  const Tensor x = ordered(withBatch(get(op.getX())), image);
  if (failed(sharedWeights(op, op.getWeight(), op.getBias())))
    return failure();
  const Tensor weight = ordered(get(op.getWeight()), {2, 3, 1, 0});
  const auto y = modelShape(op.getY());
  const Value result =
      convolve(x.value, weight.value, {batch, y[1], y[2], y[0]}, op.getStride(),
               corners(op.getPadding()), op.getDilation(), static_cast<int64_t>(op.getGroups()));
  set(op.getY(), Tensor{addBias(result, op.getBias()), image, true});
  return success();
}

/// As an image of height one.
LogicalResult StepBuilder::lower(model::Conv1dOp op) {
  const Order channelsLast{1, 0};
  const Tensor x = ordered(withBatch(get(op.getX())), channelsLast);
  if (failed(sharedWeights(op, op.getWeight(), op.getBias())))
    return failure();
  const Tensor weight = ordered(get(op.getWeight()), {2, 1, 0});
  const auto xs = x.type().getShape(), ws = weight.type().getShape();
  const auto ys = modelShape(op.getY());
  const Value y =
      convolve(reshaped(x.value, {xs[0], 1, xs[1], xs[2]}),
               reshaped(weight.value, {1, ws[0], ws[1], ws[2]}), {batch, 1, ys[1], ys[0]},
               {1, op.getStride()[0]}, {0, op.getPadding()[0], 0, op.getPadding()[1]},
               {1, op.getDilation()[0]}, static_cast<int64_t>(op.getGroups()));
  set(op.getY(),
      Tensor{addBias(reshaped(y, {batch, ys[1], ys[0]}), op.getBias()), channelsLast, true});
  return success();
}

LogicalResult StepBuilder::lower(model::ConvTranspose2dOp op) {
  const Order image{1, 2, 0};
  const Tensor x = ordered(withBatch(get(op.getX())), image);
  if (failed(sharedWeights(op, op.getWeight(), op.getBias())))
    return failure();
  // The weight of the convolution that it is the transpose of, whose outputs are x's channels.
  const Tensor weight = ordered(get(op.getWeight()), {2, 3, 1, 0});
  const auto ys = modelShape(op.getY());
  const auto groups = static_cast<int64_t>(op.getGroups());
  const SmallVector<int64_t> yShape{batch, ys[1], ys[2], ys[0]};
  auto shaped = [&](ArrayRef<int64_t> shape) {
    return groups == 1 ? SmallVector<int64_t>(shape) : inGroups(shape, groups);
  };
  const Value y = train::Conv2dInputGradOp::create(
      builder, x.type().clone(shaped(yShape)), reshaped(x.value, shaped(x.type().getShape())),
      reshaped(weight.value, shaped(weight.type().getShape())), op.getStride(),
      corners(op.getPadding()), op.getDilation());
  set(op.getY(), Tensor{addBias(reshaped(y, yShape), op.getBias()), image, true});
  return success();
}

} // namespace sinter::lower
