//===- LowerImages.cpp - layers that make an image larger, as views and sums ---------------------------===//
#include "compiler/lower/StepBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace mlir;

namespace sinter::lower {

Value StepBuilder::sliceAlong(Value x, int64_t axis, int64_t from, int64_t count) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape()), offsets(shape.size(), 0), strides(shape.size(), 1);
  shape[axis] = count;
  offsets[axis] = from;
  return train::SliceOp::create(builder, type.clone(shape), x, offsets, strides);
}

Value StepBuilder::concatAlong(ArrayRef<Value> pieces, int64_t axis) {
  auto type = cast<RankedTensorType>(pieces.front().getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = 0;
  for (Value piece : pieces)
    shape[axis] += cast<RankedTensorType>(piece.getType()).getDimSize(axis);
  return train::ConcatOp::create(builder, type.clone(shape), pieces, axis);
}

LogicalResult StepBuilder::lower(model::Upsample2dOp op) {
  const Order image{1, 2, 0};
  const Tensor x = ordered(withBatch(get(op.getX())), image);
  const auto shape = x.type().getShape();
  const auto factor = op.getFactor();
  Value y = x.value;
  if (op.getMode() == "nearest") {
    const SmallVector<int64_t> spread{shape[0], shape[1], factor[0], shape[2], factor[1], shape[3]};
    y = reshaped(broadcast(y, spread, {0, 1, 3, 5}),
                 {shape[0], shape[1] * factor[0], shape[2] * factor[1], shape[3]});
    set(op.getY(), Tensor{y, image, true});
    return success();
  }

  // One axis after the other. Pixel f i + r of the result stands at i + o, o = (r + 0.5) / f - 0.5, between
  // x's pixel i and that before it (o < 0) or behind it; the rim's pixel stands for what lies beyond.
  for (int64_t axis : {1, 2}) {
    const int64_t f = factor[axis - 1];
    if (f == 1)
      continue;
    const auto type = cast<RankedTensorType>(y.getType());
    const int64_t extent = type.getDimSize(axis);
    Value before = y, behind = y;
    if (extent > 1) {
      before = concatAlong({sliceAlong(y, axis, 0, 1), sliceAlong(y, axis, 0, extent - 1)}, axis);
      behind = concatAlong({sliceAlong(y, axis, 1, extent - 1), sliceAlong(y, axis, extent - 1, 1)},
                           axis);
    }
    SmallVector<int64_t> phase(type.getShape()), result(type.getShape());
    phase.insert(phase.begin() + axis + 1, 1);
    result[axis] *= f;
    SmallVector<Value> phases;
    for (int64_t r = 0; r < f; ++r) {
      const double offset = (static_cast<double>(r) + 0.5) / static_cast<double>(f) - 0.5;
      Value between = y;
      if (offset != 0) {
        const Value own = binary<train::MulOp>(y, constant(1 - std::fabs(offset)));
        const Value other =
            binary<train::MulOp>(offset < 0 ? before : behind, constant(std::fabs(offset)));
        between = binary<train::AddOp>(own, other);
      }
      phases.push_back(reshaped(between, phase));
    }
    y = reshaped(concatAlong(phases, axis + 1), result);
  }
  set(op.getY(), Tensor{y, image, true});
  return success();
}

LogicalResult StepBuilder::lower(model::PixelShuffleOp op) {
  const Order image{1, 2, 0};
  const Tensor x = ordered(withBatch(get(op.getX())), image);
  const auto shape = x.type().getShape();
  const auto r = static_cast<int64_t>(op.getR());
  const int64_t channels = shape[3] / (r * r);
  // [B, H, W, C, r, r] to [B, H, r, W, r, C]
  const Value cut = reshaped(x.value, {shape[0], shape[1], shape[2], channels, r, r});
  const Value moved = transposed(cut, {0, 1, 4, 2, 5, 3});
  const Value y = reshaped(moved, {shape[0], shape[1] * r, shape[2] * r, channels});
  set(op.getY(), Tensor{y, image, true});
  return success();
}

} // namespace sinter::lower
