//===- Scan.cpp - the verifier of kernel.scan, and which operands walk with the time ----------===//
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/LoopOp.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter::kernel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

void ScanOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addLoopEffects(getOutputsMutable(), /*readsOutputs=*/true, effects);
}

bool ScanOp::walks(unsigned operand) {
  const unsigned firstOutput = getNumOperands() - getOutputs().size();
  if (operand < firstOutput)
    return operand < getNumSequences();
  const bool isScratch =
      cast<ShapedType>(getOperand(operand).getType()).getElementType().isInteger(8);
  return operand >= firstOutput + getNumCarried() && !isScratch;
}

bool ScanOp::isCut(unsigned operand) {
  const unsigned firstConstant = getNumSequences() + getNumCarried();
  return operand < firstConstant || operand >= firstConstant + getConstants().size();
}

LogicalResult ScanOp::verify() {
  const auto steps = static_cast<int64_t>(getSteps());
  const auto shares = static_cast<int64_t>(getShares());
  if (getOutputs().size() < getNumCarried() || getOutputs().empty())
    return emitOpError("(C1) must have an output for each of the ")
           << getNumCarried() << " carried values, and at least one";
  for (auto [index, operand] : llvm::enumerate(getOperands())) {
    if (!isCut(index))
      continue;
    const ArrayRef<int64_t> shape = shapeOf(operand);
    const bool isScratch = cast<ShapedType>(operand.getType()).getElementType().isInteger(8);
    if (shape.empty() || (!isScratch && shape[0] != getRows()))
      return emitOpError("(C1) operand ") << index << " must have " << getRows() << " rows";
    if (walks(index) && (shape.size() < 2 || shape[1] != steps))
      return emitOpError("(C1) operand ") << index << " must have " << steps << " steps";
  }
  if (steps < 1 || shares < 1 || getRows() % shares != 0)
    return emitOpError("(C1) shares must divide the ") << getRows() << " rows, are " << shares;
  return verifySemantics(*this, getOutputs(), "(C4)");
}

LogicalResult ScanOp::verifyRegions() {
  Block &body = getBody().front();
  const bool onMemory = isPlaced();
  const unsigned expected = getNumOperands() - (onMemory ? 0 : getOutputs().size());
  if (body.getNumArguments() != expected)
    return emitOpError("(C2) must have a body of ")
           << expected << " arguments, not " << body.getNumArguments();
  for (unsigned at = 0; at < expected; ++at) {
    auto type = cast<ShapedType>(getOperand(at).getType());
    auto argument = dyn_cast<ShapedType>(body.getArgument(at).getType());
    SmallVector<int64_t> shape(type.getShape());
    if (isCut(at))
      shape[0] /= static_cast<int64_t>(getShares());
    if (!argument || isa<MemRefType>(argument) != onMemory ||
        argument.getShape() != ArrayRef(shape) ||
        argument.getElementType() != type.getElementType())
      return emitOpError("(C2) argument ")
             << at << " is " << body.getArgument(at).getType() << ", for " << type;
  }
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || (onMemory && !yield.getValues().empty()) ||
      (!onMemory && yield.getValues().size() != getOutputs().size()))
    return emitOpError("(C3) must yield one value for each of the ")
           << getOutputs().size() << " outputs, or nothing on memory";
  for (auto [index, value] : llvm::enumerate(yield.getValues())) {
    SmallVector<int64_t> shape(shapeOf(getOutputs()[index]));
    shape[0] /= static_cast<int64_t>(getShares());
    if (index >= getNumCarried())
      shape.erase(shape.begin() + 1);
    if (shapeOf(value) != ArrayRef(shape))
      return emitOpError("(C3) value ") << index << " that the body yields does not fit its output";
  }
  return success();
}
