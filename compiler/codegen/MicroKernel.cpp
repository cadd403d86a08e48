//===- MicroKernel.cpp - one register tile as a function ------------------------------------------===//

#include "compiler/codegen/MicroKernel.h"

#include "compiler/codegen/Body.h"
#include "compiler/codegen/Caches.h"
#include "compiler/codegen/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// How many registers' worth of a long epilogue run side by side; each takes some registers more for what lies between.
constexpr int64_t vectorsSideBySide = 4;

/// Two kernels with one key are the same code.
std::string keyOf(const MicroKernel &kernel) {
  std::string key;
  llvm::raw_string_ostream stream(key);
  auto list = [&](ArrayRef<int64_t> values) {
    for (int64_t value : values)
      stream << value << ',';
    stream << ';';
  };
  auto operands = [&](ArrayRef<TileOperand> tiles) {
    for (const TileOperand &tile : tiles) {
      stream << tile.element << tile.hasColumns << tile.goesPastCache << tile.isUpdated;
      list(tile.rowOffsets);
    }
    stream << '|';
  };
  list(kernel.rowsOfA);
  stream << static_cast<int>(kernel.products) << ',' << kernel.vectors << ',' << kernel.lastColumns
         << ',' << kernel.unroll << ',' << kernel.sumsAreNear << ','
         << static_cast<int>(kernel.first) << ',' << static_cast<int>(kernel.last) << ','
         << kernel.aheadInA << ';';
  for (const RowsAhead &rows : kernel.ahead)
    list({rows.rows, rows.stride, rows.columns});
  for (const SumLoop &loop : kernel.sum)
    list({loop.trip, loop.strideA, loop.strideB});
  operands(kernel.with);
  operands(kernel.outputs);
  for (ArrayRef<int64_t> steps : kernel.coordinates)
    list(steps);
  list(kernel.coordinateAxes);
  // A body prints alike in equal kernels where it names its values alike: the first block argument is always %0 then.
  if (kernel.epilogue && !kernel.epilogue->empty())
    for (Operation &op : kernel.epilogue->front()) {
      op.print(stream, OpPrintingFlags().useLocalScope().printGenericOpForm());
      stream << '\n';
    }
  return key;
}

class Writer {
public:
  Writer(const MicroKernel &kernel, const Target &target, func::FuncOp function, OpBuilder &builder,
         Location location)
      : kernel(kernel), target(target), emit(builder, location), function(function),
        builder(builder), location(location), f32(builder.getF32Type()),
        vector(Emitter::vectorOf(f32)) {}

  void run() {
    Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    auto arguments = entry->getArguments();
    size_t next = 2;
    auto take = [&](size_t count) {
      auto slice = arguments.slice(next, count);
      next += count;
      return SmallVector<Value>(slice.begin(), slice.end());
    };
    a = arguments[0];
    b = arguments[1];
    withPointers = take(kernel.with.size());
    outputPointers = take(kernel.outputs.size());
    aheadPointers = take(kernel.ahead.size());
    coordinateBases = take(kernel.coordinates.size());
    capturedValues = take(kernel.captured.size());
    Value first = kernel.first == When::Dynamic ? take(1)[0] : Value();
    Value last = kernel.last == When::Dynamic ? take(1)[0] : Value();

    fetchAhead(first, last);
    Value zero = arith::ConstantOp::create(builder, location, builder.getZeroAttr(vector));
    const int64_t numSums = kernel.rows() * kernel.vectors;
    SmallVector<Value> sums = sum(0, a, b, SmallVector<Value>(numSums, zero));
    sums = addPartial(std::move(sums), first);
    if (kernel.last == When::Dynamic) {
      auto branch = scf::IfOp::create(builder, location, last, /*withElseRegion=*/true);
      builder.setInsertionPoint(branch.thenBlock()->getTerminator());
      finish(sums);
      builder.setInsertionPoint(branch.elseBlock()->getTerminator());
      storePartial(sums);
      builder.setInsertionPointAfter(branch);
    } else if (kernel.last == When::Always) {
      finish(sums);
    } else {
      storePartial(sums);
    }
    func::ReturnOp::create(builder, location);
  }

private:
  const MicroKernel &kernel;
  const Target &target;
  Emitter emit;
  func::FuncOp function;
  OpBuilder &builder;
  Location location;
  Type f32;
  VectorType vector;
  Value a, b;
  std::optional<FetchAhead> fetches;
  Value outerSteps; ///< in turns, of loops around the innermost
  SmallVector<Value> withPointers, outputPointers, aheadPointers, coordinateBases, capturedValues;
  SmallVector<Value> uniform; ///< of each with-value: what the whole tile reads, or null

  Value maskOf(int64_t column) {
    return column + 1 == kernel.vectors ? emit.firstLanes(kernel.lastColumns) : Value();
  }

  /// Offsets of a tile's rows that are evenly spaced, as rows to fetch; else none.
  RowsAhead rowsAt(ArrayRef<int64_t> offsets, Fetch purpose = Fetch::Second) const {
    const int64_t rows = areEven(offsets) ? static_cast<int64_t>(offsets.size()) : 0;
    return {rows, stepOf(offsets), kernel.vectors * lanes, purpose};
  }

  /// What a tile writes and what its epilogue reads is met once and would be waited for; the sum is long enough for it to arrive. What is read
  /// goes into the first cache, which has room for a tile's: an epilogue does little with a line, and would be held up by the second.
  void fetchAhead(Value first, Value last) {
    int64_t steps = stepsInTurns(kernel.sum.back());
    for (const SumLoop &loop : ArrayRef(kernel.sum).drop_back())
      steps *= loop.trip;
    fetches.emplace(emit, steps, unrollOf(kernel.sum.back()));
    outerSteps = emit.constant(0);
    for (auto [pointer, rows] : llvm::zip_equal(aheadPointers, kernel.ahead))
      fetches->add(pointer, f32, rows);
    const TileOperand &sum = kernel.outputs.front();
    const Value wanted = kernel.sumsAreNear ? first : Value();
    const bool isAskedForBelow =
        sum.isUpdated && kernel.first == When::Always && kernel.last == When::Always;
    if (!sum.goesPastCache && !isAskedForBelow &&
        (!kernel.sumsAreNear || kernel.first != When::Never))
      fetches->add(outputPointers[0], sum.element, rowsAt(sum.rowOffsets), wanted);
    if (kernel.last == When::Never)
      return;
    for (auto [pointer, tile] : llvm::drop_begin(llvm::zip_equal(outputPointers, kernel.outputs)))
      if (!tile.goesPastCache && !tile.isUpdated)
        fetches->add(pointer, tile.element, rowsAt(tile.rowOffsets), last);
    for (auto [pointer, tile] : llvm::zip_equal(withPointers, kernel.with))
      if (tile.hasColumns)
        fetches->add(pointer, tile.element,
                     rowsAt(tile.rowOffsets, tile.isUpdated ? Fetch::FirstToWrite : Fetch::First),
                     last);
  }

  /// What the next tile reads of A in as many steps. Its rows may lie further apart than the CPU's prefetchers look, and the first panel
  /// would wait for each of their lines.
  void fetchNextRows(Value atA, const SumLoop &loop, int64_t steps) {
    if (kernel.aheadInA == 0)
      return;
    const int64_t line = lineBytes / Emitter::bytesOf(f32);
    SmallVector<int64_t> rows;
    for (int64_t row : llvm::reverse(kernel.rowsOfA))
      if (rows.empty() || std::abs(rows.back() - row) >= line)
        rows.push_back(row);
    for (int64_t k = 0; k < (loop.strideA < line ? 1 : steps); ++k)
      for (int64_t row : rows)
        emit.fetch(emit.advance(atA, row + k * loop.strideA + kernel.aheadInA, f32));
  }

  /// The same with pairs in place of numbers, as copies hold them.
  SmallVector<Value> stepOfPairs(Value atA, Value atB, const SumLoop &loop, int64_t k,
                                 SmallVector<Value> sums) {
    const Type pair = builder.getI32Type();
    SmallVector<Value> columns;
    for (int64_t j = 0; j < kernel.vectors; ++j)
      columns.push_back(
          emit.loadLanes(emit.advance(atB, k * loop.strideB + j * lanes, pair), pair));
    for (auto [i, row] : llvm::enumerate(kernel.rowsOfA)) {
      Value broadcast =
          emit.splat(emit.load(emit.advance(atA, row + k * loop.strideA, pair), pair));
      for (int64_t j = 0; j < kernel.vectors; ++j) {
        Value &sum = sums[i * kernel.vectors + j];
        sum = addPairs(emit, broadcast, columns[j], sum);
      }
    }
    return sums;
  }

  /// One step of the sum at static offsets from the pointers.
  SmallVector<Value> step(Value atA, Value atB, const SumLoop &loop, int64_t k,
                          SmallVector<Value> sums) {
    if (kernel.products == Products::Pairs)
      return stepOfPairs(atA, atB, loop, k, std::move(sums));
    SmallVector<Value> columns;
    for (int64_t j = 0; j < kernel.vectors; ++j)
      columns.push_back(emit.loadLanes(emit.advance(atB, k * loop.strideB + j * lanes, f32), f32,
                                       kernel.products == Products::F32 ? maskOf(j) : Value()));
    for (auto [i, row] : llvm::enumerate(kernel.rowsOfA)) {
      Value scalar = emit.load(emit.advance(atA, row + k * loop.strideA, f32), f32);
      Value broadcast = emit.splat(scalar);
      for (int64_t j = 0; j < kernel.vectors; ++j) {
        Value &sum = sums[i * kernel.vectors + j];
        // math.fma, not vector.fma: that one becomes fmuladd, which LLVM may take apart.
        sum = math::FmaOp::create(builder, location, broadcast, columns[j], sum);
      }
    }
    return sums;
  }

  /// Of an innermost loop: steps of a turn, and how many steps go in whole turns.
  int64_t unrollOf(const SumLoop &loop) const {
    return std::clamp<int64_t>(loop.trip, 1, kernel.unroll);
  }
  int64_t stepsInTurns(const SumLoop &loop) const {
    return loop.trip / unrollOf(loop) * unrollOf(loop);
  }

  /// The sum's loops from `depth` inwards.
  SmallVector<Value> sum(size_t depth, Value atA, Value atB, SmallVector<Value> sums) {
    if (depth == kernel.sum.size())
      return step(atA, atB, {1, 0, 0}, 0, std::move(sums));
    const SumLoop &loop = kernel.sum[depth];
    const bool innermost = depth + 1 == kernel.sum.size();
    const int64_t unroll = innermost ? unrollOf(loop) : 1;
    const int64_t whole = innermost ? stepsInTurns(loop) : loop.trip;
    auto turn = [&](Value i, SmallVector<Value> carried) {
      Value turnA = emit.advance(atA, emit.multiply(i, loop.strideA), f32);
      Value turnB = emit.advance(atB, emit.multiply(i, loop.strideB), f32);
      if (!innermost) {
        const int64_t steps = depth + 2 == kernel.sum.size() ? stepsInTurns(kernel.sum.back())
                                                             : kernel.sum[depth + 1].trip;
        const Value outside = std::exchange(
            outerSteps,
            emit.multiply(emit.add(depth == 0 ? emit.constant(0) : outerSteps, i), steps));
        SmallVector<Value> sums = sum(depth + 1, turnA, turnB, std::move(carried));
        outerSteps = outside;
        return sums;
      }
      fetches->turn(emit.add(outerSteps, i));
      fetchNextRows(turnA, loop, unroll);
      for (int64_t k = 0; k < unroll; ++k)
        carried = step(turnA, turnB, loop, k, std::move(carried));
      return carried;
    };
    if (whole == unroll && whole > 0) {
      sums = turn(emit.constant(0), std::move(sums));
    } else if (whole > 0) {
      ValueRange out = emit.loop(
          emit.constant(0), emit.constant(whole), unroll, sums, [&](Value i, ValueRange carried) {
            return turn(i, SmallVector<Value>(carried.begin(), carried.end()));
          });
      sums.assign(out.begin(), out.end());
    }
    for (int64_t k = whole; k < loop.trip; ++k)
      sums = step(atA, atB, loop, k, std::move(sums));
    return sums;
  }

  Value partialAt(int64_t i, int64_t j) {
    return emit.advance(outputPointers[0], kernel.outputs[0].rowOffsets[i] + j * lanes, f32);
  }

  /// Adds what stands in the first output, but in the first call.
  SmallVector<Value> addPartial(SmallVector<Value> sums, Value first) {
    if (kernel.first == When::Always)
      return sums;
    auto added = [&] {
      SmallVector<Value> result;
      for (int64_t i = 0; i < kernel.rows(); ++i)
        for (int64_t j = 0; j < kernel.vectors; ++j) {
          Value old = emit.loadLanes(partialAt(i, j), f32, maskOf(j));
          result.push_back(
              arith::AddFOp::create(builder, location, old, sums[i * kernel.vectors + j]));
        }
      return result;
    };
    if (kernel.first == When::Never)
      return added();
    auto branch =
        scf::IfOp::create(builder, location, SmallVector<Type>(sums.size(), vector), first,
                          /*withElseRegion=*/true);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, location, sums);
    builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(builder, location, added());
    builder.setInsertionPointAfter(branch);
    return SmallVector<Value>(branch.getResults());
  }

  void storePartial(ArrayRef<Value> sums) {
    for (int64_t i = 0; i < kernel.rows(); ++i)
      for (int64_t j = 0; j < kernel.vectors; ++j)
        emit.storeLanes(sums[i * kernel.vectors + j], partialAt(i, j), maskOf(j));
  }

  void finish(ArrayRef<Value> sums) {
    if (!kernel.epilogue || kernel.epilogue->empty())
      return storePartial(sums);
    loadUniform();
    if (rowsOfTurn() > 0)
      return finishInTurns(sums);
    for (int64_t i = 0; i < kernel.rows(); ++i)
      for (int64_t j = 0; j < kernel.vectors; ++j)
        finishVector(sums[i * kernel.vectors + j], {}, i, j);
  }

  /// What the whole tile reads one element of, an optimizer's rate say, is read before anything is stored: behind a store, which might
  /// have changed it, what follows from it would be computed again for each vector.
  void loadUniform() {
    uniform.assign(kernel.with.size(), {});
    for (auto [tile, pointer, value] : llvm::zip_equal(kernel.with, withPointers, uniform))
      if (!tile.hasColumns && llvm::all_equal(tile.rowOffsets))
        value = emit.splat(emit.load(addressOf(pointer, tile, {}, 0, 0), tile.element));
  }

  /// How many rows of the tile go through the epilogue side by side; 0: each vector by itself, the sums in their registers. That is best
  /// where the epilogue is short. A long one is a chain of ops that wait for each other, and has constants for many registers.
  int64_t rowsOfTurn() const {
    const bool isLong = llvm::any_of(kernel.epilogue->front(), [](Operation &op) {
      return isa<math::ExpOp, math::TanhOp, math::ErfOp, math::LogOp, math::Log1pOp, math::ExpM1Op,
                 math::SinOp, math::CosOp, math::PowFOp>(op);
    });
    auto tilesAreEven = [&](ArrayRef<TileOperand> tiles) {
      return llvm::all_of(tiles, [&](const TileOperand &tile) { return areEven(tile.rowOffsets); });
    };
    if (!isLong || !tilesAreEven(kernel.with) || !tilesAreEven(kernel.outputs) ||
        !llvm::all_of(kernel.coordinates, areEven))
      return 0;
    const int64_t rows =
        std::max<int64_t>(1, vectorsSideBySide / target.registersPerVector() / kernel.vectors);
    return rows < kernel.rows() ? rows : 0;
  }

  /// The sums go to the stack, from where a loop takes some rows at a time.
  void finishInTurns(ArrayRef<Value> sums) {
    const int64_t atOnce = rowsOfTurn(), whole = kernel.rows() / atOnce * atOnce;
    Value stack;
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&function.front());
      stack =
          LLVM::AllocaOp::create(builder, location, emit.pointerType(), f32,
                                 emit.constant(kernel.rows() * kernel.vectors * lanes), lineBytes);
    }
    for (auto [index, sum] : llvm::enumerate(sums))
      emit.storeLanes(sum, emit.advance(stack, static_cast<int64_t>(index) * lanes, f32));
    auto finishRows = [&](Value turn, int64_t begin, int64_t end) {
      Value from =
          turn ? emit.advance(stack, emit.multiply(turn, kernel.vectors * lanes), f32) : stack;
      for (int64_t i = begin; i < end; ++i)
        for (int64_t j = 0; j < kernel.vectors; ++j)
          finishVector(
              emit.loadLanes(emit.advance(from, (i * kernel.vectors + j) * lanes, f32), f32), turn,
              i, j);
    };
    emit.loop(0, whole, atOnce, [&](Value turn) {
      if (auto loop = dyn_cast<scf::ForOp>(builder.getInsertionBlock()->getParentOp()))
        loop->setAttr(interleavedAttribute, builder.getUnitAttr());
      finishRows(turn, 0, atOnce);
    });
    if (whole < kernel.rows())
      finishRows({}, whole, kernel.rows());
  }

  static bool areEven(ArrayRef<int64_t> rows) {
    for (size_t i = 2; i < rows.size(); ++i)
      if (rows[i] - rows[i - 1] != rows[1] - rows[0])
        return false;
    return true;
  }
  /// What belongs to row i, counted from row `turn` where it is given: an offset or a coordinate that moves evenly.
  static int64_t stepOf(ArrayRef<int64_t> rows) { return rows.size() > 1 ? rows[1] - rows[0] : 0; }
  Value addressOf(Value pointer, const TileOperand &tile, Value turn, int64_t i, int64_t column) {
    if (turn)
      pointer = emit.advance(pointer, emit.multiply(turn, stepOf(tile.rowOffsets)), tile.element);
    return emit.advance(pointer, tile.rowOffsets[i] + column, tile.element);
  }

  void finishVector(Value sum, Value turn, int64_t i, int64_t j) {
    Block &body = kernel.epilogue->front();
    IRMapping mapping;
    mapping.map(body.getArgument(0), sum);
    for (auto [index, tile] : llvm::enumerate(kernel.with)) {
      if (uniform[index]) {
        mapping.map(body.getArgument(index + 1), uniform[index]);
        continue;
      }
      Value pointer =
          addressOf(withPointers[index], tile, turn, i, tile.hasColumns ? j * lanes : 0);
      mapping.map(body.getArgument(index + 1),
                  tile.hasColumns ? emit.loadLanes(pointer, tile.element, maskOf(j))
                                  : emit.load(pointer, tile.element));
    }
    for (auto [value, argument] : llvm::zip_equal(kernel.captured, capturedValues))
      mapping.map(value, argument);
    SmallVector<Value> results = emitBody(emit, body, mapping, /*vectors=*/true, [&](int64_t axis) {
      return coordinate(axis, turn, i, j);
    });
    for (auto [index, tile] : llvm::enumerate(kernel.outputs))
      emit.storeLanes(results[index], addressOf(outputPointers[index], tile, turn, i, j * lanes),
                      maskOf(j), tile.goesPastCache);
  }

  /// The coordinate of an op axis at row i, vector j of the tile.
  Value coordinate(int64_t axis, Value turn, int64_t i, int64_t j) {
    const size_t index = llvm::find(kernel.coordinateAxes, axis) - kernel.coordinateAxes.begin();
    ArrayRef<int64_t> steps = kernel.coordinates[index];
    Value base = emit.add(coordinateBases[index], steps.empty() ? j * lanes : steps[i]);
    if (turn && !steps.empty())
      base = emit.add(base, emit.multiply(turn, stepOf(steps)));
    Value value = arith::IndexCastOp::create(builder, location, builder.getIndexType(), base);
    if (!steps.empty())
      return value;
    return arith::AddIOp::create(builder, location, emit.splat(value), emit.laneNumbers());
  }
};

} // namespace

func::FuncOp MicroKernels::get(const MicroKernel &kernel, Location location) {
  func::FuncOp &function = known[keyOf(kernel)];
  if (function)
    return function;
  OpBuilder builder(module.getContext());
  builder.setInsertionPointToEnd(module.getBody());
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  SmallVector<Type> types(2 + kernel.with.size() + kernel.outputs.size() + kernel.ahead.size(),
                          pointer);
  types.append(kernel.coordinates.size(), builder.getI64Type());
  for (Value value : kernel.captured)
    types.push_back(value.getType());
  for (When when : {kernel.first, kernel.last})
    if (when == When::Dynamic)
      types.push_back(builder.getI1Type());
  function = func::FuncOp::create(builder, location, "micro." + std::to_string(known.size() - 1),
                                  builder.getFunctionType(types, {}));
  function.setPrivate();
  // Never inlined: loops around a tile must not take its registers.
  function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(builder.getContext(), LLVM::Linkage::Internal));
  Writer(kernel, target, function, builder, location).run();
  return function;
}

} // namespace sinter::codegen
