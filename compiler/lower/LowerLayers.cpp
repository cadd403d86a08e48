//===- LowerLayers.cpp - layers as train ops --------------------------------------------------===//
#include "compiler/lower/StepBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::lower {

/// y + bias along the last axis in memory, where there is a bias.
Value StepBuilder::addBias(Value y, Value bias) {
  if (!bias)
    return y;
  auto type = cast<RankedTensorType>(y.getType());
  return train::AddOp::create(builder, type, y,
                              broadcast(get(bias).value, type.getShape(), {type.getRank() - 1}));
}

LogicalResult StepBuilder::lower(model::DenseOp op) {
  const Tensor x = withBatch(get(op.getX()));
  const Tensor weight = get(op.getWeight());
  if (failed(sharedWeights(op, op.getWeight(), op.getBias())))
    return failure();

  // Letters: b the batch, k what is summed, n the units, A… the axes in front. Units come
  // innermost.
  const int64_t last = x.rank() - 1;
  auto letter = [&](int64_t axis) { return axis == last ? 'k' : static_cast<char>('A' + axis); };
  std::string xAxes = "b", yAxes = "b", weightAxes;
  SmallVector<int64_t> shape{batch};
  Order order;
  for (int64_t axis : x.order) {
    xAxes += letter(axis);
    if (axis == last)
      continue;
    yAxes += letter(axis);
    order.push_back(axis);
    shape.push_back(x.shape()[axis]);
  }
  yAxes += 'n';
  order.push_back(last);
  shape.push_back(weight.shape()[0]);
  for (int64_t axis : weight.order)
    weightAxes += axis == 0 ? 'n' : 'k';
  const Value y =
      train::ContractOp::create(builder, x.type().clone(shape),
                                xAxes + "," + weightAxes + "->" + yAxes, x.value, weight.value);
  set(op.getY(), Tensor{addBias(y, op.getBias()), order, true});
  return success();
}

/// [top, bottom, left, right] as the spec says it to [top, left, bottom, right].
static SmallVector<int64_t> corners(ArrayRef<int64_t> padding) {
  return {padding[0], padding[2], padding[1], padding[3]};
}

LogicalResult StepBuilder::lower(model::MaxPool2dOp op) {
  const Order image{1, 2, 0};
  const Tensor x = ordered(withBatch(get(op.getX())), image);
  auto type = typeOf(modelShape(op.getY()), image, true, builder.getF32Type());
  const bool small = llvm::product_of(op.getSize()) <= 128; // positions in a window fit 8 bits
  auto pool = train::MaxPool2dOp::create(
      builder, TypeRange{type, type.clone(small ? builder.getI8Type() : builder.getI32Type())},
      x.value, op.getSize(), op.getStride(), corners(op.getPadding()));
  set(op.getY(), Tensor{pool.getY(), image, true});
  return success();
}

LogicalResult StepBuilder::lower(model::AvgPool2dOp op) {
  const Order image{1, 2, 0};
  const Tensor x = ordered(withBatch(get(op.getX())), image);
  const auto type = typeOf(modelShape(op.getY()), image, true, builder.getF32Type());
  const Value y = train::AvgPool2dOp::create(builder, type, x.value, op.getSize(), op.getStride(),
                                             corners(op.getPadding()));
  set(op.getY(), Tensor{y, image, true});
  return success();
}

LogicalResult StepBuilder::lower(model::GlobalAvgPoolOp op) {
  const Tensor x = ordered(withBatch(get(op.getX())), {1, 2, 0});
  const double positions = static_cast<double>(x.shape()[1] * x.shape()[2]);
  const Value sum = sumOver(x.value, {1, 2});
  set(op.getY(), Tensor{binary<train::DivOp>(sum, constant(positions)), {0}, true});
  return success();
}

LogicalResult StepBuilder::lower(model::BatchNormOp op) {
  const Tensor x = withLast(withBatch(get(op.getX())), static_cast<int64_t>(op.getAxis()));
  const auto type = x.type();
  const auto perChannel = type.clone(ArrayRef<int64_t>{type.getShape().back()});

  Value mean = get(op.getRunningMean()).value, variance = get(op.getRunningVar()).value;
  if (trains(op.getLayer())) {
    auto moments = train::MomentsOp::create(builder, TypeRange{perChannel, perChannel}, x.value,
                                            clock("count"));
    mean = moments.getMean();
    variance = moments.getVariance();

    // running = (1 - momentum) running + momentum batch; the variance's share is n / (n - 1) of the
    // biased one, n counting examples and positions. One number alone has variance 0, whatever the
    // factor.
    const double momentum = op.getMomentum().convertToDouble();
    const double positions =
        static_cast<double>(type.getNumElements() / (batch * type.getShape().back()));
    const Value n = train::CountOp::create(builder, RankedTensorType::get({}, builder.getF32Type()),
                                           clock("count"), APFloat(positions));
    const Value others = binary<train::MaxOp>(binary<train::SubOp>(n, constant(1)), constant(1));
    const Value unbiased = binary<train::MulOp>(variance, binary<train::DivOp>(n, others));
    auto advance = [&](Value running, Value batchValue) {
      const auto name = running.getDefiningOp<model::ReadOp>().getParameterAttr().getAttr();
      // A layer used twice advances twice.
      Value &now = statistics.try_emplace(name, get(running).value).first->second;
      now = binary<train::AddOp>(binary<train::MulOp>(now, constant(1 - momentum)),
                                 binary<train::MulOp>(batchValue, constant(momentum)));
    };
    advance(op.getRunningMean(), mean);
    advance(op.getRunningVar(), unbiased);
  }

  const Value deviation =
      unary<train::SqrtOp>(binary<train::AddOp>(variance, constant(op.getEps().convertToDouble())));
  const Value scale = binary<train::DivOp>(get(op.getWeight()).value, deviation);
  const auto spread = [&](Value value) {
    return broadcast(value, type.getShape(), {type.getRank() - 1});
  };
  // Centred first: the gradient of the scale is then a sum of dy (x - mean), which cancels nothing.
  const Value centred = binary<train::SubOp>(x.value, spread(mean));
  const Value scaled = binary<train::MulOp>(centred, spread(scale));
  set(op.getY(), Tensor{addBias(scaled, op.getBias()), x.order, true});
  return success();
}

LogicalResult StepBuilder::lower(model::GroupNormOp op) {
  const Tensor x = withLast(withBatch(get(op.getX())), static_cast<int64_t>(op.getAxis()));
  const auto type = x.type();
  const auto groups = static_cast<int64_t>(op.getGroups());
  // [B, positions, groups, channels of a group]
  const int64_t channels = type.getShape().back();
  const int64_t positions = type.getNumElements() / (batch * channels);
  const SmallVector<int64_t> cut{batch, positions, groups, channels / groups};
  const Value grouped = reshaped(x.value, cut);
  const auto mean = [&](Value of) {
    return binary<train::DivOp>(sumOver(of, {1, 3}),
                                constant(static_cast<double>(positions * (channels / groups))));
  };
  const auto spread = [&](Value value) { return broadcast(value, cut, {0, 2}); };
  const Value centred = binary<train::SubOp>(grouped, spread(mean(grouped)));
  const Value variance = mean(unary<train::SquareOp>(centred));
  const Value deviation =
      unary<train::SqrtOp>(binary<train::AddOp>(variance, constant(op.getEps().convertToDouble())));
  const Value normed = reshaped(binary<train::DivOp>(centred, spread(deviation)), type.getShape());
  const Value scaled = binary<train::MulOp>(
      normed, broadcast(get(op.getWeight()).value, type.getShape(), {type.getRank() - 1}));
  set(op.getY(), Tensor{addBias(scaled, op.getBias()), x.order, true});
  return success();
}

LogicalResult StepBuilder::lower(model::DropoutOp op) {
  const Tensor x = withBatch(get(op.getX()));
  const double p = op.getP().convertToDouble();
  const bool scalesWhileTraining = op.getScale() == "training";
  if (!trains(op.getLayer())) {
    Value y = x.value;
    if (!scalesWhileTraining && p > 0)
      y = binary<train::MulOp>(y, constant(1 - p));
    set(op.getY(), Tensor{y, x.order, true});
    return success();
  }
  if (p == 0) {
    set(op.getY(), x);
    return success();
  }

  Value y = x.value;
  if (scalesWhileTraining && p < 1) // with p = 1 nothing is kept
    y = binary<train::MulOp>(y, constant(1 / (1 - p)));
  set(op.getY(), Tensor{dropped(y, p, op.getLayer()), x.order, true});
  return success();
}

Value StepBuilder::dropped(Value x, double p, StringRef layer) {
  auto type = cast<RankedTensorType>(x.getType());
  const Value drawn = uniform(type, nextPurpose(layer));
  const Value kept =
      train::CompareOp::create(builder, type.clone(builder.getI1Type()), "ge", drawn, constant(p));
  return train::SelectOp::create(builder, type, kept, x, constant(0));
}

} // namespace sinter::lower
