//===- TrainingStep.h - gradients, clipping and updates of a training step --------------------===//
#pragma once

#include "compiler/lower/StepBuilder.h"

namespace sinter::lower {

/// Makes, or finds, the train.state for what an optimizer keeps about a parameter.
using OptimizerStates =
    llvm::function_ref<mlir::FlatSymbolRefAttr(const State &parameter, llvm::StringRef what)>;

/// Ends a training step whose forward pass stands in `step`: adds the stage's regularizers to
/// `objective`, takes the gradients of what its optimizers update and the loss reaches, clips them,
/// updates, and commits. A parameter that neither the objective nor a regularizer reaches stays as
/// it is, as in PyTorch. `reports` are the outputs behind the loss.
mlir::LogicalResult finishTrainingStep(StepBuilder &step, model::StageOp stage,
                                       const States &states, mlir::Value objective,
                                       llvm::ArrayRef<std::pair<std::string, mlir::Value>> reports,
                                       OptimizerStates optimizerState);

} // namespace sinter::lower
