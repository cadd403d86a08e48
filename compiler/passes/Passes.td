//===- Passes.td - optimisations and checks, one file each ------------------------------------------===//
#ifndef SINTER_PASSES_TD
#define SINTER_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseAttention : Pass<"fuse-attention", "::sinter::train::StepOp"> {
  let summary = "Makes one op of an attention whose scores nobody else reads";
  let description = [{
    Stands in front of `differentiate`, so that the derivative too is of one op. What becomes a `train.attention`: a product of queries and keys by heads
    (`"bthd,bshd->bhts"`), scaled queries and a causal mask where there are some, a softmax, dropout on the probabilities where there is some, and the
    product with the values (`"bhts,bshd->bthd"`), each read by the next alone. A step with `bf16` stays as it is: there each product rounds. Changes bits, as sums
    run in another order, and keeps all draws.
  }];
  let statistics = [Statistic<"numFused", "fused", "attentions that became one op">];
}

def Differentiate : Pass<"differentiate", "::sinter::train::StepOp"> {
  let summary = "Replaces train.gradient by the ops that compute it";
  let description = [{
    Walks the block backwards from each `train.gradient` over the ops that depend on what the gradient is of *and* reach the loss; asks each op for
    the gradients of those operands alone. A value used twice has the sum of its uses' gradients, the last use first. When no `train.gradient` is
    left, `train.stop_gradient` has done its work and goes too. Each op built has the place of the op whose derivative it is, named "gradient".
  }];
  let statistics = [Statistic<"numBuilt", "built", "ops that compute gradients">];
}

def RedrawMasks : Pass<"redraw-masks", "::sinter::train::StepOp"> {
  let summary = "Keeps no dropout mask for the backward pass";
  let description = [{
    Stands behind `differentiate`. Behind a ReLU the sign of what dropout leaves says which elements were kept and positive: the two choices of the
    gradient become one by that sign, so that neither the mask nor what the ReLU gave is needed any longer. Elsewhere a mask that a pointwise op of the
    backward pass reads is drawn again from its counter, beside its first late reader; the clone carries `train.again`, so that no later pass
    joins it with the first. Keeps bits.
  }];
  let statistics = [Statistic<"numSigns", "signs", "gradients that read a sign in place of a mask">,
                    Statistic<"numRedrawn", "redrawn", "masks that are drawn again">];
}

def Recompute : Pass<"recompute", "::sinter::train::StepOp"> {
  let summary = "Computes activations again in the backward pass rather than keep them";
  let description = [{
    Stands behind `differentiate`. Ops that carry `train.part` are cloned beside the first op of the backward pass that needs them, from the values
    that parts hand to one another; the clones carry `train.again`, so that no later pass joins them with the first ones. Keeps bits.
  }];
  let statistics = [Statistic<"numAgain", "again", "ops that are computed a second time">];
}

def RoundProducts : Pass<"round-products", "::sinter::train::StepOp"> {
  let summary = "Rounds what products read and make to bfloat16, where a step says `bf16`";
  let description = [{
    Stands behind `differentiate`. Changes bits, as `precision bf16` asks: operands of every contraction are rounded, its sum is f32, and the result
    is rounded unless it sums over examples (the gradient of a parameter).
  }];
  let statistics = [Statistic<"numRounded", "rounded", "values that are rounded">];
}

def UseWinograd : Pass<"use-winograd", "::sinter::train::StepOp"> {
  let summary = "Gives convolutions of 3 × 3 fewer products, in Winograd's tiles, where that pays";
  let description = [{
    Runs where `--winograd` asks for it, behind `differentiate`, so that forward, by input and by weight are judged each by itself, by a cost model in
    the pass. What may become a `train.winograd` or `train.winograd_weight_grad`: kernels of 3 × 3 with stride 1, no dilation, no groups and padding of at most 2,
    in f32. Filters are transformed once for all that read them, or, where they are many and tiles few, by each convolution itself. Changes bits: sums run in another order, and differences lose some. A result's largest
    error is two to six times a direct convolution's, below 5e-6 of its largest value.
  }];
  let options = [Option<"all", "all", "bool", "false", "Take all that fit, whether it pays or not">];
  let statistics = [Statistic<"numTiled", "tiled", "convolutions that became tiles">,
                    Statistic<"numInside", "inside", "those that make their filters themselves">];
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

def ProveFrozen : Pass<"prove-frozen", "::mlir::ModuleOp"> {
  let summary = "Proves for each stage that what it freezes stays as it is, and notes what that saves";
  let description = [{
    Holds the training step of a stage against the names that the stage freezes: the step does not own them or any optimizer state of theirs, so it
    cannot write them (S1 to S6), and every op of a gradient reaches what is owned. What was proved goes into the stage as `frozen_proof`, one line a
    parameter, with the bytes of optimizer state and the flops of gradient that were spared, and one line for each place where the gradient ends.
  }];
  let options = [Option<"printProof", "print", "bool", "false", "Print the proof">];
  let statistics = [Statistic<"numProved", "proved", "frozen parameters and buffers, over all stages">];
}

def AbsorbLayouts : Pass<"absorb-layouts", "::mlir::ModuleOp"> {
  let summary = "Lets a dense weight lie as the flattened image before it does";
  let description = [{
    The transpose in front of a flatten moves into the layout of the weight's state, where all that reads either of them, in every step, sums over
    that axis or does not care for its order. Stands before `differentiate`, so that no gradient is transposed either.
  }];
  let statistics = [Statistic<"numAbsorbed", "absorbed", "transposes of activations that went">];
}

//===--- on the kernel floor ----------------------------------------------------------------------===//

def FuseSweeps : Pass<"fuse-sweeps", "::sinter::train::StepOp"> {
  let summary = "Computes a pointwise value where it is read";
  let description = [{
    A pointwise sweep moves into the sweep that reads it: where that is its only reader and no element would be computed twice, or where computing it
    again is cheaper than storing and loading it. A sweep that writes each element of its result once also takes in a pointwise sweep that
    reads this result (the other way round), whose domain becomes its own. Keeps bits: the same operations on the same numbers.
  }];
  let options = [Option<"limit", "limit", "int64_t", "8", "Operations that may be computed again rather than stored">,
                 Option<"afterEpilogues", "after-epilogues", "bool", "false",
                        "Move sweeps over a contraction's result too: they were left for its epilogue before">];
  let statistics = [Statistic<"numFused", "fused", "sweeps that moved into another">,
                    Statistic<"bytesSaved", "bytes-saved", "bytes of values that are no longer stored">];
}

def FuseEpilogues : Pass<"fuse-epilogues", "::sinter::train::StepOp"> {
  let summary = "Lets a contraction finish its sums";
  let description = [{
    A pointwise sweep over a contraction's result becomes its epilogue: bias and activation, a mask, an optimizer's update. Where partial sums are
    stored between blocks or taps, the epilogue has one output, of f32, in whose place they are; else any. The sum itself stays an output where others
    read it. A convolution in Winograd's tiles takes what reads its result alone, and has no coordinates. Keeps bits.
  }];
  let statistics = [Statistic<"numFused", "fused", "sweeps that became part of an epilogue">,
                    Statistic<"bytesSaved", "bytes-saved", "bytes of values that are no longer stored">];
}

def KeepSlopes : Pass<"keep-slopes", "::sinter::train::StepOp"> {
  let summary = "Keeps an activation's slope for the backward pass, where its function is computed anyway";
  let description = [{
    Stands behind `fuse-epilogues` and `fuse-sweeps`. A contraction stores a value x beside what its epilogue makes of it, and the only reader of x
    computes from x alone a value with a tanh, an erf or the like that the epilogue computes as well (GELU and its derivative): that value is computed in the
    epilogue and stored in x's place. Keeps bits: the same operations on the same numbers.
  }];
  let statistics = [Statistic<"numKept", "kept", "values in whose place a slope is stored">];
}

def MarkLate : Pass<"mark-late", "::sinter::train::StepOp"> {
  let summary = "Tells which outputs of contractions are read only when they have left the caches";
  let description = [{
    Outputs of an epilogue, of 2 MiB and more, before whose first reader loops touch 32 MiB: their numbers stand in `kernel.late`, and they are written past the
    caches. Keeps bits.
  }];
  let statistics = [Statistic<"numLate", "late", "outputs that are read late">];
}

def ChooseShares : Pass<"choose-shares", "::sinter::train::StepOp"> {
  let summary = "Cuts sweeps into shares that threads take";
  let description = [{
    A sweep of fewer than some 5 µs stays whole. A longer one gets up to 16 shares, never more than the extent of its largest parallel axis. No bit depends on it.
  }];
  let statistics = [Statistic<"numCut", "cut", "sweeps with more than one share">];
}

def PlaceScans : Pass<"place-scans", "::sinter::train::StepOp"> {
  let summary = "Gives every value of a scan's body its place in memory";
  let description = [{
    The body of each `kernel.scan` is planned once for all steps: kept values are written into their step's place, carried ones over the old ones where
    all readers come before, the rest into scratch memory that becomes one more output of the scan. Stands before `plan-memory`.
  }];
  let dependentDialects = ["::sinter::kernel::KernelDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"scratchBytes", "scratch-bytes", "bytes of scratch memory of the largest scan, for one share">,
                    Statistic<"numCopies", "copies", "copies that stand in the bodies of scans">];
}

def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "Gives every value of every step its place in memory";
  let description = [{
    Turns each `train.step` of kernel ops into `kernel.task`s on views of one arena and the state block, and a `kernel.step` that lists them. Committed
    values are written in place of the old ones where no reader comes later; readers move up for that. Memory is reused, but never so that
    tasks that could run together must wait for each other.
  }];
  let options = [Option<"print", "print", "bool", "false", "Print the arena's size and its lower bound, bytes copied and waits, a line a step">];
  let dependentDialects = ["::sinter::kernel::KernelDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"arenaBytes", "arena-bytes", "bytes of the largest step's arena">,
                    Statistic<"leastBytes", "least-bytes", "a lower bound of that: the most bytes alive at once">,
                    Statistic<"copiedBytes", "copied-bytes", "bytes moved by copies at the end of steps">,
                    Statistic<"numInPlace", "in-place", "states that are updated in place">,
                    Statistic<"numWaits", "waits", "tasks that wait for those before them">];
}

def VerifyPlan : Pass<"verify-plan", "::mlir::ModuleOp"> {
  let summary = "Fails if a task reads memory that does not hold the value it means";
  let description = [{
    Knows nothing of how the plan was made: plays each `kernel.step`'s tasks and keeps for every byte which value was written there last. (P1) a view
    lies inside its block and the arena's views behind the clock; (P2) each byte read holds the value that the view names (`kernel.value`), or was never
    written by a task of the step; (P3) between two waits no task writes what another one touches; (P4) an output or result holds at the end what
    was written there as one value.
  }];
}

#endif // SINTER_PASSES_TD
