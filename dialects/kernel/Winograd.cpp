//===- Winograd.cpp - the verifier of kernel.winograd ---------------------------------------------===//
#include "dialects/Winograd.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/LoopOp.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sinter::kernel;
using sinter::winograd::products, sinter::winograd::taps;

void WinogradOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addLoopEffects(getDpsInitsMutable(), /*readsOutputs=*/false, effects);
}

int64_t WinogradOp::getParts() {
  const auto blocks = static_cast<int64_t>(llvm::divideCeil(getColumns(), columnsOfBlock));
  if (!getByWeight())
    return getChunks() * blocks;
  return getShards() * static_cast<int64_t>(llvm::divideCeil(getChannels(), getBlock()[1])) *
         blocks;
}

LogicalResult WinogradOp::verify() {
  const bool byWeight = getByWeight();
  const unsigned ranks[] = {4, byWeight ? 4u : 3u, byWeight ? 5u : 4u};
  for (auto [at, operand] : llvm::enumerate(getOperands())) {
    auto type = cast<ShapedType>(operand.getType());
    if (type.getRank() != ranks[at] || !type.getElementType().isF32())
      return emitOpError("(C1) operand ")
             << at << " must be f32 of rank " << ranks[at] << ", is " << type;
  }
  const ArrayRef<int64_t> padding = getPadding(), block = getBlock();
  if (padding.size() != 4 || llvm::any_of(padding, [](int64_t value) { return value < 0; }))
    return emitOpError("(C2) padding is four numbers that are not negative");
  const ArrayRef<int64_t> x = shapeOf(0), y = shapeOfResult();
  const SmallVector<int64_t> fits{x[0], x[1] + padding[0] + padding[2] - taps + 1,
                                  x[2] + padding[1] + padding[3] - taps + 1, getColumns()};
  if (y != ArrayRef(fits) || fits[1] < 1 || fits[2] < 1)
    return emitOpError("(C1) the convolution's result must be [") << fits << "], is [" << y << "]";
  const SmallVector<int64_t> filters =
      byWeight ? SmallVector<int64_t>{shapeOf(2)[0], taps, taps, x[3], y[3]}
               : SmallVector<int64_t>{products, x[3], y[3]};
  const ArrayRef<int64_t> given = shapeOf(byWeight ? 2 : 1);
  if (given != ArrayRef(filters))
    return emitOpError("(C1) filters must be [") << filters << "], are [" << given << "]";
  if (block.size() != 2 || block[0] < 1 || block[1] < 1 || block[1] % 16 != 0)
    return emitOpError("(C3) block must be tiles, and channels in sixteens, is [") << block << "]";
  if (getShards() < 1 || getShards() > getChunks())
    return emitOpError("(C3) shards must be from 1 to ") << getChunks() << ", are " << getShards();
  if (failed(verifySemantics(*this, getOperation()->getOperands().take_back(), "(C4)")))
    return failure();
  const auto shares = static_cast<int64_t>(getShares());
  if (shares < 1 || shares > getParts())
    return emitOpError("(C5) shares must be from 1 to ") << getParts() << ", is " << shares;
  return success();
}
