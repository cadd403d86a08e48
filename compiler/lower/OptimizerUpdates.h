//===- OptimizerUpdates.h - one optimizer's step of one parameter -----------------------------===//
#pragma once

#include "compiler/lower/TrainingStep.h"

namespace sinter::lower {

/// What a parameter and its states become.
struct Updated {
  mlir::Value weight;
  llvm::SmallVector<std::pair<mlir::FlatSymbolRefAttr, mlir::Value>> states;
};

/// An optimizer within a step: its learning rate and what else is one for all its parameters.
class OptimizerUpdates {
public:
  OptimizerUpdates(StepBuilder &step, model::OptimizeOp op, OptimizerStates states)
      : step(step), op(op), states(states) {}

  /// Builds what all parameters share.
  void begin();

  /// The learning rate at this step, the factor of `rate S = f` in it.
  mlir::Value rate() const { return learningRate; }

  /// One step of `parameter`, whose value is `weight`, along its gradient.
  Updated update(const State &parameter, mlir::Value weight, mlir::Value gradient);

private:
  /// Makes the update op; `names` are those of its states, which begin as `initial`.
  template <typename Op, typename... Args>
  Updated make(const State &parameter, mlir::Value weight, mlir::Value gradient,
               llvm::ArrayRef<llvm::StringRef> names, double initial, Args... args);

  StepBuilder &step;
  model::OptimizeOp op;
  OptimizerStates states;
  mlir::Value learningRate;
  mlir::Value c1, c2; ///< bias corrections of adam
};

} // namespace sinter::lower
