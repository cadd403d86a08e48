//===- Passes.td - optimisations and checks, one file each ------------------------------------------===//
#ifndef SINTER_PASSES_TD
#define SINTER_PASSES_TD

include "mlir/Pass/PassBase.td"

def Differentiate : Pass<"differentiate", "::sinter::train::StepOp"> {
  let summary = "Replaces train.gradient by the ops that compute it";
  let description = [{
    Walks the block backwards from each `train.gradient` over the ops that depend on what the gradient is of *and* reach the loss; asks each op for
    the gradients of those operands alone. A value used twice has the sum of its uses' gradients, the last use first. When no `train.gradient` is
    left, `train.stop_gradient` has done its work and goes too. Each op built has the place of the op whose derivative it is, named "gradient".
  }];
  let statistics = [Statistic<"numBuilt", "built", "ops that compute gradients">];
}

def TrainCse : Pass<"train-cse", "::sinter::train::StepOp"> {
  let summary = "Computes equal things once, and keeps the places of both";
  let description = [{
    MLIR's own elimination of common subexpressions, with a listener: the op that stays has the places of all that it stands for.
  }];
  let statistics = [Statistic<"numJoined", "joined", "ops replaced by an equal one">];
}

def VerifyLocations : Pass<"verify-locations", "::mlir::ModuleOp"> {
  let summary = "Fails if an op does not lead to a line of the source";
  let description = "Constants are exempt: folding makes them, and one serves many places.";
}

def VerifyFrozen : Pass<"verify-frozen", "::sinter::train::StepOp"> {
  let summary = "Fails if a gradient is computed that no owned state needs";
  let description = [{
    That read states are never written is the step's own verifier's (S1 to S6). This pass stands behind `differentiate`: every op that it built
    must reach the commit; one that does not computes the gradient of something frozen.
  }];
  let options = [Option<"printStates", "print", "bool", "false", "Print which states each step owns and which it reads">];
  let statistics = [Statistic<"numOwned", "owned", "states that steps write">,
                    Statistic<"numRead", "read", "states that steps only read">];
}

def AbsorbLayouts : Pass<"absorb-layouts", "::mlir::ModuleOp"> {
  let summary = "Lets a dense weight lie as the flattened image before it does";
  let description = [{
    The transpose in front of a flatten moves into the layout of the weight's state, where all that reads either of them, in every step, sums over
    that axis or does not care for its order. Stands before `differentiate`, so that no gradient is transposed either.
  }];
  let statistics = [Statistic<"numAbsorbed", "absorbed", "transposes of activations that went">];
}

#endif // SINTER_PASSES_TD
