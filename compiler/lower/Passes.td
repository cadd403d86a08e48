//===- Passes.td - conversions between floors -------------------------------------------------------===//
#ifndef SINTER_LOWER_PASSES_TD
#define SINTER_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def ModelToTrain : Pass<"model-to-train", "::mlir::ModuleOp"> {
  let summary = "Writes each stage out as steps on whole batches";
  let description = [{
    Each `model.train` becomes states, a `train.run`, and per stage three steps: `train` (the forward pass in training mode, `train.gradient`,
    clipping, updates), `eval` (inference mode: the loss without regularizers, and the reports) and `predict` (the net's results in PyTorch's
    order). Images become [B, H, W, C], convolution weights [kh, kw, C, O], dense weights [in, out], by their states' layouts.
  }];
  let dependentDialects = ["::sinter::train::TrainDialect"];
}

def TrainToKernel : Pass<"train-to-kernel", "::mlir::ModuleOp"> {
  let summary = "Writes the ops of each step as loops over tensors";
  let description = [{
    Every op inside a `train.step` becomes `kernel.sweep`s and `kernel.contract`s in the same step; its arguments and its commit stay. Views become maps.
    The step must be differentiated. Nothing is fused and nothing has a place in memory yet.
  }];
  let dependentDialects = ["::sinter::kernel::KernelDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numLowered", "train-ops-lowered", "train ops that became kernel ops">];
}

#endif // SINTER_LOWER_PASSES_TD
