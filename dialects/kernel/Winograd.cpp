//===- Winograd.cpp - the verifier of kernel.winograd ---------------------------------------------===//
#include "dialects/Winograd.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/LoopOp.h"
#include "llvm/ADT/STLExtras.h"
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
  const bool makesFilters = !byWeight && cast<ShapedType>(getOther().getType()).getRank() == 4;
  if (getTurned() && !makesFilters)
    return emitOpError("(C1) only weights of which filters are made are turned");
  const std::pair<Value, int64_t> ranks[] = {
      {getX(), 4}, {getOther(), byWeight || makesFilters ? 4 : 3}, {getOutput(), byWeight ? 5 : 4}};
  for (auto [at, ranked] : llvm::enumerate(ranks)) {
    auto type = cast<ShapedType>(ranked.first.getType());
    if (type.getRank() != ranked.second || !type.getElementType().isF32())
      return emitOpError("(C1) operand ")
             << at << " must be f32 of rank " << ranked.second << ", is " << type;
  }
  const ArrayRef<int64_t> padding = getPadding(), block = getBlock();
  if (padding.size() != 4 || llvm::any_of(padding, [](int64_t value) { return value < 0; }))
    return emitOpError("(C2) padding is four numbers that are not negative");
  const ArrayRef<int64_t> x = shapeOf(0), y = shapeOfResult();
  const SmallVector<int64_t> fits{x[0], x[1] + padding[0] + padding[2] - taps + 1,
                                  x[2] + padding[1] + padding[3] - taps + 1, getColumns()};
  if (y != ArrayRef(fits) || fits[1] < 1 || fits[2] < 1)
    return emitOpError("(C1) the convolution's result must be [") << fits << "], is [" << y << "]";
  SmallVector<int64_t> filters{products, x[3], y[3]};
  if (byWeight)
    filters = {shapeOfOutput()[0], taps, taps, x[3], y[3]};
  else if (makesFilters && getTurned())
    filters = {taps, taps, y[3], x[3]};
  else if (makesFilters)
    filters = {taps, taps, x[3], y[3]};
  const ArrayRef<int64_t> given = byWeight ? shapeOfOutput() : shapeOf(1);
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
  return verifyReads();
}

bool WinogradOp::canRead(AffineMap map) {
  if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false;
  const unsigned last = map.getNumDims() - 1;
  return llvm::none_of(llvm::drop_end(map.getResults(), map.getNumResults() > 0 ? 1 : 0),
                       [&](AffineExpr result) { return result.isFunctionOfDim(last); });
}

LogicalResult WinogradOp::verifyReads() {
  if (getReads().size() != getWith().size())
    return emitOpError("(C6) has ")
           << getReads().size() << " reads for " << getWith().size() << " values";
  if (getByWeight() && !getEpilogue().empty())
    return emitOpError("(C6) a gradient by weight has no epilogue");
  if (getEpilogue().empty() && !getWith().empty())
    return emitOpError("(C6) values without an epilogue that reads them");
  const ArrayRef<int64_t> y = shapeOfResult();
  for (auto [at, value] : llvm::enumerate(getWith())) {
    const AffineMap read = getRead(at);
    const ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
    if (read.getNumDims() != y.size() || read.getNumResults() != shape.size() || !canRead(read))
      return emitOpError("(C6) read ") << at << " must take axes of the result to those of "
                                       << value.getType() << ", is " << getReads()[at];
    for (auto [result, extent] : llvm::zip_equal(read.getResults(), shape))
      if (auto axis = dyn_cast<AffineDimExpr>(result); axis && y[axis.getPosition()] > extent)
        return emitOpError("(C6) read ") << at << " leaves " << value.getType();
  }
  return success();
}

LogicalResult WinogradOp::verifyRegions() {
  if (getEpilogue().empty())
    return success();
  SmallVector<Type> arguments{Float32Type::get(getContext())};
  for (Value value : getWith())
    arguments.push_back(cast<ShapedType>(value.getType()).getElementType());
  if (failed(verifyBody(*this, getEpilogue(), arguments, getOperation()->getOperands().take_back(),
                        "(C6)")))
    return failure();
  return verifyCaptures(*this, getEpilogue(), 0, "(C6)");
}
