//===- EmitWinograd.cpp - convolutions in tiles of 4 × 4 outputs ----------------------------------===//
// Of a block of tiles and channels the windows are transformed onto the stack, as [product][tile][channel], where the 36 products of matrices
// find them in the second-level cache; what these give lies there likewise until the tiles' outputs are made of it. Matrices are
// a line of the cache further apart than they are long: 36 that begin a power of two apart would share one set of the first-level cache.
// Products go through micro-kernels, whose shape changes no bit; blocks, shards and their order are the op's.

#include "compiler/codegen/Access.h"
#include "compiler/codegen/Body.h"
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
    if (op.getByWeight() || op.makesFilters())
      filters = {emit.stack(winograd::products * (channelsOfBlock * widthOfColumns + floatsOfLine)),
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
  Matrices filters;          ///< G w Gᵀ; by weight, sums over tiles
  Value squares;             ///< taps of sixteen channels by sixteen columns, turned
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
  static double tapTable(int64_t row, int64_t column) { return winograd::ofFilter[row][column]; }
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

  /// What is walked with a tile: a channel of a tensor whose positions lie so many elements apart, or what stands for positions outside of images.
  struct Plane {
    Value pointer; ///< of the position [0, 0, 0]
    Type element;
    int64_t image, row, column;
    Value elsewhere;
  };
  using Place = llvm::function_ref<Value(size_t plane, int64_t row, int64_t column)>;
  Plane planeOf(unsigned operand, Value channel, Value elsewhere) {
    const ArrayRef<int64_t> shape = op.shapeOf(operand);
    return {at(scope.pointers[operand], channel),
            f32,
            shape[1] * shape[2] * shape[3],
            shape[2] * shape[3],
            shape[3],
            elsewhere};
  }

  /// A tile's square in images of `height` by `width`: body(where its positions lie in each plane).
  void inSquare(ArrayRef<Plane> planes, int64_t height, int64_t width, const Tile &tile,
                int64_t top, int64_t left, int64_t side, llvm::function_ref<void(Place)> body) {
    const int64_t down = op.getTilesDown(), across = op.getTilesAcross();
    const Value y = emit.add(tile.y, -top), x = emit.add(tile.x, -left);
    SmallVector<Value> corners;
    for (const Plane &plane : planes) {
      Value position =
          make<arith::AddIOp>(emit.multiply(tile.image, plane.image), emit.multiply(y, plane.row));
      position = make<arith::AddIOp>(position, emit.multiply(x, plane.column));
      corners.push_back(emit.advance(plane.pointer, position, plane.element));
    }
    const auto inside = [&](size_t plane, int64_t row, int64_t column) {
      return emit.advance(corners[plane], row * planes[plane].row + column * planes[plane].column,
                          planes[plane].element);
    };
    const auto atBorder = [&] {
      SmallVector<Value> rows;
      SmallVector<SmallVector<Value>> pointers(planes.size());
      for (int64_t row = 0; row < side; ++row)
        rows.push_back(isWithin(emit.add(y, row), height));
      for (int64_t column = 0; column < side; ++column) {
        Value there = isWithin(emit.add(x, column), width);
        for (int64_t row = 0; row < side; ++row) {
          const Value isInside = both(rows[row], there);
          for (auto [plane, of] : llvm::enumerate(pointers))
            of.push_back(choose(isInside, inside(plane, row, column), planes[plane].elsewhere));
        }
      }
      body([&](size_t plane, int64_t row, int64_t column) {
        return pointers[plane][column * side + row];
      });
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
    const ArrayRef<int64_t> image = op.shapeOf(operand);
    emit.loop(0, tilesOfBlock, 1, [&](Value i) {
      const Tile tile = tileAt(make<arith::AddIOp>(emit.multiply(chunk, tilesOfBlock), i));
      const Value row = at(to.pointer, emit.multiply(i, to.row));
      const Plane plane = planeOf(operand, channel, zeros);
      inSquare(plane, image[1], image[2], tile, top, left, side, [&](Place place) {
        overVectors(count, [&](Value element, Value mask) {
          squareToProducts(
              table, side,
              [&](int64_t r, int64_t c) {
                return emit.loadLanes(at(place(0, r, c), element), f32, mask);
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
    StackProduct product{
        tilesOfBlock,    count,       numChannels,     windows.pointer, windows.row, 1,
        filters.pointer, filters.row, results.pointer, results.row,     when,        isFirst};
    int64_t matrix = filters.matrix;
    if (!op.makesFilters()) {
      product.b = at(at(scope.pointers[1], column), emit.multiply(channel, columns));
      product.stepB = columns;
      matrix = channels * columns;
    } else if (op.getTurned())
      makeTurnedFilters(channel, numChannels, column, count);
    else
      makeFilters(channel, numChannels, column, count);
    multiply(product, windows.matrix, matrix, results.matrix);
  }

  /// The filters of a block, of w [3, 3, channels, columns].
  void makeFilters(Value channel, int64_t numChannels, Value column, int64_t count) {
    const Value from = at(at(scope.pointers[1], column), emit.multiply(channel, columns));
    emit.loop(0, numChannels, 1, [&](Value i) {
      overVectors(count, [&](Value element, Value mask) {
        const Value taps = at(at(from, emit.multiply(i, columns)), element);
        squareToProducts(
            tapTable, winograd::taps,
            [&](int64_t r, int64_t s) {
              return emit.loadLanes(at(taps, (r * winograd::taps + s) * channels * columns), f32,
                                    mask);
            },
            at(at(filters.pointer, emit.multiply(i, filters.row)), element), filters.matrix);
      });
    });
  }
  /// The same of w [3, 3, columns, channels], whose taps go the other way round: sixteen channels by sixteen columns at a time.
  void makeTurnedFilters(Value channel, int64_t numChannels, Value column, int64_t count) {
    constexpr int64_t square = lanes * lanes, last = winograd::taps * winograd::taps - 1;
    if (!squares)
      squares = emit.stack((last + 1) * square);
    const Value from = at(at(scope.pointers[1], channel), emit.multiply(column, channels));
    const auto overParts = [&](int64_t extent, llvm::function_ref<void(Value, int64_t)> body) {
      const int64_t whole = extent / lanes * lanes;
      emit.loop(0, whole, lanes, [&](Value i) { body(i, lanes); });
      if (whole < extent)
        body(emit.constant(whole), extent - whole);
    };
    overParts(count, [&](Value element, int64_t numColumns) {
      overParts(numChannels, [&](Value first, int64_t numRows) {
        const Value corner = at(at(from, first), emit.multiply(element, channels));
        emit.loop(0, last + 1, 1, [&](Value tap) {
          const Value row = at(corner, emit.multiply(tap, channels * columns));
          const Value to = at(squares, emit.multiply(tap, square));
          SmallVector<Value> rows;
          for (int64_t i = 0; i < numColumns; ++i)
            rows.push_back(emit.loadLanes(at(row, i * channels), f32,
                                          numRows == lanes ? Value() : emit.firstLanes(numRows)));
          const SmallVector<Value> turned = emit.transpose(std::move(rows));
          for (int64_t i = 0; i < numRows; ++i)
            emit.storeLanes(turned[i], at(to, i * lanes));
        });
        emit.loop(0, numRows, 1, [&](Value i) {
          const Value taps = at(squares, emit.multiply(i, lanes));
          const Value row =
              at(filters.pointer, emit.multiply(make<arith::AddIOp>(first, i), filters.row));
          squareToProducts(
              tapTable, winograd::taps,
              [&](int64_t r, int64_t s) {
                return emit.loadLanes(at(taps, (last - (r * winograd::taps + s)) * square), f32);
              },
              at(row, element), filters.matrix);
        });
      });
    });
  }
  void writeTiles(Value chunk, Value column, int64_t count) {
    const ArrayRef<int64_t> image = op.shapeOfResult();
    emit.loop(0, tilesOfBlock, 1, [&](Value i) {
      const Tile tile = tileAt(make<arith::AddIOp>(emit.multiply(chunk, tilesOfBlock), i));
      const Value row = at(results.pointer, emit.multiply(i, results.row));
      SmallVector<Plane> planes{planeOf(op->getNumOperands() - 1, column, nowhere)};
      for (unsigned with = 0; with < op.getWith().size(); ++with)
        planes.push_back(planeOfRead(with, column));
      inSquare(planes, image[1], image[2], tile, 0, 0, winograd::outputs, [&](Place place) {
        overVectors(count, [&](Value element, Value mask) {
          productsToSquare(outputTable, winograd::outputs, at(row, element), results.matrix,
                           [&](int64_t r, int64_t c, Value value) {
                             const auto placeOf = [&](size_t plane) { return place(plane, r, c); };
                             emit.storeLanes(finished(value, placeOf, element, mask),
                                             at(place(0, r, c), element), mask);
                           });
        });
      });
    });
  }

  /// By how many elements a value that the epilogue reads moves with an axis of the result.
  int64_t strideOfRead(unsigned with, unsigned axis) {
    const ArrayRef<int64_t> shape = cast<ShapedType>(op.getWith()[with].getType()).getShape();
    return composeAccess(op.getRead(with), shape)->strides[axis];
  }
  Plane planeOfRead(unsigned with, Value column) {
    const Type element = cast<ShapedType>(op.getWith()[with].getType()).getElementType();
    Value pointer = scope.pointers[2 + with];
    if (strideOfRead(with, 3) != 0)
      pointer = emit.advance(pointer, column, element);
    return {pointer, element, strideOfRead(with, 0), strideOfRead(with, 1), strideOfRead(with, 2),
            zeros};
  }
  /// What the epilogue makes of sixteen neighbours from column `element` of the block on; values lie at planes 1, 2, ….
  Value finished(Value sum, llvm::function_ref<Value(size_t)> place, Value element, Value mask) {
    if (op.getEpilogue().empty())
      return sum;
    Block &body = op.getEpilogue().front();
    IRMapping mapping;
    mapping.map(body.getArgument(0), sum);
    for (auto [with, value] : llvm::enumerate(op.getWith())) {
      const Type type = cast<ShapedType>(value.getType()).getElementType();
      const Value from = place(1 + with);
      mapping.map(body.getArgument(1 + with),
                  strideOfRead(with, 3) == 0
                      ? emit.load(from, type)
                      : emit.loadLanes(emit.advance(from, element, type), type, mask));
    }
    return emitBody(emit, body, mapping, /*vectors=*/true, [](int64_t) -> Value {
      llvm_unreachable("the epilogue has no coordinates");
    })[0];
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
                windows.pointer, 1, windows.row, results.pointer, results.row, filters.pointer,
                filters.row, When::Dynamic, compare(arith::CmpIPredicate::eq, chunk, low)},
               windows.matrix, results.matrix, filters.matrix);
    });
    const int64_t tap = channels * columns;
    Value to =
        at(scope.pointers.back(), emit.multiply(shard, winograd::taps * winograd::taps * tap));
    to = at(at(to, emit.multiply(channel, columns)), column);
    emit.loop(0, numChannels, 1, [&](Value i) {
      overVectors(count, [&](Value element, Value mask) {
        const Value from = at(at(filters.pointer, emit.multiply(i, filters.row)), element);
        const Value row = at(at(to, emit.multiply(i, columns)), element);
        productsToSquare(filterTable, winograd::taps, from, filters.matrix,
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
