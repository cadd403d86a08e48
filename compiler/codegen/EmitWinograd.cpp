//===- EmitWinograd.cpp - convolutions in tiles of 4 × 4 outputs ----------------------------------===//
// Of a block of tiles and channels the windows are transformed onto the stack, as [product][tile][channel], where the 36 products of matrices
// find them in the second-level cache; what these give lies there likewise until the tiles' outputs are made of it. Matrices are
// a line of the cache further apart than they are long: 36 that begin a power of two apart would share one set of the first-level cache.
// Products go through micro-kernels, whose shape changes no bit; blocks, shards and their order are the op's.

#include "compiler/codegen/StackProduct.h"
#include "compiler/codegen/Tasks.h"
#include "dialects/Winograd.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

constexpr int64_t floatsOfLine = 16;
/// A row or column that no image reaches.
constexpr int64_t outside = -(int64_t(1) << 32);

/// A table of coefficients by row and column.
using Table = llvm::function_ref<double(int64_t, int64_t)>;

class WinogradEmitter {
public:
  WinogradEmitter(kernel::WinogradOp op, const TaskScope &scope, const Target &target,
                  MicroKernels &microKernels)
      : op(op), scope(scope), emit(scope.emitter), target(target), microKernels(microKernels),
        f32(emit.builder.getF32Type()), tilesOfBlock(op.getBlock()[0]),
        channelsOfBlock(op.getBlock()[1]), channels(op.getChannels()), columns(op.getColumns()),
        widthOfColumns(std::min<int64_t>(kernel::WinogradOp::columnsOfBlock,
                                         llvm::alignTo(op.getColumns(), lanes))) {}

  void run() {
    windows = {emit.stack(winograd::products * (tilesOfBlock * channelsOfBlock + floatsOfLine)),
               channelsOfBlock, tilesOfBlock * channelsOfBlock + floatsOfLine};
    results = {emit.stack(winograd::products * (tilesOfBlock * widthOfColumns + floatsOfLine)),
               widthOfColumns, tilesOfBlock * widthOfColumns + floatsOfLine};
    if (op.getByWeight())
      gradients = {
          emit.stack(winograd::products * (channelsOfBlock * widthOfColumns + floatsOfLine)),
          widthOfColumns, channelsOfBlock * widthOfColumns + floatsOfLine};
    const int64_t positions = std::max(channelsOfBlock, widthOfColumns);
    zeros = emit.stack(positions);
    emit.loop(0, positions, lanes, [&](Value i) { emit.storeLanes(emit.number(0), at(zeros, i)); });
    if (!op.getByWeight())
      nowhere = emit.stack(positions);
    const int64_t parts = op.getParts(), shares = op.getShares();
    emit.loop(emit.shareBegin(scope.share, parts, shares),
              emit.shareBegin(emit.add(scope.share, 1), parts, shares), 1, [&](Value part) {
                if (op.getByWeight())
                  byWeight(part);
                else
                  forwards(part);
              });
  }

private:
  /// 36 matrices on the stack.
  struct Matrices {
    Value pointer;
    int64_t row = 0, matrix = 0; ///< elements from one to the next
  };

  kernel::WinogradOp op;
  const TaskScope &scope;
  Emitter &emit;
  const Target &target;
  MicroKernels &microKernels;
  const Type f32;
  const int64_t tilesOfBlock, channelsOfBlock, channels, columns, widthOfColumns;
  Matrices windows, results; ///< Bᵀ d B; sums of products, or A dy Aᵀ
  Matrices gradients;        ///< sums over tiles
  Value zeros, nowhere;      ///< what is read outside an image; what is written outside

  //===--- small things -------------------------------------------------------------------------===//

  template <typename Op> Value make(Value a, Value b) {
    return Op::create(emit.builder, emit.location, a, b);
  }
  Value at(Value pointer, Value elements) { return emit.advance(pointer, elements, f32); }
  Value at(Value pointer, int64_t elements) { return emit.advance(pointer, elements, f32); }
  Value remainder(Value a, int64_t b) {
    return emit.builder.createOrFold<arith::RemSIOp>(emit.location, a, emit.constant(b));
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(emit.builder, emit.location, predicate, a, b);
  }
  /// Whether 0 ≤ a < b.
  Value isWithin(Value a, int64_t b) {
    return compare(arith::CmpIPredicate::ult, a, emit.constant(b));
  }
  Value both(Value a, Value b) { return make<arith::AndIOp>(a, b); }
  Value choose(Value condition, Value a, Value b) {
    return arith::SelectOp::create(emit.builder, emit.location, condition, a, b);
  }
  void either(Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise) {
    auto branch =
        scf::IfOp::create(emit.builder, emit.location, condition, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(emit.builder);
    emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
    then();
    emit.builder.setInsertionPoint(branch.elseBlock()->getTerminator());
    otherwise();
  }

  static int64_t blocksOf(int64_t extent, int64_t size) {
    return static_cast<int64_t>(llvm::divideCeil(extent, size));
  }
  /// The block with this number: body(its first, how many it has).
  void inBlock(Value block, int64_t extent, int64_t size,
               llvm::function_ref<void(Value, int64_t)> body) {
    const int64_t whole = extent / size, rest = extent % size;
    if (whole == 0)
      return body(emit.constant(0), rest);
    if (rest == 0)
      return body(emit.multiply(block, size), size);
    either(
        isWithin(block, whole), [&] { body(emit.multiply(block, size), size); },
        [&] { body(emit.constant(whole * size), rest); });
  }
  /// Vectors of a row: body(first element, mask where it is not full).
  void overVectors(int64_t count, llvm::function_ref<void(Value, Value)> body) {
    const int64_t whole = count / lanes * lanes;
    emit.loop(0, whole, lanes, [&](Value i) { body(i, {}); });
    if (whole < count)
      body(emit.constant(whole), emit.firstLanes(count - whole));
  }

  //===--- transforms ---------------------------------------------------------------------------===//

  /// Σ coefficient · value, one rounding a step.
  Value combine(ArrayRef<std::pair<double, Value>> terms) {
    // One that needs no factor comes first.
    size_t start = 0;
    for (auto [i, term] : llvm::enumerate(terms))
      if (term.first == 1) {
        start = i;
        break;
      }
    Value sum = terms[start].second;
    if (terms[start].first != 1)
      sum = make<arith::MulFOp>(sum, emit.number(terms[start].first));
    for (auto [i, term] : llvm::enumerate(terms)) {
      if (i == start)
        continue;
      sum = term.first == 1 ? make<arith::AddFOp>(sum, term.second)
                            : math::FmaOp::create(emit.builder, emit.location, term.second,
                                                  emit.number(term.first), sum)
                                  .getResult();
    }
    return sum;
  }
  /// Of row `row`, the columns from `first` on in steps of `step`.
  Value combineRow(Table table, int64_t row, ArrayRef<Value> values, int64_t first, int64_t step) {
    SmallVector<std::pair<double, Value>> terms;
    for (int64_t column = first; column < static_cast<int64_t>(values.size()); column += step)
      if (const double factor = table(row, column); factor != 0)
        terms.emplace_back(factor, values[column]);
    return combine(terms);
  }
  /// A table of six rows times `values`, where rows 1 and 2, and 3 and 4, differ in the sign of odd columns.
  SmallVector<Value> toProducts(Table table, ArrayRef<Value> values) {
    SmallVector<Value> result{combineRow(table, 0, values, 0, 1)};
    for (int64_t row : {1, 3}) {
      Value even = combineRow(table, row, values, 0, 2), odd = combineRow(table, row, values, 1, 2);
      result.push_back(make<arith::AddFOp>(even, odd));
      result.push_back(make<arith::SubFOp>(even, odd));
    }
    result.push_back(combineRow(table, 5, values, 0, 1));
    return result;
  }
  /// A table of six columns times `values`, where columns 1 and 2, and 3 and 4, differ in the sign of odd rows.
  SmallVector<Value> fromProducts(Table table, int64_t rows, ArrayRef<Value> values) {
    Value sums[2], differences[2];
    for (int64_t pair : {0, 1}) {
      sums[pair] = make<arith::AddFOp>(values[2 * pair + 1], values[2 * pair + 2]);
      differences[pair] = make<arith::SubFOp>(values[2 * pair + 1], values[2 * pair + 2]);
    }
    SmallVector<Value> result;
    for (int64_t row = 0; row < rows; ++row) {
      const Value *paired = row % 2 == 0 ? sums : differences;
      SmallVector<std::pair<double, Value>> terms;
      for (auto [column, value] : {std::pair<int64_t, Value>(0, values[0]),
                                   {1, paired[0]},
                                   {3, paired[1]},
                                   {5, values[5]}})
        if (const double factor = table(row, column); factor != 0)
          terms.emplace_back(factor, value);
      result.push_back(combine(terms));
    }
    return result;
  }

  static double windowTable(int64_t row, int64_t column) { return winograd::ofInput[row][column]; }
  static double outputTable(int64_t row, int64_t column) { return winograd::ofOutput[row][column]; }
  static double slopeTable(int64_t row, int64_t column) { return winograd::ofOutput[column][row]; }
  static double filterTable(int64_t row, int64_t column) { return winograd::ofFilter[column][row]; }

  /// A square of side `side` to 36 products at `to`, columns first.
  void squareToProducts(Table table, int64_t side, llvm::function_ref<Value(int64_t, int64_t)> load,
                        Value to, int64_t distance) {
    SmallVector<SmallVector<Value>> byColumn;
    for (int64_t column = 0; column < side; ++column) {
      SmallVector<Value> values;
      for (int64_t row = 0; row < side; ++row)
        values.push_back(load(row, column));
      byColumn.push_back(toProducts(table, values));
    }
    for (int64_t row = 0; row < winograd::inputs; ++row) {
      SmallVector<Value> values;
      for (int64_t column = 0; column < side; ++column)
        values.push_back(byColumn[column][row]);
      for (auto [column, value] : llvm::enumerate(toProducts(table, values)))
        emit.storeLanes(value, at(to, (row * winograd::inputs + column) * distance));
    }
  }
  /// 36 products at `from` to a square of side `side`.
  void productsToSquare(Table table, int64_t side, Value from, int64_t distance,
                        llvm::function_ref<void(int64_t, int64_t, Value)> store) {
    SmallVector<SmallVector<Value>> byColumn;
    for (int64_t column = 0; column < winograd::inputs; ++column) {
      SmallVector<Value> values;
      for (int64_t row = 0; row < winograd::inputs; ++row)
        values.push_back(
            emit.loadLanes(at(from, (row * winograd::inputs + column) * distance), f32));
      byColumn.push_back(fromProducts(table, side, values));
    }
    for (int64_t row = 0; row < side; ++row) {
      SmallVector<Value> values;
      for (int64_t column = 0; column < winograd::inputs; ++column)
        values.push_back(byColumn[column][row]);
      for (auto [column, value] : llvm::enumerate(fromProducts(table, side, values)))
        store(row, column, value);
    }
  }

  //===--- where tiles lie ----------------------------------------------------------------------===//

  struct Tile {
    Value image, y, x; ///< the first output; far outside where there is no such tile
  };
  Tile tileAt(Value tile) {
    const int64_t across = op.getTilesAcross(), ofImage = op.getTilesDown() * across;
    const Value inImage = remainder(tile, ofImage);
    Value y = emit.multiply(emit.divide(inImage, across), winograd::outputs);
    if (op.getTiles() % tilesOfBlock != 0)
      y = choose(isWithin(tile, op.getTiles()), y, emit.constant(outside));
    return {emit.divide(tile, ofImage), y,
            emit.multiply(remainder(inImage, across), winograd::outputs)};
  }

  /// Of squares that begin `before` in front of each of `count` tiles: whether any, or all, lie within `extent`.
  static bool someLieWithin(int64_t count, int64_t before, int64_t side, int64_t extent) {
    for (int64_t tile = 0; tile < count; ++tile)
      if (const int64_t low = tile * winograd::outputs - before; low >= 0 && low + side <= extent)
        return true;
    return false;
  }
  static bool allLieWithin(int64_t count, int64_t before, int64_t side, int64_t extent) {
    return before == 0 && (count - 1) * winograd::outputs + side <= extent;
  }

  /// A tile's square in an operand [B, H, W, C], from channel `channel` on: body(where its positions lie). Positions outside
  /// the image are `elsewhere`.
  void inSquare(unsigned operand, const Tile &tile, int64_t top, int64_t left, int64_t side,
                Value channel, Value elsewhere,
                llvm::function_ref<void(llvm::function_ref<Value(int64_t, int64_t)>)> body) {
    const ArrayRef<int64_t> shape = op.shapeOf(operand);
    const int64_t height = shape[1], width = shape[2], stride = shape[3];
    const int64_t down = op.getTilesDown(), across = op.getTilesAcross();
    const Value y = emit.add(tile.y, -top), x = emit.add(tile.x, -left);
    Value position = make<arith::AddIOp>(emit.multiply(tile.image, height), y);
    position = make<arith::AddIOp>(emit.multiply(position, width), x);
    const Value corner = at(at(scope.pointers[operand], channel), emit.multiply(position, stride));
    const auto inside = [&](int64_t row, int64_t column) {
      return at(corner, (row * width + column) * stride);
    };
    const auto atBorder = [&] {
      SmallVector<Value> rows, pointers;
      for (int64_t row = 0; row < side; ++row)
        rows.push_back(isWithin(emit.add(y, row), height));
      for (int64_t column = 0; column < side; ++column) {
        Value there = isWithin(emit.add(x, column), width);
        for (int64_t row = 0; row < side; ++row)
          pointers.push_back(choose(both(rows[row], there), inside(row, column), elsewhere));
      }
      body([&](int64_t row, int64_t column) { return pointers[column * side + row]; });
    };
    if (!someLieWithin(down, top, side, height) || !someLieWithin(across, left, side, width))
      return atBorder();
    if (op.getTiles() % tilesOfBlock == 0 && allLieWithin(down, top, side, height) &&
        allLieWithin(across, left, side, width))
      return body(inside);
    either(
        both(isWithin(y, height - side + 1), isWithin(x, width - side + 1)), [&] { body(inside); },
        atBorder);
  }

  //===--- blocks -------------------------------------------------------------------------------===//

  /// Squares of a chunk of tiles to products: `count` channels of an operand from `channel` on.
  void transformTiles(unsigned operand, Table table, int64_t top, int64_t left, int64_t side,
                      Value chunk, Value channel, int64_t count, const Matrices &to) {
    emit.loop(0, tilesOfBlock, 1, [&](Value i) {
      const Tile tile = tileAt(make<arith::AddIOp>(emit.multiply(chunk, tilesOfBlock), i));
      const Value row = at(to.pointer, emit.multiply(i, to.row));
      inSquare(operand, tile, top, left, side, channel, zeros, [&](auto place) {
        overVectors(count, [&](Value element, Value mask) {
          squareToProducts(
              table, side,
              [&](int64_t r, int64_t c) {
                return emit.loadLanes(at(place(r, c), element), f32, mask);
              },
              at(row, element), to.matrix);
        });
      });
    });
  }
  void transformWindows(Value chunk, Value channel, int64_t count) {
    transformTiles(0, windowTable, op.getPadding()[0], op.getPadding()[1], winograd::inputs, chunk,
                   channel, count, windows);
  }

  /// A product of each of the 36 matrices: `product` is the first one, whose operands go on a matrix further each.
  void multiply(const StackProduct &product, int64_t matrixA, int64_t matrixB, int64_t matrixC) {
    emit.loop(0, winograd::products, 1, [&](Value matrix) {
      StackProduct p = product;
      p.a = at(p.a, emit.multiply(matrix, matrixA));
      p.b = at(p.b, emit.multiply(matrix, matrixB));
      p.c = at(p.c, emit.multiply(matrix, matrixC));
      emitProduct(emit, p, target, microKernels, op.getLoc());
    });
  }

  //===--- the convolution ----------------------------------------------------------------------===//

  void forwards(Value part) {
    const int64_t blocks = blocksOf(columns, kernel::WinogradOp::columnsOfBlock);
    const Value chunk = emit.divide(part, blocks);
    inBlock(remainder(part, blocks), columns, kernel::WinogradOp::columnsOfBlock,
            [&](Value column, int64_t count) {
              const int64_t whole = channels / channelsOfBlock, rest = channels % channelsOfBlock;
              emit.loop(0, whole, 1, [&](Value i) {
                sumChannels(chunk, emit.multiply(i, channelsOfBlock), channelsOfBlock, column,
                            count, whole == 1 ? When::Always : When::Dynamic,
                            compare(arith::CmpIPredicate::eq, i, emit.constant(0)));
              });
              if (rest != 0)
                sumChannels(chunk, emit.constant(whole * channelsOfBlock), rest, column, count,
                            whole == 0 ? When::Always : When::Never, {});
              writeTiles(chunk, column, count);
            });
  }
  void sumChannels(Value chunk, Value channel, int64_t numChannels, Value column, int64_t count,
                   When when, Value isFirst) {
    transformWindows(chunk, channel, numChannels);
    const Value filters = at(at(scope.pointers[1], column), emit.multiply(channel, columns));
    multiply({tilesOfBlock, count, numChannels, windows.pointer, windows.row, 1, filters, columns,
              results.pointer, results.row, when, isFirst},
             windows.matrix, channels * columns, results.matrix);
  }
  void writeTiles(Value chunk, Value column, int64_t count) {
    emit.loop(0, tilesOfBlock, 1, [&](Value i) {
      const Tile tile = tileAt(make<arith::AddIOp>(emit.multiply(chunk, tilesOfBlock), i));
      const Value row = at(results.pointer, emit.multiply(i, results.row));
      inSquare(2, tile, 0, 0, winograd::outputs, column, nowhere, [&](auto place) {
        overVectors(count, [&](Value element, Value mask) {
          productsToSquare(outputTable, winograd::outputs, at(row, element), results.matrix,
                           [&](int64_t r, int64_t c, Value value) {
                             emit.storeLanes(value, at(place(r, c), element), mask);
                           });
        });
      });
    });
  }

  //===--- its gradient by weight ---------------------------------------------------------------===//

  void byWeight(Value part) {
    const int64_t blocks = blocksOf(columns, kernel::WinogradOp::columnsOfBlock);
    const int64_t channelBlocks = blocksOf(channels, channelsOfBlock);
    const Value inShard = remainder(part, blocks * channelBlocks);
    const Value shard = emit.divide(part, blocks * channelBlocks);
    inBlock(remainder(inShard, blocks), columns, kernel::WinogradOp::columnsOfBlock,
            [&](Value column, int64_t count) {
              inBlock(emit.divide(inShard, blocks), channels, channelsOfBlock,
                      [&](Value channel, int64_t numChannels) {
                        byWeight(shard, channel, numChannels, column, count);
                      });
            });
  }
  void byWeight(Value shard, Value channel, int64_t numChannels, Value column, int64_t count) {
    const int64_t chunks = op.getChunks(), shards = op.getShards();
    const Value low = emit.shareBegin(shard, chunks, shards);
    const Value high = emit.shareBegin(emit.add(shard, 1), chunks, shards);
    emit.loop(low, high, 1, [&](Value chunk) {
      transformWindows(chunk, channel, numChannels);
      transformTiles(1, slopeTable, 0, 0, winograd::outputs, chunk, column, count, results);
      multiply({numChannels, static_cast<int64_t>(llvm::alignTo(count, lanes)), tilesOfBlock,
                windows.pointer, 1, windows.row, results.pointer, results.row, gradients.pointer,
                gradients.row, When::Dynamic, compare(arith::CmpIPredicate::eq, chunk, low)},
               windows.matrix, results.matrix, gradients.matrix);
    });
    const int64_t tap = channels * columns;
    Value to = at(scope.pointers[2], emit.multiply(shard, winograd::taps * winograd::taps * tap));
    to = at(at(to, emit.multiply(channel, columns)), column);
    emit.loop(0, numChannels, 1, [&](Value i) {
      overVectors(count, [&](Value element, Value mask) {
        const Value from = at(at(gradients.pointer, emit.multiply(i, gradients.row)), element);
        const Value row = at(at(to, emit.multiply(i, columns)), element);
        productsToSquare(filterTable, winograd::taps, from, gradients.matrix,
                         [&](int64_t r, int64_t s, Value value) {
                           emit.storeLanes(value, at(row, (r * winograd::taps + s) * tap), mask);
                         });
      });
    });
  }
};

} // namespace

void emitWinograd(kernel::WinogradOp op, const TaskScope &scope, const Target &target,
                  MicroKernels &microKernels) {
  WinogradEmitter(op, scope, target, microKernels).run();
}

} // namespace sinter::codegen
