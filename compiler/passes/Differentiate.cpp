//===- Differentiate.cpp - replace train.gradient by the ops that compute it -----------------------===//
// Reverse mode over one straight block. A value is *live* when it depends on something that the gradient is of, through
// ops that let a gradient pass; gradients are asked of ops for live operands only, so what is frozen costs nothing:
// no op is built and then dropped. Sums over several uses are taken in a fixed order, the last use first.
#include "compiler/passes/Passes.h"

#include "dialects/train/Emit.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "compiler/passes/Passes.h.inc"
namespace {

/// Values in front of `gradient` that depend on what it is of.
class Live {
public:
  explicit Live(train::GradientOp gradient) : values(llvm::from_range, gradient.getOf()) {
    for (Operation &op : *gradient->getBlock()) {
      if (&op == gradient)
        break;
      if (!op.hasTrait<train::StopsGradient>() &&
          llvm::any_of(op.getOperands(), [&](Value value) { return values.contains(value); }))
        for (Value result : op.getResults())
          if (isFloat(result))
            values.insert(result);
    }
  }

  bool contains(Value value) const { return values.contains(value); }

private:
  static bool isFloat(Value value) {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    return tensor && isa<FloatType>(tensor.getElementType());
  }

  llvm::DenseSet<Value> values;
};

/// The gradients found so far, each the sum of what came back from the uses visited.
class Gradients {
public:
  explicit Gradients(OpBuilder &builder) : builder(builder) {}

  Value of(Value value) const { return sums.lookup(value); }

  void add(Value value, Value part) {
    Value &sum = sums[value];
    if (!sum) {
      sum = part;
      return;
    }
    const Location location = train::joinLocations(sum.getLoc(), part.getLoc());
    sum = train::AddOp::create(builder, location, value.getType(), sum, part);
  }

private:
  OpBuilder &builder;
  llvm::DenseMap<Value, Value> sums;
};

struct Differentiate : impl::DifferentiateBase<Differentiate> {
  void runOnOperation() override {
    // The first one first: a later one may go through what it becomes.
    for (auto gradient :
         llvm::make_early_inc_range(getOperation().getBody().getOps<train::GradientOp>()))
      if (failed(replace(gradient)))
        return signalPassFailure();
    for (auto stop :
         llvm::make_early_inc_range(getOperation().getBody().getOps<train::StopGradientOp>())) {
      stop.getY().replaceAllUsesWith(stop.getX());
      stop.erase();
    }
  }

  LogicalResult replace(train::GradientOp gradient) {
    const Live live(gradient);
    Operation *before = gradient->getPrevNode();
    OpBuilder builder(gradient);
    train::Emit emit(builder, gradient);
    Gradients gradients(builder);
    if (live.contains(gradient.getY()))
      gradients.add(gradient.getY(), emit.scalar(1));

    for (Operation *op = before; op; op = op->getPrevNode())
      if (failed(visit(op, live, gradients, builder)))
        return failure();

    for (auto [of, result] : llvm::zip_equal(gradient.getOf(), gradient.getGradients())) {
      Value found = gradients.of(of);
      result.replaceAllUsesWith(found ? found : zero(builder, emit.location, of.getType()));
    }
    for (Operation *op = gradient->getPrevNode(); op != before; op = op->getPrevNode())
      ++numBuilt;
    gradient.erase();
    return success();
  }

  /// Passes the gradients of op's results back to its live operands.
  LogicalResult visit(Operation *op, const Live &live, Gradients &gradients, OpBuilder &builder) {
    SmallVector<Value> resultGradients;
    for (Value result : op->getResults())
      resultGradients.push_back(live.contains(result) ? gradients.of(result) : Value());
    if (llvm::none_of(resultGradients, [](Value value) { return static_cast<bool>(value); }))
      return success();

    auto differentiable = dyn_cast<train::Differentiable>(op);
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
        gradients.add(operand, part);
    return success();
  }

  /// The loss does not depend on it.
  static Value zero(OpBuilder &builder, Location location, Type type) {
    auto tensor = cast<RankedTensorType>(type);
    return train::ConstantOp::create(builder, location, tensor,
                                     DenseElementsAttr::get(tensor, 0.0f));
  }
};

} // namespace
} // namespace sinter::passes
