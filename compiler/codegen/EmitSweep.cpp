//===- EmitSweep.cpp - loops over a rectangular domain --------------------------------------------===//
// Sixteen elements at a time along one axis: the last parallel axis where outputs have stride 1 along it; or the last reduce axis,
// with one partial sum a lane, where the inputs lie along it and the body only adds or takes maxima (SweepOp::sumsByLanes). What neither fits is
// walked element by element. Axes that every operand walks as one are joined before. Where an input lies along another axis than
// the outputs, squares of 16 × 16 elements are turned round in registers.

#include "compiler/codegen/Access.h"
#include "compiler/codegen/Body.h"
#include "compiler/codegen/Tasks.h"
#include "dialects/kernel/Access.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// How many vectors of accumulators a reduction along parallel lanes keeps in registers: enough to use whole cache lines of narrow rows.
constexpr int64_t accumulatorVectors = 4;
/// A body that asks where it stands draws random numbers, four vectors from one counter (train.random): side by side
/// these share the work.
constexpr int64_t indexedVectors = 4;
/// Larger bodies are not written out sixteen times.
constexpr size_t largestTurnedBody = 48;

/// What is accumulated, of a body `acc + f(inputs)` or `max(acc, f(inputs))`.
enum class Combine { Add, Max };

std::optional<Combine> combineOf(Value yielded, BlockArgument accumulator) {
  Operation *op = yielded.getDefiningOp();
  if (!op || op->getNumOperands() != 2 || !accumulator.hasOneUse() || !yielded.hasOneUse() ||
      !llvm::is_contained(op->getOperands(), accumulator))
    return std::nullopt;
  if (isa<arith::AddFOp>(op))
    return Combine::Add;
  if (isa<arith::MaximumFOp>(op))
    return Combine::Max;
  return std::nullopt;
}

class SweepEmitter {
public:
  SweepEmitter(kernel::SweepOp op, const TaskScope &scope)
      : op(op), scope(scope), emit(scope.emitter), body(op.getBody().front()),
        extents(op.getParallel().begin(), op.getParallel().end()),
        numParallel(op.getParallel().size()), numInputs(op.getInputs().size()) {
    extents.append(op.getReduce().begin(), op.getReduce().end());
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      elements.push_back(cast<ShapedType>(operand.getType()).getElementType());
      accesses.push_back(
          composeAccess(op.getMap(index), cast<ShapedType>(operand.getType()).getShape()));
      isLinear &= accesses.back().has_value();
    }
    for (unsigned axis = 0; axis < extents.size(); ++axis)
      axisOf.push_back(axis);
    if (isLinear && !op.getGuard())
      joinAxes();
  }

  LogicalResult run() {
    coordinates.assign(extents.size(), Value());
    for (unsigned axis = 0; axis < extents.size(); ++axis)
      if (extents[axis] == 1)
        coordinates[axis] = emit.constant(0);
    const int vector = vectorAxis();
    const bool byLanes = vector >= static_cast<int>(numParallel);
    SmallVector<unsigned> outer;
    for (unsigned axis = 0; axis < numParallel; ++axis)
      if (extents[axis] != 1 && static_cast<int>(axis) != vector)
        outer.push_back(axis);
    const int cut = op.getShares() > 1 ? shareAxis() : -1;
    if (op.getShares() > 1 && cut < 0)
      return op.emitOpError("has ") << op.getShares() << " shares and no axis to cut";
    if (op.getZero() && failed(zeroFill(cut)))
      return failure();
    if (const auto axes = turnedAxes()) {
      const auto [rows, columns] = *axes;
      llvm::erase(outer, rows);
      llvm::erase(outer, columns);
      overParallel(outer, cut, [&] { inSquares(rows, columns, cut); });
    } else
      overParallel(outer, cut, [&] {
        if (byLanes || vector < 0)
          point(byLanes ? vector : -1);
        else
          overVectors(vector, vector == cut);
      });
    return success();
  }

private:
  mutable kernel::SweepOp op; // a handle: asking it changes nothing
  const TaskScope &scope;
  Emitter &emit;
  Block &body;
  SmallVector<int64_t> extents; // parallel, then reduce
  unsigned numParallel, numInputs;
  SmallVector<Type> elements;                  // of each operand
  SmallVector<std::optional<Access>> accesses; // of each operand, where linear
  bool isLinear = true;
  SmallVector<unsigned> axisOf;   // the op's axis → ours, after joining
  SmallVector<Value> coordinates; // where the loops stand
  Value mask;                     // of the lanes that are there; null for all
  int64_t group = 1;              // vectors side by side
  Value groupBase;     // the first one's coordinate, where that is a multiple of the group
  int64_t inGroup = 0; // which of them is written
  llvm::SmallDenseMap<unsigned, Value> turned; // inputs whose vector is there already

  bool hasReduction() const { return extents.size() > numParallel; }
  int64_t stride(unsigned operand, unsigned axis) const {
    if (accesses[operand])
      return accesses[operand]->strides[axis];
    return *strideOf(operand,
                     axis); // axes are the op's own: nothing is joined where a map is not linear
  }
  /// Nothing where a floordiv or mod stands in the way.
  std::optional<int64_t> strideOf(unsigned operand, unsigned axis) const {
    if (accesses[operand])
      return accesses[operand]->strides[axis];
    return kernel::strideAlong(
        op.getMap(operand), cast<ShapedType>(op->getOperand(operand).getType()).getShape(), axis);
  }
  bool isOutput(unsigned operand) const { return operand >= numInputs; }

  /// Joins neighbours that every operand walks as one axis and no kernel.index tells apart.
  void joinAxes() {
    SmallVector<bool> pinned(extents.size(), false);
    body.walk([&](kernel::IndexOp index) { pinned[index.getAxis()] = true; });
    for (unsigned axis = extents.size(); axis-- > 1;) {
      const bool sameKind = axis < numParallel || axis - 1 >= numParallel;
      if (!sameKind || pinned[axis] || pinned[axis - 1])
        continue;
      const bool walksAsOne = llvm::all_of(accesses, [&](const std::optional<Access> &access) {
        return access->strides[axis - 1] == access->strides[axis] * extents[axis];
      });
      if (!walksAsOne && extents[axis] != 1 && extents[axis - 1] != 1)
        continue;
      // An axis of extent 1 joins any neighbour, whose stride stays.
      const unsigned gone = !walksAsOne && extents[axis] == 1 ? axis : axis - 1;
      if (axis < numParallel)
        --numParallel;
      extents[axis - 1] *= extents[axis];
      extents.erase(extents.begin() + axis);
      pinned.erase(pinned.begin() + axis);
      for (std::optional<Access> &access : accesses)
        access->strides.erase(access->strides.begin() + gone);
      for (unsigned &mine : axisOf)
        if (mine >= axis)
          --mine;
    }
  }

  /// The axis whose neighbours are a vector: parallel, reduce (partial sums by lane), or -1.
  int vectorAxis() const {
    if (isLinear && op.sumsByLanes())
      return static_cast<int>(extents.size()) - 1;
    for (unsigned axis = numParallel; axis-- > 0;) {
      if (extents[axis] == 1)
        continue;
      if (guardUses(axis))
        return -1;
      for (unsigned operand = 0; operand < accesses.size(); ++operand) {
        const std::optional<int64_t> step = strideOf(operand, axis);
        if (!step || (isOutput(operand) && *step != 1))
          return -1;
      }
      return static_cast<int>(axis);
    }
    return -1;
  }

  /// Whether the guard tells points of this axis apart: then its lanes could part ways.
  bool guardUses(unsigned axis) const {
    if (!op.getGuard())
      return false;
    for (auto [opAxis, mine] : llvm::enumerate(axisOf))
      if (mine == axis)
        for (AffineExpr expr : op.getGuard()->getConstraints())
          if (expr.isFunctionOfDim(opAxis))
            return true;
    return false;
  }

  /// Shares cut the outermost parallel axis that is long enough.
  int shareAxis() const {
    for (unsigned axis = 0; axis < numParallel; ++axis)
      if (extents[axis] >= static_cast<int64_t>(op.getShares()))
        return static_cast<int>(axis);
    return -1;
  }

  std::pair<Value, Value> bounds(unsigned axis, int cut, int64_t granule = 1) {
    if (static_cast<int>(axis) != cut)
      return {emit.constant(0), emit.constant(extents[axis])};
    const int64_t units = llvm::divideCeil(extents[axis], granule);
    Value low = emit.multiply(emit.shareBegin(scope.share, units, op.getShares()), granule);
    Value high =
        emit.multiply(emit.shareBegin(emit.add(scope.share, 1), units, op.getShares()), granule);
    if (granule != 1)
      high =
          arith::MinSIOp::create(emit.builder, emit.location, high, emit.constant(extents[axis]));
    return {low, high};
  }

  /// Zeroes this share's part of every output, which the loops do not write whole.
  LogicalResult zeroFill(int cut) {
    for (unsigned operand = numInputs; operand < accesses.size(); ++operand) {
      const int64_t count = cast<ShapedType>(op->getOperand(operand).getType()).getNumElements();
      Value low = emit.constant(0), high = emit.constant(count);
      if (cut >= 0) {
        if (!accesses[operand] || stride(operand, cut) * extents[cut] != count)
          return op.emitOpError(
              "cannot zero an output that shares do not cut into contiguous parts");
        auto [first, end] = bounds(cut, cut);
        low = emit.multiply(first, stride(operand, cut));
        high = emit.multiply(end, stride(operand, cut));
      }
      const Type element = elements[operand];
      Value zero =
          arith::ConstantOp::create(emit.builder, emit.location, emit.builder.getZeroAttr(element));
      emit.loop(low, high, 1, [&](Value i) {
        emit.store(zero, emit.advance(scope.pointers[operand], i, element));
      });
    }
    return success();
  }

  void overParallel(ArrayRef<unsigned> axes, int cut, llvm::function_ref<void()> inner) {
    if (axes.empty())
      return inner();
    const unsigned axis = axes.front();
    auto [low, high] = bounds(axis, cut);
    emit.loop(low, high, 1, [&](Value i) {
      coordinates[axis] = i;
      overParallel(axes.drop_front(), cut, inner);
    });
  }

  //===--- vectors along a parallel axis ----------------------------------------------------------===//

  void overVectors(unsigned axis, bool isCut) {
    const int64_t extent = extents[axis];
    auto at = [&](Value i, Value lanesThere) {
      coordinates[axis] = i;
      mask = lanesThere;
      point(static_cast<int>(axis));
      mask = {};
    };
    const int64_t whole = extent / lanes * lanes;
    int64_t done = 0;
    if (!isCut && (hasReduction() || (isIndexed(axis) && !op.getGuard()))) {
      group = hasReduction() ? std::clamp<int64_t>(whole / lanes, 1, accumulatorVectors)
                             : indexedVectors;
      done = whole / (group * lanes) * (group * lanes);
      emit.loop(0, done, group * lanes, [&](Value i) { at(i, {}); });
      group = 1;
    }
    inBlocks(axis, isCut ? static_cast<int>(axis) : -1, done, [&](Value i, int64_t count) {
      at(i, count == lanes ? Value() : emit.firstLanes(count));
    });
  }

  /// Calls `visit` for sixteen points of an axis after the other, and once for the fewer ones at its end.
  void inBlocks(unsigned axis, int cut, int64_t begin,
                llvm::function_ref<void(Value, int64_t)> visit) {
    const int64_t extent = extents[axis], whole = extent / lanes * lanes;
    auto full = [&](Value i) { visit(i, lanes); };
    if (static_cast<int>(axis) != cut) {
      emit.loop(begin, whole, lanes, full);
      if (whole != extent)
        visit(emit.constant(whole), extent - whole);
      return;
    }
    // A share ends at a multiple of 16, so only the last one meets the ragged end.
    auto [low, high] = bounds(axis, cut, lanes);
    Value wholeEnd =
        arith::MinSIOp::create(emit.builder, emit.location, high, emit.constant(whole));
    emit.loop(low, wholeEnd, lanes, full);
    if (whole == extent)
      return;
    Value isLast = arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::sgt,
                                         high, emit.constant(whole));
    auto branch = scf::IfOp::create(emit.builder, emit.location, isLast, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(emit.builder);
    emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
    visit(emit.constant(whole), extent - whole);
  }

  //===--- one point, or sixteen ------------------------------------------------------------------===//

  /// Where an operand's element lies at the current coordinates.
  Value addressOf(unsigned operand) {
    Value offset;
    if (accesses[operand]) {
      offset = emit.constant(accesses[operand]->offset);
      for (auto [axis, step] : llvm::enumerate(accesses[operand]->strides))
        if (step != 0)
          offset = emit.add(offset, emit.multiply(coordinates[axis], step));
    } else {
      auto shape = cast<ShapedType>(op->getOperand(operand).getType()).getShape();
      offset = emit.constant(0);
      AffineMap map = op.getMap(operand);
      for (auto [expr, step] : llvm::zip_equal(map.getResults(), kernel::rowMajorStrides(shape)))
        offset = emit.add(offset, emit.multiply(evaluate(expr), step));
    }
    return emit.advance(scope.pointers[operand], offset, elements[operand]);
  }

  /// An affine expression at the current coordinates.
  Value evaluate(AffineExpr expr) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return emit.constant(constant.getValue());
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return coordinates[axisOf[dim.getPosition()]];
    auto binary = cast<AffineBinaryOpExpr>(expr);
    Value lhs = evaluate(binary.getLHS()), rhs = evaluate(binary.getRHS());
    OpBuilder &builder = emit.builder;
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      return emit.add(lhs, rhs);
    case AffineExprKind::Mul:
      return builder.createOrFold<arith::MulIOp>(emit.location, lhs, rhs);
    case AffineExprKind::FloorDiv:
      return builder.createOrFold<arith::FloorDivSIOp>(emit.location, lhs, rhs);
    case AffineExprKind::CeilDiv:
      return builder.createOrFold<arith::CeilDivSIOp>(emit.location, lhs, rhs);
    default: { // mod: the rest of the division towards minus infinity
      Value quotient = builder.createOrFold<arith::FloorDivSIOp>(emit.location, lhs, rhs);
      Value product = builder.createOrFold<arith::MulIOp>(emit.location, quotient, rhs);
      return builder.createOrFold<arith::SubIOp>(emit.location, lhs, product);
    }
    }
  }

  /// Whether the body asks for its place along this axis.
  bool isIndexed(unsigned axis) {
    return body
        .walk([&](kernel::IndexOp index) {
          return axisOf[index.getAxis()] == axis ? WalkResult::interrupt() : WalkResult::advance();
        })
        .wasInterrupted();
  }

  /// Lanes of the vector axis: coordinates[axis] + 0 … 15. Within a group the sum is written as bits, which leaves
  /// what the vectors have in common plain to see.
  Value laneCoordinates(unsigned axis) {
    if (groupBase) {
      Value first = arith::IndexCastOp::create(emit.builder, emit.location,
                                               emit.builder.getIndexType(), groupBase);
      return arith::OrIOp::create(emit.builder, emit.location, emit.splat(first),
                                  emit.laneNumbers(inGroup * lanes));
    }
    Value base = arith::IndexCastOp::create(emit.builder, emit.location,
                                            emit.builder.getIndexType(), coordinates[axis]);
    return arith::AddIOp::create(emit.builder, emit.location, emit.splat(base), emit.laneNumbers());
  }

  Value coordinateOf(int64_t opAxis, int vector) {
    const unsigned axis = axisOf[opAxis];
    if (static_cast<int>(axis) == vector)
      return laneCoordinates(axis);
    return arith::IndexCastOp::create(emit.builder, emit.location, emit.builder.getIndexType(),
                                      coordinates[axis]);
  }

  Value loadInput(unsigned operand, int vector) {
    if (Value known = turned.lookup(operand))
      return known;
    const Type element = elements[operand];
    Value address = addressOf(operand);
    if (vector < 0)
      return emit.load(address, element);
    const int64_t step = stride(operand, vector);
    if (step == 0)
      return emit.load(address, element);
    return step == 1 ? emit.loadLanes(address, element, mask)
                     : emit.gatherLanes(address, element, step, mask);
  }

  Value initial(unsigned output, bool vectors) {
    auto attribute = cast<TypedAttr>((*op.getInit())[output]);
    if (vectors)
      attribute = DenseElementsAttr::get(Emitter::vectorOf(attribute.getType()),
                                         static_cast<Attribute>(attribute));
    return arith::ConstantOp::create(emit.builder, emit.location, attribute);
  }

  /// The body at the current coordinates.
  SmallVector<Value> evaluateBody(int vector, ValueRange accumulated) {
    IRMapping mapping = scope.outside;
    for (unsigned i = 0; i < numInputs; ++i)
      if (!body.getArgument(i).use_empty())
        mapping.map(body.getArgument(i), loadInput(i, vector));
    for (auto [i, value] : llvm::enumerate(accumulated))
      mapping.map(body.getArgument(numInputs + i), value);
    return emitBody(emit, body, mapping, vector >= 0,
                    [&](int64_t axis) { return coordinateOf(axis, vector); });
  }

  /// Whether the current point lies inside the guard: an i1, with a vector axis sixteen of them; null without a guard.
  Value insideGuard() {
    if (!op.getGuard())
      return {};
    OpBuilder &builder = emit.builder;
    Value inside;
    for (auto [index, expr] : llvm::enumerate(op.getGuard()->getConstraints())) {
      const auto predicate =
          op.getGuard()->isEq(index) ? arith::CmpIPredicate::eq : arith::CmpIPredicate::sge;
      Value holds = arith::CmpIOp::create(builder, emit.location, predicate, evaluate(expr),
                                          emit.constant(0));
      inside =
          inside ? arith::AndIOp::create(builder, emit.location, inside, holds).getResult() : holds;
    }
    return inside;
  }

  /// `values()` where the guard holds, else `otherwise`.
  SmallVector<Value> guarded(ValueRange otherwise,
                             llvm::function_ref<SmallVector<Value>()> values) {
    Value inside = insideGuard();
    if (!inside)
      return values();
    OpBuilder &builder = emit.builder;
    auto branch = scf::IfOp::create(builder, emit.location, otherwise.getTypes(), inside,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard restore(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, emit.location, values());
    builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(builder, emit.location, otherwise);
    return SmallVector<Value>(branch.getResults());
  }

  void point(int vector) {
    const bool byLanes = vector >= static_cast<int>(numParallel);
    const bool vectors = vector >= 0;
    SmallVector<Value> results;
    if (!hasReduction()) {
      SmallVector<Value> otherwise;
      if (op.getGuard())
        for (unsigned i = 0; i < op.getOutputs().size(); ++i)
          otherwise.push_back(initial(i, vectors));
      results = guarded(otherwise, [&] {
        SmallVector<Value> values;
        overGroup(vector, [&](int64_t) { llvm::append_range(values, evaluateBody(vector, {})); });
        return values;
      });
    } else {
      for (int64_t i = 0; i < group; ++i)
        for (unsigned output = 0; output < op.getOutputs().size(); ++output)
          results.push_back(byLanes ? initialLanes(output) : initial(output, vectors));
      results = byLanes ? reduceByLanes(numParallel, std::move(results))
                        : reduce(numParallel, vector, std::move(results));
    }
    overGroup(vector, [&](int64_t first) {
      for (unsigned i = 0; i < op.getOutputs().size(); ++i) {
        Value address = addressOf(numInputs + i);
        if (vectors && !byLanes)
          emit.storeLanes(results[first + i], address, mask);
        else
          emit.store(results[first + i], address);
      }
    });
  }

  /// Calls `visit` for each vector of the group, the coordinates moved there, with the number of its first output.
  void overGroup(int vector, llvm::function_ref<void(int64_t)> visit) {
    if (group == 1)
      return visit(0);
    Value base = coordinates[vector];
    if (llvm::isPowerOf2_64(group))
      groupBase = base;
    for (inGroup = 0; inGroup < group; ++inGroup) {
      coordinates[vector] = emit.add(base, inGroup * lanes);
      visit(inGroup * static_cast<int64_t>(op.getOutputs().size()));
    }
    coordinates[vector] = base;
    groupBase = {};
  }

  /// Partial sums begin with `init` in the first lane and zero in the others, so that it counts once.
  Value initialLanes(unsigned output) {
    const Combine kind =
        *combineOf(body.getTerminator()->getOperand(output), body.getArgument(numInputs + output));
    auto attribute = cast<FloatAttr>((*op.getInit())[output]);
    SmallVector<APFloat> values(lanes, attribute.getValue());
    if (kind == Combine::Add)
      for (APFloat &value : llvm::drop_begin(values))
        value = APFloat::getZero(value.getSemantics());
    return arith::ConstantOp::create(
        emit.builder, emit.location,
        DenseElementsAttr::get(Emitter::vectorOf(attribute.getType()), values));
  }

  SmallVector<Value> reduce(unsigned axis, int vector, SmallVector<Value> accumulated) {
    if (axis == extents.size())
      return guarded(accumulated, [&] {
        SmallVector<Value> results;
        overGroup(vector, [&](int64_t first) {
          llvm::append_range(
              results,
              evaluateBody(vector, ArrayRef(accumulated).slice(first, op.getOutputs().size())));
        });
        return results;
      });
    if (extents[axis] == 1)
      return reduce(axis + 1, vector, std::move(accumulated));
    ValueRange out = emit.loop(emit.constant(0), emit.constant(extents[axis]), 1, accumulated,
                               [&](Value i, ValueRange carried) {
                                 coordinates[axis] = i;
                                 return reduce(axis + 1, vector,
                                               SmallVector<Value>(carried.begin(), carried.end()));
                               });
    return SmallVector<Value>(out.begin(), out.end());
  }

  /// Sixteen partial sums along the last axis, then their tree.
  SmallVector<Value> reduceByLanes(unsigned axis, SmallVector<Value> accumulated) {
    SmallVector<Value> partial = lanesOver(axis, std::move(accumulated));
    SmallVector<Value> results;
    for (auto [i, value] : llvm::enumerate(partial)) {
      const Combine kind =
          *combineOf(body.getTerminator()->getOperand(i), body.getArgument(numInputs + i));
      results.push_back(
          emit.reduceLanes(value, [&](Value a, Value b) { return combine(kind, a, b); }));
    }
    return results;
  }

  Value combine(Combine kind, Value a, Value b) {
    if (kind == Combine::Add)
      return arith::AddFOp::create(emit.builder, emit.location, a, b);
    return arith::MaximumFOp::create(emit.builder, emit.location, a, b);
  }

  SmallVector<Value> lanesOver(unsigned axis, SmallVector<Value> accumulated) {
    const unsigned last = extents.size() - 1;
    if (axis < last) {
      if (extents[axis] == 1)
        return lanesOver(axis + 1, std::move(accumulated));
      ValueRange out = emit.loop(
          emit.constant(0), emit.constant(extents[axis]), 1, accumulated,
          [&](Value i, ValueRange carried) {
            coordinates[axis] = i;
            return lanesOver(axis + 1, SmallVector<Value>(carried.begin(), carried.end()));
          });
      return SmallVector<Value>(out.begin(), out.end());
    }
    const int64_t whole = extents[last] / lanes * lanes;
    if (whole > 0) {
      ValueRange out = emit.loop(emit.constant(0), emit.constant(whole), lanes, accumulated,
                                 [&](Value i, ValueRange carried) {
                                   coordinates[last] = i;
                                   return evaluateBody(static_cast<int>(last), carried);
                                 });
      accumulated.assign(out.begin(), out.end());
    }
    if (whole == extents[last])
      return accumulated;
    coordinates[last] = emit.constant(whole);
    mask = emit.firstLanes(extents[last] - whole);
    SmallVector<Value> ragged = evaluateBody(static_cast<int>(last), accumulated);
    for (auto [value, old] : llvm::zip_equal(ragged, accumulated))
      value = arith::SelectOp::create(emit.builder, emit.location, mask, value, old);
    mask = {};
    return ragged;
  }

  //===--- squares --------------------------------------------------------------------------------===//

  /// Whether an input lies along `rows` and is read along `columns`.
  bool isTurned(unsigned input, unsigned rows, unsigned columns) const {
    return stride(input, rows) == 1 && stride(input, columns) > 1 &&
           elements[input].getIntOrFloatBitWidth() == 32;
  }

  /// The axes along which an input and the outputs lie, where those are two.
  std::optional<std::pair<unsigned, unsigned>> turnedAxes() const {
    if (!isLinear || hasReduction() || op.getGuard() || op.getZero() ||
        body.getOperations().size() > largestTurnedBody)
      return std::nullopt;
    for (unsigned columns = numParallel; columns-- > 0;) {
      bool alongOutputs = extents[columns] > 1;
      for (unsigned operand = numInputs; operand < accesses.size(); ++operand)
        alongOutputs &= stride(operand, columns) == 1;
      if (!alongOutputs)
        continue;
      for (unsigned rows = 0; rows < numParallel; ++rows)
        for (unsigned input = 0; input < numInputs; ++input)
          if (rows != columns && extents[rows] > 1 && isTurned(input, rows, columns))
            return std::pair(rows, columns);
    }
    return std::nullopt;
  }

  void inSquares(unsigned rows, unsigned columns, int cut) {
    inBlocks(rows, cut, 0, [&](Value row, int64_t numRows) {
      inBlocks(columns, cut, 0, [&](Value column, int64_t numColumns) {
        square(rows, row, numRows, columns, column, numColumns);
      });
    });
  }

  void square(unsigned rows, Value row, int64_t numRows, unsigned columns, Value column,
              int64_t numColumns) {
    llvm::SmallDenseMap<unsigned, SmallVector<Value>> squares;
    for (unsigned input = 0; input < numInputs; ++input) {
      if (!isTurned(input, rows, columns) || body.getArgument(input).use_empty())
        continue;
      SmallVector<Value> lines;
      coordinates[rows] = row;
      for (int64_t i = 0; i < numColumns; ++i) {
        coordinates[columns] = emit.add(column, i);
        lines.push_back(
            emit.loadLanes(addressOf(input), elements[input], emit.firstLanes(numRows)));
      }
      squares[input] = emit.transpose(std::move(lines));
    }
    mask = emit.firstLanes(numColumns);
    coordinates[columns] = column;
    for (int64_t i = 0; i < numRows; ++i) {
      coordinates[rows] = emit.add(row, i);
      for (auto &[input, lines] : squares)
        turned[input] = lines[i];
      point(static_cast<int>(columns));
    }
    turned.clear();
    mask = {};
  }
};

} // namespace

LogicalResult emitSweep(kernel::SweepOp op, const TaskScope &scope) {
  return SweepEmitter(op, scope).run();
}

} // namespace sinter::codegen
