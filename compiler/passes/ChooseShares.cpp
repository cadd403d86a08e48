//===- ChooseShares.cpp - cut sweeps, attentions and tiles into shares that threads take -----------===//
// Waking a thread and meeting at a barrier cost some microseconds; a sweep that takes no longer runs as one share. Times
// are estimates from below for one core of a current CPU, good enough to tell small from large.
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Passes.h"
#include "dialects/kernel/Shares.h"
#include "dialects/kernel/SweepOrder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_CHOOSESHARES
#include "compiler/passes/Passes.h.inc"
namespace {

constexpr double workPerSecond = 2e10, bytesPerSecond = 1.5e10;
constexpr double smallSweep = 5e-6, smallShare = 2.5e-6;
constexpr int64_t mostShares = 16, lanes = 16;
/// As many let some threads end together; more are not worth an inner axis, whose parts lie scattered over memory.
constexpr int64_t enoughShares = 8;

struct ChooseShares : impl::ChooseSharesBase<ChooseShares> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      // A scan's shares are its own: each runs the whole body.
      if (op->getParentOfType<kernel::ScanOp>())
        return;
      if (auto sweep = dyn_cast<kernel::SweepOp>(op))
        cut(sweep, unitsOf(sweep));
      else if (auto attend = dyn_cast<kernel::AttendOp>(op))
        cut(attend, attend.getParts());
      else if (auto winograd = dyn_cast<kernel::WinogradOp>(op))
        cut(winograd, winograd.getParts());
      else if (auto gather = dyn_cast<kernel::GatherOp>(op))
        cut(gather, gather.getNumIds());
      else if (auto scatter = dyn_cast<kernel::ScatterAddOp>(op))
        cut(scatter, static_cast<int64_t>(llvm::divideCeil(scatter.getSize(), lanes)));
    });
  }

  /// What shares can take of each parallel axis, as loops walk them: of the last one, where it is walked a vector at a time, whole vectors.
  static SmallVector<int64_t> unitsOf(kernel::SweepOp sweep) {
    SmallVector<int64_t> units(sweep.getParallel());
    if (!units.empty() && !sweep.sumsByLanes())
      units.back() = llvm::divideCeil(units.back(), lanes);
    return llvm::map_to_vector(kernel::parallelAsInMemory(sweep),
                               [&](unsigned axis) { return units[axis]; });
  }

  /// `axes`: units of each, of which one is cut.
  template <typename Op> void cut(Op op, ArrayRef<int64_t> axes) {
    const LoopCost cost = costOf(op);
    const double seconds = std::max(static_cast<double>(cost.work) / workPerSecond,
                                    static_cast<double>(cost.bytes) / bytesPerSecond);
    int64_t shares = 1;
    if (seconds >= smallSweep) {
      const int64_t most = std::min(mostShares, static_cast<int64_t>(seconds / smallShare));
      // The outermost axis that is long enough is cut: its parts lie together in memory. Where none is, the longest.
      for (int64_t extent : axes) {
        shares = std::max(shares, kernel::evenShares(extent, most));
        if (shares >= std::min(most, enoughShares))
          break;
      }
    }
    op.setShares(shares);
    numCut += shares > 1;
  }
};

} // namespace
} // namespace sinter::passes
