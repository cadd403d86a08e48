//===- Backward.cpp - gradients along one straight block --------------------------------------===//
#include "dialects/train/Backward.h"

#include "dialects/train/Emit.h"

using namespace mlir;
using namespace sinter::train;

bool sinter::train::spreadLive(Operation *op, llvm::DenseSet<Value> &live) {
  if (op->hasTrait<StopsGradient>() ||
      llvm::none_of(op->getOperands(), [&](Value value) { return live.contains(value); }))
    return false;
  bool any = false;
  for (Value result : op->getResults())
    if (auto tensor = dyn_cast<RankedTensorType>(result.getType());
        tensor && isa<FloatType>(tensor.getElementType()))
      any |= live.insert(result).second;
  return any;
}

void Backward::add(Value value, Value part) {
  Value &sum = sums[value];
  if (!sum) {
    sum = part;
    return;
  }
  const Location location = joinLocations(sum.getLoc(), part.getLoc());
  sum = AddOp::create(builder, location, value.getType(), sum, part);
}

LogicalResult Backward::visit(Operation *op) {
  SmallVector<Value> resultGradients;
  for (Value result : op->getResults())
    resultGradients.push_back(live.contains(result) ? of(result) : Value());
  if (llvm::none_of(resultGradients, [](Value value) { return static_cast<bool>(value); }))
    return success();

  auto differentiable = dyn_cast<Differentiable>(op);
  if (!differentiable)
    return op->emitOpError("has no derivative, and the gradient goes through it");
  SmallVector<bool> wanted;
  for (Value operand : op->getOperands())
    wanted.push_back(live.contains(operand));
  SmallVector<Value> operandGradients(op->getNumOperands());
  differentiable.buildGradients(builder, resultGradients, wanted, operandGradients);
  for (auto [operand, part, isWanted] :
       llvm::zip_equal(op->getOperands(), operandGradients, wanted))
    if (isWanted && part)
      add(operand, part);
  return success();
}
