//===- MicroKernel.cpp - one register tile as a function ------------------------------------------===//

#include "compiler/codegen/MicroKernel.h"

#include "compiler/codegen/Body.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

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
      stream << tile.element << tile.hasColumns;
      list(tile.rowOffsets);
    }
    stream << '|';
  };
  list(kernel.rowsOfA);
  stream << kernel.vectors << ',' << kernel.lastColumns << ',' << kernel.unroll << ','
         << static_cast<int>(kernel.first) << ',' << static_cast<int>(kernel.last) << ';';
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
  Writer(const MicroKernel &kernel, func::FuncOp function, OpBuilder &builder, Location location)
      : kernel(kernel), emit(builder, location), function(function), builder(builder),
        location(location), f32(builder.getF32Type()), vector(Emitter::vectorOf(f32)) {}

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
    coordinateBases = take(kernel.coordinates.size());
    capturedValues = take(kernel.captured.size());
    Value first = kernel.first == When::Dynamic ? take(1)[0] : Value();
    Value last = kernel.last == When::Dynamic ? take(1)[0] : Value();

    Value zero = arith::ConstantOp::create(builder, location, builder.getZeroAttr(vector));
    SmallVector<Value> sums =
        sum(0, a, b, SmallVector<Value>(kernel.rows() * kernel.vectors, zero));
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
  Emitter emit;
  func::FuncOp function;
  OpBuilder &builder;
  Location location;
  Type f32;
  VectorType vector;
  Value a, b;
  SmallVector<Value> withPointers, outputPointers, coordinateBases, capturedValues;

  Value maskOf(int64_t column) {
    return column + 1 == kernel.vectors ? emit.firstLanes(kernel.lastColumns) : Value();
  }

  /// One step of the sum at static offsets from the pointers.
  SmallVector<Value> step(Value atA, Value atB, const SumLoop &loop, int64_t k,
                          SmallVector<Value> sums) {
    SmallVector<Value> columns;
    for (int64_t j = 0; j < kernel.vectors; ++j)
      columns.push_back(
          emit.loadLanes(emit.advance(atB, k * loop.strideB + j * lanes, f32), f32, maskOf(j)));
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

  /// The sum's loops from `depth` inwards.
  SmallVector<Value> sum(size_t depth, Value atA, Value atB, SmallVector<Value> sums) {
    if (depth == kernel.sum.size())
      return step(atA, atB, {1, 0, 0}, 0, std::move(sums));
    const SumLoop &loop = kernel.sum[depth];
    const bool innermost = depth + 1 == kernel.sum.size();
    const int64_t unroll = innermost ? std::clamp<int64_t>(loop.trip, 1, kernel.unroll) : 1;
    const int64_t whole = loop.trip / unroll * unroll;
    auto turn = [&](Value i, SmallVector<Value> carried) {
      Value turnA = emit.advance(atA, emit.multiply(i, loop.strideA), f32);
      Value turnB = emit.advance(atB, emit.multiply(i, loop.strideB), f32);
      if (!innermost)
        return sum(depth + 1, turnA, turnB, std::move(carried));
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
    Block &body = kernel.epilogue->front();
    for (int64_t i = 0; i < kernel.rows(); ++i)
      for (int64_t j = 0; j < kernel.vectors; ++j) {
        IRMapping mapping;
        mapping.map(body.getArgument(0), sums[i * kernel.vectors + j]);
        for (auto [index, tile] : llvm::enumerate(kernel.with)) {
          Value pointer =
              emit.advance(withPointers[index],
                           tile.rowOffsets[i] + (tile.hasColumns ? j * lanes : 0), tile.element);
          mapping.map(body.getArgument(index + 1),
                      tile.hasColumns ? emit.loadLanes(pointer, tile.element, maskOf(j))
                                      : emit.load(pointer, tile.element));
        }
        for (auto [value, argument] : llvm::zip_equal(kernel.captured, capturedValues))
          mapping.map(value, argument);
        SmallVector<Value> results = emitBody(emit, body, mapping, /*vectors=*/true,
                                              [&](int64_t axis) { return coordinate(axis, i, j); });
        for (auto [index, tile] : llvm::enumerate(kernel.outputs))
          emit.storeLanes(
              results[index],
              emit.advance(outputPointers[index], tile.rowOffsets[i] + j * lanes, tile.element),
              maskOf(j));
      }
  }

  /// The coordinate of an op axis at row i, vector j of the tile.
  Value coordinate(int64_t axis, int64_t i, int64_t j) {
    const size_t index = llvm::find(kernel.coordinateAxes, axis) - kernel.coordinateAxes.begin();
    ArrayRef<int64_t> steps = kernel.coordinates[index];
    Value base = emit.add(coordinateBases[index], steps.empty() ? j * lanes : steps[i]);
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
  SmallVector<Type> types(2 + kernel.with.size() + kernel.outputs.size(), pointer);
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
  Writer(kernel, function, builder, location).run();
  return function;
}

} // namespace sinter::codegen
