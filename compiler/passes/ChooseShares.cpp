//===- ChooseShares.cpp - cut sweeps into shares that threads take ---------------------------------===//
// Waking a thread and meeting at a barrier cost some microseconds; a sweep that takes no longer runs as one share. Times
// are estimates from below for one core of a current CPU, good enough to tell small from large.
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Passes.h"
#include "llvm/ADT/STLExtras.h"

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
    getOperation().walk([&](kernel::SweepOp sweep) {
      // A scan's shares are its own: each runs the whole body.
      if (sweep->getParentOfType<kernel::ScanOp>())
        return;
      const LoopCost cost = costOf(sweep);
      const double seconds = std::max(static_cast<double>(cost.work) / workPerSecond,
                                      static_cast<double>(cost.bytes) / bytesPerSecond);
      int64_t shares = 1;
      if (seconds >= smallSweep && !sweep.getParallel().empty()) {
        shares = std::min(mostShares, static_cast<int64_t>(seconds / smallShare));
        // The outermost axis that is long enough is cut; where none is, the longest.
        shares = std::min(shares, *llvm::max_element(sweep.getParallel()));
      }
      sweep.setShares(shares);
      numCut += shares > 1;
    });
  }
};

} // namespace
} // namespace sinter::passes
