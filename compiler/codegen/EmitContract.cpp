//===- EmitContract.cpp - loops around micro-kernels ----------------------------------------------===//
// Images → taps → blocks of the sum → row tiles and column panels → one micro-kernel call. A convolution by weight puts its taps inside
// the blocks of images, so that an image is read once for all of them.

#include "compiler/codegen/ContractPlan.h"
#include "compiler/codegen/PackOperands.h"
#include "compiler/codegen/Schedule.h"
#include "compiler/codegen/Tasks.h"
#include "compiler/codegen/TileCalls.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// `count` equal parts from `start`, the first of them number `number`.
struct Piece {
  int64_t number, start, count, size;
  int64_t lastColumns = lanes; ///< of a panel's last vector
};

SmallVector<Piece> numbered(ArrayRef<Segment> segments, int64_t start) {
  SmallVector<Piece> pieces;
  int64_t number = 0;
  for (const Segment &segment : segments) {
    pieces.push_back({number, start + segment.start, segment.count, segment.size});
    number += segment.count;
  }
  return pieces;
}

/// A share's part of row tiles or panels, by their numbers.
struct Units {
  Value low, high;
};

class ContractEmitter {
public:
  ContractEmitter(kernel::ContractOp op, ContractPlan plan, const Schedule &schedule,
                  const TaskScope &scope, const Target &target, MicroKernels &microKernels)
      : op(op), plan(std::move(plan)), schedule(schedule), scope(scope), emit(scope.emitter),
        products(productsOf(this->plan, target)), hasEpilogue(!op.getEpilogue().empty()),
        blocksWithin(takesBlocksWithin(this->plan, schedule, target)),
        calls(op, this->plan, schedule, scope, products, microKernels, blocksWithin) {
    panels = makePanels();
  }

  LogicalResult run() {
    Cursor origin;
    for (const Access &access : plan.accesses)
      origin.offsets.push_back(emit.constant(access.offset));
    origin.coordinates.assign(plan.rows.size() + 1 + plan.taps.size(), emit.constant(0));

    switch (schedule.shareAxis) {
    case ShareAxis::OuterRows: {
      for (const Tap &tap : plan.order)
        if (tap.rows[0] != Range{0, plan.rows[0]})
          return op.emitOpError("the first row axis must be whole in every tap");
      Value low = emit.shareBegin(scope.share, plan.rows[0], schedule.shares);
      Value high = emit.shareBegin(emit.add(scope.share, 1), plan.rows[0], schedule.shares);
      firstInnerRow = 1;
      if (schedule.chunk == 0) {
        emit.loop(low, high, 1, [&](Value i) {
          const Cursor at = moved(origin, 0, i);
          if (plan.taps.empty() || plan.tapsAreSummed)
            summedTaps(at);
          else
            tapGroup(at, plan.order);
        });
        return success();
      }
      emit.loop(low, high, schedule.chunk, [&](Value begin) {
        chunkLow = begin;
        chunkHigh = arith::MinSIOp::create(emit.builder, emit.location,
                                           emit.add(begin, schedule.chunk), high);
        summedTaps(origin);
      });
      return success();
    }
    case ShareAxis::Taps:
      switchOverTaps(origin);
      return success();
    case ShareAxis::RowsOfAllTaps:
      takeRowTiles(scope.share, schedule.shares);
      tapGroup(origin, plan.order);
      return success();
    case ShareAxis::RowTiles:
      takeRowTiles(scope.share, schedule.shares);
      summedTaps(origin);
      return success();
    case ShareAxis::Panels:
      takePanels(scope.share, schedule.shares);
      summedTaps(origin);
      return success();
    case ShareAxis::RowTilesAndPanels: {
      // Two threads have a half of the rows each, and of B what comes next is asked for in any case.
      const int64_t parts = schedule.shares / partsOfRowTiles(schedule);
      Value divisor = emit.constant(parts);
      OpBuilder &builder = emit.builder;
      takeRowTiles(arith::DivSIOp::create(builder, emit.location, scope.share, divisor),
                   partsOfRowTiles(schedule));
      takePanels(arith::RemSIOp::create(builder, emit.location, scope.share, divisor), parts);
      summedTaps(origin);
      return success();
    }
    }
    llvm_unreachable("all axes are handled");
  }

private:
  kernel::ContractOp op;
  ContractPlan plan;
  const Schedule &schedule;
  const TaskScope &scope;
  Emitter &emit;
  const Products products;
  const bool hasEpilogue;
  SmallVector<Piece> panels;
  unsigned firstInnerRow = 0;         // row axes before it are walked by outer loops
  Units tilesOfShare, panelsOfShare;  // where shares cut them
  const bool blocksWithin;            // of the sum: tiles of rows are outside of them
  const Piece *rowsOutside = nullptr; // where such a loop stands
  Value chunkLow,
      chunkHigh; // outermost rows that go through a tap together; null where the cursor stands at one
  OperandCopies copies{scope, plan, schedule};
  TileCalls calls;
  std::optional<PairCopies> pairs; // of a product in bfloat16
  Value rowsCopied;                // how many rows of pairs the loops have passed

  static Products productsOf(const ContractPlan &plan, const Target &target) {
    if (!plan.bf16)
      return Products::F32;
    return target.bf16 ? Products::Pairs : Products::EmulatedPairs;
  }

  /// One part of `parts` of so many.
  Units unitsOf(Value part, int64_t units, int64_t parts) {
    return {emit.shareBegin(part, units, parts), emit.shareBegin(emit.add(part, 1), units, parts)};
  }
  /// Lets the loops over row tiles, or panels, go over one part of `parts` of them.
  void takeRowTiles(Value part, int64_t parts) {
    tilesOfShare = unitsOf(part, llvm::divideCeil(plan.rows[0], schedule.mr), parts);
  }
  void takePanels(Value part, int64_t parts) {
    panelsOfShare = unitsOf(part, panels.back().number + panels.back().count, parts);
  }
  bool cutsRows() const {
    return cutsRowTiles(schedule.shareAxis) || rowPartsOfTap(plan, schedule) > 1;
  }

  Cursor moved(const Cursor &from, unsigned axis, Value by) {
    Cursor to = from;
    for (auto [offset, access] : llvm::zip_equal(to.offsets, plan.accesses))
      if (access.strides[axis] != 0)
        offset = emit.add(offset, emit.multiply(by, access.strides[axis]));
    if (axis < to.coordinates.size())
      to.coordinates[axis] = emit.add(to.coordinates[axis], by);
    return to;
  }
  Cursor moved(const Cursor &from, unsigned axis, int64_t by) {
    return by == 0 ? from : moved(from, axis, emit.constant(by));
  }
  Cursor movedToTap(Cursor cursor, const Tap &tap) {
    for (auto [i, value] : llvm::enumerate(tap.point))
      cursor = moved(cursor, plan.tapAxis(i), value);
    return cursor;
  }

  Flag both(const Flag &a, Value b) {
    if (a.when == When::Never)
      return a;
    return {When::Dynamic,
            a.when == When::Always
                ? b
                : arith::AndIOp::create(emit.builder, emit.location, a.value, b).getResult()};
  }
  static Flag both(const Flag &a, bool b) { return b ? a : Flag{When::Never, {}}; }
  Value equals(Value a, int64_t b) {
    return arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::eq, a,
                                 emit.constant(b));
  }

  SmallVector<Piece> makePanels() {
    const int64_t vectors = llvm::divideCeil(plan.cols, lanes);
    SmallVector<Piece> result = numbered(cutEvenly(vectors, schedule.nr), 0);
    const int64_t lastColumns = plan.cols - (vectors - 1) * lanes;
    if (lastColumns != lanes) { // the last panel is a piece of its own
      Piece last = result.back();
      last.number += last.count - 1;
      last.start += (last.count - 1) * last.size;
      last.count = 1;
      last.lastColumns = lastColumns;
      if (--result.back().count == 0)
        result.pop_back();
      result.push_back(last);
    }
    return result;
  }

  /// All taps of the rows at the cursor: sums in the plan's order.
  void summedTaps(const Cursor &cursor) {
    if (plan.needsZeroFill)
      overChunk(cursor, [&](const Cursor &at) { zeroFill(at); });
    for (auto [index, tap] : llvm::enumerate(plan.order)) {
      Flag first = both({}, tap.isFirst);
      Flag last = both({}, hasEpilogue && !plan.needsFinish && index + 1 == plan.order.size());
      outsideBlocks(movedToTap(cursor, tap), tap,
                    [&](const Cursor &at) { sumBlocks(0, at, tap, {}, first, last); });
    }
    if (plan.needsFinish) {
      // The first tap reaches every element, or rows are the output's own.
      Tap whole;
      for (int64_t extent : plan.rows)
        whole.rows.push_back({0, extent});
      if (plan.firstTapIsWhole)
        whole = plan.order.front();
      tiles(movedToTap(cursor, whole), whole, {}, both({}, false), {}, /*sumIsEmpty=*/true);
    }
  }

  /// What no tap stores of the part of the first output that belongs to one index of the first row axis.
  void zeroFill(const Cursor &cursor) {
    const int64_t elements =
        cast<ShapedType>(op.getOutputs()[0].getType()).getNumElements() / plan.rows[0];
    const Access &access = plan.accesses[plan.output(0)];
    // The cursor stands at row coordinate 0 of the other axes, which may lie before the image: count from its first element.
    Value start = emit.multiply(cursor.coordinates[0], access.strides[0]);
    if (plan.order.empty() || !plan.order.front().isFirst)
      return zeros(start, 0, elements);
    const Tap &tap = plan.order.front();
    int64_t first = access.offset;
    for (auto [i, value] : llvm::enumerate(tap.point))
      first += value * access.strides[plan.tapAxis(i)];
    SmallVector<Run> runs;
    for (unsigned axis = 1; axis < plan.rows.size(); ++axis) {
      first += tap.rows[axis].low * access.strides[axis];
      runs.push_back({tap.rows[axis].size(), access.strides[axis]});
    }
    llvm::sort(runs, [](const Run &a, const Run &b) { return a.stride > b.stride; });
    zerosAround(start, first, elements, runs);
  }

  /// Evenly spaced parts of the output.
  struct Run {
    int64_t count, stride;
  };

  /// `elements` from `start` without those that a tap stores: its first lies at `first`, `runs` lead to the others, outermost first.
  void zerosAround(Value start, int64_t first, int64_t elements, ArrayRef<Run> runs) {
    zeros(start, 0, first);
    if (runs.empty())
      return zeros(start, first + plan.cols, elements);
    const Run &run = runs.front();
    const int64_t lastAt = first + (run.count - 1) * run.stride;
    emit.loop(0, run.count - 1, 1, [&](Value i) {
      Value from = emit.add(emit.add(start, first), emit.multiply(i, run.stride));
      zerosAround(from, 0, run.stride, runs.drop_front());
    });
    zerosAround(emit.add(start, lastAt), 0, elements - lastAt, runs.drop_front());
  }

  /// Zeros in [from, to), counted from `start`.
  void zeros(Value start, int64_t from, int64_t to) {
    Type f32 = emit.builder.getF32Type();
    Value pointer = emit.advance(scope.pointers[plan.output(0)], emit.add(start, from), f32);
    Value zero = arith::ConstantOp::create(emit.builder, emit.location,
                                           emit.builder.getZeroAttr(Emitter::vectorOf(f32)));
    const int64_t elements = to - from, whole = elements / lanes * lanes;
    emit.loop(0, whole, lanes,
              [&](Value i) { emit.storeLanes(zero, emit.advance(pointer, i, f32)); });
    if (whole != elements)
      emit.storeLanes(zero, emit.advance(pointer, whole, f32), emit.firstLanes(elements - whole));
  }

  /// Taps with outputs of their own: each share has some of them, or a part of the rows of one.
  void switchOverTaps(const Cursor &origin) {
    const auto numTaps = static_cast<int64_t>(plan.order.size());
    const int64_t parts = rowPartsOfTap(plan, schedule), groups = schedule.shares / parts;
    OpBuilder &builder = emit.builder;
    Value groupNumber = scope.share;
    if (parts > 1) {
      Value divisor = emit.constant(parts);
      groupNumber = arith::DivSIOp::create(builder, emit.location, scope.share, divisor);
      takeRowTiles(arith::RemSIOp::create(builder, emit.location, scope.share, divisor), parts);
    }
    auto group = [&](int64_t number) {
      ArrayRef<Tap> taps(plan.order);
      const int64_t low = numTaps * number / groups, high = numTaps * (number + 1) / groups;
      tapGroup(origin, taps.slice(low, high - low));
    };
    if (groups == 1)
      return group(0);
    SmallVector<int64_t> cases;
    for (int64_t number = 1; number < groups; ++number)
      cases.push_back(number);
    Value index =
        arith::IndexCastOp::create(builder, emit.location, builder.getIndexType(), groupNumber);
    auto branch =
        scf::IndexSwitchOp::create(builder, emit.location, TypeRange(), index, cases, cases.size());
    OpBuilder::InsertionGuard guard(builder);
    auto fill = [&](Region &region, int64_t number) {
      builder.setInsertionPointToStart(&region.emplaceBlock());
      group(number);
      scf::YieldOp::create(builder, emit.location);
    };
    fill(branch.getDefaultRegion(), 0);
    for (int64_t number : cases)
      fill(branch.getCaseRegions()[number - 1], number);
  }

  void tapGroup(const Cursor &origin, ArrayRef<Tap> taps) {
    const bool outerIsWhole = !plan.sum.empty() && llvm::all_of(taps, [&](const Tap &tap) {
      return tap.sum[0] == Range{0, plan.sum[0]};
    });
    const Flag last = both({}, hasEpilogue);
    if (!outerIsWhole) {
      for (const Tap &tap : taps)
        sumBlocks(0, movedToTap(origin, tap), tap, {}, {}, last);
      return;
    }
    outerBlocks(0, origin, {0, plan.sum[0]}, {}, last,
                [&](const Cursor &cursor, int64_t size, const Flag &first, const Flag &isLast) {
                  for (const Tap &tap : taps)
                    sumBlocks(1, movedToTap(cursor, tap), tap, {size}, first, isLast);
                });
  }

  /// The blocks of one sum axis, in order.
  void
  outerBlocks(unsigned axis, const Cursor &start, Range range, const Flag &first, const Flag &last,
              llvm::function_ref<void(const Cursor &, int64_t, const Flag &, const Flag &)> body) {
    const int64_t block = plan.block[axis];
    const Cursor cursor = moved(start, plan.sumAxis(axis), range.low);
    if (range.size() <= block)
      return body(cursor, range.size(), first, last);
    const int64_t whole = range.size() / block, rest = range.size() % block;
    emit.loop(0, whole, 1, [&](Value i) {
      Flag isFirst = whole == 1 ? first : both(first, equals(i, 0));
      Flag isLast = rest != 0    ? both(last, false)
                    : whole == 1 ? last
                                 : both(last, equals(i, whole - 1));
      body(moved(cursor, plan.sumAxis(axis), emit.multiply(i, block)), block, isFirst, isLast);
    });
    if (rest != 0)
      body(moved(cursor, plan.sumAxis(axis), whole * block), rest, both(first, false), last);
  }

  void sumBlocks(unsigned axis, const Cursor &cursor, const Tap &tap, SmallVector<int64_t> sizes,
                 const Flag &first, const Flag &last) {
    if (axis == plan.sum.size())
      return tiles(cursor, tap, sizes, first, last, /*sumIsEmpty=*/false);
    outerBlocks(axis, cursor, tap.sum[axis], first, last,
                [&](const Cursor &at, int64_t size, const Flag &isFirst, const Flag &isLast) {
                  SmallVector<int64_t> more = sizes;
                  more.push_back(size);
                  sumBlocks(axis + 1, at, tap, more, isFirst, isLast);
                });
  }

  /// Loops over parts of an axis; where shares cut them, only over the share's.
  void overPieces(ArrayRef<Piece> pieces, const Units &ofShare,
                  llvm::function_ref<void(Value start, const Piece &)> body) {
    for (const Piece &piece : pieces) {
      auto at = [&](Value i) { body(emit.add(emit.multiply(i, piece.size), piece.start), piece); };
      if (!ofShare.low || schedule.shares == 1) {
        emit.loop(0, piece.count, 1, at);
        continue;
      }
      auto clamp = [&](Value value) {
        OpBuilder &builder = emit.builder;
        Value relative = emit.add(value, -piece.number);
        Value low = arith::MaxSIOp::create(builder, emit.location, relative, emit.constant(0));
        return arith::MinSIOp::create(builder, emit.location, low, emit.constant(piece.count))
            .getResult();
      };
      emit.loop(clamp(ofShare.low), clamp(ofShare.high), 1, at);
    }
  }

  /// The rows of a chunk, one by one; where there is none, the cursor stands at its row already.
  void overChunk(const Cursor &cursor, llvm::function_ref<void(const Cursor &)> body) {
    if (!chunkLow)
      return body(cursor);
    emit.loop(chunkLow, chunkHigh, 1, [&](Value i) { body(moved(cursor, 0, i)); });
  }

  /// A loop over tiles of the only row axis that stands outside the blocks of the sum.
  void outsideBlocks(const Cursor &cursor, const Tap &tap,
                     llvm::function_ref<void(const Cursor &)> body) {
    if (!blocksWithin)
      return body(cursor);
    const Range rows = tap.rows[0];
    const int64_t size = tileShape(1, rows.size(), schedule.mr).x;
    overPieces(numbered(cutEvenly(rows.size(), size), rows.low),
               cutsRows() ? tilesOfShare : Units(), [&](Value start, const Piece &piece) {
                 rowsOutside = &piece;
                 body(moved(cursor, 0, start));
               });
    rowsOutside = nullptr;
  }

  bool isOfB(unsigned axis) const { return plan.accesses[1].strides[axis] != 0; }

  /// Up to two row axes lie in a tile; where B is copied, only such as read the same of it.
  unsigned firstTileRow() const {
    const auto rows = static_cast<unsigned>(plan.rows.size());
    const unsigned first = std::max(firstInnerRow, std::max(rows, 2u) - 2);
    const bool copiesB = products != Products::F32 || schedule.packB;
    return copiesB && first + 1 < rows && isOfB(first) ? first + 1 : first;
  }

  /// Row axes between the outermost and the two that a tile spans; those that B has (heads, groups), or those that it has not.
  void overMiddleRows(unsigned axis, bool ofB, const Cursor &cursor, const Tap &tap,
                      llvm::function_ref<void(const Cursor &)> body) {
    if (axis >= firstTileRow())
      return body(cursor);
    if (isOfB(axis) != ofB)
      return overMiddleRows(axis + 1, ofB, cursor, tap, body);
    emit.loop(tap.rows[axis].low, tap.rows[axis].high, 1,
              [&](Value i) { overMiddleRows(axis + 1, ofB, moved(cursor, axis, i), tap, body); });
  }

  /// Every register tile of the inner rows and all columns, for one block of the sum.
  void tiles(const Cursor &cursor, const Tap &tap, ArrayRef<int64_t> sizes, const Flag &first,
             const Flag &last, bool sumIsEmpty) {
    overMiddleRows(firstInnerRow, true, cursor, tap, [&](const Cursor &at) {
      tilesOfPlane(at, tap, sizes, first, last, sumIsEmpty);
    });
  }

  void tilesOfPlane(const Cursor &cursor, const Tap &tap, ArrayRef<int64_t> sizes,
                    const Flag &first, const Flag &last, bool sumIsEmpty) {
    const auto numRows = static_cast<int>(plan.rows.size());
    const int axisX = numRows > static_cast<int>(firstTileRow()) ? numRows - 1 : -1;
    const int axisY = numRows > static_cast<int>(firstTileRow()) + 1 ? numRows - 2 : -1;
    const Range rangeX = axisX >= 0 ? tap.rows[axisX] : Range{0, 1};
    const Range rangeY = axisY >= 0 ? tap.rows[axisY] : Range{0, 1};
    // The rows of a tile share what they read of B; where B has an axis of its own for images or heads, a tile stays within one.
    const bool yIsOfB = axisY >= 0 && isOfB(axisY);
    const TileShape shape = tileShape(yIsOfB ? 1 : rangeY.size(), rangeX.size(), schedule.mr);
    const auto piecesX = numbered(cutEvenly(rangeX.size(), shape.x), rangeX.low);
    const auto piecesY = numbered(cutEvenly(rangeY.size(), shape.y), rangeY.low);
    const bool cutRows = cutsRows();
    const bool packA = schedule.packA && !sumIsEmpty, packB = schedule.packB && !sumIsEmpty;
    const int64_t steps = llvm::product_of(sizes);
    // Tiles of a plane are counted; rows between it and the images are not.
    const bool countsRows =
        calls.loopsAhead().countsRows() && (firstTileRow() == firstInnerRow || numRows <= 1);
    const auto rowsBefore = [&](const Cursor &at, Value rows) {
      if (!chunkLow)
        return rows;
      Value images =
          arith::SubIOp::create(emit.builder, emit.location, at.coordinates[0], chunkLow);
      return emit.add(emit.multiply(images, rangeY.size() * rangeX.size()), rows);
    };

    auto overTiles = [&](const Cursor &from,
                         llvm::function_ref<void(const Cursor &, TileShape, Value)> body) {
      if (rowsOutside)
        return body(from, {1, rowsOutside->size}, Value());
      // The rows before a tile, which say where its packed copy stands.
      Value before = emit.constant(-rangeX.low);
      if ((packA || countsRows) && cutRows)
        before = emit.multiply(startOf(piecesX, tilesOfShare.low), -1);
      overPieces(piecesY, {}, [&](Value y, const Piece &pieceY) {
        const Cursor atY = axisY >= 0 ? moved(from, axisY, y) : from;
        overPieces(piecesX, cutRows ? tilesOfShare : Units(), [&](Value x, const Piece &pieceX) {
          Value rows = emit.add(emit.multiply(emit.add(y, -rangeY.low), rangeX.size()),
                                emit.multiply(emit.add(x, before), pieceY.size));
          body(axisX >= 0 ? moved(atY, axisX, x) : atY, {pieceY.size, pieceX.size}, rows);
        });
      });
    };
    auto overRows = [&](const Cursor &from,
                        llvm::function_ref<void(const Cursor &, TileShape, Value)> body) {
      overChunk(from, [&](const Cursor &image) {
        overMiddleRows(firstInnerRow, false, image, tap,
                       [&](const Cursor &at) { overTiles(at, body); });
      });
    };
    auto overPanels = [&](const Cursor &from,
                          llvm::function_ref<void(const Cursor &, const Piece &)> body) {
      overPieces(panels, panelsOfShare, [&](Value vector, const Piece &panel) {
        body(moved(from, plan.colAxis(), emit.multiply(vector, lanes)), panel);
      });
    };
    auto callTile = [&](const Cursor &at, TileShape tile, const Piece &panel,
                        const Packed &packed) {
      calls.call({at, tap, axisY, axisX, tile, panel.size, panel.lastColumns, sizes, first, last,
                  sumIsEmpty},
                 packed, rowsOfBlock(leastRowsOfShare(plan, schedule)));
    };
    if (products != Products::F32 && !sumIsEmpty)
      return pairTiles(cursor, axisY, axisX, sizes, overRows, overPanels, callTile);
    auto call = [&](const Cursor &at, TileShape tile, const Piece &panel, Value rows,
                    Value panelCopy) {
      Packed packed{{}, panelCopy, {}, {}, {}};
      if (countsRows) {
        packed.before = rowsBefore(at, rows);
        packed.toNextPanel = toNextPanel(at, panel, steps, last);
      }
      if (packA)
        packed.a = copies.tile(rows, steps);
      callTile(at, tile, panel, packed);
    };
    if (packA)
      copies.rows(sizes, [&](llvm::function_ref<void(const OperandCopies::Tile &)> copy) {
        overTiles(cursor, [&](const Cursor &at, TileShape tile, Value rows) {
          copy({at.offsets[0], tile.y * tile.x, rows});
        });
      });
    if (schedule.rowsOutside)
      overRows(cursor, [&](const Cursor &atRows, TileShape tile, Value rows) {
        overPanels(atRows,
                   [&](const Cursor &at, const Piece &panel) { call(at, tile, panel, rows, {}); });
      });
    else
      overPanels(cursor, [&](const Cursor &atPanel, const Piece &panel) {
        Value copy = packB ? copies.panel(atPanel.offsets[1], panel.size, panel.lastColumns, sizes)
                           : Value();
        overRows(atPanel, [&](const Cursor &at, TileShape tile, Value rows) {
          call(at, tile, panel, rows, copy);
        });
      });
  }

  /// Elements of B from a panel to what the share reads of it next: the next panel, or behind its last one the first, of the next block of
  /// the sum. Behind the last block that is the panel on which the next share begins.
  Value toNextPanel(const Cursor &at, const Piece &panel, int64_t steps, const Flag &last) {
    Value next = emit.constant(panel.size * lanes);
    if (!plan.taps.empty() || plan.rows.size() != 1 || plan.sum.size() != 1 ||
        steps == plan.sum[0] || schedule.chunk > 0)
      return next;
    OpBuilder &builder = emit.builder;
    const int64_t stride = plan.accesses[1].strides[plan.sumAxis(0)];
    Value column = at.coordinates[plan.colAxis()], low = emit.constant(0),
          high = emit.constant(plan.cols);
    if (panelsOfShare.low && schedule.shares > 1) {
      low = emit.multiply(startOf(panels, panelsOfShare.low), lanes);
      high = emit.multiply(startOf(panels, panelsOfShare.high), lanes);
    }
    Value nextBlock = emit.add(
        arith::SubIOp::create(builder, emit.location, low, column).getResult(), steps * stride);
    Value nextShare = emit.add(next, (steps - plan.sum[0]) * stride);
    if (last.when == When::Always)
      nextBlock = nextShare;
    else if (last.when == When::Dynamic)
      nextBlock = arith::SelectOp::create(builder, emit.location, last.value, nextShare, nextBlock);
    Value isLast = arith::CmpIOp::create(builder, emit.location, arith::CmpIPredicate::sge,
                                         emit.add(column, next), high);
    return arith::SelectOp::create(builder, emit.location, isLast, nextBlock, next);
  }

  /// How many rows a share walks between two blocks of the sum, if so many of the innermost axis.
  int64_t rowsOfBlock(int64_t innermost) const {
    int64_t rows = std::max<int64_t>(1, schedule.chunk);
    for (unsigned axis = firstInnerRow; axis < plan.rows.size(); ++axis)
      if (axis >= firstTileRow() || !isOfB(axis))
        rows *= axis + 1 == plan.rows.size() ? innermost : plan.rows[axis];
    return rows;
  }

  using OverRows = llvm::function_ref<void(
      const Cursor &, llvm::function_ref<void(const Cursor &, TileShape, Value)>)>;
  using OverPanels = llvm::function_ref<void(
      const Cursor &, llvm::function_ref<void(const Cursor &, const Piece &)>)>;

  /// The tiles of a product in bfloat16, from copies of both operands.
  void pairTiles(
      const Cursor &cursor, int axisY, int axisX, ArrayRef<int64_t> sizes, OverRows overRows,
      OverPanels overPanels,
      llvm::function_ref<void(const Cursor &, TileShape, const Piece &, const Packed &)> call) {
    if (!pairs) {
      pairs.emplace(scope, plan, schedule, products, rowsOfBlock(packedRows(plan, schedule)));
      rowsCopied = emit.stack(2);
    }
    ArrayRef<int64_t> strides = plan.accesses[0].strides;
    const auto tileAt = [&](const Cursor &at, TileShape tile) {
      return PairCopies::Tile{at.offsets[0], tile.y, tile.x, axisY >= 0 ? strides[axisY] : 0,
                              axisX >= 0 ? strides[axisX] : 0};
    };
    const auto restart = [&] { emit.store(emit.constant(0), rowsCopied); };
    const auto pass = [&](int64_t rows) {
      Value before = emit.load(rowsCopied, emit.builder.getI64Type());
      emit.store(emit.add(before, rows), rowsCopied);
      return before;
    };
    if (pairs->keepsRows()) {
      restart();
      overRows(cursor, [&](const Cursor &at, TileShape shape, Value) {
        const PairCopies::Tile tile = tileAt(at, shape);
        pairs->tile(tile, pass(tile.rows()), sizes);
      });
    }
    overPanels(cursor, [&](const Cursor &atPanel, const Piece &panel) {
      Value copyOfB = pairs->panel(atPanel.offsets[1], panel.size, panel.lastColumns, sizes);
      restart();
      overRows(atPanel, [&](const Cursor &at, TileShape shape, Value) {
        const PairCopies::Tile tile = tileAt(at, shape);
        Value copyOfA = pairs->keepsRows() ? pairs->placeOf(pass(tile.rows()), sizes)
                                           : pairs->tile(tile, emit.constant(0), sizes);
        call(at, shape, panel, {copyOfA, copyOfB, {}, {}, pairs->stridesOf(tile, sizes)});
      });
    });
  }

  /// Where the part of this number begins.
  Value startOf(ArrayRef<Piece> pieces, Value number) {
    const Piece &larger = pieces.front(), &smaller = pieces.back();
    Value ofLarger =
        arith::MinSIOp::create(emit.builder, emit.location, number, emit.constant(larger.count));
    return emit.add(emit.add(emit.multiply(number, smaller.size),
                             emit.multiply(ofLarger, larger.size - smaller.size)),
                    larger.start);
  }
};

} // namespace

FailureOr<int64_t> emitContract(kernel::ContractOp op, const TaskScope &scope, const Target &target,
                                MicroKernels &microKernels, bool whole) {
  auto plan = ContractPlan::make(op);
  if (failed(plan))
    return failure();
  Schedule schedule = scheduleOf(op.getScheduleAttr(), *plan, target);
  if (whole)
    schedule.shares = 1;
  if (!fitsRegisters(schedule.mr, schedule.nr, target))
    return op.emitOpError("a tile of ") << schedule.mr << " × " << schedule.nr
                                        << " vectors does not fit the registers of " << target.cpu;
  const int64_t numRows = plan->rows.size();
  if (plan->bf16 && numRows > 0 && plan->accesses[1].strides[numRows - 1] != 0)
    return op.emitOpError("in bf16 must have an innermost row axis that B does not use");
  if (failed(ContractEmitter(op, std::move(*plan), schedule, scope, target, microKernels).run()))
    return failure();
  // What was written past the cache must be there before others are told.
  if (op->hasAttr("kernel.late"))
    scope.emitter.fence();
  return schedule.shares;
}

} // namespace sinter::codegen
