//===- Attend.cpp - the verifiers of kernel.attend ------------------------------------------------===//
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/LoopOp.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sinter::kernel;

void AttendOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addLoopEffects(getDpsInitsMutable(), /*readsOutputs=*/false, effects);
}

int64_t AttendOp::getParts() {
  const int64_t pairs = getBatch() * getHeads();
  return getBackwards() ? pairs : pairs * llvm::divideCeil(getQueries(), getBlock()[0]);
}

LogicalResult AttendOp::verify() {
  const unsigned inputs = getBackwards() ? 6 : 3, outputs = getBackwards() ? 3 : 2;
  if (getInputs().size() != inputs || getOutputs().size() != outputs)
    return emitOpError("(C1) must have ") << inputs << " inputs and " << outputs << " outputs, has "
                                          << getInputs().size() << " and " << getOutputs().size();
  if (shapeOfInput(0).size() != 4 || shapeOfInput(1).size() != 4)
    return emitOpError("(C1) q and k must be [batch, positions, heads, columns]");
  const SmallVector<int64_t> q(shapeOfInput(0)), k{q[0], getKeys(), q[2], q[3]};
  const SmallVector<int64_t> logsum{q[0], q[2], q[1]};
  SmallVector<ArrayRef<int64_t>> shapes{q, k, k};
  if (getBackwards())
    shapes.append({q, logsum, q, q, k, k});
  else
    shapes.append({q, logsum});
  SmallVector<Value> values(getInputs());
  llvm::append_range(values, getOutputs());
  for (auto [at, value, shape] : llvm::enumerate(values, shapes)) {
    auto type = cast<ShapedType>(value.getType());
    if (type.getShape() != shape || !type.getElementType().isF32())
      return emitOpError("(C1) operand ") << at << " must be f32 of [" << shape << "], is " << type;
  }
  if (getBlock().size() != 2 || getBlock()[0] < 1 || getBlock()[1] < 1 || getBlock()[0] % 16 != 0)
    return emitOpError("(C2) block must be queries, a multiple of 16, and keys, is [")
           << getBlock() << "]";
  const bool hasKeep = !getKeep().empty();
  if (hasKeep != static_cast<bool>(getIds()))
    return emitOpError("(C3) ids must stand exactly where a body does");
  if (hasKeep) {
    auto type = cast<ShapedType>(getIds().getType());
    if (type.getShape() != ArrayRef(q).take_front() || !type.getElementType().isInteger(32))
      return emitOpError("(C3) ids must be i32 of [") << q[0] << "], is " << type;
  }
  if (failed(verifySemantics(*this, getOutputs(), "(C4)")))
    return failure();
  const auto shares = static_cast<int64_t>(getShares());
  if (shares < 1 || shares > getParts())
    return emitOpError("(C6) shares must be from 1 to ") << getParts() << ", is " << shares;
  return success();
}

LogicalResult AttendOp::verifyRegions() {
  if (getKeep().empty())
    return success();
  // One factor a probability: as many as one of the outputs would take.
  if (failed(verifyBody(*this, getKeep(), {IntegerType::get(getContext(), 32)},
                        getOutputs().take_front(), "(C3)")))
    return failure();
  return verifyCaptures(*this, getKeep(), 4, "(C5)");
}
