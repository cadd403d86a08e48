//===- CutRelu.cpp - a pass of one's own, loaded into sinter-opt -----------------------------------===//
// What is never negative passes a ReLU unchanged: relu(relu x) is relu x, relu(square x) is square x, and so through the
// largest of a window. Such a ReLU is cut out, and with it its derivative and what the derivative would have kept. A
// remark stands at each place. Keeps bits: ReLU hands on a NaN and -0 as they are.

#include "dialects/train/TrainOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;
using namespace sinter;

namespace {

/// Whether every element of x is ≥ 0 or NaN: by the op that makes it, and through ops that only move or choose values.
bool isNeverNegative(Value x) {
  Operation *op = x.getDefiningOp();
  if (!op)
    return false;
  if (isa<train::ReluOp, train::SquareOp, train::AbsOp, train::ExpOp, train::SigmoidOp,
          train::SoftmaxOp>(op))
    return true;
  // A view that one map describes holds nothing but its operand's elements; padding is none of these.
  if (auto view = dyn_cast<train::View>(op); view && view.getAccessMap())
    return isNeverNegative(op->getOperand(0));
  if (auto pool = dyn_cast<train::MaxPool2dOp>(op))
    return isNeverNegative(pool.getX());
  return false;
}

struct CutRelu : PassWrapper<CutRelu, OperationPass<train::StepOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CutRelu)

  StringRef getArgument() const override { return "cut-relu"; }
  StringRef getDescription() const override {
    return "Remove each train.relu of values that are never negative";
  }

  void runOnOperation() override {
    SmallVector<train::ReluOp> idle;
    getOperation()->walk([&](train::ReluOp relu) {
      if (isNeverNegative(relu.getX()))
        idle.push_back(relu);
    });
    for (train::ReluOp relu : idle) {
      relu.emitRemark("this ReLU changes nothing");
      relu.getY().replaceAllUsesWith(relu.getX());
      relu.erase();
    }
  }
};

} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "CutRelu", "1", [] { PassRegistration<CutRelu>(); }};
}
