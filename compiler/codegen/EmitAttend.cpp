//===- EmitAttend.cpp - attention in tiles of scores ----------------------------------------------===//
// A tile of scores lies on the stack with keys as rows and queries side by side in vectors: what a softmax needs of a query (the largest score, the
// sum) is found without a step across lanes, and every product of a tile reads its operands where they lie, but for the queries (backwards also dy), which are
// turned once a tile of queries. Rows that a product walks again and again are copied side by side before: those of a head lie as far apart as
// all heads are wide, often a power of two, and would crowd a few places of the first-level cache. Products go through micro-kernels, whose
// shape changes no bit; tiles and their order are the op's.

#include "compiler/codegen/Body.h"
#include "compiler/codegen/Caches.h"
#include "compiler/codegen/Passes.h"
#include "compiler/codegen/StackProduct.h"
#include "compiler/codegen/Tasks.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Queries and keys of the smallest part of a tile that is left out where it is hidden as a whole.
constexpr int64_t hiddenTogether = 16;
static_assert(hiddenTogether % lanes == 0);
/// Keys that draw from one counter (train.random), and rows between two of them.
constexpr int64_t drawnTogether = 64;

class AttendEmitter {
public:
  AttendEmitter(kernel::AttendOp op, const TaskScope &scope, const Target &target,
                MicroKernels &microKernels)
      : op(op), scope(scope), emit(scope.emitter), target(target), microKernels(microKernels),
        f32(emit.builder.getF32Type()), queries(op.getQueries()), keys(op.getKeys()),
        heads(op.getHeads()), size(op.getSize()), stride(heads * size),
        tileQueries(op.getBlock()[0]), tileKeys(op.getBlock()[1]) {}

  void run() {
    const int64_t parts = op.getParts(), shares = op.getShares();
    turnedQueries = emit.stack(size * tileQueries);
    scores = emit.stack(tileKeys * tileQueries);
    nearKeys = nearRows(tileKeys);
    rowScale = emit.stack(tileQueries);
    if (op.getBackwards()) {
      turnedDy = emit.stack(size * tileQueries);
      nearQueries = nearRows(tileQueries);
      nearDy = nearRows(tileQueries);
      slopes = emit.stack(tileKeys * tileQueries);
      through = emit.stack(tileQueries);
    } else {
      largest = emit.stack(tileQueries);
      total = emit.stack(tileQueries);
    }
    emit.loop(emit.shareBegin(scope.share, parts, shares),
              emit.shareBegin(emit.add(scope.share, 1), parts, shares), 1, [&](Value part) {
                if (op.getBackwards())
                  backwards(part);
                else
                  forwards(part);
              });
  }

private:
  kernel::AttendOp op;
  const TaskScope &scope;
  Emitter &emit;
  const Target &target;
  MicroKernels &microKernels;
  const Type f32;
  const int64_t queries, keys, heads, size;
  const int64_t stride; ///< elements from one position to the next
  const int64_t tileQueries, tileKeys;
  // On the stack: [column][query]; [key][query]; one number a query.
  Value turnedQueries, turnedDy, scores, slopes, largest, total, rowScale, through;
  Value nearKeys, nearQueries,
      nearDy;          ///< [row][column], with rows side by side; null where they lie so already
  Value example, head; ///< where the loops stand
  Value nextExample, nextHead; ///< where they will stand

  //===--- small things -------------------------------------------------------------------------===//

  template <typename Op> Value make(Value a, Value b) {
    return Op::create(emit.builder, emit.location, a, b);
  }
  Value least(Value a, Value b) { return make<arith::MinSIOp>(a, b); }
  Value isBelow(Value a, Value b) {
    return arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::slt, a, b);
  }
  Value at(Value pointer, Value elements) { return emit.advance(pointer, elements, f32); }
  Value at(Value pointer, int64_t elements) { return emit.advance(pointer, elements, f32); }
  /// From the first position of an example's head to another.
  Value position(Value pointer, Value number) { return at(pointer, emit.multiply(number, stride)); }
  static int64_t vectorsOf(int64_t elements) { return llvm::divideCeil(elements, lanes); }
  static int64_t widthOf(int64_t elements) { return vectorsOf(elements) * lanes; }
  Value loadVector(Value pointer, int64_t vector, Value mask = {}) {
    return emit.loadLanes(at(pointer, vector * lanes), f32, mask);
  }
  void storeVector(Value value, Value pointer, int64_t vector, Value mask = {}) {
    emit.storeLanes(value, at(pointer, vector * lanes), mask);
  }

  /// The loop that is being written holds the same chain for several vectors.
  void interleave() {
    if (auto loop = dyn_cast<scf::ForOp>(emit.builder.getInsertionBlock()->getParentOp()))
      loop->setAttr(interleavedAttribute, emit.builder.getUnitAttr());
  }

  /// Vectors of a row of columns: body(first column, mask where it is not full).
  void overColumns(llvm::function_ref<void(Value, Value)> body) {
    const int64_t whole = size / lanes * lanes;
    emit.loop(0, whole, lanes, [&](Value column) { body(column, {}); });
    if (whole < size)
      body(emit.constant(whole), emit.firstLanes(size - whole));
  }

  void zeroRows(Value pointer, int64_t count) {
    emit.loop(0, count, 1, [&](Value row) {
      overColumns([&](Value column, Value mask) {
        emit.storeLanes(emit.number(0), at(position(pointer, row), column), mask);
      });
    });
  }

  /// Row t of `pointer` times rowScale[t].
  void scaleRows(Value pointer, int64_t count) {
    emit.loop(0, count, 1, [&](Value row) {
      Value factor = emit.splat(emit.load(at(rowScale, row), f32));
      overColumns([&](Value column, Value mask) {
        Value place = at(position(pointer, row), column);
        emit.storeLanes(make<arith::MulFOp>(emit.loadLanes(place, f32, mask), factor), place, mask);
      });
    });
  }

  /// to[column][row] = factor · from[row][column]; lanes behind the last row hold another row's.
  void turn(Value from, int64_t count, double factor, Value to) {
    const int64_t width = widthOf(count);
    for (int64_t vector = 0; vector < vectorsOf(count); ++vector)
      overColumns([&](Value column, Value mask) {
        SmallVector<Value> rows;
        for (int64_t row = vector * lanes; row < std::min(count, (vector + 1) * lanes); ++row)
          rows.push_back(emit.loadLanes(at(at(from, row * stride), column), f32, mask));
        const SmallVector<Value> columns = emit.transpose(std::move(rows));
        Value place = at(to, emit.multiply(column, width));
        for (int64_t i = 0; i < (mask ? size % lanes : lanes); ++i) {
          Value value = columns[i];
          if (factor != 1)
            value = make<arith::MulFOp>(value, emit.number(factor));
          storeVector(value, at(place, i * width), vector);
        }
      });
  }

  //===--- rows side by side --------------------------------------------------------------------===//

  /// Rows of an operand, and how far one lies from the next.
  struct Rows {
    Value first;
    int64_t stride;
  };
  bool liesApart() const { return heads > 1; }
  Value nearRows(int64_t count) {
    return liesApart() ? emit.stack(count * widthOf(size)) : Value();
  }

  /// `count` rows from `from`, copied to `near` where they lie apart.
  Rows sideBySide(Value from, int64_t count, Value near) {
    if (!liesApart())
      return {from, stride};
    const int64_t width = widthOf(size);
    emit.loop(0, count, 1, [&](Value row) {
      overColumns([&](Value column, Value mask) {
        Value values = emit.loadLanes(at(position(from, row), column), f32, mask);
        emit.storeLanes(values, at(at(near, emit.multiply(row, width)), column), mask);
      });
    });
    return {near, width};
  }

  //===--- what comes next ----------------------------------------------------------------------===//

  /// While one pair of example and head is worked on, the rows of the next one are asked for: they lie too far apart for the CPU to foresee them.
  /// Of more bytes than are near the two would not stay in the second-level cache together, and work outweighs memory anyway.
  bool fetchesAhead() {
    const int64_t ofQueries = op.getBackwards() ? 4 : 2, ofKeys = op.getBackwards() ? 4 : 2;
    return (ofQueries * queries + ofKeys * keys) * size * 4 <= nearBytes;
  }
  /// Rows of operands of the next pair, from a position on.
  SmallVector<RowsToCome> toCome(ArrayRef<unsigned> operands, int64_t positions, Value from,
                                 int64_t count) {
    SmallVector<RowsToCome> rows;
    if (fetchesAhead())
      for (unsigned operand : operands)
        rows.push_back({position(ofPair(operand, positions, nextExample, nextHead), from),
                        {count, stride, size}});
    return rows;
  }
  /// Of rows that parts of a tile ask for together, one part's.
  SmallVector<RowsToCome> partOf(ArrayRef<RowsToCome> rows, size_t number, size_t parts) {
    const auto part = static_cast<int64_t>(number), all = static_cast<int64_t>(parts);
    SmallVector<RowsToCome> result(rows);
    for (RowsToCome &row : result) {
      const int64_t low = row.rows.rows * part / all, high = row.rows.rows * (part + 1) / all;
      row.first = at(row.first, low * row.rows.stride);
      row.rows.rows = high - low;
    }
    llvm::erase_if(result, [](const RowsToCome &row) { return row.rows.rows == 0; });
    return result;
  }

  //===--- products -----------------------------------------------------------------------------===//

  void multiply(const StackProduct &product) {
    emitProduct(emit, product, target, microKernels, op.getLoc());
  }

  /// The tile of scores on the diagonal: key i is hidden from the queries before i. Where a rest meets a whole tile, nothing is hidden or all is.
  bool isDiagonal(int64_t count, int64_t seen, bool hides) const {
    return hides && queries == keys && count == seen &&
           (tileQueries == tileKeys || (tileQueries >= queries && tileKeys >= keys));
  }

  /// Keys of a tile, and the first query that some of them may be seen by.
  struct Part {
    int64_t begin, end, firstQuery;
    bool isOnDiagonal = false;
  };
  /// A tile in parts that leave out what is hidden as a whole.
  SmallVector<Part> partsOf(int64_t count, int64_t seen, bool hides) const {
    if (!isDiagonal(count, seen, hides))
      return {{0, seen, 0}};
    SmallVector<Part> parts;
    for (int64_t begin = 0; begin < seen; begin += hiddenTogether)
      parts.push_back({begin, std::min(begin + hiddenTogether, seen), begin, true});
    return parts;
  }

  /// to[key][query] = Σ over columns of rows[key] · turned[column][query]
  void multiplyScores(ArrayRef<Part> parts, int64_t width, Rows rows, Value turned, Value to,
                      ArrayRef<RowsToCome> ahead) {
    for (auto [i, part] : llvm::enumerate(parts))
      multiply({part.end - part.begin,
                width - part.firstQuery,
                size,
                at(rows.first, part.begin * rows.stride),
                rows.stride,
                1,
                at(turned, part.firstQuery),
                width,
                at(to, part.begin * width + part.firstQuery),
                width,
                When::Always,
                {},
                partOf(ahead, i, parts.size())});
  }
  /// to[key] += Σ over queries of tile[key][query] · rows[query]
  void addByKeys(ArrayRef<Part> parts, int64_t count, Value tile, Rows rows, Value to,
                 ArrayRef<RowsToCome> ahead) {
    const int64_t width = widthOf(count);
    for (auto [i, part] : llvm::enumerate(parts))
      multiply({part.end - part.begin,
                size,
                count - part.firstQuery,
                at(tile, part.begin * width + part.firstQuery),
                width,
                1,
                at(rows.first, part.firstQuery * rows.stride),
                rows.stride,
                at(to, part.begin * stride),
                stride,
                When::Never,
                {},
                partOf(ahead, i, parts.size())});
  }
  /// to[query] += Σ over keys of tile[key][query] · rows[key]
  void addByQueries(ArrayRef<Part> parts, int64_t count, Value tile, Rows rows, Value to,
                    ArrayRef<RowsToCome> ahead) {
    const int64_t width = widthOf(count);
    for (auto [i, part] : llvm::enumerate(parts)) {
      // The queries before the next part's see no more keys than this one's.
      const int64_t end = i + 1 < parts.size() ? parts[i + 1].firstQuery : count;
      multiply({end - part.firstQuery,
                size,
                part.end,
                at(tile, part.firstQuery),
                1,
                width,
                rows.first,
                rows.stride,
                at(to, part.firstQuery * stride),
                stride,
                When::Never,
                {},
                partOf(ahead, i, parts.size())});
    }
  }

  //===--- where tiles lie ----------------------------------------------------------------------===//

  /// The pair of example and head with this number; its first position in an operand, of queries or of keys.
  void standAt(Value pair) {
    example = emit.divide(pair, heads);
    head = make<arith::RemSIOp>(pair, emit.constant(heads));
    const Value next = emit.add(pair, 1);
    nextExample = emit.divide(next, heads);
    nextHead = make<arith::RemSIOp>(next, emit.constant(heads));
  }
  Value ofQueries(unsigned operand) { return ofPair(operand, queries, example, head); }
  Value ofKeys(unsigned operand) { return ofPair(operand, keys, example, head); }
  Value ofPair(unsigned operand, int64_t positions, Value ofExample, Value ofHead) {
    return at(scope.pointers[operand],
              emit.add(emit.multiply(ofExample, positions * stride), emit.multiply(ofHead, size)));
  }
  Value rowsOf(unsigned operand, Value pair) {
    return at(scope.pointers[operand], emit.multiply(pair, queries));
  }
  /// The operand number of an output.
  unsigned output(unsigned index) {
    return op->getNumOperands() - static_cast<unsigned>(op.getOutputs().size()) + index;
  }

  /// The tile of queries with this number: body(its first, how many it has).
  void inTile(Value tile, llvm::function_ref<void(Value, int64_t)> body) {
    const int64_t whole = queries / tileQueries, rest = queries % tileQueries;
    if (rest == 0)
      return body(emit.multiply(tile, tileQueries), tileQueries);
    if (whole == 0)
      return body(emit.constant(0), rest);
    auto branch = scf::IfOp::create(emit.builder, emit.location,
                                    isBelow(tile, emit.constant(whole)), /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(emit.builder);
    emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
    body(emit.multiply(tile, tileQueries), tileQueries);
    emit.builder.setInsertionPoint(branch.elseBlock()->getTerminator());
    body(emit.constant(whole * tileQueries), rest);
  }

  /// Tiles of keys that `count` queries from `first` see, in their order: body(first key, how many, whether some are hidden).
  void overKeys(Value first, int64_t count, llvm::function_ref<void(Value, int64_t, bool)> body) {
    const int64_t whole = keys / tileKeys, rest = keys % tileKeys;
    const Value all = emit.constant(whole);
    auto wholeTiles = [&](Value low, Value high, bool hides) {
      emit.loop(low, high, 1,
                [&](Value tile) { body(emit.multiply(tile, tileKeys), tileKeys, hides); });
    };
    if (!op.getCausal()) {
      if (whole > 0)
        wholeTiles(emit.constant(0), all, false);
      if (rest > 0)
        body(emit.constant(whole * tileKeys), rest, false);
      return;
    }
    if (whole > 0) {
      Value seenByAll = least(emit.divide(emit.add(first, 1), tileKeys), all);
      Value seen = least(emit.divide(emit.add(first, count + tileKeys - 1), tileKeys), all);
      wholeTiles(emit.constant(0), seenByAll, false);
      wholeTiles(seenByAll, seen, true);
    }
    if (rest == 0)
      return;
    Value seesRest = isBelow(emit.constant(whole * tileKeys), emit.add(first, count));
    auto branch =
        scf::IfOp::create(emit.builder, emit.location, seesRest, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(emit.builder);
    emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
    body(emit.constant(whole * tileKeys), rest, true);
  }

  /// Of a vector of queries: those that see the key. `query` is the vector's first.
  Value sees(Value query, Value key) {
    const Type i32 = emit.builder.getI32Type();
    SmallVector<int32_t> numbers(lanes);
    for (int32_t lane = 0; lane < lanes; ++lane)
      numbers[lane] = lane;
    Value lane = arith::ConstantOp::create(
        emit.builder, emit.location,
        DenseElementsAttr::get(Emitter::vectorOf(i32), ArrayRef<int32_t>(numbers)));
    Value ahead =
        arith::TruncIOp::create(emit.builder, emit.location, i32, make<arith::SubIOp>(key, query));
    return arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::sge, lane,
                                 emit.splat(ahead));
  }
  Value choose(Value condition, Value a, Value b) {
    return arith::SelectOp::create(emit.builder, emit.location, condition, a, b);
  }

  /// The factors of a vector of probabilities.
  Value keep(Value query, Value key) {
    const Type index = emit.builder.getIndexType(), i32 = emit.builder.getI32Type();
    auto asIndex = [&](Value value) -> Value {
      return arith::IndexCastOp::create(emit.builder, emit.location, index, value);
    };
    Block &body = op.getKeep().front();
    IRMapping mapping = scope.outside;
    mapping.map(body.getArgument(0),
                emit.load(emit.advance(scope.pointers[op.getInputs().size()], example, i32), i32));
    return emitBody(emit, body, mapping, /*vectors=*/true, [&](int64_t axis) -> Value {
      switch (axis) {
      case 0:
        return asIndex(example);
      case 1:
        return asIndex(head);
      case 2:
        return make<arith::AddIOp>(emit.splat(asIndex(query)), emit.laneNumbers());
      default:
        return asIndex(key);
      }
    })[0];
  }

  /// Rows of a tile, or of a part of it. Where there are draws, those of one counter come one behind the other, so that they share its work.
  void overRows(const Part &part, llvm::function_ref<void(Value)> body) {
    if (op.getKeep().empty() || keys % drawnTogether != 0 || part.end % drawnTogether != 0)
      return emit.loop(part.begin, part.end, 1, body);
    emit.loop(part.begin, part.end, drawnTogether, [&](Value group) {
      emit.loop(0, lanes, 1, [&](Value row) {
        for (int64_t at = 0; at < drawnTogether; at += lanes)
          body(emit.add(emit.add(group, row), at));
      });
    });
  }

  //===--- forwards -----------------------------------------------------------------------------===//

  void forwards(Value part) {
    const int64_t tiles = llvm::divideCeil(queries, tileQueries);
    const Value pair = emit.divide(part, tiles);
    standAt(pair);
    inTile(make<arith::RemSIOp>(part, emit.constant(tiles)), [&](Value first, int64_t count) {
      const int64_t width = widthOf(count);
      const Value y = position(ofQueries(output(0)), first);
      turn(position(ofQueries(0), first), count, op.getScale().convertToDouble(), turnedQueries);
      zeroRows(y, count);
      for (int64_t vector = 0; vector < vectorsOf(count); ++vector) {
        storeVector(emit.number(-std::numeric_limits<double>::infinity()), largest, vector);
        storeVector(emit.number(0), total, vector);
      }
      overKeys(first, count, [&](Value key, int64_t seen, bool hides) {
        const SmallVector<Part> parts = partsOf(count, seen, hides);
        multiplyScores(parts, width, {position(ofKeys(1), key), stride}, turnedQueries, scores,
                       toCome({1, 2}, keys, key, seen));
        takeIn(first, count, key, seen, hides);
        scaleRows(y, count);
        const Rows v = sideBySide(position(ofKeys(2), key), seen, nearKeys);
        addByQueries(parts, count, scores, v, y, toCome({0, output(0)}, queries, first, count));
      });
      const Value logsum = at(rowsOf(output(1), pair), first);
      for (int64_t vector = 0; vector < vectorsOf(count); ++vector) {
        Value sum = loadVector(total, vector);
        storeVector(make<arith::DivFOp>(emit.number(1), sum), rowScale, vector);
        Value log = math::LogOp::create(emit.builder, emit.location, sum);
        storeVector(make<arith::AddFOp>(loadVector(largest, vector), log), logsum, vector,
                    emit.firstLanes(count - vector * lanes));
      }
      scaleRows(y, count);
    });
  }

  /// What the softmax or its derivative goes through of a tile. Draws come for all of a tile.
  SmallVector<Part> partsToVisit(int64_t count, int64_t seen, bool hides) {
    return op.getKeep().empty() ? partsOf(count, seen, hides) : SmallVector<Part>{{0, seen, 0}};
  }
  /// Whether some key of a part is hidden from a query of this vector.
  static bool mayHide(const Part &part, int64_t vector, bool hides) {
    return hides && (!part.isOnDiagonal || part.end > vector * lanes + 1);
  }
  /// carried[vector] = body(row, vector, carried[vector]) for all rows of a part and all its vectors of queries.
  void overVectors(const Part &part, SmallVectorImpl<Value> &carried,
                   llvm::function_ref<Value(Value, int64_t, Value)> body) {
    const int64_t firstVector = part.firstQuery / lanes;
    ValueRange out =
        emit.loop(emit.constant(part.begin), emit.constant(part.end), 1,
                  ArrayRef(carried).drop_front(firstVector), [&](Value row, ValueRange values) {
                    SmallVector<Value> next;
                    for (auto [i, value] : llvm::enumerate(values))
                      next.push_back(body(row, firstVector + static_cast<int64_t>(i), value));
                    return next;
                  });
    llvm::copy(out, carried.begin() + firstVector);
  }

  /// Scores become exponentials about the largest score so far; rowScale is what earlier ones shrink by.
  void takeIn(Value first, int64_t count, Value key, int64_t seen, bool hides) {
    const int64_t vectors = vectorsOf(count), width = widthOf(count);
    auto rowAt = [&](Value row) { return at(scores, emit.multiply(row, width)); };
    SmallVector<Value> before;
    for (int64_t vector = 0; vector < vectors; ++vector)
      before.push_back(loadVector(largest, vector));
    SmallVector<Value> most = before, sums(vectors, emit.number(0));
    const SmallVector<Part> parts = partsToVisit(count, seen, hides);
    for (const Part &part : parts)
      overVectors(part, most, [&](Value row, int64_t vector, Value largestYet) {
        Value score = loadVector(rowAt(row), vector);
        if (mayHide(part, vector, hides)) {
          score = choose(sees(emit.add(first, vector * lanes), emit.add(key, row)), score,
                         emit.number(-std::numeric_limits<double>::infinity()));
          storeVector(score, rowAt(row), vector);
        }
        return choose(arith::CmpFOp::create(emit.builder, emit.location, arith::CmpFPredicate::OGT,
                                            score, largestYet),
                      score, largestYet);
      });
    for (const Part &part : parts)
      overVectors(part, sums, [&](Value row, int64_t vector, Value sum) {
        interleave();
        Value share = exponential(loadVector(rowAt(row), vector), most[vector]);
        storeVector(share, rowAt(row), vector);
        return make<arith::AddFOp>(sum, share);
      });
    for (int64_t vector = 0; vector < vectors; ++vector) {
      Value shrink = exponential(before[vector], most[vector]);
      storeVector(shrink, rowScale, vector);
      Value earlier = make<arith::MulFOp>(loadVector(total, vector), shrink);
      storeVector(make<arith::AddFOp>(earlier, sums[vector]), total, vector);
      storeVector(most[vector], largest, vector);
    }
    if (op.getKeep().empty())
      return;
    overRows({0, seen, 0}, [&](Value row) {
      for (int64_t vector = 0; vector < vectors; ++vector)
        storeVector(make<arith::MulFOp>(loadVector(rowAt(row), vector),
                                        keep(emit.add(first, vector * lanes), emit.add(key, row))),
                    rowAt(row), vector);
    });
  }
  Value exponential(Value x, Value about) {
    return math::ExpOp::create(emit.builder, emit.location, make<arith::SubFOp>(x, about));
  }

  //===--- backwards ----------------------------------------------------------------------------===//

  void backwards(Value pair) {
    standAt(pair);
    zeroRows(ofQueries(output(0)), queries);
    zeroRows(ofKeys(output(1)), keys);
    zeroRows(ofKeys(output(2)), keys);
    const int64_t whole = queries / tileQueries * tileQueries;
    emit.loop(0, whole, tileQueries, [&](Value first) { backwards(pair, first, tileQueries); });
    if (whole < queries)
      backwards(pair, emit.constant(whole), queries - whole);
  }

  void backwards(Value pair, Value first, int64_t count) {
    const int64_t width = widthOf(count);
    const Value query = position(ofQueries(0), first), dy = position(ofQueries(5), first);
    const Value dq = position(ofQueries(output(0)), first);
    turn(query, count, op.getScale().convertToDouble(), turnedQueries);
    turn(dy, count, 1, turnedDy);
    const Rows queryRows = sideBySide(query, count, nearQueries);
    const Rows dyRows = sideBySide(dy, count, nearDy);
    sumThrough(dy, position(ofQueries(3), first), count);
    // rowScale holds the logarithms of the sums, and something where there is no query.
    for (int64_t vector = 0; vector < vectorsOf(count); ++vector)
      storeVector(
          loadVector(at(rowsOf(4, pair), first), vector, emit.firstLanes(count - vector * lanes)),
          rowScale, vector);
    overKeys(first, count, [&](Value key, int64_t seen, bool hides) {
      const SmallVector<Part> parts = partsOf(count, seen, hides);
      const Rows k = sideBySide(position(ofKeys(1), key), seen, nearKeys);
      multiplyScores(parts, width, k, turnedQueries, scores, toCome({1, 2}, keys, key, seen));
      multiplyScores(parts, width, {position(ofKeys(2), key), stride}, turnedDy, slopes,
                     toCome({output(1), output(2)}, keys, key, seen));
      turnBack(first, count, key, seen, hides);
      addByKeys(parts, count, scores, dyRows, position(ofKeys(output(2)), key),
                toCome({0, 3}, queries, first, count));
      addByKeys(parts, count, slopes, queryRows, position(ofKeys(output(1)), key),
                toCome({5}, queries, first, count));
      addByQueries(parts, count, slopes, k, dq, toCome({output(0)}, queries, first, count));
    });
  }

  /// through[t] = Σ dy[t] · y[t], which is the sum of a row's probabilities times their gradients.
  void sumThrough(Value dy, Value y, int64_t count) {
    for (int64_t vector = 0; vector < vectorsOf(count); ++vector)
      storeVector(emit.number(0), through, vector);
    emit.loop(0, count, 1, [&](Value row) {
      auto product = [&](Value column, Value mask, Value sum) -> Value {
        return math::FmaOp::create(emit.builder, emit.location,
                                   emit.loadLanes(at(position(dy, row), column), f32, mask),
                                   emit.loadLanes(at(position(y, row), column), f32, mask), sum);
      };
      const int64_t whole = size / lanes * lanes;
      Value sum = emit.number(0);
      if (whole > 0)
        sum = emit.loop(emit.constant(0), emit.constant(whole), lanes, ValueRange{sum},
                        [&](Value column, ValueRange carried) {
                          return SmallVector<Value>{product(column, {}, carried[0])};
                        })[0];
      if (whole < size)
        sum = product(emit.constant(whole), emit.firstLanes(size - whole), sum);
      emit.store(emit.reduceLanes(sum, [&](Value a, Value b) { return make<arith::AddFOp>(a, b); }),
                 at(through, row));
    });
  }

  /// Scores become probabilities, as the values saw them; slopes, the gradients of these, become those of the unscaled scores.
  void turnBack(Value first, int64_t count, Value key, int64_t seen, bool hides) {
    for (const Part &part : partsToVisit(count, seen, hides))
      overRows(part, [&](Value row) { turnBack(part, first, count, key, row, hides); });
  }
  void turnBack(const Part &part, Value first, int64_t count, Value key, Value row, bool hides) {
    if (op.getKeep().empty()) // draws of several rows want more registers than there are
      interleave();
    const Value offset = emit.multiply(row, widthOf(count));
    for (int64_t vector = part.firstQuery / lanes; vector < vectorsOf(count); ++vector) {
      const Value query = emit.add(first, vector * lanes), here = emit.add(key, row);
      Value p = exponential(loadVector(at(scores, offset), vector), loadVector(rowScale, vector));
      if (mayHide(part, vector, hides))
        p = choose(sees(query, here), p, emit.number(0));
      Value slope = loadVector(at(slopes, offset), vector), kept = p;
      if (!op.getKeep().empty()) {
        const Value factor = keep(query, here);
        kept = make<arith::MulFOp>(p, factor);
        slope = make<arith::MulFOp>(slope, factor);
      }
      storeVector(kept, at(scores, offset), vector);
      slope = make<arith::MulFOp>(p, make<arith::SubFOp>(slope, loadVector(through, vector)));
      storeVector(make<arith::MulFOp>(slope, emit.number(op.getScale().convertToDouble())),
                  at(slopes, offset), vector);
    }
  }
};

} // namespace

void emitAttend(kernel::AttendOp op, const TaskScope &scope, const Target &target,
                MicroKernels &microKernels) {
  AttendEmitter(op, scope, target, microKernels).run();
}

} // namespace sinter::codegen
