//===- Schedule.cpp - the cost model of register tiles --------------------------------------------===//

#include "compiler/codegen/Schedule.h"

#include "compiler/codegen/Caches.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/kernel/Shares.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using llvm::alignTo, llvm::divideCeil;

namespace sinter::codegen {
namespace {

/// Straight-line sums over few channels make LLVM keep every broadcast alive; smaller tiles leave it room.
constexpr int64_t maxAccumulatorsOfShortSums = 18;

/// How many steps the innermost loop of a call takes: axes of the sum that both operands walk as one are one loop, and copies lie so.
int64_t innermostSteps(const ContractPlan &plan, const Schedule &schedule) {
  if (plan.sum.empty())
    return 1;
  const size_t last = plan.sum.size() - 1;
  if (plan.bf16)
    return plan.sum[last];
  int64_t steps = plan.block[last];
  const auto isOneWith = [&](size_t axis, unsigned operand, bool isCopy) {
    llvm::ArrayRef<int64_t> strides = plan.accesses[operand].strides;
    const bool isWhole = llvm::all_of(plan.order, [&](const Tap &tap) {
      return tap.sum[axis + 1] == Range{0, plan.sum[axis + 1]};
    });
    return isCopy || (isWhole && strides[plan.sumAxis(axis)] ==
                                     plan.block[axis + 1] * strides[plan.sumAxis(axis + 1)]);
  };
  for (size_t axis = last; axis-- > 0;) {
    if (!isOneWith(axis, 0, schedule.packA) || !isOneWith(axis, 1, schedule.packB))
      break;
    steps *= plan.block[axis];
  }
  return steps;
}

/// Into how many shares a task is cut at most where each of them packs, or fetches from far, what all read.
constexpr int64_t maxSharesThatReread = 4;
/// What is packed of one operand stands on a thread's stack: 320 KiB.
constexpr int64_t maxPackedElements = 80 * 1024;
/// How much of B may come from the second-level cache once a tile of rows, where outputs do not come back there for each block of the
/// sum.
constexpr int64_t streamedBytes = 2 * nearBytes;
/// Into how many shares a task is cut at most where each walks half of the rows: in fewer panels it waits for fewer first ones.
constexpr int64_t mostSharesOfBoth = 8;
/// Shorter sums wait for their outputs rather than for A.
constexpr int64_t leastTallSteps = 128;
/// Fewer rows of an image read a panel too seldom before the next one takes its place in the first-level cache.
constexpr int64_t leastRowsOfImage = 128;
/// So much of B each thread may read for its own rows, rather than all rows for its own part of B.
constexpr int64_t sharedBytes = 4 * nearBytes;
/// Bytes of the second-level cache: those that every CPU with AVX2 has by now, but where all of one name have more.
int64_t secondLevelBytes(const Target &target) {
  const bool isLarge = llvm::is_contained(
      {"sapphirerapids", "emeraldrapids", "graniterapids", "graniterapids-d"}, target.cpu);
  return isLarge ? 4 * nearBytes : 2 * nearBytes;
}

/// Two threads or four take as many shares each.
constexpr int64_t evenForFour = 4;
/// Into how many shares the rows of a convolution by weight are cut where each walks all taps.
constexpr int64_t sharesOfRows = evenForFour;

/// Whether `count` pieces of `bytes` that lie `stride` bytes apart stay in the first-level cache. Strides that are multiples of large
/// powers of two find only a few of its sets.
bool staysInCache(int64_t count, int64_t stride, int64_t bytes) {
  const int64_t lines = divideCeil(bytes, lineBytes);
  if (count * lines > cacheLines)
    return false;
  if (stride % lineBytes != 0 || stride <= bytes)
    return true;
  const int64_t starts = cacheSets / std::gcd(stride / lineBytes, cacheSets);
  return count * lines <= std::min(starts * lines, cacheSets) * cacheWays;
}

/// What the tiles of one block of the sum look like to the cost model.
struct Shape {
  int64_t extentY = 1, extentX = 1; ///< rows that tiles span
  int64_t vectors = 1;              ///< columns
  int64_t steps = 1;                ///< of the sum
  int64_t strideA = 1, strideB = 1; ///< bytes between two steps
  /// Cycles from one multiply-add to the next of its chain: four, and some, as chains that only just cover them never make up for a line
  /// that comes late.
  double latency = 4.5;
  bool isTall = false; ///< a product of matrices with more of A than near caches hold
};

/// Cycles of one step of the sum in an m × n tile. Two multiply-adds and two loads a cycle are what current cores start at best; a
/// multiply-add takes four cycles, so fewer than eight chains wait for themselves. What does not stay in the first-level cache costs
/// some on top.
double cyclesOfStep(int64_t m, int64_t n, const Shape &shape, const Schedule &schedule,
                    const Target &target) {
  const double wide = static_cast<double>(target.registersPerVector());
  const double products = static_cast<double>(m * n) * wide / 2;
  const double loads = (static_cast<double>(m) + static_cast<double>(n) * wide) / 2;
  double cycles = std::max({products, loads, shape.latency});
  // What is read of B between two visits of one line: a panel, or all panels where they are walked within rows.
  const int64_t panel = (schedule.rowsOutside ? shape.vectors : n) * lanes * 4;
  const bool panelStays = staysInCache(shape.steps, schedule.packB ? panel : shape.strideB, panel);
  if (!panelStays) {
    // All panels of a few rows come in the order of their addresses, one panel of all rows with its stride.
    cycles += (shape.isTall && schedule.rowsOutside ? 0.125 : 0.25) * static_cast<double>(n);
  }
  // Each row of A has lines of its own to wait for.
  if (shape.isTall)
    cycles += 0.15 * static_cast<double>(m);
  // Rows that lie side by side at each step share a line of it, or two; rows with a stride of their own run along theirs.
  if (!schedule.packA && shape.strideA >= lineBytes &&
      !staysInCache(shape.steps, shape.strideA, m * 4))
    cycles += 0.5;
  // Rows with a stride come from the second-level cache, each a line for sixteen steps, for each panel anew.
  if (!schedule.packA && shape.strideA < lineBytes)
    cycles += 0.03 * static_cast<double>(m);
  return cycles + 0.25;
}

/// Cycles to cover all tiles of rows × cols, one step of the sum each, and to pack what is packed.
double cyclesOfTiles(const Shape &shape, const Schedule &schedule, const Target &target) {
  double cycles = 0;
  const int64_t outerRows = std::max<int64_t>(1, schedule.chunk); // that walk a panel together
  const TileShape tile = tileShape(shape.extentY, shape.extentX, schedule.mr);
  for (const Segment &y : cutEvenly(shape.extentY, tile.y))
    for (const Segment &x : cutEvenly(shape.extentX, tile.x))
      for (const Segment &panel : cutEvenly(shape.vectors, schedule.nr))
        cycles += static_cast<double>(y.count * x.count * panel.count * outerRows) *
                  cyclesOfStep(y.size * x.size, panel.size, shape, schedule, target);
  // A copy loads and stores; it finds its lines further away than a tile does. Each share makes its own of what all of them read.
  const int64_t copiesOfA = schedule.shareAxis == ShareAxis::Panels ? maxSharesThatReread : 1;
  const int64_t copiesOfB = schedule.shareAxis == ShareAxis::RowTilesAndPanels
                                ? partsOfRowTiles(schedule)
                            : cutsRowTiles(schedule.shareAxis) ? maxSharesThatReread
                                                               : 1;
  if (schedule.packB)
    cycles += 4.0 * static_cast<double>(shape.vectors * copiesOfB);
  if (schedule.packA)
    cycles += 4.0 * static_cast<double>(divideCeil(shape.extentX, tile.x) * copiesOfA);
  return cycles;
}

/// Whether shares of a convolution by weight take rows (channels of the input) and walk all taps for each block of images. Then an image
/// comes from beyond the second-level cache once a share and not once a tap; but the share's part of the weight's gradient is walked for
/// every block, and must stay in that cache. In bfloat16 each share would copy the output's gradient once more.
bool sharesRowsOfAllTaps(const ContractPlan &plan) {
  if (plan.bf16 || plan.taps.empty() || plan.tapsAreSummed || plan.rows.size() != 1 ||
      plan.sum.empty())
    return false;
  const int64_t numTaps = llvm::product_of(plan.taps);
  const bool readsImagesTogether =
      llvm::all_of(plan.order, [&](const Tap &tap) { return tap.sum[0] == Range{0, plan.sum[0]}; });
  const int64_t bytes = numTaps * plan.rows[0] * plan.cols * 4 / sharesOfRows;
  const bool savesReads = numTaps > sharesOfRows && bytes <= nearBytes;
  return (numTaps == 1 || savesReads) && readsImagesTogether && plan.rows[0] >= 4 * sharesOfRows;
}

/// Whether A's rows run along the innermost axis of the sum.
bool runsAlongSum(const ContractPlan &plan) {
  return !plan.sum.empty() && plan.accesses[0].strides[plan.sumAxis(plan.sum.size() - 1)] == 1;
}

/// Whether the rows of a product are likely those of the batch, and B is a weight whose rows shares have updated (which they do where it has
/// more rows than columns), so that whoever takes columns gets half of them from another thread's cache. Rows that stay with the thread
/// that has written them do not come from there, and of the weight the next panel is asked for in time. In bfloat16 each share would copy B.
bool rowsAreExamples(const ContractPlan &plan) {
  const int64_t steps = llvm::product_of(plan.sum);
  return plan.rows.size() == 1 && plan.taps.empty() && !plan.bf16 && runsAlongSum(plan) &&
         steps >= plan.cols && steps * plan.cols * 4 <= sharedBytes;
}

ShareAxis chooseShareAxis(const ContractPlan &plan, int64_t vectors, const Schedule &schedule) {
  const bool hasShards = plan.rows.size() > 1 && plan.rows[0] >= 4;
  if (!plan.taps.empty() && !plan.tapsAreSummed && !hasShards)
    return sharesRowsOfAllTaps(plan) ? ShareAxis::RowsOfAllTaps : ShareAxis::Taps;
  if (plan.rows.size() > 1 || plan.tapsAreSummed)
    return ShareAxis::OuterRows;
  // Each thread reads its part of one operand and all of the other, which had better be the smaller one.
  const int64_t rows = plan.rows.empty() ? 1 : plan.rows[0], tiles = divideCeil(rows, schedule.mr),
                panels = divideCeil(vectors, schedule.nr);
  if (std::min(tiles, panels) < evenForFour)
    return tiles > panels ? ShareAxis::RowTiles : ShareAxis::Panels;
  if (rows >= plan.cols)
    return ShareAxis::RowTiles;
  return rowsAreExamples(plan) ? ShareAxis::RowTilesAndPanels : ShareAxis::Panels;
}

/// What the shares of a contraction cut.
int64_t unitsOf(const ContractPlan &plan, int64_t vectors, const Schedule &schedule) {
  switch (schedule.shareAxis) {
  case ShareAxis::OuterRows:
    return plan.rows.front();
  case ShareAxis::Taps: {
    // Odd numbers of taps leave one of two threads waiting; halves of them do not.
    const auto taps = static_cast<int64_t>(plan.order.size());
    const bool inHalves =
        plan.rows.size() == 1 && divideCeil(plan.rows[0], schedule.mr) >= 8 && taps <= 16;
    return inHalves ? 2 * taps : taps;
  }
  case ShareAxis::RowsOfAllTaps:
  case ShareAxis::RowTiles:
    return divideCeil(plan.rows.front(), schedule.mr);
  case ShareAxis::RowTilesAndPanels:
  case ShareAxis::Panels:
    return divideCeil(vectors, schedule.nr);
  }
  llvm_unreachable("all axes are handled");
}

/// Into how many shares the work of a contraction is worth cutting. Under some 3 µs a second thread costs more than it brings.
int64_t worthwhileShares(const ContractPlan &plan, int64_t vectors) {
  double elements = static_cast<double>(vectors * lanes);
  for (int64_t extent : plan.rows)
    elements *= static_cast<double>(extent);
  if (!plan.tapsAreSummed)
    elements *= static_cast<double>(llvm::product_of(plan.taps));
  double steps = static_cast<double>(llvm::product_of(plan.sum));
  if (plan.tapsAreSummed)
    steps *= static_cast<double>(llvm::product_of(plan.taps));
  // Writing an element, and what the epilogue does with it, takes about as long as some steps of a sum.
  constexpr double stepsToWrite = 16;
  return std::max<int64_t>(1, static_cast<int64_t>(2 * elements * (steps + stepsToWrite) / 5e5));
}

int64_t chooseShares(const ContractPlan &plan, int64_t vectors, const Schedule &schedule,
                     bool isTall) {
  const int64_t units = unitsOf(plan, vectors, schedule),
                worthwhile = worthwhileShares(plan, vectors);
  // Each share packs anew what all of them read, or fetches it anew from beyond the second-level cache, or waits anew for its first rows
  // in each block of a sum that runs across A's lines.
  const bool packsShared = (cutsRowTiles(schedule.shareAxis) && schedule.packB) ||
                           (schedule.shareAxis == ShareAxis::Panels && schedule.packA);
  const int64_t steps = llvm::product_of(plan.sum);
  const bool readsAgain =
      plan.rows.size() == 1 && plan.taps.empty() &&
      ((schedule.shareAxis == ShareAxis::RowTiles && steps * plan.cols * 4 > nearBytes) ||
       (schedule.shareAxis == ShareAxis::Panels && plan.rows[0] * steps * 4 > nearBytes));
  const bool waitsAgain =
      isTall && plan.accesses[0].strides[0] == 1 && steps > llvm::product_of(plan.block);
  int64_t limit = packsShared || readsAgain || waitsAgain ? maxSharesThatReread : 16;
  switch (schedule.shareAxis) {
  case ShareAxis::OuterRows:
    if (schedule.chunk > 1) // whole chunks, or shares of less where their number is not even
      limit = std::min<int64_t>(limit, alignTo(divideCeil(units, schedule.chunk), evenForFour));
    break;
  case ShareAxis::Taps: // a number of taps, or twice as many
    return std::min({units, int64_t{32}, worthwhile});
  case ShareAxis::RowsOfAllTaps:
    limit = sharesOfRows;
    break;
  case ShareAxis::RowTilesAndPanels:
    limit = std::min(limit, mostSharesOfBoth);
    return std::min(limit, worthwhile) < 2
               ? 1
               : 2 * kernel::evenShares(units, std::min(limit, worthwhile) / 2);
  case ShareAxis::RowTiles:
  case ShareAxis::Panels:
    break;
  }
  return kernel::evenShares(units, std::min(limit, worthwhile));
}

/// How much longer the busiest of two threads takes than half of the work. Few shares of many taps are to be even for four.
double unevenness(const ContractPlan &plan, int64_t vectors, const Schedule &schedule) {
  if (schedule.shares == 1)
    return 1;
  if (schedule.shareAxis == ShareAxis::RowTilesAndPanels) {
    const int64_t tiles = divideCeil(plan.rows[0], schedule.mr);
    return static_cast<double>(2 * kernel::unitsOfBusiest(tiles, 2, 2)) /
           static_cast<double>(tiles);
  }
  const int64_t units = unitsOf(plan, vectors, schedule);
  double worst = 1;
  for (int64_t threads = 2; threads <= (schedule.shareAxis == ShareAxis::RowsOfAllTaps ? 4 : 2);
       threads += 2)
    worst = std::max(worst, static_cast<double>(
                                threads * kernel::unitsOfBusiest(units, schedule.shares, threads)) /
                                static_cast<double>(units));
  return worst;
}

/// Rows go through a tap together only where they read the same of B.
bool canChunk(const ContractPlan &plan) {
  return plan.rows.size() > 1 && plan.accesses[1].strides[0] == 0;
}

/// How many of the outermost rows go through each tap together: as many as stay in the second-level cache with what they read and
/// write, so that a tap's weights are fetched once for all of them.
int64_t chooseChunk(const ContractPlan &plan) {
  if (!plan.tapsAreSummed || !canChunk(plan))
    return 0;
  const int64_t rows = llvm::product_of(llvm::ArrayRef(plan.rows).drop_front());
  // Weights of all taps that stay there as well are near in any case, and while one image is worked on, the next can be asked for.
  const int64_t weights = llvm::product_of(plan.sum) * plan.cols * 4;
  if (weights * llvm::product_of(plan.taps) <= nearBytes &&
      (rows >= leastRowsOfImage || weights <= cacheLines * lineBytes))
    return 0;
  const int64_t bytes = rows * (llvm::product_of(plan.sum) + plan.cols) * 4;
  const int64_t chunk = std::min<int64_t>(nearBytes / bytes, divideCeil(plan.rows.front(), 4));
  if (chunk <= 1)
    return 0;
  // Each share takes some chunks: a number that two or four threads divide without rest.
  return divideCeil(plan.rows.front(), alignTo(divideCeil(plan.rows.front(), chunk), evenForFour));
}

/// Rows of A can be packed where they lie side by side and a tile spans no other axis. A copy is of one of the outermost rows, so there
/// must be no chunk.
bool canPackA(const ContractPlan &plan) {
  const bool cutsImages = chooseShareAxis(plan, 1, {}) == ShareAxis::OuterRows;
  return plan.rows.size() == (cutsImages ? 2 : 1) &&
         plan.accesses[0].strides[plan.rows.size() - 1] == 1;
}

/// Steps of a turn of the innermost loop. A long sum takes more of them where its turns ask for little of what comes next: rows of A along the sum are
/// read in their order, as copies are. Elsewhere more lines at once would be a burst.
int64_t unrollOf(const ContractPlan &plan, const Schedule &schedule) {
  constexpr int64_t fewSteps = 4, manySteps = 8, longSum = 64;
  if (!plan.taps.empty() || plan.sum.empty() || innermostSteps(plan, schedule) < longSum)
    return fewSteps;
  return (schedule.rowsOutside && runsAlongSum(plan)) || schedule.packB ? manySteps : fewSteps;
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

int64_t largestRowTile(const ContractPlan &plan) {
  const bool lastRowIsOfB =
      !plan.rows.empty() && plan.accesses[1].strides[plan.rows.size() - 1] != 0;
  return lastRowIsOfB ? 1 : 14;
}

bool fitsRegisters(int64_t mr, int64_t nr, const Target &target) {
  const int64_t wide = target.registersPerVector();
  return mr * nr * wide + nr * wide + 1 <= target.registers();
}

Schedule chooseSchedule(const ContractPlan &plan, const Target &target) {
  const size_t numRows = plan.rows.size();
  // The first row axis is walked one by one where there are several.
  Shape shape;
  shape.extentX = numRows == 0 ? 1 : plan.rows.back();
  shape.extentY = numRows > 2 ? plan.rows[numRows - 2] : 1;
  shape.vectors = divideCeil(plan.cols, lanes);
  shape.steps = llvm::product_of(plan.block);
  if (!plan.sum.empty()) {
    shape.strideA = plan.accesses[0].strides[plan.sumAxis(plan.sum.size() - 1)] * 4;
    shape.strideB = plan.accesses[1].strides[plan.sumAxis(plan.sum.size() - 1)] * 4;
  }
  if (plan.bf16)
    shape.latency = 6;
  const bool isOneBlock = llvm::product_of(plan.sum) <= shape.steps;
  // Where the columns' part of B is the smaller one, it is walked once a tile of rows; then A and the output are walked but once.
  shape.isTall = numRows == 1 && plan.taps.empty() && !plan.bf16 && plan.rows[0] >= plan.cols &&
                 shape.steps >= leastTallSteps &&
                 plan.rows[0] * llvm::product_of(plan.sum) * 4 > nearBytes &&
                 shape.steps * plan.cols * 4 <= (isOneBlock ? streamedBytes : nearBytes);
  const bool walksRows = shape.isTall || (numRows == 1 && !plan.bf16 && plan.rows[0] > plan.cols);
  const int64_t largestTile = largestRowTile(plan);

  Schedule best;
  best.chunk = chooseChunk(plan);
  const bool mayPackA = best.chunk == 0 && canPackA(plan);
  double bestCycles = 0;
  auto consider = [&](Schedule schedule) {
    Schedule copied = schedule;
    copied.packA |= plan.bf16; // whatever the schedule says
    copied.packB |= plan.bf16;
    const double cycles =
        cyclesOfTiles(shape, copied, target) * unevenness(plan, shape.vectors, schedule);
    // At equal cost the larger tile loads less, and what is not packed costs no memory.
    if (bestCycles == 0 || cycles < bestCycles * 0.999 ||
        (cycles < bestCycles * 1.001 && schedule.packA == best.packA &&
         schedule.packB == best.packB && schedule.mr * schedule.nr > best.mr * best.nr)) {
      bestCycles = cycles;
      best = schedule;
    }
  };
  for (int64_t nr = 1; nr <= std::min<int64_t>(shape.vectors, 4); ++nr)
    for (int64_t mr = 1; mr <= largestTile && fitsRegisters(mr, nr, target); ++mr) {
      Schedule schedule = best;
      schedule.mr = mr;
      schedule.nr = nr;
      for (bool packA : {false, true})
        for (bool packB : {false, true}) {
          if ((packA && !mayPackA) || (plan.bf16 && (packA || packB)))
            continue;
          schedule.packA = packA;
          schedule.packB = packB;
          const bool shortSum = innermostSteps(plan, schedule) < 8;
          if (shortSum && mr * nr > maxAccumulatorsOfShortSums)
            continue;
          schedule.rowsOutside = walksRows && !packA && !packB;
          schedule.unroll = shortSum ? 1 : unrollOf(plan, schedule);
          schedule.shareAxis = chooseShareAxis(plan, shape.vectors, schedule);
          schedule.shares = chooseShares(plan, shape.vectors, schedule, shape.isTall);
          if (packA && packedRows(plan, schedule) * shape.steps > maxPackedElements)
            continue;
          consider(schedule);
        }
    }
  return best;
}

int64_t rowPartsOfTap(const ContractPlan &plan, const Schedule &schedule) {
  const auto numTaps = static_cast<int64_t>(plan.order.size());
  const bool cutsTaps = schedule.shareAxis == ShareAxis::Taps && plan.rows.size() == 1 &&
                        numTaps > 0 && schedule.shares % numTaps == 0;
  return cutsTaps ? schedule.shares / numTaps : 1;
}

bool cutsRowTiles(ShareAxis axis) {
  return axis == ShareAxis::RowTiles || axis == ShareAxis::RowsOfAllTaps ||
         axis == ShareAxis::RowTilesAndPanels;
}

int64_t partsOfRowTiles(const Schedule &schedule) {
  if (schedule.shareAxis == ShareAxis::RowTilesAndPanels)
    return schedule.shares % 2 == 0 ? 2 : 1;
  return schedule.shares;
}

int64_t leastRowsOfShare(const ContractPlan &plan, const Schedule &schedule) {
  if (plan.rows.empty())
    return 1;
  if (!cutsRowTiles(schedule.shareAxis))
    return plan.rows.back();
  const int64_t tiles = divideCeil(plan.rows[0], schedule.mr);
  return std::max<int64_t>(1, tiles / partsOfRowTiles(schedule)) * (plan.rows[0] / tiles);
}

bool takesBlocksWithin(const ContractPlan &plan, const Schedule &schedule, const Target &target) {
  const int64_t steps = llvm::product_of(plan.sum);
  if (!schedule.rowsOutside || plan.rows.size() != 1 || !plan.taps.empty() || plan.bf16 ||
      schedule.packA || steps <= llvm::product_of(plan.block))
    return false;
  return runsAlongSum(plan) && plan.cols * steps * 4 <= secondLevelBytes(target) / 2;
}

int64_t packedRows(const ContractPlan &plan, const Schedule &schedule) {
  if (plan.rows.empty())
    return 1;
  if (!cutsRowTiles(schedule.shareAxis))
    return plan.rows.back();
  return divideCeil(divideCeil(plan.rows[0], schedule.mr), partsOfRowTiles(schedule)) * schedule.mr;
}

Schedule scheduleOf(kernel::ScheduleAttr attribute, const ContractPlan &plan,
                    const Target &target) {
  if (!attribute)
    return chooseSchedule(plan, target);
  Schedule schedule = fieldsOf(attribute);
  schedule.mr = std::min(schedule.mr, largestRowTile(plan));
  if (!canChunk(plan))
    schedule.chunk = 0;
  schedule.shareAxis = chooseShareAxis(plan, divideCeil(plan.cols, lanes), schedule);
  const int64_t steps = llvm::product_of(plan.block);
  schedule.packA = schedule.packA && schedule.chunk == 0 && canPackA(plan) &&
                   packedRows(plan, schedule) * steps <= maxPackedElements;
  schedule.packB = schedule.packB && schedule.nr * lanes * steps <= maxPackedElements;
  return schedule;
}

Schedule fieldsOf(kernel::ScheduleAttr attribute) {
  return {attribute.getMr(),          attribute.getNr(),     attribute.getUnroll(),
          attribute.getRowsOutside(), attribute.getShares(), attribute.getPackA(),
          attribute.getPackB(),       attribute.getChunk(),  ShareAxis::Panels};
}

kernel::ScheduleAttr attributeOf(const Schedule &schedule, mlir::MLIRContext *context) {
  return kernel::ScheduleAttr::get(context, schedule.mr, schedule.nr, schedule.unroll,
                                   schedule.rowsOutside, schedule.shares, schedule.packA,
                                   schedule.packB, schedule.chunk);
}

} // namespace sinter::codegen
