//===- LoopsAhead.cpp - what loops around micro-kernels will read next ----------------------------===//

#include "compiler/codegen/LoopsAhead.h"

#include "compiler/codegen/Caches.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using llvm::divideCeil;
using namespace mlir;

namespace sinter::codegen {
namespace {

/// Whether what a share writes between two blocks of the sum does.
bool fitsNear(const ContractPlan &plan, const Schedule &schedule) {
  int64_t elements = plan.cols;
  for (auto [axis, rows] : llvm::enumerate(plan.rows))
    elements *= axis == 0 && schedule.shareAxis == ShareAxis::OuterRows
                    ? std::max<int64_t>(1, schedule.chunk)
                    : rows;
  if (!plan.tapsAreSummed)
    elements *= llvm::product_of(plan.taps);
  if (schedule.shareAxis != ShareAxis::OuterRows)
    elements /= std::max<int64_t>(1, schedule.shares);
  return elements * 4 <= nearBytes;
}

/// Whether the blocks of the sum follow each other in B without a gap, each one's steps evenly spaced.
bool walksBEvenly(const ContractPlan &plan) {
  ArrayRef<int64_t> strides = plan.accesses[1].strides;
  for (unsigned axis = 0; axis + 1 < plan.sum.size(); ++axis) {
    const int64_t inner = plan.sum[axis + 1];
    if (strides[plan.sumAxis(axis)] != inner * strides[plan.sumAxis(axis + 1)] ||
        (plan.block[axis] > 1 && plan.block[axis + 1] != inner))
      return false;
  }
  return llvm::product_of(plan.block) < llvm::product_of(plan.sum);
}

} // namespace

LoopsAhead::LoopsAhead(kernel::ContractOp op, const ContractPlan &plan, const Schedule &schedule,
                       Emitter &emit, bool blocksWithin)
    : plan(plan), emit(emit), sumsAreNear(blocksWithin || fitsNear(plan, schedule)) {
  // Rows that other panels walk again, or a convolution with its next tap, are near then.
  const auto a = cast<ShapedType>(op.getA().getType());
  fetchesRows = schedule.rowsOutside && plan.taps.empty() &&
                a.getNumElements() * Emitter::bytesOf(a.getElementType()) > nearBytes;
  if (plan.bf16 || plan.sum.empty())
    return;
  const int64_t steps = llvm::product_of(plan.sum), taps = llvm::product_of(plan.taps);
  // Where shares have rows of their own, each reads all of B or much of it, and other threads may have written it.
  const bool readsSharedB =
      schedule.shares > 1 && (schedule.shareAxis == ShareAxis::RowTiles ||
                              schedule.shareAxis == ShareAxis::RowTilesAndPanels);
  const bool severalImages = schedule.chunk == 0 && schedule.shareAxis == ShareAxis::OuterRows;
  if (plan.taps.empty() && plan.rows.size() > 1 && plan.accesses[1].strides[0] != 0)
    fetchesBlocksOfB =
        schedule.shareAxis == ShareAxis::OuterRows && plan.sum.size() > 1 && walksBEvenly(plan);
  else if (plan.taps.empty() || schedule.chunk > 0)
    fetchesPanels =
        !schedule.rowsOutside && plan.accesses[1].strides[0] == 0 &&
        steps * taps * plan.cols * 4 > (readsSharedB ? cacheLines * lineBytes : nearBytes);
  else if (plan.tapsAreSummed && severalImages)
    fetchesImages = plan.accesses[1].strides[0] == 0 && plan.rows.size() > 1;
  else if (!plan.tapsAreSummed)
    fetchesBlocks = plan.sum.size() > 1;
}

int64_t LoopsAhead::toNextRows(int64_t rows, unsigned axis) const {
  return fetchesRows ? rows * plan.accesses[0].strides[axis] : 0;
}

Value LoopsAhead::untapped(Value offset, unsigned operand, const Tap &tap) {
  int64_t shift = 0;
  for (auto [i, value] : llvm::enumerate(tap.point))
    shift += value * plan.accesses[operand].strides[plan.tapAxis(i)];
  return emit.add(offset, -shift);
}

SmallVector<RowsOfOperand> LoopsAhead::of(const CallSite &site, int64_t rowsOfPanel) {
  const auto numTaps = static_cast<int64_t>(std::max<size_t>(1, plan.order.size()));
  if (site.sizes.empty())
    return {};
  const int64_t steps = llvm::product_of(site.sizes);
  const unsigned innermost = plan.sumAxis(plan.sum.size() - 1);
  if (countsRows() && site.rowsBefore) {
    const int64_t stride = plan.accesses[1].strides[innermost];
    const int64_t rows = divideCeil(site.tile.y * site.tile.x * steps, rowsOfPanel);
    Value first = emit.shareBegin(site.rowsBefore, steps, rowsOfPanel);
    Value next = emit.add(site.offsets[1],
                          fetchesBlocksOfB ? emit.constant(steps * stride) : site.toNextPanel);
    return {
        {1, emit.add(next, emit.multiply(first, stride)), {rows, stride, site.vectors * lanes}}};
  }
  // One part for each tap, all of them the whole.
  if (fetchesImages) {
    const Access &a = plan.accesses[0];
    const int64_t stride = a.strides[plan.rows.size() - 1];
    const int64_t rows = divideCeil(site.tile.x, numTaps);
    const int64_t first = site.tile.x * site.tapNumber / numTaps;
    Value next = emit.add(untapped(site.offsets[0], 0, site.tap), a.strides[0] + first * stride);
    return {{0, next, {rows, stride, steps}}};
  }
  if (fetchesBlocks) {
    SmallVector<RowsOfOperand> result;
    const int64_t rows = divideCeil(steps, numTaps), first = steps * site.tapNumber / numTaps;
    for (unsigned operand : {0u, 1u}) {
      const Access &access = plan.accesses[operand];
      const int64_t stride = access.strides[innermost];
      Value next = emit.add(untapped(site.offsets[operand], operand, site.tap),
                            access.strides[plan.sumAxis(0)] * plan.block[0] + first * stride);
      const int64_t columns = operand == 0 ? site.tile.y * site.tile.x : site.vectors * lanes;
      result.push_back({operand, next, {rows, stride, columns}});
    }
    return result;
  }
  return {};
}

} // namespace sinter::codegen
