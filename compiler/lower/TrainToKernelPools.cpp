//===- TrainToKernelPools.cpp - pools and their gradients -------------------------------------===//
#include "compiler/lower/TrainToKernelParts.h"
#include "dialects/train/Scalar.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace sinter::lower {
namespace {

using train::Scalar;

/// The windows of one pool over an image [B, H, W, C] into one of [B, Y, X, C].
struct Windows {
  template <typename Op>
  Windows(KernelBuilder &builder, Op op, Value image, Value pooled)
      : builder(builder), location(op.getLoc()), image(cast<RankedTensorType>(image.getType())),
        pooled(cast<RankedTensorType>(pooled.getType())), size(op.getSize()),
        strides(op.getStrides()), padding(op.getPadding()) {}

  int64_t numPoints() const { return size[0] * size[1]; }
  bool overlap() const { return size[0] > strides[0] || size[1] > strides[1]; }
  bool isPadded() const {
    return llvm::any_of(padding, [](int64_t side) { return side != 0; });
  }

  /// Forward: over (b, y, x, c), each reducing (i, j); points in the padding are left out.
  SweepDomain reduction() const {
    SweepDomain domain;
    domain.parallel.assign(pooled.getShape().begin(), pooled.getShape().end());
    domain.reduce.assign(size.begin(), size.end());
    SmallVector<AffineExpr> constraints;
    if (isPadded())
      for (unsigned axis : {0, 1}) {
        constraints.push_back(pixel(axis));
        constraints.push_back(image.getDimSize(1 + axis) - 1 - pixel(axis));
      }
    guard(domain, constraints);
    return domain;
  }
  AffineMap imageMap() const {
    return builder.map(6, {builder.dim(0), pixel(0), pixel(1), builder.dim(3)});
  }
  AffineMap pooledMap() const { return builder.axes(6, {0, 1, 2, 3}); }

  /// Backward without overlap: over (b, y, i, x, j, c), each window writing its own pixels.
  SweepDomain scatter() const {
    SweepDomain domain;
    domain.parallel = {
        pooled.getDimSize(0), pooled.getDimSize(1), size[0], pooled.getDimSize(2), size[1],
        pooled.getDimSize(3)};
    domain.zero = size[0] * pooled.getDimSize(1) != image.getDimSize(1) || size[0] != strides[0] ||
                  size[1] * pooled.getDimSize(2) != image.getDimSize(2) || size[1] != strides[1];
    return domain;
  }
  AffineMap scatterImageMap() const {
    return builder.map(6, {builder.dim(0), builder.dim(1) * strides[0] + builder.dim(2),
                           builder.dim(3) * strides[1] + builder.dim(4), builder.dim(5)});
  }
  AffineMap scatterPooledMap() const { return builder.axes(6, {0, 1, 3, 5}); }

  /// Backward with overlap: over (b, h, w, c), each summing over the windows (i, j) that it is in.
  SweepDomain gather() const {
    SweepDomain domain;
    domain.parallel.assign(image.getShape().begin(), image.getShape().end());
    domain.reduce.assign(size.begin(), size.end());
    domain.init.push_back(builder.builder.getF32FloatAttr(0));
    SmallVector<AffineExpr> constraints;
    SmallVector<bool> isEquality;
    for (unsigned axis : {0, 1}) {
      constraints.push_back(origin(axis));
      constraints.push_back((pooled.getDimSize(1 + axis) - 1) * strides[axis] - origin(axis));
      isEquality.append(2, false);
      if (strides[axis] > 1) {
        constraints.push_back(origin(axis) % strides[axis]);
        isEquality.push_back(true);
      }
    }
    domain.guard = IntegerSet::get(6, 0, constraints, isEquality);
    return domain;
  }
  AffineMap gatherPooledMap() const {
    return builder.map(6, {builder.dim(0), origin(0).floorDiv(strides[0]),
                           origin(1).floorDiv(strides[1]), builder.dim(3)});
  }

  /// Row-major position in the window, as the index's type.
  Value position(Scalar &s, Value i, Value j, Type type) const {
    Value row = s.make<arith::MulIOp>(i, s.make<arith::ConstantIndexOp>(size[1]));
    return s.make<arith::IndexCastOp>(type, s.make<arith::AddIOp>(row, j));
  }

  KernelBuilder &builder;
  Location location;
  RankedTensorType image, pooled;
  ArrayRef<int64_t> size, strides, padding;

private:
  /// The image's coordinate of a window's point.
  AffineExpr pixel(unsigned axis) const {
    return builder.dim(1 + axis) * strides[axis] + builder.dim(4 + axis) - padding[axis];
  }
  /// Where the window begins whose point (i, j) this pixel would be, counted in the padded image.
  AffineExpr origin(unsigned axis) const {
    return builder.dim(1 + axis) + padding[axis] - builder.dim(4 + axis);
  }

  static void guard(SweepDomain &domain, ArrayRef<AffineExpr> constraints) {
    if (!constraints.empty())
      domain.guard =
          IntegerSet::get(6, 0, constraints, SmallVector<bool>(constraints.size(), false));
  }
};

LogicalResult lower(KernelBuilder &builder, train::MaxPool2dOp op) {
  Windows windows(builder, op, op.getX(), op.getY());
  auto indexType = cast<RankedTensorType>(op.getIndex().getType());
  SweepDomain domain = windows.reduction();
  domain.init.push_back(builder.builder.getF32FloatAttr(-std::numeric_limits<float>::infinity()));
  domain.init.push_back(builder.builder.getIntegerAttr(indexType.getElementType(), 0));
  const SmallVector<Value> results = builder.sweep(
      op.getLoc(), domain, SweepInput{builder.access(op.getX()), windows.imageMap()},
      {SweepOutput{windows.pooled, windows.pooledMap()},
       SweepOutput{indexType, windows.pooledMap()}},
      [&](OpBuilder &at, Location location, ValueRange in, ValueRange best, ValueRange point) {
        Scalar s(at, location);
        // A NaN wins and stays.
        Value isLarger = s.greater(in[0], best[0]);
        Value isNaN = s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, in[0], in[0]);
        Value wins = s.make<arith::OrIOp>(isLarger, isNaN);
        Value here = windows.position(s, point[4], point[5], indexType.getElementType());
        return SmallVector<Value>{s.choose(wins, in[0], best[0]), s.choose(wins, here, best[1])};
      });
  builder.set(op.getY(), results[0]);
  builder.set(op.getIndex(), results[1]);
  return success();
}

LogicalResult lower(KernelBuilder &builder, train::AvgPool2dOp op) {
  Windows windows(builder, op, op.getX(), op.getY());
  SweepDomain domain = windows.reduction();
  domain.init.push_back(builder.builder.getF32FloatAttr(0));
  builder.set(
      op.getY(),
      builder.sweep(
          op.getLoc(), domain, SweepInput{builder.access(op.getX()), windows.imageMap()},
          SweepOutput{windows.pooled, windows.pooledMap()},
          [&](OpBuilder &at, Location location, ValueRange in, ValueRange sums, ValueRange) {
            Scalar s(at, location);
            Value share = s.number(1.0 / static_cast<double>(windows.numPoints()));
            return SmallVector<Value>{s.add(sums[0], s.mul(in[0], share))};
          })[0]);
  return success();
}

/// dx from dy: `share` says how much of a window's gradient its point (i, j) gets.
LogicalResult
lowerGradient(Windows &windows, Value dx, ArrayRef<Access> inputs,
              llvm::function_ref<Value(Scalar &, ValueRange inputs, Value i, Value j)> share) {
  KernelBuilder &builder = windows.builder;
  const bool gathers = windows.overlap() || windows.isPadded();
  const SweepDomain domain = gathers ? windows.gather() : windows.scatter();
  SmallVector<SweepInput> reads;
  for (const Access &input : inputs)
    reads.push_back({input, gathers ? windows.gatherPooledMap() : windows.scatterPooledMap()});
  const SweepOutput output{windows.image,
                           gathers ? windows.pooledMap() : windows.scatterImageMap()};
  builder.set(dx, builder.sweep(windows.location, domain, reads, output,
                                [&](OpBuilder &at, Location location, ValueRange in,
                                    ValueRange sums, ValueRange point) {
                                  Scalar s(at, location);
                                  Value part =
                                      share(s, in, point[gathers ? 4 : 2], point[gathers ? 5 : 4]);
                                  return SmallVector<Value>{gathers ? s.add(sums[0], part) : part};
                                })[0]);
  return success();
}

LogicalResult lower(KernelBuilder &builder, train::MaxPool2dGradOp op) {
  Windows windows(builder, op, op.getDx(), op.getDy());
  return lowerGradient(
      windows, op.getDx(), {builder.access(op.getDy()), builder.access(op.getIndex())},
      [&](Scalar &s, ValueRange in, Value i, Value j) {
        Value here = windows.position(s, i, j, in[1].getType());
        Value isHere = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, in[1], here);
        return s.choose(isHere, in[0], s.number(0));
      });
}

LogicalResult lower(KernelBuilder &builder, train::AvgPool2dGradOp op) {
  Windows windows(builder, op, op.getDx(), op.getDy());
  return lowerGradient(
      windows, op.getDx(), builder.access(op.getDy()), [&](Scalar &s, ValueRange in, Value, Value) {
        return s.mul(in[0], s.number(1.0 / static_cast<double>(windows.numPoints())));
      });
}

} // namespace

LogicalResult lowerPool(KernelBuilder &builder, Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<train::MaxPool2dOp, train::MaxPool2dGradOp, train::AvgPool2dOp, train::AvgPool2dGradOp>(
          [&](auto pool) { return lower(builder, pool); })
      .Default([](Operation *other) { return other->emitOpError("has no kernel"); });
}

} // namespace sinter::lower
