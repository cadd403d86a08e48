//===- Sweep.cpp - the verifier of kernel.sweep, and how it sums ------------------------------===//
#include "dialects/kernel/Access.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/LoopOp.h"
#include "dialects/kernel/SweepOrder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter::kernel;

SmallVector<int64_t> SweepOp::getDomain() {
  SmallVector<int64_t> domain(getParallel());
  llvm::append_range(domain, getReduce());
  return domain;
}

void SweepOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addLoopEffects(getOutputsMutable(), /*readsOutputs=*/false, effects);
}

LogicalResult SweepOp::verify() {
  const SmallVector<int64_t> domain = getDomain();
  if (getOutputs().empty())
    return emitOpError("(C1) must have an output");
  if (failed(verifyMaps(*this, getMaps(), getOperands(), domain.size())) ||
      failed(verifySemantics(*this, getOutputs(), "(C5)")))
    return failure();
  if (llvm::any_of(domain, [](int64_t extent) { return extent < 1; }))
    return emitOpError("(C7) extents must be positive");
  if (getShares() < 1)
    return emitOpError("(C7) shares must be positive, is ") << getShares();

  const bool needsInit = !getReduce().empty() || getGuard();
  if (needsInit != getInit().has_value())
    return emitOpError("(C2) init must stand exactly where reduce or guard does");
  if (getInit()) {
    if (getInit()->size() != getOutputs().size())
      return emitOpError("(C2) has ")
             << getInit()->size() << " inits for " << getOutputs().size() << " outputs";
    for (auto [value, output] : llvm::zip_equal(*getInit(), getOutputs())) {
      auto typed = dyn_cast<TypedAttr>(value);
      const Type element = cast<ShapedType>(output.getType()).getElementType();
      if (!typed || typed.getType() != element)
        return emitOpError("(C2) an init must be a value of type ") << element << ", is " << value;
    }
  }
  if (auto guard = getGuard();
      guard && (guard->getNumDims() != domain.size() || guard->getNumSymbols() != 0))
    return emitOpError("(C4) the guard must be over the domain's ") << domain.size() << " axes";

  for (auto [index, operand] : llvm::enumerate(getOperands())) {
    const AffineMap map = getMap(index);
    const bool isOutput = index >= getInputs().size();
    const ArrayRef<int64_t> shape = cast<ShapedType>(operand.getType()).getShape();
    for (auto [axis, result, extent] : llvm::enumerate(map.getResults(), shape)) {
      if (isOutput &&
          llvm::any_of(axesOf(result), [&](unsigned at) { return at >= getParallel().size(); }))
        return emitOpError("(C4) the map of output ")
               << index - getInputs().size() << " must use parallel axes only";
      if (mayLeave(result, extent, domain, getGuard().value_or(IntegerSet())))
        return emitOpError("(C4) map ")
               << index << " leaves axis " << axis << " of " << operand.getType();
    }
  }
  return success();
}

LogicalResult SweepOp::verifyRegions() {
  SmallVector<Type> arguments;
  for (Value input : getInputs())
    arguments.push_back(cast<ShapedType>(input.getType()).getElementType());
  if (!getReduce().empty())
    for (Value output : getOutputs())
      arguments.push_back(cast<ShapedType>(output.getType()).getElementType());
  if (failed(verifyBody(*this, getBody(), arguments, getOutputs(), "(C3)")))
    return failure();
  return verifyCaptures(*this, getBody(), getDomainRank(), "(C6)");
}

/// Whether `value` is computed without any of the block arguments from `first` on.
static bool isFreeOf(Value value, Block &block, unsigned first) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() != &block || argument.getArgNumber() < first;
  Operation *op = value.getDefiningOp();
  return op->getBlock() != &block || llvm::all_of(op->getOperands(), [&](Value operand) {
           return isFreeOf(operand, block, first);
         });
}

bool SweepOp::sumsByLanes() {
  if (getReduce().empty() || getGuardAttr())
    return false;
  auto shapeOf = [](Value operand) { return cast<ShapedType>(operand.getType()).getShape(); };
  // A number for each row, read beside whole rows, does not say that sums go across rows.
  const bool fillsLanes = getReduce().back() >= 16;
  bool walksMemory = false;
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    const auto step = strideAlong(getMap(index), shapeOf(input), getDomainRank() - 1);
    walksMemory |= step == 1;
    if (step == 0 && fillsLanes)
      continue;
    for (auto [axis, extent] : llvm::enumerate(getParallel()))
      if (extent > 1 && strideAlong(getMap(index), shapeOf(input), axis) == 1)
        return false;
  }
  if (!walksMemory)
    return false;

  Block &block = getBody().front();
  const unsigned first = getInputs().size();
  for (auto [index, value] : llvm::enumerate(cast<YieldOp>(block.getTerminator()).getValues())) {
    Operation *combine = value.getDefiningOp();
    if (!isa_and_nonnull<arith::AddFOp, arith::MaximumFOp>(combine))
      return false;
    const Value accumulator = block.getArgument(first + index);
    const Value lhs = combine->getOperand(0), rhs = combine->getOperand(1);
    if ((lhs != accumulator && rhs != accumulator) ||
        !isFreeOf(lhs == accumulator ? rhs : lhs, block, first))
      return false;
  }
  return true;
}

SmallVector<unsigned> sinter::kernel::parallelAsInMemory(SweepOp sweep) {
  auto order = llvm::to_vector(llvm::seq<unsigned>(0, sweep.getParallel().size()));
  if (sweep.getReduce().empty() || sweep.getZero() || sweep.getInputs().empty())
    return order;
  auto shapeOf = [](Value operand) { return cast<ShapedType>(operand.getType()).getShape(); };
  unsigned largest = 0;
  for (auto [index, input] : llvm::enumerate(sweep.getInputs()))
    if (llvm::product_of(shapeOf(input)) > llvm::product_of(shapeOf(sweep.getInputs()[largest])))
      largest = index;
  SmallVector<int64_t> strides;
  for (unsigned axis : order) {
    const auto stride =
        strideAlong(sweep.getMap(largest), shapeOf(sweep.getInputs()[largest]), axis);
    if (!stride)
      return order;
    strides.push_back(*stride);
  }
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return strides[a] != strides[b] ? strides[a] > strides[b] : a < b;
  });
  return order;
}
