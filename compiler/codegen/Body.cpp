//===- Body.cpp - a scalar body, for one element or for sixteen -----------------------------------===//

#include "compiler/codegen/Body.h"

#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

bool isConstant(Value value) { return matchPattern(value, m_Constant()); }

Value emitConstant(Emitter &emitter, Operation *constant, bool vectors) {
  Attribute value;
  matchPattern(constant, m_Constant(&value));
  auto typed = cast<TypedAttr>(value);
  if (vectors)
    typed =
        DenseElementsAttr::get(Emitter::vectorOf(typed.getType()), static_cast<Attribute>(typed));
  return arith::ConstantOp::create(emitter.builder, emitter.location, typed);
}

} // namespace

SmallVector<Value> emitBody(Emitter &emitter, Block &body, IRMapping &mapping, bool vectors,
                            llvm::function_ref<Value(int64_t)> coordinate) {
  auto look = [&](Value value) {
    if (Value known = mapping.lookupOrNull(value))
      return vectors ? emitter.splat(known) : known;
    // A constant from outside the body; anything else is captured and mapped.
    Value copy = emitConstant(emitter, value.getDefiningOp(), vectors);
    mapping.map(value, copy);
    return copy;
  };
  for (Operation &op : body.without_terminator()) {
    if (auto index = dyn_cast<kernel::IndexOp>(op)) {
      Value value = coordinate(index.getAxis());
      mapping.map(index.getResult(), vectors ? emitter.splat(value) : value);
      continue;
    }
    if (op.hasTrait<OpTrait::ConstantLike>()) {
      mapping.map(op.getResult(0), emitConstant(emitter, &op, vectors));
      continue;
    }
    OperationState state(op.getLoc(), op.getName());
    for (Value operand : op.getOperands())
      state.operands.push_back(look(operand));
    for (Type type : op.getResultTypes())
      state.types.push_back(vectors ? Type(Emitter::vectorOf(type)) : type);
    state.attributes = op.getDiscardableAttrDictionary();
    state.propertiesAttr = op.getPropertiesAsAttribute();
    Operation *copy = emitter.builder.create(state);
    mapping.map(op.getResults(), copy->getResults());
  }
  SmallVector<Value> results;
  for (Value value : body.getTerminator()->getOperands())
    results.push_back(look(value));
  return results;
}

SmallVector<Value> capturedValues(Region &region) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(region, captured);
  SmallVector<Value> result;
  llvm::copy_if(captured, std::back_inserter(result),
                [](Value value) { return !isConstant(value); });
  return result;
}

} // namespace sinter::codegen
