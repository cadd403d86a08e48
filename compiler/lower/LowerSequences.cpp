//===- LowerSequences.cpp - embeddings, positions and attention as train ops ------------------===//
#include "compiler/lower/StepBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace mlir;

namespace sinter::lower {

LogicalResult StepBuilder::lower(model::EmbeddingOp op) {
  const Tensor tokens = withBatch(get(op.getTokens()));
  if (get(op.getWeight()).batched)
    return op.emitOpError("takes a weight that is the same for every example");
  const Tensor weight = ordered(get(op.getWeight()), {0, 1});
  Order order = tokens.order;
  order.push_back(tokens.rank());
  const auto type = typeOf(modelShape(op.getY()), order, true, weight.type().getElementType());
  const Value y = train::GatherOp::create(builder, type, weight.value, tokens.value);
  set(op.getY(), Tensor{y, order, true});
  return success();
}

LogicalResult StepBuilder::lower(model::SinusoidOp op) {
  const auto type = RankedTensorType::get(modelShape(op.getY()), builder.getF32Type());
  set(op.getY(), Tensor{train::SinusoidOp::create(builder, type), inOrder(2), false});
  return success();
}

// Heads are a view of the last axis: letters b the batch, t and s positions, h heads, d a head's
// columns. Every product writes what the next reads; none is followed by a transposition.
LogicalResult StepBuilder::lower(model::AttentionOp op) {
  const auto heads = static_cast<int64_t>(op.getHeads());
  const int64_t size = modelShape(op.getY())[1], each = size / heads;
  auto inHeads = [&](Value operand, double factor) {
    const Tensor x = ordered(withBatch(get(operand)), {0, 1});
    Value value = x.value;
    if (factor != 1)
      value = binary<train::MulOp>(value, constant(factor));
    return reshaped(value, {batch, x.shape()[0], heads, each});
  };
  // Scaled where it is small.
  const Value query = inHeads(op.getQuery(), 1 / std::sqrt(static_cast<double>(each)));
  const Value key = inHeads(op.getKey(), 1), value = inHeads(op.getValue(), 1);
  const int64_t queries = modelShape(op.getQuery())[0], keys = modelShape(op.getKey())[0];
  const auto scoreType = RankedTensorType::get({batch, heads, queries, keys}, builder.getF32Type());
  Value scores = train::ContractOp::create(builder, scoreType, "bthd,bshd->bhts", query, key);
  if (op.getCausal())
    scores = train::CausalMaskOp::create(builder, scoreType, scores, /*zero=*/false);
  Value shares = unary<train::SoftmaxOp>(scores);
  if (const double p = op.getDropout().convertToDouble(); p > 0 && trains(op.getLayer()))
    shares = dropped(binary<train::MulOp>(shares, constant(1 / (1 - p))), p, op.getLayer());
  const Value mixed = train::ContractOp::create(
      builder, scoreType.clone(ArrayRef<int64_t>{batch, queries, heads, each}), "bhts,bshd->bthd",
      shares, value);
  set(op.getY(), Tensor{reshaped(mixed, {batch, queries, size}), inOrder(2), true});
  return success();
}

} // namespace sinter::lower
