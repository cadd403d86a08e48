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

/// What the batches of a group leave for the optimizer's step, by the names at the model floor.
struct LeftForUpdate {
  llvm::SmallVector<mlir::StringAttr> gradients; ///< parameters, whose sums are called "gradient"
  llvm::SmallVector<mlir::StringAttr> buffers;   ///< to be set to the states called "update"
};

/// Ends the step of one of several batches: `objective`'s gradients times the number of examples
/// are added to the sums; what an `update` would set a buffer to is kept, so that every batch sees
/// the buffer as it was before the group, and the last one's word counts.
LeftForUpdate finishGradientStep(StepBuilder &step, model::StageOp stage, const States &states,
                                 mlir::Value objective, Measures reports,
                                 OptimizerStates optimizerState);

/// Makes the optimizer's step of several batches: divides the sums of gradients by the number of
/// examples behind them, adds the regularizers' gradients, clips, updates, projects, sets the
/// buffers, and lets the sums begin anew.
void finishUpdateStep(StepBuilder &step, model::StageOp stage, const States &states,
                      const LeftForUpdate &left, OptimizerStates optimizerState);

} // namespace sinter::lower
