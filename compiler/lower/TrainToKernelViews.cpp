//===- TrainToKernelViews.cpp - views become maps, and a few sweeps ---------------------------===//
#include "compiler/lower/TrainToKernelParts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sinter::lower {

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// The map of a reshape that only adds or drops axes of extent 1; null for others.
static AffineMap mapOfUnitAxes(KernelBuilder &builder, ArrayRef<int64_t> from,
                               ArrayRef<int64_t> to) {
  SmallVector<unsigned> kept;
  for (auto [axis, extent] : llvm::enumerate(to))
    if (extent != 1)
      kept.push_back(axis);
  SmallVector<AffineExpr> results;
  size_t next = 0;
  for (int64_t extent : from) {
    if (extent == 1) {
      results.push_back(getAffineConstantExpr(0, builder.context));
    } else {
      if (next == kept.size() || to[kept[next]] != extent)
        return {};
      results.push_back(builder.dim(kept[next++]));
    }
  }
  return next == kept.size() ? builder.map(to.size(), results) : AffineMap();
}

static LogicalResult lower(KernelBuilder &builder, train::ReshapeOp op) {
  Access source = builder.access(op.getX());
  const bool isWhole = source.tensor && source.map.isIdentity() &&
                       source.tensor.getType() == memoryType(op.getX().getType());
  if (source.splat) {
    source.map = builder.map(op.getType().getRank(), {});
    builder.set(op.getResult(), source);
    return success();
  }
  if (!isWhole)
    if (AffineMap map = mapOfUnitAxes(builder, shapeOf(op.getX()), shapeOf(op.getY()))) {
      source.map = simplifyAffineMap(source.map.compose(map));
      builder.set(op.getResult(), source);
      return success();
    }
  Value tensor = builder.inMemory(op.getX());
  builder.set(op.getResult(), kernel::AliasOp::create(builder.builder, op.getLoc(),
                                                      memoryType(op.getType()), tensor)
                                  .getResult());
  return success();
}

/// y[low + p · strides] = x[p]: read backwards, a guard keeps to the points that x has.
static LogicalResult lower(KernelBuilder &builder, train::PadOp op) {
  const unsigned rank = op.getType().getRank();
  SweepDomain domain;
  domain.parallel.assign(op.getType().getShape().begin(), op.getType().getShape().end());
  domain.init.push_back(builder.builder.getF32FloatAttr(op.getValue().convertToDouble()));
  SmallVector<AffineExpr> source, constraints;
  SmallVector<bool> isEquality;
  for (auto [axis, low, stride, extent] :
       llvm::enumerate(op.getLow(), op.getStrides(), shapeOf(op.getX()))) {
    const AffineExpr distance = builder.dim(axis) - low;
    source.push_back(distance.floorDiv(stride));
    constraints.append({distance, (extent - 1) * stride - distance});
    isEquality.append(2, false);
    if (stride > 1) {
      constraints.push_back(distance % stride);
      isEquality.push_back(true);
    }
  }
  if (rank > 0)
    domain.guard = IntegerSet::get(rank, 0, constraints, isEquality);
  else
    domain.init.clear();
  builder.set(op.getResult(),
              builder.sweep(op.getLoc(), domain,
                            SweepInput{builder.access(op.getX()), builder.map(rank, source)},
                            SweepOutput{op.getType(), builder.identity(rank)},
                            [](OpBuilder &, Location, ValueRange inputs, ValueRange, ValueRange) {
                              return SmallVector<Value>{inputs[0]};
                            })[0]);
  return success();
}

/// Parts of one extent: the number of the part is an axis of its own, so that every operand is read where it lies and whole vectors
/// are written.
static Value concatEqualParts(KernelBuilder &builder, train::ConcatOp op, int64_t extent) {
  auto type = cast<RankedTensorType>(op.getType());
  const unsigned rank = type.getRank(), along = op.getAxis();
  // The domain: the result's axes up to `along`, the part, the coordinate within it, the axes behind.
  SweepDomain domain;
  domain.parallel.assign(type.getShape().begin(), type.getShape().end());
  domain.parallel[along] = extent;
  domain.parallel.insert(domain.parallel.begin() + along, op.getXs().size());
  SmallVector<AffineExpr> read, written;
  for (unsigned axis = 0; axis < rank; ++axis)
    read.push_back(builder.dim(axis < along ? axis : axis + 1));
  written = read;
  written[along] = builder.dim(along) * extent + builder.dim(along + 1);
  SmallVector<SweepInput> inputs;
  for (Value x : op.getXs())
    inputs.push_back({builder.access(x), builder.map(rank + 1, read)});
  return builder.sweep(
      op.getLoc(), domain, inputs, SweepOutput{type, builder.map(rank + 1, written)},
      [&](OpBuilder &at, Location location, ValueRange values, ValueRange, ValueRange point) {
        Value chosen = values[0];
        for (auto [number, value] : llvm::drop_begin(llvm::enumerate(values))) {
          Value here = arith::ConstantIndexOp::create(at, location, number);
          Value isHere =
              arith::CmpIOp::create(at, location, arith::CmpIPredicate::eq, point[along], here);
          chosen = arith::SelectOp::create(at, location, isHere, value, chosen);
        }
        return SmallVector<Value>{chosen};
      })[0];
}

/// Each operand is read at its coordinate modulo its extent, which is inside it everywhere; the
/// coordinate says which one counts.
static LogicalResult lower(KernelBuilder &builder, train::ConcatOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  const unsigned rank = type.getRank(), along = op.getAxis();
  const int64_t part = shapeOf(op.getXs().front())[along];
  if (llvm::all_of(op.getXs(), [&](Value x) { return shapeOf(x)[along] == part; })) {
    builder.set(op.getResult(), concatEqualParts(builder, op, part));
    return success();
  }
  SweepDomain domain;
  domain.parallel.assign(type.getShape().begin(), type.getShape().end());
  SmallVector<SweepInput> inputs;
  SmallVector<int64_t> begins;
  int64_t begin = 0;
  for (Value x : op.getXs()) {
    const int64_t extent = shapeOf(x)[along];
    SmallVector<AffineExpr> at;
    for (unsigned axis = 0; axis < rank; ++axis)
      at.push_back(axis == along ? (builder.dim(axis) - begin) % extent : builder.dim(axis));
    inputs.push_back({builder.access(x), builder.map(rank, at)});
    begins.push_back(begin);
    begin += extent;
  }
  builder.set(
      op.getResult(),
      builder.sweep(
          op.getLoc(), domain, inputs, SweepOutput{type, builder.identity(rank)},
          [&](OpBuilder &at, Location location, ValueRange values, ValueRange, ValueRange point) {
            Value chosen = values[0];
            for (auto [value, first] : llvm::drop_begin(llvm::zip_equal(values, begins))) {
              Value border = arith::ConstantIndexOp::create(at, location, first);
              Value isBehind = arith::CmpIOp::create(at, location, arith::CmpIPredicate::sge,
                                                     point[along], border);
              chosen = arith::SelectOp::create(at, location, isBehind, value, chosen);
            }
            return SmallVector<Value>{chosen};
          })[0]);
  return success();
}

LogicalResult lowerView(KernelBuilder &builder, train::View op) {
  if (AffineMap map = op.getAccessMap()) {
    Access source = builder.access(op->getOperand(0));
    source.map = source.splat ? builder.map(map.getNumDims(), {})
                              : simplifyAffineMap(source.map.compose(map));
    builder.set(op->getResult(0), source);
    return success();
  }
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<train::ReshapeOp, train::PadOp, train::ConcatOp>(
          [&](auto view) { return lower(builder, view); })
      .Default([&](Operation *) { return op->emitOpError("has no kernel"); });
}

} // namespace sinter::lower
