//===- Table.cpp - the verifiers of kernel.gather and kernel.scatter_add ----------------------===//
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/LoopOp.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sinter::kernel;

void GatherOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addLoopEffects(getDpsInitsMutable(), /*readsOutputs=*/false, effects);
}
void ScatterAddOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addLoopEffects(getDpsInitsMutable(), /*readsOutputs=*/false, effects);
}

/// `rows` [ids…, size] belong to `table` [count, size]; `parts` can be shared out.
static LogicalResult verifyTable(Operation *op, Value table, Value ids, Value rows, int64_t shares,
                                 int64_t parts) {
  const auto typeOf = [](Value value) { return cast<ShapedType>(value.getType()); };
  SmallVector<int64_t> shape(typeOf(ids).getShape());
  if (typeOf(table).getRank() == 2)
    shape.push_back(typeOf(table).getDimSize(1));
  if (typeOf(table).getRank() != 2 || typeOf(rows).getShape() != ArrayRef(shape) ||
      !typeOf(table).getElementType().isF32() || !typeOf(rows).getElementType().isF32() ||
      !typeOf(ids).getElementType().isInteger(32))
    return op->emitOpError("(C1) rows ") << rows.getType() << " and ids " << ids.getType()
                                         << " do not belong to a table " << table.getType();
  if (failed(verifySemantics(op, op->getOperands().take_back(), "(C2)")))
    return failure();
  if (shares < 1 || shares > parts)
    return op->emitOpError("(C3) shares must be from 1 to ") << parts << ", is " << shares;
  return success();
}

LogicalResult GatherOp::verify() {
  return verifyTable(*this, getTable(), getIds(), getOutput(), getShares(), getNumIds());
}
LogicalResult ScatterAddOp::verify() {
  return verifyTable(*this, getOutput(), getIds(), getX(), getShares(),
                     llvm::divideCeil(getSize(), 16));
}
