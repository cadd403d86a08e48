//===- ChooseShares.cpp - cut sweeps and attentions into shares that threads take ------------------===//
// Waking a thread and meeting at a barrier cost some microseconds; a sweep that takes no longer runs as one share. Times
// are estimates from below for one core of a current CPU, good enough to tell small from large.
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Passes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_CHOOSESHARES
#include "compiler/passes/Passes.h.inc"
namespace {

constexpr double workPerSecond = 2e10, bytesPerSecond = 1.5e10;
constexpr double smallSweep = 5e-6, smallShare = 2.5e-6;
constexpr int64_t mostShares = 16;

struct ChooseShares : impl::ChooseSharesBase<ChooseShares> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      // A scan's shares are its own: each runs the whole body.
      if (op->getParentOfType<kernel::ScanOp>())
        return;
      if (auto sweep = dyn_cast<kernel::SweepOp>(op)) {
        // The outermost axis that is long enough is cut; where none is, the longest.
        const ArrayRef<int64_t> parallel = sweep.getParallel();
        cut(sweep, parallel.empty() ? 1 : *llvm::max_element(parallel));
      } else if (auto attend = dyn_cast<kernel::AttendOp>(op)) {
        cut(attend, attend.getParts());
      } else if (auto gather = dyn_cast<kernel::GatherOp>(op)) {
        cut(gather, gather.getNumIds());
      } else if (auto scatter = dyn_cast<kernel::ScatterAddOp>(op)) {
        cut(scatter, llvm::divideCeil(scatter.getSize(), 16));
      }
    });
  }

  /// `parts`: how many shares there can be.
  template <typename Op> void cut(Op op, int64_t parts) {
    const LoopCost cost = costOf(op);
    const double seconds = std::max(static_cast<double>(cost.work) / workPerSecond,
                                    static_cast<double>(cost.bytes) / bytesPerSecond);
    int64_t shares = 1;
    if (seconds >= smallSweep)
      shares = std::min({mostShares, static_cast<int64_t>(seconds / smallShare), parts});
    op.setShares(shares);
    numCut += shares > 1;
  }
};

} // namespace
} // namespace sinter::passes
