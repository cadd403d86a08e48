//===- TileCalls.cpp - the call of a micro-kernel for one register tile ---------------------------===//

#include "compiler/codegen/TileCalls.h"

#include "compiler/codegen/Body.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// What each row of a tile lies behind its first one.
SmallVector<int64_t> rowOffsets(const TileSite &site, ArrayRef<int64_t> strides) {
  SmallVector<int64_t> offsets;
  for (int64_t y = 0; y < site.tile.y; ++y)
    for (int64_t x = 0; x < site.tile.x; ++x)
      offsets.push_back((site.axisY >= 0 ? y * strides[site.axisY] : 0) +
                        (site.axisX >= 0 ? x * strides[site.axisX] : 0));
  return offsets;
}

/// An operand's strides along the sum; `step`, where not 0, is that of its packed copy.
SmallVector<int64_t> sumStrides(const ContractPlan &plan, unsigned operand, ArrayRef<int64_t> sizes,
                                int64_t step) {
  SmallVector<int64_t> strides(sizes.size());
  for (size_t i = sizes.size(); i-- > 0; step *= sizes[i])
    strides[i] = step != 0 ? step : plan.accesses[operand].strides[plan.sumAxis(i)];
  return strides;
}

/// Loops over a block of the sum, axes joined where one goes on where the other ends.
SmallVector<SumLoop> sumLoops(ArrayRef<int64_t> sizes, ArrayRef<int64_t> stridesA,
                              ArrayRef<int64_t> stridesB) {
  SmallVector<SumLoop> loops;
  for (auto [trip, strideA, strideB] : llvm::zip_equal(sizes, stridesA, stridesB)) {
    const SumLoop loop{trip, strideA, strideB};
    if (trip == 1)
      continue;
    if (!loops.empty() && loops.back().strideA == loop.trip * loop.strideA &&
        loops.back().strideB == loop.trip * loop.strideB)
      loops.back() = {loops.back().trip * loop.trip, loop.strideA, loop.strideB};
    else
      loops.push_back(loop);
  }
  if (loops.empty())
    loops.push_back({1, 0, 0});
  return loops;
}

/// Whether two planned values have one place in memory.
bool liesAt(Value a, Value b) {
  auto viewA = a.getDefiningOp<memref::ViewOp>(), viewB = b.getDefiningOp<memref::ViewOp>();
  APInt offsetA, offsetB;
  return a == b ||
         (viewA && viewB && viewA.getSource() == viewB.getSource() &&
          matchPattern(viewA.getByteShift(), m_ConstantInt(&offsetA)) &&
          matchPattern(viewB.getByteShift(), m_ConstantInt(&offsetB)) && offsetA == offsetB);
}

} // namespace

TileCalls::TileCalls(kernel::ContractOp op, const ContractPlan &plan, const Schedule &schedule,
                     const TaskScope &scope, Products products, MicroKernels &microKernels,
                     bool blocksWithin)
    : op(op), plan(plan), schedule(schedule), scope(scope), emit(scope.emitter), products(products),
      microKernels(microKernels), epilogue(op.getEpilogue()),
      ahead(op, plan, schedule, scope.emitter, blocksWithin), captured(capturedValues(epilogue)),
      opRows(static_cast<int64_t>(op.getRows().size())) {
  epilogue.walk([&](kernel::IndexOp index) {
    if (!llvm::is_contained(coordinateAxes, index.getAxis()))
      coordinateAxes.push_back(index.getAxis());
  });
}

/// Where an axis of the op went when rows were joined.
unsigned TileCalls::planAxisOf(int64_t axis) const {
  if (axis < opRows)
    return plan.planAxis[axis];
  return axis == opRows ? plan.colAxis() : plan.tapAxis(static_cast<unsigned>(axis - opRows - 1));
}

/// A tap's place in the plan's order; 0 for one that is not of it.
int64_t TileCalls::tapNumber(const Tap &tap) const {
  const Tap *begin = plan.order.data(), *end = begin + plan.order.size();
  return &tap >= begin && &tap < end ? &tap - begin : 0;
}

Value TileCalls::elementOf(unsigned operand, Value offset) const {
  const auto type = cast<ShapedType>(op->getOperand(operand).getType());
  return emit.advance(scope.pointers[operand], offset, type.getElementType());
}

/// All but what is fetched ahead.
MicroKernel TileCalls::kernelOf(const TileSite &site, const Packed &packed) const {
  MicroKernel kernel;
  const int64_t rows = site.tile.y * site.tile.x;
  kernel.vectors = site.vectors;
  kernel.lastColumns = site.lastColumns;
  kernel.unroll = schedule.unroll;
  kernel.sumsAreNear = ahead.sumsStayNear();
  kernel.first = site.first.when;
  kernel.last = site.last.when;

  if (packed.pairs) {
    for (int64_t row = 0; row < rows; ++row)
      kernel.rowsOfA.push_back(row * packed.pairs->row);
    kernel.products = products;
    kernel.sum = {{PairCopies::pairs(site.sizes) * wordsOfPair(kernel.products), packed.pairs->step,
                   site.vectors * lanes}};
  } else {
    if (packed.a)
      llvm::append_range(kernel.rowsOfA, llvm::seq(rows));
    else
      kernel.rowsOfA = rowOffsets(site, plan.accesses[0].strides);
    if (site.sumIsEmpty)
      kernel.sum = {{0, 0, 0}};
    else
      kernel.sum = sumLoops(site.sizes, sumStrides(plan, 0, site.sizes, packed.a ? rows : 0),
                            sumStrides(plan, 1, site.sizes, packed.b ? site.vectors * lanes : 0));
  }
  if (!packed.a && site.axisX >= 0)
    kernel.aheadInA = ahead.toNextRows(site.tile.x, site.axisX);

  auto tileOperand = [&](unsigned index) {
    const Access &access = plan.accesses[index];
    return TileOperand{cast<ShapedType>(op->getOperand(index).getType()).getElementType(),
                       rowOffsets(site, access.strides),
                       access.strides[plan.colAxis()] != 0 || index >= plan.output(0)};
  };
  for (unsigned i = 0; i < plan.numWith; ++i)
    kernel.with.push_back(tileOperand(2 + i));
  for (unsigned i = 0; i < plan.numOutputs; ++i)
    kernel.outputs.push_back(tileOperand(plan.output(i)));
  if (auto late = op->getAttrOfType<DenseI64ArrayAttr>("kernel.late"))
    for (int64_t i : late.asArrayRef()) {
      if (i < 0 || i >= static_cast<int64_t>(kernel.outputs.size()))
        continue;
      // Places in memory are multiples of 64 bytes.
      const Access &access = plan.accesses[plan.output(static_cast<unsigned>(i))];
      kernel.outputs[i].goesPastCache =
          access.offset % lanes == 0 && llvm::all_of(access.strides, [](int64_t stride) {
            return stride == 1 || stride % lanes == 0;
          });
    }

  for (unsigned i = 0; i < plan.numWith; ++i)
    for (unsigned j = 0; j < plan.numOutputs; ++j)
      if (liesAt(op->getOperand(2 + i), op->getOperand(plan.output(j))) &&
          kernel.with[i].rowOffsets == kernel.outputs[j].rowOffsets)
        kernel.with[i].isUpdated = kernel.outputs[j].isUpdated = true;

  kernel.coordinateAxes = coordinateAxes;
  for (int64_t axis : coordinateAxes) {
    const unsigned planAxis = planAxisOf(axis);
    SmallVector<int64_t> steps;
    if (planAxis != plan.colAxis()) {
      // Of the rows, the axis moves with the tile; a tap stands still.
      SmallVector<int64_t> unit(plan.accesses[0].strides.size(), 0);
      unit[planAxis] = 1;
      steps = rowOffsets(site, unit);
    }
    kernel.coordinates.push_back(steps);
  }
  if (site.last.when != When::Never) {
    kernel.epilogue = epilogue.empty() ? nullptr : &epilogue;
    kernel.captured = captured;
  }
  return kernel;
}

void TileCalls::call(const TileSite &site, const Packed &packed, int64_t rowsOfPanel) {
  const Cursor &at = site.at;
  MicroKernel kernel = kernelOf(site, packed);
  SmallVector<RowsOfOperand> rowsAhead;
  if (!site.sumIsEmpty)
    rowsAhead = ahead.of({at.offsets, site.tap, tapNumber(site.tap), site.tile, site.vectors,
                          site.sizes, packed.before, packed.toNextPanel},
                         rowsOfPanel);
  for (const RowsOfOperand &rows : rowsAhead)
    kernel.ahead.push_back(rows.rows);

  SmallVector<Value> arguments;
  for (unsigned index = 0; index < scope.pointers.size(); ++index) {
    Value copy = index == 0 ? packed.a : index == 1 ? packed.b : Value();
    arguments.push_back(copy ? copy : elementOf(index, at.offsets[index]));
  }
  for (const RowsOfOperand &rows : rowsAhead)
    arguments.push_back(elementOf(rows.operand, rows.offset));
  for (int64_t axis : coordinateAxes)
    arguments.push_back(at.coordinates[planAxisOf(axis)]);
  for (Value value : kernel.captured)
    arguments.push_back(scope.outside.lookup(value));
  for (const Flag *flag : {&site.first, &site.last})
    if (flag->when == When::Dynamic)
      arguments.push_back(flag->value);
  func::FuncOp function = microKernels.get(kernel, op->getLoc());
  func::CallOp::create(emit.builder, emit.location, function, arguments);
}

} // namespace sinter::codegen
