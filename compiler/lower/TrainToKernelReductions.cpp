//===- TrainToKernelReductions.cpp - sums, maxima, means and moments --------------------------===//
// A large sum into few results is cut into shards along its outermost reduced axis, so that threads
// can share it; a second sweep adds the shards in their order. Whether, and into how many, follows
// from the shape alone.
#include "compiler/lower/TrainToKernelParts.h"
#include "dialects/train/Scalar.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace sinter::lower {
namespace {

using train::Scalar;

/// From this many elements on a sum is worth several threads.
constexpr int64_t manyElements = 1 << 15;
/// So many rows are shared out themselves, whole.
constexpr int64_t manyRows = 64;
/// Sums into one number run in this many lanes.
constexpr int64_t lanes = 16;

/// A term of a sum: from the scalars at a point and the coordinates of the summed tensor.
using Term = llvm::function_ref<Value(Scalar &, ValueRange inputs, ValueRange coordinates)>;

/// Σ over `axes` of a tensor of this shape.
class Sum {
public:
  Sum(KernelBuilder &builder, Location location, ArrayRef<int64_t> shape, ArrayRef<int64_t> axes)
      : builder(builder), location(location), shape(shape), axes(axes) {}

  RankedTensorType resultType() const {
    SmallVector<int64_t> kept;
    for (auto [axis, extent] : llvm::enumerate(shape))
      if (!isReduced(axis))
        kept.push_back(extent);
    return RankedTensorType::get(kept, builder.builder.getF32Type());
  }

  /// Each input is read at its map from the tensor's coordinates.
  Value build(ArrayRef<SweepInput> inputs, Term term) {
    const RankedTensorType result = resultType();
    // Domain: shard, lane, kept axes, then the reduced ones; `coordinates` are the tensor's, in
    // terms of the domain.
    const int64_t elements = llvm::product_of(shape);
    const unsigned last = shape.size() - 1;
    const bool isLarge = elements >= manyElements;
    const int64_t shards =
        isLarge && !axes.empty() && !hasManyRows() ? numShards(shape[axes[0]]) : 1;
    const bool inLanes =
        isLarge && result.getRank() == 0 && shape[last] % lanes == 0 &&
        (axes[0] != static_cast<int64_t>(last) || shape[last] % (lanes * shards) == 0);
    if (shards == 1 && !inLanes)
      return single(inputs, term);

    SweepDomain domain;
    SmallVector<int64_t> partialShape;
    if (shards > 1)
      partialShape.push_back(shards);
    if (inLanes)
      partialShape.push_back(lanes);
    const unsigned leading = partialShape.size();
    llvm::append_range(partialShape, result.getShape());
    domain.parallel = partialShape;
    SmallVector<AffineExpr> coordinates(shape.size());
    unsigned nextKept = leading, nextReduced = partialShape.size();
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      if (!isReduced(axis)) {
        coordinates[axis] = builder.dim(nextKept++);
        continue;
      }
      int64_t rest = extent;
      AffineExpr at = builder.dim(nextReduced++);
      if (inLanes && axis == last) {
        rest /= lanes;
        at = at * lanes + builder.dim(leading - 1);
      }
      if (shards > 1 && static_cast<int64_t>(axis) == axes[0]) {
        at = at + builder.dim(0) * (extent / shards);
        rest /= shards;
      }
      coordinates[axis] = at;
      domain.reduce.push_back(rest);
    }
    Value partials = sweep(domain, coordinates, inputs, term, partialShape);

    SmallVector<int64_t> shardAxes;
    for (unsigned axis = 0; axis < leading; ++axis)
      shardAxes.push_back(axis);
    Sum rest(builder, location, partialShape, shardAxes);
    return rest.single(SweepInput{builder.whole(partials), builder.identity(partialShape.size())},
                       [](Scalar &, ValueRange in, ValueRange) { return in[0]; });
  }

private:
  bool isReduced(unsigned axis) const {
    return llvm::is_contained(axes, static_cast<int64_t>(axis));
  }

  /// Whether each result is the sum of one row that lies in one piece, and there are rows enough for all threads.
  bool hasManyRows() const {
    const auto first = static_cast<int64_t>(shape.size() - axes.size());
    return axes[0] == first && llvm::product_of(ArrayRef(shape).take_front(first)) >= manyRows;
  }

  /// One sweep, kept axes outside.
  Value single(ArrayRef<SweepInput> inputs, Term term) {
    SweepDomain domain;
    const RankedTensorType result = resultType();
    domain.parallel.assign(result.getShape().begin(), result.getShape().end());
    SmallVector<AffineExpr> coordinates;
    unsigned nextKept = 0, nextReduced = result.getRank();
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      coordinates.push_back(builder.dim(isReduced(axis) ? nextReduced++ : nextKept++));
      if (isReduced(axis))
        domain.reduce.push_back(extent);
    }
    return sweep(domain, coordinates, inputs, term, result.getShape());
  }

  Value sweep(SweepDomain &domain, ArrayRef<AffineExpr> coordinates, ArrayRef<SweepInput> inputs,
              Term term, ArrayRef<int64_t> outputShape) {
    const unsigned rank = domain.rank();
    const AffineMap toTensor = builder.map(rank, coordinates);
    SmallVector<SweepInput> reads;
    for (const SweepInput &input : inputs)
      reads.push_back({input.value, simplifyAffineMap(input.at.compose(toTensor))});
    const bool accumulates = !domain.reduce.empty();
    if (accumulates)
      domain.init.push_back(builder.builder.getF32FloatAttr(0));
    SmallVector<unsigned> kept;
    for (unsigned axis = 0; axis < domain.parallel.size(); ++axis)
      kept.push_back(axis);
    return builder.sweep(
        location, domain, reads,
        SweepOutput{RankedTensorType::get(outputShape, builder.builder.getF32Type()),
                    builder.axes(rank, kept)},
        [&](OpBuilder &at, Location place, ValueRange in, ValueRange sums, ValueRange point) {
          Scalar s(at, place);
          SmallVector<Value> where;
          for (AffineExpr coordinate : coordinates)
            where.push_back(valueOf(s, coordinate, point));
          Value value = term(s, in, where);
          return SmallVector<Value>{accumulates ? s.add(sums[0], value) : value};
        })[0];
  }

  /// A sum of multiples of the domain's axes, as a value.
  static Value valueOf(Scalar &s, AffineExpr expression, ValueRange point) {
    if (auto dim = dyn_cast<AffineDimExpr>(expression))
      return point[dim.getPosition()];
    if (auto constant = dyn_cast<AffineConstantExpr>(expression))
      return s.make<arith::ConstantIndexOp>(constant.getValue());
    auto binary = cast<AffineBinaryOpExpr>(expression);
    Value a = valueOf(s, binary.getLHS(), point), b = valueOf(s, binary.getRHS(), point);
    if (binary.getKind() == AffineExprKind::Add)
      return s.make<arith::AddIOp>(a, b);
    return s.make<arith::MulIOp>(a, b);
  }

  KernelBuilder &builder;
  Location location;
  SmallVector<int64_t> shape, axes;
};

ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// y = x / (count · scale), element by element.
Value divideByCount(KernelBuilder &builder, Location location, Value x, Value count, double scale) {
  return builder.pointwise(location, cast<RankedTensorType>(x.getType()), builder.whole(x),
                           [&](OpBuilder &at, Location place, ValueRange in, ValueRange) {
                             Scalar s(at, place);
                             return s.div(
                                 in[0], s.mul(s.toFloat(count, at.getF32Type()), s.number(scale)));
                           });
}

LogicalResult lower(KernelBuilder &builder, train::SumOp op) {
  Sum sum(builder, op.getLoc(), shapeOf(op.getX()), op.getAxes());
  const SweepInput x{builder.access(op.getX()), builder.identity(shapeOf(op.getX()).size())};
  builder.set(op.getY(), sum.build(x, [](Scalar &, ValueRange in, ValueRange) { return in[0]; }));
  return success();
}

LogicalResult lower(KernelBuilder &builder, train::ReduceMaxOp op) {
  const ArrayRef<int64_t> shape = shapeOf(op.getX());
  SweepDomain domain;
  SmallVector<AffineExpr> at(shape.size());
  SmallVector<unsigned> kept;
  for (auto [axis, extent] : llvm::enumerate(shape))
    if (!llvm::is_contained(op.getAxes(), static_cast<int64_t>(axis))) {
      at[axis] = builder.dim(domain.parallel.size());
      kept.push_back(domain.parallel.size());
      domain.parallel.push_back(extent);
    }
  for (int64_t axis : op.getAxes()) {
    at[axis] = builder.dim(domain.rank());
    domain.reduce.push_back(shape[axis]);
  }
  if (domain.reduce.empty()) {
    builder.set(op.getY(), builder.access(op.getX()));
    return success();
  }
  domain.init.push_back(builder.builder.getF32FloatAttr(-std::numeric_limits<float>::infinity()));
  builder.set(op.getY(),
              builder.sweep(
                  op.getLoc(), domain,
                  SweepInput{builder.access(op.getX()), builder.map(domain.rank(), at)},
                  SweepOutput{op.getY().getType(), builder.axes(domain.rank(), kept)},
                  [](OpBuilder &inner, Location place, ValueRange in, ValueRange best, ValueRange) {
                    Scalar s(inner, place);
                    // A NaN wins and stays.
                    Value isNaN = s.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, in[0], in[0]);
                    Value wins = s.make<arith::OrIOp>(s.greater(in[0], best[0]), isNaN);
                    return SmallVector<Value>{s.choose(wins, in[0], best[0])};
                  })[0]);
  return success();
}

LogicalResult lower(KernelBuilder &builder, train::ArgmaxOp op) {
  const ArrayRef<int64_t> shape = shapeOf(op.getX());
  const unsigned rank = shape.size();
  SweepDomain domain;
  domain.parallel.assign(shape.begin(), shape.end() - 1);
  domain.reduce.push_back(shape.back());
  domain.init.push_back(builder.builder.getF32FloatAttr(-std::numeric_limits<float>::infinity()));
  domain.init.push_back(builder.builder.getI32IntegerAttr(0));
  const AffineMap toRow = builder.identity(rank).dropResult(rank - 1);
  const RankedTensorType type = op.getY().getType();
  builder.set(
      op.getY(),
      builder.sweep(
          op.getLoc(), domain, SweepInput{builder.access(op.getX()), builder.identity(rank)},
          {SweepOutput{RankedTensorType::get(type.getShape(), builder.builder.getF32Type()), toRow},
           SweepOutput{type, toRow}},
          [](OpBuilder &at, Location place, ValueRange in, ValueRange best, ValueRange point) {
            Scalar s(at, place);
            // The first NaN wins over every number.
            using enum arith::CmpFPredicate;
            Value wins = s.make<arith::OrIOp>(
                s.greater(in[0], best[0]),
                s.make<arith::AndIOp>(s.make<arith::CmpFOp>(UNE, in[0], in[0]),
                                      s.make<arith::CmpFOp>(OEQ, best[0], best[0])));
            Value here = s.make<arith::IndexCastOp>(at.getI32Type(), point.back());
            return SmallVector<Value>{s.choose(wins, in[0], best[0]),
                                      s.choose(wins, here, best[1])};
          })[1]);
  return success();
}

/// The term where the example is there, else 0.
Value ifPresent(Scalar &s, Value example, Value count, Value term) {
  return s.choose(s.isPresent(example, count), term, s.number(0));
}

LogicalResult lower(KernelBuilder &builder, train::BatchMeanOp op) {
  Sum sum(builder, op.getLoc(), shapeOf(op.getX()), {0});
  const SweepInput x{builder.access(op.getX()), builder.identity(shapeOf(op.getX()).size())};
  Value total = sum.build(x, [&](Scalar &s, ValueRange in, ValueRange at) {
    return ifPresent(s, at[0], op.getCount(), in[0]);
  });
  builder.set(op.getY(), divideByCount(builder, op.getLoc(), total, op.getCount(), 1));
  return success();
}

LogicalResult lower(KernelBuilder &builder, train::MomentsOp op) {
  const ArrayRef<int64_t> shape = shapeOf(op.getX());
  const unsigned rank = shape.size();
  const SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank - 1));
  const double perExample = static_cast<double>(llvm::product_of(shape.drop_front().drop_back()));
  const SweepInput x{builder.access(op.getX()), builder.identity(rank)};

  Sum sum(builder, op.getLoc(), shape, axes);
  Value total = sum.build(x, [&](Scalar &s, ValueRange in, ValueRange at) {
    return ifPresent(s, at[0], op.getCount(), in[0]);
  });
  Value mean = divideByCount(builder, op.getLoc(), total, op.getCount(), perExample);

  Sum squares(builder, op.getLoc(), shape, axes);
  const SweepInput center{builder.whole(mean), builder.axes(rank, rank - 1)};
  Value spread = squares.build({x, center}, [&](Scalar &s, ValueRange in, ValueRange at) {
    Value distance = s.sub(in[0], in[1]);
    return ifPresent(s, at[0], op.getCount(), s.mul(distance, distance));
  });
  builder.set(op.getMean(), mean);
  builder.set(op.getVariance(),
              divideByCount(builder, op.getLoc(), spread, op.getCount(), perExample));
  return success();
}

} // namespace

LogicalResult lowerReduction(KernelBuilder &builder, Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<train::SumOp, train::ReduceMaxOp, train::ArgmaxOp, train::BatchMeanOp,
            train::MomentsOp>([&](auto known) { return lower(builder, known); })
      .Default([](Operation *other) { return other->emitOpError("has no kernel"); });
}

} // namespace sinter::lower
