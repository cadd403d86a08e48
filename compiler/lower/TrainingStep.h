//===- TrainingStep.h - gradients, clipping and updates of a training step --------------------===//
// A step of one batch does it all (`finishTrainingStep`). A step of several batches is two:
// `finishGradientStep` ends the one that runs for each batch and adds its gradients to states,
// `finishUpdateStep` the one that the optimizer then takes.
#pragma once

#include "compiler/lower/StepBuilder.h"

namespace sinter::lower {

/// Makes, or finds, the train.state for what an optimizer keeps about a parameter; each of its
/// elements begins as `initial`.
using OptimizerStates = llvm::function_ref<mlir::FlatSymbolRefAttr(
    const State &parameter, llvm::StringRef what, double initial)>;

/// The outputs of a step behind its loss.
using Measures = llvm::ArrayRef<std::pair<std::string, mlir::Value>>;

/// Ends a training step whose forward pass stands in `step`: adds the stage's regularizers to
/// `objective`, takes the gradients of what its optimizers update and the loss reaches, clips them,
/// updates, projects, and commits. A parameter that neither the objective nor a regularizer reaches
/// stays as it is, as in PyTorch.
void finishTrainingStep(StepBuilder &step, model::StageOp stage, const States &states,
                        mlir::Value objective, Measures reports, OptimizerStates optimizerState);

/// Ends the step of one of several batches: `objective`'s gradients times the number of examples
/// are added to the states called "gradient". Returns the names of the parameters that have one.
llvm::SmallVector<mlir::StringAttr> finishGradientStep(StepBuilder &step, model::StageOp stage,
                                                       const States &states, mlir::Value objective,
                                                       Measures reports,
                                                       OptimizerStates optimizerState);

/// Makes the optimizer's step of several batches: divides the sums of `summed` by the number of
/// examples behind them, adds the regularizers' gradients, clips, updates, projects, and lets the
/// sums begin anew.
void finishUpdateStep(StepBuilder &step, model::StageOp stage, const States &states,
                      llvm::ArrayRef<mlir::StringAttr> summed, OptimizerStates optimizerState);

} // namespace sinter::lower
