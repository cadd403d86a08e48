//===- EmitAttend.cpp - attention in tiles of scores ----------------------------------------------===//
// A tile of scores lies on the stack with keys as rows and queries side by side in vectors: what a softmax needs of a query (the largest score, the
// sum) is found without a step across lanes, and every product of a tile reads its operands where they lie, but for the queries (backwards also dy), which are
// turned once a tile of queries. Products go through micro-kernels, whose shape changes no bit; tiles and their order are the op's.

#include "compiler/codegen/Body.h"
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
    rowScale = emit.stack(tileQueries);
    if (op.getBackwards()) {
      turnedDy = emit.stack(size * tileQueries);
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
  Value example, head; ///< where the loops stand

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
  void sideBySide() {
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

  void multiply(const StackProduct &product) {
    emitProduct(emit, product, target, microKernels, op.getLoc());
  }

  //===--- where tiles lie ----------------------------------------------------------------------===//

  /// The pair of example and head with this number; its first position in an operand, of queries or of keys.
  void standAt(Value pair) {
    example = emit.divide(pair, heads);
    head = make<arith::RemSIOp>(pair, emit.constant(heads));
  }
  Value ofQueries(unsigned operand) { return ofPair(operand, queries); }
  Value ofKeys(unsigned operand) { return ofPair(operand, keys); }
  Value ofPair(unsigned operand, int64_t positions) {
    return at(scope.pointers[operand],
              emit.add(emit.multiply(example, positions * stride), emit.multiply(head, size)));
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

  /// Rows of a tile. Where there are draws, those of one counter come one behind the other, so that they share its work.
  void overRows(int64_t count, llvm::function_ref<void(Value)> body) {
    if (op.getKeep().empty() || keys % drawnTogether != 0 || count % drawnTogether != 0)
      return emit.loop(0, count, 1, body);
    emit.loop(0, count, drawnTogether, [&](Value group) {
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
        multiply({seen, width, size, position(ofKeys(1), key), stride, 1, turnedQueries, width,
                  scores, width, When::Always});
        takeIn(first, count, key, seen, hides);
        scaleRows(y, count);
        multiply({count, size, seen, scores, 1, width, position(ofKeys(2), key), stride, y, stride,
                  When::Never});
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

  /// Scores become exponentials about the largest score so far; rowScale is what earlier ones shrink by.
  void takeIn(Value first, int64_t count, Value key, int64_t seen, bool hides) {
    const int64_t vectors = vectorsOf(count), width = widthOf(count);
    auto rowAt = [&](Value row) { return at(scores, emit.multiply(row, width)); };
    SmallVector<Value> before;
    for (int64_t vector = 0; vector < vectors; ++vector)
      before.push_back(loadVector(largest, vector));
    ValueRange found = emit.loop(
        emit.constant(0), emit.constant(seen), 1, before, [&](Value row, ValueRange carried) {
          SmallVector<Value> next;
          for (auto [vector, most] : llvm::enumerate(carried)) {
            Value score = loadVector(rowAt(row), vector);
            if (hides) {
              score = choose(sees(emit.add(first, vector * lanes), emit.add(key, row)), score,
                             emit.number(-std::numeric_limits<double>::infinity()));
              storeVector(score, rowAt(row), vector);
            }
            next.push_back(choose(arith::CmpFOp::create(emit.builder, emit.location,
                                                        arith::CmpFPredicate::OGT, score, most),
                                  score, most));
          }
          return next;
        });
    const SmallVector<Value> most(found.begin(), found.end());
    ValueRange sums =
        emit.loop(emit.constant(0), emit.constant(seen), 1,
                  SmallVector<Value>(vectors, emit.number(0)), [&](Value row, ValueRange carried) {
                    sideBySide();
                    SmallVector<Value> next;
                    for (auto [vector, sum] : llvm::enumerate(carried)) {
                      Value share = exponential(loadVector(rowAt(row), vector), most[vector]);
                      storeVector(share, rowAt(row), vector);
                      next.push_back(make<arith::AddFOp>(sum, share));
                    }
                    return next;
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
    overRows(seen, [&](Value row) {
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
    sumThrough(dy, position(ofQueries(3), first), count);
    // rowScale holds the logarithms of the sums, and something where there is no query.
    for (int64_t vector = 0; vector < vectorsOf(count); ++vector)
      storeVector(
          loadVector(at(rowsOf(4, pair), first), vector, emit.firstLanes(count - vector * lanes)),
          rowScale, vector);
    overKeys(first, count, [&](Value key, int64_t seen, bool hides) {
      const Value k = position(ofKeys(1), key), v = position(ofKeys(2), key);
      const Value dk = position(ofKeys(output(1)), key), dv = position(ofKeys(output(2)), key);
      multiply(
          {seen, width, size, k, stride, 1, turnedQueries, width, scores, width, When::Always});
      multiply({seen, width, size, v, stride, 1, turnedDy, width, slopes, width, When::Always});
      turnBack(first, count, key, seen, hides);
      multiply({seen, size, count, scores, width, 1, dy, stride, dv, stride, When::Never});
      multiply({seen, size, count, slopes, width, 1, query, stride, dk, stride, When::Never});
      multiply({count, size, seen, slopes, 1, width, k, stride, dq, stride, When::Never});
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
    const int64_t width = widthOf(count);
    overRows(seen, [&](Value row) {
      if (op.getKeep().empty()) // draws of several rows want more registers than there are
        sideBySide();
      const Value offset = emit.multiply(row, width);
      for (int64_t vector = 0; vector < vectorsOf(count); ++vector) {
        const Value query = emit.add(first, vector * lanes), here = emit.add(key, row);
        Value p = exponential(loadVector(at(scores, offset), vector), loadVector(rowScale, vector));
        if (hides)
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
    });
  }
};

} // namespace

void emitAttend(kernel::AttendOp op, const TaskScope &scope, const Target &target,
                MicroKernels &microKernels) {
  AttendEmitter(op, scope, target, microKernels).run();
}

} // namespace sinter::codegen
