//===- StepPlan.h - where the evaluator finds a step's arguments ----------------------------===//
// A step that is evaluated op by op lies in the arena and the state block as a compiled one does, so that the runtime's loop and its
// data serve both.
#pragma once

#include "compiler/codegen/Description.h"
#include "compiler/reference/Tensor.h"
#include "dialects/train/StateLayout.h"
#include "dialects/train/TrainOps.h"

#include <vector>

namespace sinter::driver {

struct StepPlan {
  train::StepOp op;
  codegen::StepLayout layout;

  llvm::StringRef clockOf(unsigned argument);
  /// The state that an argument holds; "" for another one.
  llvm::StringRef stateOf(unsigned argument);
  /// An argument's value.
  reference::Tensor read(mlir::BlockArgument argument, const train::StateLayout &states,
                         const uint8_t *arena, const uint8_t *state);
};

/// Plans every step of the module, one behind the other in `layout`.
std::vector<StepPlan> planSteps(mlir::ModuleOp module, codegen::ProgramLayout &layout);

} // namespace sinter::driver
