//===- Differentiate.cpp - replace train.gradient by the ops that compute it -----------------------===//
// Reverse mode over one straight block (dialects/train/Backward.h): no op is built and then dropped.
#include "compiler/passes/Passes.h"

#include "dialects/train/Backward.h"
#include "dialects/train/Emit.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "compiler/passes/Passes.h.inc"
namespace {

/// Values in front of `gradient` that depend on what it is of.
llvm::DenseSet<Value> liveBefore(train::GradientOp gradient) {
  llvm::DenseSet<Value> live(llvm::from_range, gradient.getOf());
  for (Operation &op : *gradient->getBlock()) {
    if (&op == gradient)
      break;
    train::spreadLive(&op, live);
  }
  return live;
}

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
    const llvm::DenseSet<Value> live = liveBefore(gradient);
    Operation *before = gradient->getPrevNode();
    OpBuilder builder(gradient);
    train::Emit emit(builder, gradient);
    train::Backward gradients(builder, live);
    if (live.contains(gradient.getY()))
      gradients.add(gradient.getY(), emit.scalar(1));

    for (Operation *op = before; op; op = op->getPrevNode())
      if (failed(gradients.visit(op)))
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

  /// The loss does not depend on it.
  static Value zero(OpBuilder &builder, Location location, Type type) {
    auto tensor = cast<RankedTensorType>(type);
    return train::ConstantOp::create(builder, location, tensor,
                                     DenseElementsAttr::get(tensor, 0.0f));
  }
};

} // namespace
} // namespace sinter::passes
