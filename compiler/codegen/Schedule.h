//===- Schedule.h - how a contraction is run ------------------------------------------------------===//
// A schedule changes no bit. The cost model counts what a register tile costs in fused multiply-adds, loads and latency on the
// target and adds it up over all tiles, ragged ones included.
#pragma once

#include "compiler/codegen/ContractPlan.h"
#include "compiler/codegen/Target.h"

namespace mlir {
class MLIRContext;
}
namespace sinter::kernel {
class ScheduleAttr;
}

namespace sinter::codegen {

/// Which loop the shares of a task divide among themselves.
enum class ShareAxis {
  OuterRows, ///< the first row axis: images
  Taps,      ///< taps that the output holds apart: a convolution by weight; or parts of their rows
  RowsOfAllTaps, ///< tiles of the rows of such taps: each share walks all taps for each block of images
  RowTiles,      ///< tiles of the only row axis
  RowTilesAndPanels, ///< both: halves of the row tiles, and of each half parts of the panels
  Panels             ///< column panels
};

struct Schedule {
  int64_t mr = 1;           ///< rows of a register tile
  int64_t nr = 1;           ///< vectors of 16 columns of a register tile
  int64_t unroll = 1;       ///< of the innermost sum axis
  bool rowsOutside = false; ///< row tiles outside column panels
  int64_t shares = 1;
  bool packA =
      false; ///< the rows of a tile are copied to [step of the sum][row] before panels are walked
  bool packB =
      false; ///< a column panel is copied to [step of the sum][column] before its tiles are walked
  int64_t chunk =
      0; ///< outermost rows that go through each tap together; 0: a share walks them one by one
  ShareAxis shareAxis = ShareAxis::Panels;
};

/// Equal parts of [0, extent), the larger ones first: `count` parts of `size` from `start`.
struct Segment {
  int64_t start, count, size;
};

/// Cuts `extent` into the fewest parts of at most `limit`, as equal as they can be: one or two segments.
llvm::SmallVector<Segment> cutEvenly(int64_t extent, int64_t limit);

/// How a tile lies over the two innermost row axes: whole rows of x while they fit, else parts of one.
struct TileShape {
  int64_t y = 1, x = 1;
};
TileShape tileShape(int64_t extentY, int64_t extentX, int64_t mr);

/// Into how many parts of its rows a tap is cut, where shares take taps and are a multiple of them.
int64_t rowPartsOfTap(const ContractPlan &plan, const Schedule &schedule);

/// Whether shares cut the tiles of the only row axis.
bool cutsRowTiles(ShareAxis axis);

/// Whether a product takes each tile of rows through all blocks of its sum before the next one: then its sums stay in the first-level cache from
/// block to block. All of B is walked once a tile, so it must stay in the second-level cache; and A's rows lie along the sum, or a tile
/// would leave most of each line to the next one.
bool takesBlocksWithin(const ContractPlan &plan, const Schedule &schedule, const Target &target);

/// Into how many parts shares cut those tiles, where they do.
int64_t partsOfRowTiles(const Schedule &schedule);

/// How many rows a share of a task walks at least, of the innermost axis of rows.
int64_t leastRowsOfShare(const ContractPlan &plan, const Schedule &schedule);

/// How many rows one share packs at most.
int64_t packedRows(const ContractPlan &plan, const Schedule &schedule);

/// The schedule that the cost model prefers. Deterministic.
Schedule chooseSchedule(const ContractPlan &plan, const Target &target);

/// What the op carries, where it carries one, with the axis that shares cut and without what this contraction has no use or no room for; else the
/// model's choice.
Schedule scheduleOf(kernel::ScheduleAttr attribute, const ContractPlan &plan, const Target &target);

/// A schedule as an attribute, to stand on the op, and back; the axis that shares cut is no part of it.
kernel::ScheduleAttr attributeOf(const Schedule &schedule, mlir::MLIRContext *context);
Schedule fieldsOf(kernel::ScheduleAttr attribute);

/// Rows that a tile can have: one where each row has its own B, whose rows a tile shares.
int64_t largestRowTile(const ContractPlan &plan);

/// Whether a tile fits the target's registers.
bool fitsRegisters(int64_t mr, int64_t nr, const Target &target);

} // namespace sinter::codegen
