//===- Schedule.cpp - the cost model of register tiles --------------------------------------------===//

#include "compiler/codegen/Schedule.h"

#include "dialects/kernel/KernelOps.h"
#include "llvm/Support/MathExtras.h"

using llvm::divideCeil;

namespace sinter::codegen {
namespace {

constexpr int64_t lanes = 16;

/// Straight-line sums over few channels make LLVM keep every broadcast alive; smaller tiles leave it room.
constexpr int64_t maxAccumulatorsOfShortSums = 18;

int64_t innermostSum(const ContractPlan &plan) { return plan.sum.empty() ? 1 : plan.sum.back(); }

/// Cycles of one step of the sum in an m × n tile. Two multiply-adds and two loads a cycle are what current cores start at best; a
/// multiply-add takes four cycles, so fewer than eight chains wait for themselves.
double cyclesOfStep(int64_t m, int64_t n, const Target &target) {
  const double wide = static_cast<double>(target.registersPerVector());
  const double products = static_cast<double>(m * n) * wide / 2;
  const double loads = (static_cast<double>(m) + static_cast<double>(n) * wide) / 2;
  return std::max({products, loads, 4.0});
}

/// Cycles to cover all tiles of rows × cols, one step of the sum each.
double cyclesOfTiles(int64_t extentY, int64_t extentX, int64_t vectors, int64_t mr, int64_t nr,
                     const Target &target) {
  double cycles = 0;
  const TileShape tile = tileShape(extentY, extentX, mr);
  for (const Segment &y : cutEvenly(extentY, tile.y))
    for (const Segment &x : cutEvenly(extentX, tile.x))
      for (const Segment &panel : cutEvenly(vectors, nr))
        cycles += static_cast<double>(y.count * x.count * panel.count) *
                  (cyclesOfStep(y.size * x.size, panel.size, target) + 0.25);
  return cycles;
}

/// Rows of a tile share B; where each row has its own, a tile is one row.
int64_t largestRowTile(const ContractPlan &plan) {
  const bool lastRowIsOfB =
      !plan.rows.empty() && plan.accesses[1].strides[plan.rows.size() - 1] != 0;
  return lastRowIsOfB ? 1 : 14;
}

ShareAxis chooseShareAxis(const ContractPlan &plan, int64_t vectors, const Schedule &schedule) {
  if (!plan.taps.empty() && !plan.tapsAreSummed)
    return ShareAxis::Taps;
  if (plan.rows.size() > 1 || plan.tapsAreSummed)
    return ShareAxis::OuterRows;
  const int64_t rows = plan.rows.empty() ? 1 : plan.rows[0];
  return divideCeil(rows, schedule.mr) > divideCeil(vectors, schedule.nr) ? ShareAxis::RowTiles
                                                                          : ShareAxis::Panels;
}

int64_t chooseShares(const ContractPlan &plan, int64_t vectors, const Schedule &schedule) {
  double flops = 2.0 * static_cast<double>(plan.cols);
  for (int64_t extent : plan.rows)
    flops *= static_cast<double>(extent);
  for (int64_t extent : plan.taps)
    flops *= static_cast<double>(extent);
  for (int64_t extent : plan.sum)
    flops *= static_cast<double>(extent);
  // Under some 5 µs of work a second thread costs more than it brings.
  const auto worthwhile = static_cast<int64_t>(flops / 5e5);
  int64_t available = 1;
  switch (schedule.shareAxis) {
  case ShareAxis::OuterRows:
    available = plan.rows.front();
    break;
  case ShareAxis::Taps:
    available = static_cast<int64_t>(plan.order.size());
    break;
  case ShareAxis::RowTiles:
    available = divideCeil(plan.rows.front(), schedule.mr);
    break;
  case ShareAxis::Panels:
    available = divideCeil(vectors, schedule.nr);
    break;
  }
  const int64_t limit = schedule.shareAxis == ShareAxis::Taps ? 32 : 16;
  return std::max<int64_t>(1, std::min({available, limit, worthwhile}));
}

} // namespace

llvm::SmallVector<Segment> cutEvenly(int64_t extent, int64_t limit) {
  const int64_t parts = divideCeil(extent, limit);
  if (parts == 0)
    return {};
  const int64_t size = extent / parts, larger = extent % parts;
  llvm::SmallVector<Segment> segments;
  if (larger > 0)
    segments.push_back({0, larger, size + 1});
  segments.push_back({larger * (size + 1), parts - larger, size});
  return segments;
}

TileShape tileShape(int64_t extentY, int64_t extentX, int64_t mr) {
  if (extentX >= mr)
    return {1, mr};
  return {std::min(extentY, mr / extentX), extentX};
}

bool fitsRegisters(int64_t mr, int64_t nr, const Target &target) {
  const int64_t wide = target.registersPerVector();
  return mr * nr * wide + nr * wide + 1 <= target.registers();
}

Schedule chooseSchedule(const ContractPlan &plan, const Target &target) {
  const int64_t vectors = divideCeil(plan.cols, lanes);
  const size_t numRows = plan.rows.size();
  // The first row axis is walked one by one where there are several.
  const int64_t extentX = numRows == 0 ? 1 : plan.rows.back();
  const int64_t extentY = numRows > 2 ? plan.rows[numRows - 2] : 1;
  const bool shortSum = innermostSum(plan) < 8;
  const int64_t largestTile = largestRowTile(plan);

  Schedule best;
  double bestCycles = 0;
  for (int64_t nr = 1; nr <= std::min<int64_t>(vectors, 4); ++nr)
    for (int64_t mr = 1; mr <= largestTile && fitsRegisters(mr, nr, target); ++mr) {
      if (shortSum && mr * nr > maxAccumulatorsOfShortSums)
        continue;
      const double cycles = cyclesOfTiles(extentY, extentX, vectors, mr, nr, target);
      // At equal cost the larger tile loads less.
      if (bestCycles == 0 || cycles < bestCycles * 0.999 ||
          (cycles < bestCycles * 1.001 && mr * nr > best.mr * best.nr)) {
        bestCycles = cycles;
        best.mr = mr;
        best.nr = nr;
      }
    }
  best.unroll = shortSum ? 1 : 4;
  best.rowsOutside = numRows == 1 && plan.rows[0] > plan.cols;
  best.shareAxis = chooseShareAxis(plan, vectors, best);
  best.shares = chooseShares(plan, vectors, best);
  return best;
}

Schedule scheduleOf(kernel::ScheduleAttr attribute, const ContractPlan &plan,
                    const Target &target) {
  if (!attribute)
    return chooseSchedule(plan, target);
  Schedule schedule{std::min(attribute.getMr(), largestRowTile(plan)),
                    attribute.getNr(),
                    attribute.getUnroll(),
                    attribute.getRowsOutside(),
                    attribute.getShares(),
                    ShareAxis::Panels};
  schedule.shareAxis = chooseShareAxis(plan, divideCeil(plan.cols, lanes), schedule);
  return schedule;
}

} // namespace sinter::codegen
