//===- EmitSweep.cpp - loops over a rectangular domain --------------------------------------------===//
// Sixteen elements at a time along one axis: the last parallel axis where outputs have stride 1 along it; or the last reduce axis,
// with one partial sum a lane, where the inputs lie along it and the body only adds or takes maxima (SweepOp::sumsByLanes). What neither fits is
// walked element by element. Axes that every operand walks as one are joined before. Where an input lies along another axis than
// the outputs, squares of 16 × 16 elements are turned round in registers.

#include "compiler/codegen/Passes.h"
#include "compiler/codegen/SweepEmitter.h"

#include "dialects/kernel/SweepOrder.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace sinter::codegen {

namespace {

/// An output of so many bytes does not stay in a cache until it is read. It is written past it: a line that is not fetched first costs less.
constexpr int64_t leastPastCache = int64_t{8} << 20;
/// Of an input of so many bytes the second level of caches hardly holds what comes next.
constexpr int64_t leastFetched = int64_t{2} << 20;
/// So far ahead it is asked for: a CPU's own prefetchers stop at the end of each page and begin anew behind it.
constexpr int64_t bytesAhead = 8192;
/// Where a view begins; -1 where that is not known.
int64_t offsetOf(memref::ViewOp view) {
  APInt offset;
  return matchPattern(view.getByteShift(), m_ConstantInt(&offset)) ? offset.getSExtValue() : -1;
}

/// A body that asks where it stands draws random numbers, four vectors from one counter (train.random): side by side
/// these share the work.
constexpr int64_t indexedVectors = 4;
/// Of exp and its like so many vectors are computed side by side: one alone would run at the pace of its latency.
constexpr int64_t longVectors = 4;

} // namespace

SweepEmitter::SweepEmitter(kernel::SweepOp op, const TaskScope &scope)
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
  for (unsigned operand = numInputs; operand < accesses.size(); ++operand)
    pastCache.push_back(goesPastCache(operand));
}

LogicalResult SweepEmitter::run() {
  coordinates.assign(extents.size(), Value());
  for (unsigned axis = 0; axis < extents.size(); ++axis)
    if (extents[axis] == 1)
      coordinates[axis] = emit.constant(0);
  const int vector = vectorAxis();
  const bool byLanes = vector >= static_cast<int>(numParallel);
  SmallVector<unsigned> outer;
  for (unsigned axis : parallelOrder())
    if (extents[axis] != 1 && static_cast<int>(axis) != vector)
      outer.push_back(axis);
  const int cut = op.getShares() > 1 ? shareAxis() : -1;
  if (op.getShares() > 1 && cut < 0)
    return op.emitOpError("has ") << op.getShares() << " shares and no axis to cut";
  if (op.getZero() && failed(zeroFill(cut)))
    return failure();
  loadUniform();
  if (const auto axes = turnedAxes()) {
    const auto [rows, columns] = *axes;
    llvm::erase(outer, rows);
    llvm::erase(outer, columns);
    overParallel(outer, cut, [&] { inSquares(rows, columns, cut); });
  } else
    overParallel(outer, cut, [&] {
      if (byLanes || vector < 0)
        point(byLanes ? vector : -1);
      else if (accumulatesInMemory(vector))
        accumulateInMemory(vector, vector == cut);
      else
        overVectors(vector, vector == cut);
    });
  // What was written past the cache must be there before others are told.
  if (llvm::is_contained(pastCache, true))
    emit.fence();
  return success();
}

int64_t SweepEmitter::stride(unsigned operand, unsigned axis) const {
  if (accesses[operand])
    return accesses[operand]->strides[axis];
  return *strideOf(operand,
                   axis); // axes are the op's own: nothing is joined where a map is not linear
}

std::optional<int64_t> SweepEmitter::strideOf(unsigned operand, unsigned axis) const {
  if (accesses[operand])
    return accesses[operand]->strides[axis];
  return kernel::strideAlong(op.getMap(operand),
                             cast<ShapedType>(op->getOperand(operand).getType()).getShape(), axis);
}

void SweepEmitter::joinAxes() {
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

int SweepEmitter::vectorAxis() const {
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

bool SweepEmitter::guardUses(unsigned axis) const {
  if (!op.getGuard())
    return false;
  for (auto [opAxis, mine] : llvm::enumerate(axisOf))
    if (mine == axis)
      for (AffineExpr expr : op.getGuard()->getConstraints())
        if (expr.isFunctionOfDim(opAxis))
          return true;
  return false;
}

SmallVector<unsigned> SweepEmitter::parallelOrder() const {
  SmallVector<unsigned> order;
  for (unsigned axis : kernel::parallelAsInMemory(op))
    if (!llvm::is_contained(order, axisOf[axis]))
      order.push_back(axisOf[axis]);
  return order;
}

bool SweepEmitter::goesPastCache(unsigned operand) {
  Value output = op->getOperand(operand);
  auto type = cast<ShapedType>(output.getType());
  if (hasReduction() || !accesses[operand] || !type.getElementType().isF32() ||
      type.getNumElements() * 4 < leastPastCache)
    return false;
  // In place, the line is there already.
  auto view = output.getDefiningOp<memref::ViewOp>();
  if (!view)
    return false;
  for (Value input : op.getInputs())
    if (auto other = input.getDefiningOp<memref::ViewOp>();
        !other || (other.getSource() == view.getSource() && offsetOf(other) == offsetOf(view)))
      return false;
  // Whole lines: places in memory are multiples of 64 bytes.
  const Access &access = *accesses[operand];
  return access.offset % lanes == 0 && llvm::all_of(access.strides, [](int64_t stride) {
           return stride == 1 || stride % lanes == 0;
         });
}

int SweepEmitter::shareAxis() const {
  for (unsigned axis : parallelOrder())
    if (extents[axis] >= static_cast<int64_t>(op.getShares()))
      return static_cast<int>(axis);
  return -1;
}

std::pair<Value, Value> SweepEmitter::bounds(unsigned axis, int cut, int64_t granule) {
  if (static_cast<int>(axis) != cut)
    return {emit.constant(0), emit.constant(extents[axis])};
  const int64_t units = llvm::divideCeil(extents[axis], granule);
  Value low = emit.multiply(emit.shareBegin(scope.share, units, op.getShares()), granule);
  Value high =
      emit.multiply(emit.shareBegin(emit.add(scope.share, 1), units, op.getShares()), granule);
  if (granule != 1)
    high = arith::MinSIOp::create(emit.builder, emit.location, high, emit.constant(extents[axis]));
  return {low, high};
}

LogicalResult SweepEmitter::zeroFill(int cut) {
  for (unsigned operand = numInputs; operand < accesses.size(); ++operand) {
    const int64_t count = cast<ShapedType>(op->getOperand(operand).getType()).getNumElements();
    Value low = emit.constant(0), high = emit.constant(count);
    if (cut >= 0) {
      if (!accesses[operand] || stride(operand, cut) * extents[cut] != count)
        return op.emitOpError("cannot zero an output that shares do not cut into contiguous parts");
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

void SweepEmitter::overParallel(ArrayRef<unsigned> axes, int cut,
                                llvm::function_ref<void()> inner) {
  if (axes.empty())
    return inner();
  const unsigned axis = axes.front();
  auto [low, high] = bounds(axis, cut);
  emit.loop(low, high, 1, [&](Value i) {
    coordinates[axis] = i;
    overParallel(axes.drop_front(), cut, inner);
  });
}

void SweepEmitter::overVectors(unsigned axis, bool isCut) {
  const int64_t extent = extents[axis];
  auto at = [&](Value i, Value lanesThere) {
    coordinates[axis] = i;
    mask = lanesThere;
    point(static_cast<int>(axis));
    mask = {};
  };
  const auto rest = [&](int64_t begin, int cut) {
    inBlocks(axis, cut, begin, [&](Value i, int64_t count) {
      at(i, count == lanes ? Value() : emit.firstLanes(count));
    });
  };
  const int64_t whole = extent / lanes * lanes;
  const bool isWide = !hasReduction() && isLong() && !op.getGuard();
  if (!isWide && (isCut || !(hasReduction() || (isIndexed(axis) && !op.getGuard()))))
    return rest(0, isCut ? static_cast<int>(axis) : -1);

  const int64_t wanted = hasReduction() ? accumulatorsInRegisters()
                         : isWide       ? longVectors
                                        : indexedVectors;
  const int64_t vectors = hasReduction() ? std::clamp<int64_t>(whole / lanes, 1, wanted) : wanted;
  const int64_t step = vectors * lanes, done = extent / step * step;
  const auto visit = [&](Value i) {
    group = vectors;
    if (isWide)
      sideBySide();
    at(i, {});
    group = 1;
  };
  if (!isCut) {
    emit.loop(0, done, step, visit);
    return rest(done, -1);
  }
  // A share ends at a whole group, so only the last one meets what is left.
  auto [low, high] = bounds(axis, static_cast<int>(axis), step);
  Value end = arith::MinSIOp::create(emit.builder, emit.location, high, emit.constant(done));
  emit.loop(low, end, step, visit);
  if (done == extent)
    return;
  Value isLast = arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::sgt, high,
                                       emit.constant(done));
  auto branch = scf::IfOp::create(emit.builder, emit.location, isLast, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(emit.builder);
  emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  rest(done, -1);
}

bool SweepEmitter::isLong() const {
  return llvm::any_of(body, [](Operation &op) {
    return isa<math::MathDialect>(op.getDialect()) &&
           !isa<math::SqrtOp, math::AbsFOp, math::FmaOp, math::FloorOp>(op);
  });
}

void SweepEmitter::sideBySide() {
  if (auto loop = dyn_cast<scf::ForOp>(emit.builder.getInsertionBlock()->getParentOp()))
    loop->setAttr(interleavedAttribute, emit.builder.getUnitAttr());
}

void SweepEmitter::inBlocks(unsigned axis, int cut, int64_t begin,
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
  Value wholeEnd = arith::MinSIOp::create(emit.builder, emit.location, high, emit.constant(whole));
  emit.loop(low, wholeEnd, lanes, full);
  if (whole == extent)
    return;
  Value isLast = arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::sgt, high,
                                       emit.constant(whole));
  auto branch = scf::IfOp::create(emit.builder, emit.location, isLast, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(emit.builder);
  emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  visit(emit.constant(whole), extent - whole);
}

Value SweepEmitter::addressOf(unsigned operand) {
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

Value SweepEmitter::evaluate(AffineExpr expr) {
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

bool SweepEmitter::isIndexed(unsigned axis) {
  return body
      .walk([&](kernel::IndexOp index) {
        return axisOf[index.getAxis()] == axis ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

Value SweepEmitter::laneCoordinates(unsigned axis) {
  if (groupBase) {
    Value first = arith::IndexCastOp::create(emit.builder, emit.location,
                                             emit.builder.getIndexType(), groupBase);
    return arith::OrIOp::create(emit.builder, emit.location, emit.splat(first),
                                emit.laneNumbers(inGroup * lanes));
  }
  Value base = arith::IndexCastOp::create(emit.builder, emit.location, emit.builder.getIndexType(),
                                          coordinates[axis]);
  return arith::AddIOp::create(emit.builder, emit.location, emit.splat(base), emit.laneNumbers());
}

Value SweepEmitter::coordinateOf(int64_t opAxis, int vector) {
  const unsigned axis = axisOf[opAxis];
  if (static_cast<int>(axis) == vector)
    return laneCoordinates(axis);
  return arith::IndexCastOp::create(emit.builder, emit.location, emit.builder.getIndexType(),
                                    coordinates[axis]);
}

Value SweepEmitter::loadInput(unsigned operand, int vector) {
  if (Value known = turned.lookup(operand))
    return known;
  if (Value known = uniform.lookup(operand))
    return known;
  const Type element = elements[operand];
  Value address = addressOf(operand);
  if (vector < 0)
    return emit.load(address, element);
  const int64_t step = stride(operand, vector);
  if (step == 0)
    return emit.load(address, element);
  if (step != 1)
    return emit.gatherLanes(address, element, step, mask);
  if (const int64_t distance = mask ? 0 : elementsAhead(operand, vector))
    emit.fetch(emit.advance(address, distance, element));
  return emit.loadLanes(address, element, mask);
}

int64_t SweepEmitter::elementsAhead(unsigned operand, int vector) {
  auto type = cast<ShapedType>(op->getOperand(operand).getType());
  const int64_t bytes = type.getElementType().isF32() ? 4 : 0;
  if (!accesses[operand] || type.getNumElements() * bytes < leastFetched)
    return 0;
  // Sums in registers go down the columns of a few vectors; what they read next is so many rows on.
  int64_t turn = lanes;
  if (hasReduction() && vector < static_cast<int>(numParallel) && !accumulatesInMemory(vector))
    for (unsigned axis = numParallel; axis < extents.size(); ++axis)
      if (extents[axis] != 1)
        turn = stride(operand, axis);
  return turn <= 0 ? 0 : static_cast<int64_t>(llvm::alignTo(bytesAhead / 4, turn));
}

Value SweepEmitter::initial(unsigned output, bool vectors) {
  auto attribute = cast<TypedAttr>((*op.getInit())[output]);
  if (vectors)
    attribute = DenseElementsAttr::get(Emitter::vectorOf(attribute.getType()),
                                       static_cast<Attribute>(attribute));
  return arith::ConstantOp::create(emit.builder, emit.location, attribute);
}

void SweepEmitter::loadUniform() {
  for (unsigned input = 0; input < numInputs; ++input)
    if (accesses[input] && !body.getArgument(input).use_empty() &&
        llvm::all_of(accesses[input]->strides, [](int64_t stride) { return stride == 0; }))
      uniform[input] =
          emit.load(emit.advance(scope.pointers[input], accesses[input]->offset, elements[input]),
                    elements[input]);
}

SmallVector<Value> SweepEmitter::evaluateBody(int vector, ValueRange accumulated) {
  IRMapping mapping = scope.outside;
  for (unsigned i = 0; i < numInputs; ++i)
    if (!body.getArgument(i).use_empty())
      mapping.map(body.getArgument(i), loadInput(i, vector));
  for (auto [i, value] : llvm::enumerate(accumulated))
    mapping.map(body.getArgument(numInputs + i), value);
  return emitBody(emit, body, mapping, vector >= 0,
                  [&](int64_t axis) { return coordinateOf(axis, vector); });
}

Value SweepEmitter::insideGuard() {
  if (!op.getGuard())
    return {};
  OpBuilder &builder = emit.builder;
  Value inside;
  for (auto [index, expr] : llvm::enumerate(op.getGuard()->getConstraints())) {
    const auto predicate =
        op.getGuard()->isEq(index) ? arith::CmpIPredicate::eq : arith::CmpIPredicate::sge;
    Value holds =
        arith::CmpIOp::create(builder, emit.location, predicate, evaluate(expr), emit.constant(0));
    inside =
        inside ? arith::AndIOp::create(builder, emit.location, inside, holds).getResult() : holds;
  }
  return inside;
}

SmallVector<Value> SweepEmitter::guarded(ValueRange otherwise,
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

void SweepEmitter::point(int vector) {
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
        emit.storeLanes(results[first + i], address, mask, pastCache[i]);
      else
        emit.store(results[first + i], address);
    }
  });
}

void SweepEmitter::overGroup(int vector, llvm::function_ref<void(int64_t)> visit) {
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

LogicalResult emitSweep(kernel::SweepOp op, const TaskScope &scope) {
  return SweepEmitter(op, scope).run();
}

} // namespace sinter::codegen
