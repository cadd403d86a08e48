//===- TrainToKernelAttention.cpp - attention and its gradient, in tiles of scores ----------------===//
#include "compiler/lower/TrainToKernelParts.h"
#include "dialects/train/Emit.h"
#include "dialects/train/Scalar.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::lower {
namespace {

/// Queries and keys of a tile: two tiles of scores, and the queries that they are of, stay in the first-level cache.
constexpr int64_t tile = 64, lanes = 16;

/// The factor of each probability: 0, or 1 / (1 - dropout). The draws are those of a train.random over all scores.
template <typename Op> void buildKeep(KernelBuilder &builder, Op op, kernel::AttendOp attend) {
  OpBuilder::InsertionGuard guard(builder.builder);
  const Location place = op->getLoc();
  const ArrayRef<int64_t> q = train::shapeOf(op.getQ()), k = train::shapeOf(op.getK());
  const SmallVector<int64_t> shape{q[0], q[2], q[1], k[1]};
  // What the body of a draw is asked of; it is gone when this returns.
  auto ids = train::BroadcastOp::create(builder.builder, place,
                                        RankedTensorType::get(shape, builder.builder.getI32Type()),
                                        op.getIds(), ArrayRef<int64_t>{0});
  auto random = train::RandomOp::create(builder.builder, place,
                                        RankedTensorType::get(shape, builder.builder.getF32Type()),
                                        *op.getPurpose(), ids, op.getDraw(), op.getSeed());
  Block *body = builder.builder.createBlock(&attend.getKeep());
  const Value id = body->addArgument(builder.builder.getI32Type(), place);
  SmallVector<Value> point;
  for (int64_t axis = 0; axis < 4; ++axis)
    point.push_back(
        kernel::IndexOp::create(builder.builder, place, builder.builder.getIndexType(), axis));
  train::Scalar s(builder.builder, place);
  const Value drawn =
      random.buildScalar(builder.builder, place, {id, op.getDraw(), op.getSeed()}, point)[0];
  const double p = op.getDropout().convertToDouble();
  const Value kept =
      s.make<arith::CmpFOp>(arith::CmpFPredicate::OGE, drawn, s.number(op.getDropout()));
  kernel::YieldOp::create(builder.builder, place,
                          s.choose(kept, s.number(1 / (1 - p)), s.number(0)));
  random.erase();
  ids.erase();
}

template <typename Op>
void lower(KernelBuilder &builder, Op op, ArrayRef<Value> operands, bool backwards) {
  SmallVector<Value> inputs, outputs;
  for (Value operand : operands)
    inputs.push_back(builder.inMemory(operand));
  for (Type type : op->getResultTypes())
    outputs.push_back(builder.empty(op->getLoc(), cast<RankedTensorType>(type)));
  // By the shape alone: the order of sums follows from it.
  const int64_t queries = train::shapeOf(op.getQ())[1], keys = train::shapeOf(op.getK())[1];
  const SmallVector<int64_t> block{
      std::min(tile, static_cast<int64_t>(llvm::alignTo(queries, lanes))), std::min(tile, keys)};
  const Value ids = op.getIds() ? builder.inMemory(op.getIds()) : Value();
  auto attend =
      kernel::AttendOp::create(builder.builder, op->getLoc(), op->getResultTypes(), inputs, ids,
                               outputs, op.getScale(), op.getCausal(), backwards, block);
  if (ids)
    buildKeep(builder, op, attend);
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), attend.getResults()))
    builder.set(result, tensor);
}

} // namespace

LogicalResult lowerAttention(KernelBuilder &builder, Operation *op) {
  if (auto attention = dyn_cast<train::AttentionOp>(op))
    lower(builder, attention, {attention.getQ(), attention.getK(), attention.getV()},
          /*backwards=*/false);
  else if (auto back = dyn_cast<train::AttentionGradOp>(op))
    lower(builder, back,
          {back.getQ(), back.getK(), back.getV(), back.getY(), back.getLogsum(), back.getDy()},
          /*backwards=*/true);
  else
    return failure();
  return success();
}

} // namespace sinter::lower
