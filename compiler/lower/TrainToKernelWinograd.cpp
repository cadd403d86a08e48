//===- TrainToKernelWinograd.cpp - convolutions in Winograd's tiles -------------------------------===//
// Tiles and channels of a block, and shards, follow from shapes alone: they fix the order of sums. Windows and products of a block lie on
// the stack: 48 tiles by 64 channels, twice, are 0.9 MB of the second-level cache.
#include "compiler/lower/TrainToKernelParts.h"
#include "dialects/Winograd.h"
#include "dialects/train/Emit.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::lower {
namespace {

constexpr int64_t mostTiles = 48, mostChannels = 64, lanes = 16;
/// Parts that a gradient by weight has at least, where its tiles suffice: threads share them.
constexpr int64_t leastParts = 4;

/// The size of the fewest equal parts of at most `limit`.
int64_t evenPart(int64_t extent, int64_t limit) {
  return llvm::divideCeil(extent, llvm::divideCeil(extent, limit));
}

SmallVector<int64_t> blockOf(ArrayRef<int64_t> x, ArrayRef<int64_t> y) {
  const auto tiles = static_cast<int64_t>(y[0] * llvm::divideCeil(y[1], winograd::outputs) *
                                          llvm::divideCeil(y[2], winograd::outputs));
  return {evenPart(tiles, mostTiles),
          static_cast<int64_t>(llvm::alignTo(evenPart(x[3], mostChannels), lanes))};
}

Value build(KernelBuilder &builder, Operation *op, Value x, Value other, RankedTensorType type,
            ArrayRef<int64_t> padding, ArrayRef<int64_t> block, bool byWeight, bool turned) {
  return kernel::WinogradOp::create(builder.builder, op->getLoc(), type, x, other, ValueRange(),
                                    builder.empty(op->getLoc(), type), byWeight, turned, padding,
                                    block, builder.builder.getAffineMapArrayAttr({}))
      .getResults()[0];
}

void lower(KernelBuilder &builder, train::WinogradOp op) {
  builder.set(op.getY(), build(builder, op, builder.inMemory(op.getX()),
                               builder.inMemory(op.getU()), op.getY().getType(), op.getPadding(),
                               blockOf(train::shapeOf(op.getX()), train::shapeOf(op.getY())),
                               /*byWeight=*/false, op.getTurned()));
}

void lower(KernelBuilder &builder, train::WinogradWeightGradOp op) {
  const ArrayRef<int64_t> x = train::shapeOf(op.getX()), dy = train::shapeOf(op.getDy());
  const SmallVector<int64_t> block = blockOf(x, dy);
  const auto tiles = static_cast<int64_t>(dy[0] * llvm::divideCeil(dy[1], winograd::outputs) *
                                          llvm::divideCeil(dy[2], winograd::outputs));
  const auto blocks =
      static_cast<int64_t>(llvm::divideCeil(x[3], block[1]) *
                           llvm::divideCeil(dy[3], kernel::WinogradOp::columnsOfBlock));
  const auto shards =
      std::min<int64_t>(llvm::divideCeil(leastParts, blocks), llvm::divideCeil(tiles, block[0]));
  SmallVector<int64_t> shape{shards};
  llvm::append_range(shape, op.getDw().getType().getShape());
  const RankedTensorType type = op.getDw().getType();
  Value parts = build(builder, op, builder.inMemory(op.getX()), builder.inMemory(op.getDy()),
                      type.clone(shape), op.getPadding(), block, /*byWeight=*/true,
                      /*turned=*/false);
  if (shards == 1) {
    builder.set(op.getDw(),
                kernel::AliasOp::create(builder.builder, op.getLoc(), type, parts).getResult());
    return;
  }
  builder.set(op.getDw(), sumShards(builder, op.getLoc(), parts, type));
}

} // namespace

LogicalResult lowerWinograd(KernelBuilder &builder, Operation *op) {
  if (auto forward = dyn_cast<train::WinogradOp>(op))
    lower(builder, forward);
  else if (auto byWeight = dyn_cast<train::WinogradWeightGradOp>(op))
    lower(builder, byWeight);
  else
    return failure();
  return success();
}

} // namespace sinter::lower
