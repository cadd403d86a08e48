//===- Contract.cpp - the verifier of kernel.contract, and what its maps say ------------------===//
#include "dialects/kernel/Access.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/LoopOp.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter::kernel;

SmallVector<int64_t> ContractOp::getDomain() {
  SmallVector<int64_t> domain(getRows());
  domain.push_back(getCols());
  llvm::append_range(domain, getTaps());
  llvm::append_range(domain, getSum());
  return domain;
}

void ContractOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addLoopEffects(getOutputsMutable(), /*readsOutputs=*/!sumsAtOnce(), effects);
}

bool ContractOp::isOutputAxis(unsigned axis) {
  const AffineExpr dim = getAffineDimExpr(axis, getContext());
  return llvm::is_contained(getOutputMap(0).getResults(), dim);
}

bool ContractOp::sumsTaps() {
  for (unsigned tap = getFirstTap(); tap < getFirstSum(); ++tap)
    if (!isOutputAxis(tap))
      return true;
  return false;
}

bool ContractOp::sumsAtOnce() {
  return !sumsTaps() && llvm::all_of(llvm::zip_equal(getBlock(), getSum()), [](auto pair) {
    return std::get<0>(pair) >= std::get<1>(pair);
  });
}

static ArrayRef<int64_t> shapeOf(Value operand) {
  return cast<ShapedType>(operand.getType()).getShape();
}

/// (C2): cols goes along whole vectors of B and of each output.
static LogicalResult verifyCols(ContractOp op) {
  const unsigned outputs = 2 + op.getWith().size();
  for (auto [index, operand] : llvm::enumerate(op.getOperands())) {
    if (index == 0 && op.getMap(0).isFunctionOfDim(op.getColsAxis()))
      return op.emitOpError("(C2) cols must not occur in A");
    if (index != 1 && index < outputs)
      continue;
    const auto stride = strideAlong(op.getMap(index), shapeOf(operand), op.getColsAxis());
    if (!stride || *stride < 0 || *stride > 1)
      return op.emitOpError("(C2) cols must have stride 1 in operand ") << index;
  }
  return success();
}

/// (C5): only taps lead outside, and only in A and the first output.
static LogicalResult verifyBounds(ContractOp op) {
  const SmallVector<int64_t> domain = op.getDomain();
  const unsigned firstOutput = 2 + op.getWith().size();
  SmallVector<AffineExpr> inside;
  for (auto [index, operand] : llvm::enumerate(op.getOperands())) {
    if (index != 0 && index != firstOutput)
      continue;
    for (auto [axis, result, extent] :
         llvm::enumerate(op.getMap(index).getResults(), shapeOf(operand))) {
      if (!mayLeave(result, extent, domain, IntegerSet()))
        continue;
      const SmallVector<unsigned> axes = axesOf(result);
      const auto isTap = [&](unsigned at) {
        return at >= op.getFirstTap() && at < op.getFirstSum();
      };
      if (axes.size() > 2 || llvm::count_if(axes, isTap) != 1)
        return op.emitOpError("(C5) coordinate ")
               << axis << " of operand " << index
               << " may fall outside, and does not use one tap and one other axis";
      inside.push_back(result);
      inside.push_back(extent - 1 - result);
    }
  }
  const IntegerSet guard =
      inside.empty()
          ? IntegerSet()
          : IntegerSet::get(domain.size(), 0, inside, SmallVector<bool>(inside.size(), false));
  for (auto [index, operand] : llvm::enumerate(op.getOperands())) {
    if (index == 0 || index == firstOutput)
      continue;
    for (auto [axis, result, extent] :
         llvm::enumerate(op.getMap(index).getResults(), shapeOf(operand)))
      if (mayLeave(result, extent, domain, guard))
        return op.emitOpError("(C5) map ")
               << index << " leaves axis " << axis << " of " << operand.getType();
  }
  return success();
}

LogicalResult ContractOp::verify() {
  const SmallVector<int64_t> domain = getDomain();
  if (getOutputs().empty())
    return emitOpError("(C1) must have an output");
  if (failed(verifyMaps(*this, getMaps(), getOperands(), domain.size())) ||
      failed(verifySemantics(*this, getOutputs(), "(C7)")))
    return failure();
  if (llvm::any_of(domain, [](int64_t extent) { return extent < 1; }))
    return emitOpError("(C1) extents must be positive");
  for (Value operand : {getA(), getB()})
    if (!cast<ShapedType>(operand.getType()).getElementType().isF32())
      return emitOpError("(C1) A and B must be of f32");
  if (getBlock().size() != getSum().size() ||
      llvm::any_of(getBlock(), [](int64_t extent) { return extent < 1; }))
    return emitOpError("(C3) block must have one positive extent for each of the ")
           << getSum().size() << " sum axes";
  for (unsigned output = 0; output < getOutputs().size(); ++output)
    for (unsigned axis = getFirstSum(); axis < domain.size(); ++axis)
      if (getOutputMap(output).isFunctionOfDim(axis))
        return emitOpError("(C1) no output may use a sum axis");
  if (failed(verifyCols(*this)) || failed(verifyBounds(*this)))
    return failure();

  if (!sumsAtOnce()) {
    if (getOutputs().size() != 1 ||
        !cast<ShapedType>(getOutputs()[0].getType()).getElementType().isF32())
      return emitOpError(
          "(C6) a sum over taps or in several blocks keeps its partial sums in one output of f32");
  }
  return success();
}

LogicalResult ContractOp::verifyRegions() {
  if (getEpilogue().empty()) {
    if (getOutputs().size() != 1 ||
        !cast<ShapedType>(getOutputs()[0].getType()).getElementType().isF32() || !getWith().empty())
      return emitOpError(
          "(C4) without an epilogue there is one output of f32 and nothing to read with it");
    return success();
  }
  SmallVector<Type> arguments{Float32Type::get(getContext())};
  for (Value value : getWith())
    arguments.push_back(cast<ShapedType>(value.getType()).getElementType());
  if (failed(verifyBody(*this, getEpilogue(), arguments, getOutputs(), "(C4)")))
    return failure();
  return verifyCaptures(*this, getEpilogue(), getFirstSum(), "(C8)");
}
