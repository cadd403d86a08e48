//===- TrainCse.cpp - compute equal things once, and keep the places of both -----------------------===//
// MLIR's elimination keeps the first op's place and forgets the second's. A report that speaks in the author's lines
// needs both: a listener joins them.
#include "compiler/passes/Passes.h"

#include "dialects/train/Emit.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_TRAINCSE
#include "compiler/passes/Passes.h.inc"
namespace {

struct JoinLocations : RewriterBase::Listener {
  void notifyOperationReplaced(Operation *op, ValueRange replacement) override {
    ++joined;
    if (!replacement.empty())
      if (Operation *kept = replacement.front().getDefiningOp())
        kept->setLoc(train::joinLocations(kept->getLoc(), op->getLoc()));
  }
  unsigned joined = 0;
};

struct TrainCse : impl::TrainCseBase<TrainCse> {
  void runOnOperation() override {
    JoinLocations listener;
    IRRewriter rewriter(&getContext(), &listener);
    eliminateCommonSubExpressions(rewriter, getAnalysis<DominanceInfo>(), getOperation());
    numJoined += listener.joined;
  }
};

} // namespace
} // namespace sinter::passes
