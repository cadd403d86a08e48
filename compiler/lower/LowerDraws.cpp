//===- LowerDraws.cpp - random numbers, and what is said about the whole batch ------------------------===//
#include "compiler/lower/StepBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include <numbers>

using namespace mlir;

namespace sinter::lower {

//===--- random numbers ---------------------------------------------------------------------------===//

/// The first use is keyed by the path alone.
std::string StepBuilder::nextPurpose(StringRef path) {
  std::string purpose = path.str();
  if (const int earlier = draws[path]++)
    purpose += "#" + std::to_string(earlier + 1);
  return purpose;
}

Value StepBuilder::uniform(RankedTensorType type, StringRef purpose) {
  const Value ids = broadcast(clock("ids"), type.getShape(), {0});
  return train::RandomOp::create(builder, type, purpose, ids, clock("draw"), clock("seed"));
}

/// √(-2 ln u) cos 2πv (Box and Muller 1958); u is in (0, 1], so that no number is infinite.
Value StepBuilder::normal(RankedTensorType type, const std::string &purpose) {
  const Value u = binary<train::SubOp>(constant(1), uniform(type, purpose));
  const Value v = uniform(type, purpose + "/angle");
  const Value radius =
      unary<train::SqrtOp>(binary<train::MulOp>(unary<train::LogOp>(u), constant(-2)));
  return binary<train::MulOp>(
      radius, unary<train::CosOp>(binary<train::MulOp>(v, constant(2 * std::numbers::pi))));
}

LogicalResult StepBuilder::lower(model::GaussianNoiseOp op) {
  const double deviation = op.getStd().convertToDouble();
  if (!trains(op.getLayer()) || deviation == 0) {
    set(op.getY(), get(op.getX()));
    return success();
  }
  const Tensor x = withBatch(get(op.getX()));
  const Value noise =
      binary<train::MulOp>(normal(x.type(), nextPurpose(op.getLayer())), constant(deviation));
  set(op.getY(), Tensor{binary<train::AddOp>(x.value, noise), x.order, true});
  return success();
}

static std::string pathOf(StringRef layer, StringRef function) {
  return (layer.empty() ? function : (layer + "." + function).str()).str();
}

LogicalResult StepBuilder::lower(model::RandomNormalOp op) {
  const Tensor like = get(op.getX());
  const auto type = typeOf(like.shape(), like.order, true, builder.getF32Type());
  const Value y = normal(type, nextPurpose(pathOf(op.getLayer(), "random_normal")));
  set(op.getY(), Tensor{y, like.order, true});
  return success();
}

LogicalResult StepBuilder::lower(model::RandomUniformOp op) {
  const Tensor like = get(op.getX());
  const auto type = typeOf(like.shape(), like.order, true, builder.getF32Type());
  const Value y = uniform(type, nextPurpose(pathOf(op.getLayer(), "random_uniform")));
  set(op.getY(), Tensor{y, like.order, true});
  return success();
}

//===--- buffers ----------------------------------------------------------------------------------===//

LogicalResult StepBuilder::lower(model::UpdateOp op) {
  const auto found = states.find(op.getParameterAttr().getAttr());
  const Tensor value = get(op.getValue());
  if (value.batched)
    return op.emitOpError("takes what is the same for every example");
  if (training)
    buffers[found->first] = ordered(value, found->second.order).value;
  return success();
}

//===--- across the batch -------------------------------------------------------------------------===//

LogicalResult StepBuilder::lower(model::BatchMeanOp op) {
  Tensor x = get(op.getX());
  if (x.batched) {
    const auto type = x.type().clone(x.type().getShape().drop_front());
    x.value = train::BatchMeanOp::create(builder, type, x.value, clock("count"));
    x.batched = false;
  }
  set(op.getY(), x);
  return success();
}

/// Rows that are not there give no gradient, and get none: what follows masks their columns.
LogicalResult StepBuilder::lower(model::PairwiseOp op) {
  const Tensor a = withBatch(get(op.getA()));
  Tensor b = ordered(withBatch(get(op.getB())), a.order);
  b.value = train::MaskRowsOp::create(builder, b.type(), b.value, clock("count"));
  const int64_t elements = a.type().getNumElements() / batch;
  const auto type = a.type().clone(ArrayRef<int64_t>{batch, batch});
  const Value y =
      train::ContractOp::create(builder, type, "bk,nk->bn", reshaped(a.value, {batch, elements}),
                                reshaped(b.value, {batch, elements}));
  set(op.getY(), Tensor{y, {0}, true});
  return success();
}

LogicalResult StepBuilder::lower(model::MaskColumnsOp op) {
  Tensor x = get(op.getX());
  const auto type = x.type();
  auto row = RankedTensorType::get({batch}, builder.getF32Type());
  const Value ones = train::ConstantOp::create(builder, row, DenseElementsAttr::get(row, 1.0f));
  const Value there = train::CompareOp::create(
      builder, RankedTensorType::get({batch}, builder.getI1Type()), "gt",
      train::MaskRowsOp::create(builder, row, ones, clock("count")), constant(0));
  const Value spread = broadcast(there, type.getShape(), {x.position(x.rank() - 1)});
  x.value = train::SelectOp::create(builder, type, spread, x.value,
                                    constant(op.getValue().convertToDouble()));
  set(op.getY(), x);
  return success();
}

LogicalResult StepBuilder::lower(model::BatchCountOp op) {
  const Value count = train::CountOp::create(
      builder, RankedTensorType::get({}, builder.getF32Type()), clock("count"), APFloat(1.0));
  set(op.getY(), Tensor{count, {}, false});
  return success();
}

} // namespace sinter::lower
