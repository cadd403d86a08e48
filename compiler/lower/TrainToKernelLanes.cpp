//===- TrainToKernelLanes.cpp - products whose lanes are an axis of all three tensors ------------------===//
// Where the result's last axis is an axis of both operands too, as a depthwise convolution's channels are, no element
// of one operand serves several columns: a product of matrices would fill one column of its tile. Such a
// contraction is a sweep along that axis, which sums its other axes element by element. A result that is
// written through taps (dx of a convolution) is gathered: of each of its points, what a tap would write
// there. The order of the sum is that of the axes in the domain.
#include "compiler/lower/TrainToKernelParts.h"
#include "dialects/kernel/Access.h"
#include "dialects/train/Scalar.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::lower {
namespace {

/// Points that one shard of a sum has at least.
constexpr int64_t leastShard = 256;
/// Results of so many elements keep every thread busy without shards.
constexpr int64_t manyElements = 1 << 14;

ArrayRef<int64_t> shapeOf(const Access &access) {
  return cast<RankedTensorType>(access.tensor.getType()).getShape();
}

/// factors · dims + constant, of an expression that is linear.
struct Linear {
  Linear(AffineExpr expr, unsigned numDims) {
    MLIRContext *context = expr.getContext();
    SmallVector<AffineExpr> point(numDims, getAffineConstantExpr(0, context));
    const auto at = [&] {
      const AffineExpr value = simplifyAffineExpr(expr.replaceDims(point), numDims, 0);
      return cast<AffineConstantExpr>(value).getValue();
    };
    constant = at();
    for (unsigned axis = 0; axis < numDims; ++axis) {
      point[axis] = getAffineConstantExpr(1, context);
      factors.push_back(at() - constant);
      point[axis] = getAffineConstantExpr(0, context);
    }
  }
  int64_t constant = 0;
  SmallVector<int64_t> factors;
};

class Lanes {
public:
  Lanes(KernelBuilder &builder, train::Contraction op, Access a, Access b)
      : builder(builder), op(op), a(std::move(a)), b(std::move(b)), domain(op.getDomain()),
        result(op.getAccessMaps()[2]), type(cast<RankedTensorType>(op->getResult(0).getType())) {}

  /// Whether the result's last axis, those of extent 1 left out, goes along all three.
  bool fits() const {
    for (AffineExpr expr : llvm::reverse(result.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (dim && domain[dim.getPosition()] == 1)
        continue;
      return dim && goesAlong(a, dim.getPosition()) && goesAlong(b, dim.getPosition());
    }
    return false;
  }

  void lower() {
    placeAxes();
    const int64_t shards = numShardsHere();
    if (shards > 1)
      cut(shards);
    SweepDomain sweep;
    sweep.parallel = parallel;
    sweep.reduce = reduce;
    sweep.init.push_back(builder.builder.getF32FloatAttr(0));
    const unsigned rank = parallel.size() + reduce.size();
    const AffineMap aMap = moved(a.map), bMap = moved(b.map);
    stayInside(aMap, shapeOf(a));
    stayInside(bMap, shapeOf(b));
    if (!constraints.empty())
      sweep.guard = IntegerSet::get(rank, 0, constraints, equalities);

    SmallVector<int64_t> shape(parallel);
    SmallVector<unsigned> written;
    for (unsigned axis = 0; axis < parallel.size(); ++axis)
      written.push_back(axis);
    const Access wholeA = builder.whole(a.tensor), wholeB = builder.whole(b.tensor);
    Value y = builder.sweep(
        op->getLoc(), sweep, {SweepInput{wholeA, aMap}, SweepInput{wholeB, bMap}},
        SweepOutput{type.clone(shape), builder.axes(rank, written)},
        [](OpBuilder &at, Location location, ValueRange in, ValueRange sums, ValueRange) {
          train::Scalar s(at, location);
          return SmallVector<Value>{s.make<math::FmaOp>(in[0], in[1], sums[0])};
        })[0];
    if (shards > 1)
      y = sumShards(builder, op->getLoc(), y, type);
    builder.set(op->getResult(0), y);
  }

private:
  bool goesAlong(const Access &access, unsigned axis) const {
    return kernel::strideAlong(access.map, shapeOf(access), axis) == 1;
  }

  /// The result's axes are the parallel ones. One that adds a pixel and a tap is the result's own coordinate, of which
  /// the pixel follows; the tap is summed.
  void placeAxes() {
    replaced.assign(domain.size(), AffineExpr());
    SmallVector<std::pair<unsigned, AffineExpr>> gathered; // a pixel's axis, and its expression
    for (auto [position, expr] : llvm::enumerate(result.getResults())) {
      parallel.push_back(type.getDimSize(position));
      const AffineExpr own = builder.dim(position);
      const SmallVector<unsigned> axes = kernel::axesOf(expr);
      if (axes.size() == 1 && isa<AffineDimExpr>(expr))
        replaced[axes[0]] = own;
      else if (!axes.empty())
        gathered.emplace_back(axes[0], expr);
    }
    for (const auto &[axis, expr] : gathered)
      replaced[axis] = builder.dim(0); // is no axis of its own; said below
    unsigned next = parallel.size();
    for (unsigned axis = 0; axis < domain.size(); ++axis)
      if (!replaced[axis]) {
        replaced[axis] = builder.dim(next++);
        reduce.push_back(domain[axis]);
      }
    unsigned position = 0;
    for (AffineExpr expr : result.getResults()) {
      const AffineExpr own = builder.dim(position++);
      for (const auto &[axis, gatheredExpr] : gathered) {
        if (gatheredExpr != expr)
          continue;
        // own = factor · pixel + Σ taps + constant
        const Linear linear(expr, domain.size());
        AffineExpr rest = own - linear.constant;
        for (unsigned tap = 0; tap < domain.size(); ++tap)
          if (tap != axis && linear.factors[tap] != 0)
            rest = rest - replaced[tap] * linear.factors[tap];
        const int64_t factor = linear.factors[axis];
        constrain(rest, false);
        constrain((domain[axis] - 1) * factor - rest, false);
        if (factor > 1)
          constrain(rest % factor, true);
        replaced[axis] = rest.floorDiv(factor);
      }
    }
  }

  void constrain(AffineExpr expr, bool isEquality) {
    constraints.push_back(expr);
    equalities.push_back(isEquality);
  }

  AffineMap moved(AffineMap map) const {
    return simplifyAffineMap(
        map.replaceDimsAndSymbols(replaced, {}, parallel.size() + reduce.size(), 0));
  }

  /// Padding: points beyond the tensor are absent.
  void stayInside(AffineMap map, ArrayRef<int64_t> shape) {
    SmallVector<int64_t> extents(parallel);
    llvm::append_range(extents, reduce);
    const IntegerSet known = constraints.empty()
                                 ? IntegerSet()
                                 : IntegerSet::get(extents.size(), 0, constraints, equalities);
    for (auto [expr, extent] : llvm::zip_equal(map.getResults(), shape))
      if (kernel::mayLeave(expr, extent, extents, known)) {
        constrain(expr, false);
        constrain(extent - 1 - expr, false);
      }
  }

  /// Where the result is small and the sum long, shards of the outermost summed axis are apart, for threads.
  int64_t numShardsHere() const {
    if (reduce.empty() || type.getNumElements() >= manyElements ||
        llvm::product_of(reduce) < 2 * leastShard)
      return 1;
    return numShards(reduce[0]);
  }

  /// The outermost summed axis in two: its shard comes first of all axes.
  void cut(int64_t shards) {
    const unsigned first = parallel.size();
    const int64_t each = reduce[0] / shards;
    SmallVector<AffineExpr> shifted;
    for (unsigned axis = 0; axis < first + reduce.size(); ++axis)
      shifted.push_back(axis == first ? builder.dim(0) * each + builder.dim(first + 1)
                                      : builder.dim(axis + 1));
    parallel.insert(parallel.begin(), shards);
    reduce[0] = each;
    for (AffineExpr &expr : replaced)
      expr = expr.replaceDims(shifted);
    for (AffineExpr &expr : constraints)
      expr = expr.replaceDims(shifted);
  }

  KernelBuilder &builder;
  train::Contraction op;
  Access a, b;
  SmallVector<int64_t> domain;
  AffineMap result;
  RankedTensorType type;
  SmallVector<int64_t> parallel, reduce;
  SmallVector<AffineExpr>
      replaced; ///< an axis of the contraction's domain, at a point of the sweep's
  SmallVector<AffineExpr> constraints;
  SmallVector<bool> equalities;
};

} // namespace

bool lowerAlongLanes(KernelBuilder &builder, train::Contraction op, const Access &a,
                     const Access &b) {
  Lanes lanes(builder, op, a, b);
  if (!lanes.fits())
    return false;
  lanes.lower();
  return true;
}

} // namespace sinter::lower
