//===- LoopOp.cpp - what contract and sweep have in common ------------------------------------===//
#include "dialects/kernel/LoopOp.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::kernel {

void addLoopEffects(MutableOperandRange outputs, bool readsOutputs,
                    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  Operation *op = outputs.getOwner();
  const unsigned first = outputs.getAsOperandRange().getBeginOperandIndex();
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    const bool isOutput =
        operand.getOperandNumber() >= first && operand.getOperandNumber() < first + outputs.size();
    if (!isOutput || readsOutputs)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (isOutput)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

LogicalResult verifyMaps(Operation *op, ArrayAttr maps, OperandRange operands, unsigned rank) {
  if (maps.size() != operands.size())
    return op->emitOpError("(C1) has ")
           << maps.size() << " maps for " << operands.size() << " inputs and outputs";
  for (auto [index, attribute, operand] : llvm::enumerate(maps, operands)) {
    const AffineMap map = cast<AffineMapAttr>(attribute).getValue();
    const int64_t operandRank = cast<ShapedType>(operand.getType()).getRank();
    if (map.getNumDims() != rank || map.getNumSymbols() != 0 || map.getNumResults() != operandRank)
      return op->emitOpError("(C1) map ") << index << " must lead from " << rank << " axes to "
                                          << operandRank << ", is " << attribute;
  }
  return success();
}

LogicalResult verifySemantics(Operation *op, OperandRange outputs, StringRef number) {
  const bool onTensors = isa<RankedTensorType>(outputs.front().getType());
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()) != onTensors)
      return op->emitOpError() << number << " operands must be all tensors or all memrefs";
  for (Value operand : op->getOperands())
    if (auto memory = dyn_cast<MemRefType>(operand.getType());
        memory && !memory.getLayout().isIdentity())
      return op->emitOpError() << number << " memrefs must lie in row-major order, has " << memory;
  if (op->getNumResults() != (onTensors ? outputs.size() : 0))
    return op->emitOpError() << number << " must have " << (onTensors ? outputs.size() : 0)
                             << " results, has " << op->getNumResults();
  for (auto [output, result] : llvm::zip(outputs, op->getResults()))
    if (output.getType() != result.getType())
      return op->emitOpError() << number << " a result has its output's type, has "
                               << result.getType() << " for " << output.getType();
  return success();
}

LogicalResult verifyBody(Operation *op, Region &body, ArrayRef<Type> arguments,
                         OperandRange outputs, StringRef number) {
  Block &block = body.front();
  if (!llvm::equal(block.getArgumentTypes(), arguments))
    return op->emitOpError() << number << " the body must take (" << arguments << "), takes ("
                             << llvm::to_vector(block.getArgumentTypes()) << ")";
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError() << number << " the body must end in kernel.yield";
  SmallVector<Type> yielded;
  for (Value output : outputs)
    yielded.push_back(cast<ShapedType>(output.getType()).getElementType());
  if (!llvm::equal(yield.getValues().getTypes(), yielded))
    return op->emitOpError() << number << " the body must yield (" << yielded << "), yields ("
                             << llvm::to_vector(yield.getValues().getTypes()) << ")";
  return success();
}

LogicalResult verifyCaptures(Operation *op, Region &body, int64_t axes, StringRef number) {
  const WalkResult result = body.walk([&](Operation *inner) {
    if (auto index = dyn_cast<IndexOp>(inner);
        index && (static_cast<int64_t>(index.getAxis()) < 0 ||
                  static_cast<int64_t>(index.getAxis()) >= axes)) {
      op->emitOpError() << number << " kernel.index " << index.getAxis()
                        << " names no axis, there are " << axes;
      return WalkResult::interrupt();
    }
    for (Value operand : inner->getOperands())
      if (!body.isAncestor(operand.getParentRegion()) && !operand.getType().isIndex()) {
        op->emitOpError() << number << " the body takes a value of type " << operand.getType()
                          << " from outside, only index values may come from there";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

} // namespace sinter::kernel
