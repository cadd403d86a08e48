//===- TrainToKernelContractions.cpp - products and convolutions become kernel.contract -------===//
// An axis's role follows from where it occurs: the result's last axis gives the columns, the
// result's others rows, the rest is summed. A convolution's coordinates add two axes, a pixel's and
// a tap's; taps stay apart from the sum where an image's border would otherwise need a padded copy,
// unless there are so few channels that the copy pays: then taps and channels make one long sum.
// All choices here fix the order of sums, so they follow from shapes alone.
#include "compiler/lower/TrainToKernelParts.h"
#include "dialects/kernel/Access.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::lower {
namespace {

/// Images of fewer channels are padded and lose their taps.
constexpr int64_t fewChannels = 16;

/// One contraction on its way: c[…] = Σ a[…] · b[…] over `domain`.
struct Product {
  SmallVector<int64_t> domain;
  Access a, b; ///< maps are from the domain
  AffineMap c;
  RankedTensorType type;
  Location location;

  SmallVector<unsigned> rows, taps, sum;
  std::optional<unsigned> cols;
  bool bf16 = false;

  bool isInResult(unsigned axis) const { return c.isFunctionOfDim(axis); }
  int64_t extentOf(ArrayRef<unsigned> axes) const {
    int64_t extent = 1;
    for (unsigned axis : axes)
      extent *= domain[axis];
    return extent;
  }
  static ArrayRef<int64_t> shapeOf(const Access &access) {
    return cast<RankedTensorType>(access.tensor.getType()).getShape();
  }
};

/// A pixel's and a tap's axis, added in one coordinate; in the domain the pixel's comes first.
SmallVector<unsigned> tapAxes(AffineMap map) {
  SmallVector<unsigned> taps;
  for (AffineExpr result : map.getResults())
    if (const auto axes = kernel::axesOf(result); axes.size() == 2)
      taps.push_back(axes[1]);
  return taps;
}

/// The operand as an access from the domain, copied first where its position is no linear function
/// of the axes.
Access operandOf(KernelBuilder &builder, Value operand, AffineMap map) {
  Access access = builder.access(operand);
  if (!access.splat) {
    const AffineMap composed = simplifyAffineMap(access.map.compose(map));
    bool isLinear = true;
    for (unsigned axis = 0; axis < map.getNumDims(); ++axis)
      isLinear &= kernel::strideAlong(composed, Product::shapeOf(access), axis).has_value();
    if (isLinear) {
      access.map = composed;
      return access;
    }
  }
  access = builder.whole(builder.inMemory(operand));
  access.map = map;
  return access;
}

/// Columns go along the result's last axis where one operand alone has it; that one becomes b.
void chooseCols(Product &product) {
  if (product.c.getNumResults() == 0)
    return;
  auto last = dyn_cast<AffineDimExpr>(product.c.getResults().back());
  if (!last)
    return;
  const unsigned axis = last.getPosition();
  const bool inA = product.a.map.isFunctionOfDim(axis), inB = product.b.map.isFunctionOfDim(axis);
  if (inA && !inB)
    std::swap(product.a, product.b);
  if (inA != inB)
    product.cols = axis;
}

int64_t elementsOf(const Access &access) { return llvm::product_of(Product::shapeOf(access)); }

/// Where the columns lie apart in b, b would have to be copied. If a and the result are smaller together, a's last axis of the result gives the
/// columns instead: the result lies transposed, and whoever reads it does so through a map. Returns where each of the result's axes then lies.
std::optional<SmallVector<unsigned>> transposeProduct(KernelBuilder &builder, Product &product) {
  if (!product.cols || product.type.getRank() < 2 || builder.constants.contains(product.b.tensor) ||
      kernel::strideAlong(product.b.map, Product::shapeOf(product.b), *product.cols) == 1 ||
      elementsOf(product.a) + product.type.getNumElements() >= elementsOf(product.b))
    return std::nullopt;
  std::optional<unsigned> position;
  for (auto [at, result] : llvm::enumerate(product.c.getResults())) {
    const unsigned axis = cast<AffineDimExpr>(result).getPosition();
    if (product.a.map.isFunctionOfDim(axis) && !product.b.map.isFunctionOfDim(axis))
      position = at;
  }
  if (!position)
    return std::nullopt;

  // The result's axes in memory: all others in their order, then the new columns.
  SmallVector<unsigned> order;
  for (unsigned at = 0; at < product.c.getNumResults(); ++at)
    if (at != *position)
      order.push_back(at);
  order.push_back(*position);
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> written;
  SmallVector<unsigned> liesAt(order.size());
  for (auto [at, axis] : llvm::enumerate(order)) {
    shape.push_back(product.type.getDimSize(axis));
    written.push_back(product.c.getResult(axis));
    liesAt[axis] = at;
  }
  product.type = product.type.clone(shape);
  product.c = builder.map(product.domain.size(), written);
  std::swap(product.a, product.b);
  product.cols = cast<AffineDimExpr>(written.back()).getPosition();
  return liesAt;
}

/// Whether a coordinate of the padded operand falls outside its tensor somewhere.
bool leaves(const Product &product) {
  return llvm::any_of(
      llvm::zip_equal(product.a.map.getResults(), Product::shapeOf(product.a)), [&](auto pair) {
        return kernel::mayLeave(std::get<0>(pair), std::get<1>(pair), product.domain, IntegerSet());
      });
}

/// Copies a with as much zero around it as its map reaches.
void padOperand(KernelBuilder &builder, Product &product) {
  const ArrayRef<int64_t> shape = Product::shapeOf(product.a);
  const unsigned rank = shape.size();
  SmallVector<std::optional<int64_t>> low(product.domain.size(), 0), high;
  for (int64_t extent : product.domain)
    high.push_back(extent - 1);
  SmallVector<int64_t> padded;
  SmallVector<AffineExpr> source, moved, constraints;
  for (auto [axis, result] : llvm::enumerate(product.a.map.getResults())) {
    const int64_t least =
        std::min<int64_t>(0, *getBoundForAffineExpr(result, low.size(), 0, low, high, false));
    const int64_t most = std::max<int64_t>(
        shape[axis] - 1, *getBoundForAffineExpr(result, low.size(), 0, low, high, true));
    padded.push_back(most - least + 1);
    source.push_back(builder.dim(axis) + least);
    moved.push_back(result - least);
    if (padded.back() != shape[axis])
      constraints.append({source.back(), shape[axis] - 1 - source.back()});
  }
  SweepDomain domain;
  domain.parallel = padded;
  domain.init.push_back(builder.builder.getF32FloatAttr(0));
  domain.guard =
      IntegerSet::get(rank, 0, constraints, SmallVector<bool>(constraints.size(), false));
  const Access whole = builder.whole(product.a.tensor);
  Value copy = builder.sweep(
      product.location, domain, SweepInput{whole, builder.map(rank, source)},
      SweepOutput{RankedTensorType::get(padded, whole.element), builder.identity(rank)},
      [](OpBuilder &, Location, ValueRange inputs, ValueRange, ValueRange) {
        return SmallVector<Value>{inputs[0]};
      })[0];
  product.a.tensor = copy;
  product.a.map = builder.map(product.domain.size(), moved);
}

/// Copies b so that whole vectors of columns lie together: rows it shares, taps, sum, columns.
void transposeForCols(KernelBuilder &builder, Product &product) {
  SmallVector<unsigned> order;
  for (const SmallVector<unsigned> *group : {&product.rows, &product.taps, &product.sum})
    for (unsigned axis : *group)
      if (product.b.map.isFunctionOfDim(axis))
        order.push_back(axis);
  order.push_back(*product.cols);

  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> toCopy(product.domain.size(), getAffineConstantExpr(0, builder.context));
  for (auto [position, axis] : llvm::enumerate(order)) {
    shape.push_back(product.domain[axis]);
    toCopy[axis] = builder.dim(position);
  }
  const AffineMap read = product.b.map.replaceDimsAndSymbols(toCopy, {}, order.size(), 0);
  const Access source{product.b.tensor, read, {}, product.b.element};
  product.b.tensor = builder.inMemory(source, shape, product.location);
  product.b.map = builder.axes(product.domain.size(), order);
}

/// The largest equal pieces of at most `limit`, a multiple of four where that costs no further
/// piece.
int64_t evenPiece(int64_t extent, int64_t limit) {
  const int64_t pieces = llvm::divideCeil(extent, limit);
  const int64_t piece = llvm::divideCeil(extent, pieces), rounded = llvm::alignTo(piece, 4);
  return llvm::divideCeil(extent, rounded) == static_cast<uint64_t>(pieces) ? rounded : piece;
}

/// Points of the sum that make one chain: short enough that a panel of b stays in the cache, long
/// enough that partial sums are seldom stored.
SmallVector<int64_t> blockOf(const Product &product, bool isOverPixels) {
  SmallVector<int64_t> block(product.sum.size(), 1);
  if (isOverPixels && product.sum.size() == 3) {
    const int64_t height = product.domain[product.sum[1]], width = product.domain[product.sum[2]];
    block[2] = width;
    block[1] = evenPiece(height, std::max<int64_t>(1, 128 / width));
    if (block[1] == height)
      block[0] =
          evenPiece(product.domain[product.sum[0]], std::max<int64_t>(1, 128 / (height * width)));
    return block;
  }
  const int64_t limit = product.extentOf(product.sum) <= 384 && product.taps.empty() ? 384 : 256;
  int64_t inner = 1;
  for (int64_t at = static_cast<int64_t>(product.sum.size()) - 1; at >= 0; --at) {
    const int64_t extent = product.domain[product.sum[at]];
    block[at] = inner * extent <= limit
                    ? extent
                    : std::max<int64_t>(1, evenPiece(extent, std::max<int64_t>(1, limit / inner)));
    inner *= block[at];
    if (block[at] < extent)
      break;
  }
  return block;
}

/// Whether a weight's gradient stays in the second-level cache as a whole while images pass that do not: then a share does best to take some
/// of the images, each of which is read once, and all of the weight. Shares of the weight read all images each.
bool rereadsImages(const Product &product) {
  constexpr int64_t mostBytesOfWeight = 256 * 1024, leastBytesOfImage = 256 * 1024;
  const int64_t images = product.domain[product.sum[0]];
  const int64_t bytesOfImage = 4 * (elementsOf(product.a) + elementsOf(product.b)) / images;
  return product.taps.size() > 1 && product.type.getNumElements() * 4 <= mostBytesOfWeight &&
         bytesOfImage >= leastBytesOfImage;
}

/// Cuts the outermost sum axis in two: a leading shard, which becomes a row, and the rest.
void shard(KernelBuilder &builder, Product &product, int64_t shards) {
  const unsigned axis = product.sum[0], shardAxis = product.domain.size();
  product.domain[axis] /= shards;
  SmallVector<AffineExpr> replaced;
  for (unsigned at = 0; at < shardAxis; ++at)
    replaced.push_back(builder.dim(at));
  replaced[axis] = builder.dim(shardAxis) * product.domain[axis] + builder.dim(axis);
  product.domain.push_back(shards);
  const auto rename = [&](AffineMap map) {
    return simplifyAffineMap(map.replaceDimsAndSymbols(replaced, {}, product.domain.size(), 0));
  };
  product.a.map = rename(product.a.map);
  product.b.map = rename(product.b.map);
  product.c = rename(product.c).insertResult(builder.dim(shardAxis), 0);
  product.rows.insert(product.rows.begin(), shardAxis);
  SmallVector<int64_t> shape{shards};
  llvm::append_range(shape, product.type.getShape());
  product.type = product.type.clone(shape);
}

Value build(KernelBuilder &builder, const Product &product, ArrayRef<int64_t> block) {
  SmallVector<AffineExpr> renamed(product.domain.size());
  SmallVector<int64_t> rows, taps, sum;
  unsigned next = 0;
  for (unsigned axis : product.rows)
    rows.push_back(product.domain[axis]), renamed[axis] = builder.dim(next++);
  if (product.cols)
    renamed[*product.cols] = builder.dim(next);
  ++next;
  for (unsigned axis : product.taps)
    taps.push_back(product.domain[axis]), renamed[axis] = builder.dim(next++);
  for (unsigned axis : product.sum)
    sum.push_back(product.domain[axis]), renamed[axis] = builder.dim(next++);
  const auto rename = [&](AffineMap map) {
    return map.replaceDimsAndSymbols(renamed, {}, next, 0);
  };
  Value out = builder.empty(product.location, product.type);
  auto op = kernel::ContractOp::create(
      builder.builder, product.location, product.type, product.a.tensor, product.b.tensor,
      ValueRange(), out, rows, product.cols ? product.domain[*product.cols] : 1, taps, sum,
      builder.builder.getAffineMapArrayAttr(
          {rename(product.a.map), rename(product.b.map), rename(product.c)}),
      block, kernel::ScheduleAttr(), product.bf16);
  return op.getResult(0);
}

} // namespace

/// A product of two operands that are rounded to bfloat16 is one in bfloat16, where it has rows, columns and a sum: it rounds what it reads.
bool isInBf16(train::Contraction op, ArrayRef<AffineMap> maps) {
  if (!llvm::all_of(op->getOperands(),
                    [](Value operand) { return operand.getDefiningOp<train::Bf16Op>(); }) ||
      maps[2].getNumResults() < 2)
    return false;
  auto last = dyn_cast<AffineDimExpr>(maps[2].getResults().back());
  if (!last || op.getDomain()[last.getPosition()] == 1)
    return false;
  const unsigned ofCols = maps[0].isFunctionOfDim(last.getPosition()) ? 0 : 1;
  if (maps[1 - ofCols].isFunctionOfDim(last.getPosition()))
    return false;
  bool hasRows = false, hasSum = false;
  for (unsigned axis = 0; axis < maps[0].getNumDims(); ++axis) {
    const bool isResult = maps[2].isFunctionOfDim(axis);
    hasRows |= isResult && !maps[ofCols].isFunctionOfDim(axis);
    hasSum |= !isResult && op.getDomain()[axis] > 1;
  }
  return hasRows && hasSum;
}

/// What a product in bfloat16 reads: numbers that only products read are rounded by these alone.
Value unrounded(Value operand) {
  if (!llvm::all_of(operand.getUsers(),
                    [](Operation *user) { return isa<train::Contraction>(user); }))
    return operand;
  return operand.getDefiningOp<train::Bf16Op>().getOperand();
}

LogicalResult lowerContraction(KernelBuilder &builder, train::Contraction op) {
  const SmallVector<AffineMap> maps = op.getAccessMaps();
  const bool bf16 = isInBf16(op, maps);
  const auto accessOf = [&](unsigned operand) {
    Value value = op->getOperand(operand);
    return operandOf(builder, bf16 ? unrounded(value) : value, maps[operand]);
  };
  Product product{op.getDomain(),
                  accessOf(0),
                  accessOf(1),
                  maps[2],
                  cast<RankedTensorType>(op->getResult(0).getType()),
                  op->getLoc(),
                  {},
                  {},
                  {},
                  {},
                  bf16};
  if (lowerAlongLanes(builder, op, product.a, product.b))
    return success();
  const SmallVector<unsigned> readTaps = tapAxes(product.a.map), writtenTaps = tapAxes(product.c);
  chooseCols(product);

  if (!writtenTaps.empty()) {
    product.taps = writtenTaps;
  } else if (!readTaps.empty()) {
    const int64_t channels = Product::shapeOf(product.a).back();
    const bool isByWeight = product.isInResult(readTaps[0]), mustPad = leaves(product);
    if (channels >= fewChannels && (mustPad || isByWeight))
      product.taps = readTaps;
    else if (mustPad)
      padOperand(builder, product);
  }

  std::optional<SmallVector<unsigned>> liesAt;
  if (readTaps.empty() && writtenTaps.empty())
    liesAt = transposeProduct(builder, product);

  for (AffineExpr result : product.c.getResults())
    for (unsigned axis : kernel::axesOf(result))
      if (axis != product.cols && !llvm::is_contained(product.taps, axis))
        product.rows.push_back(axis);
  // What both operands share (a convolution's groups, an attention's heads) goes outside, so that rows within share a panel of b. Where taps are
  // summed the result's outermost axis stays in front: its parts are filled with zeros one by one.
  const bool sumsTaps =
      !product.taps.empty() && (readTaps.empty() || !product.isInResult(readTaps[0]));
  SmallVector<unsigned> outside, inside;
  for (auto [at, axis] : llvm::enumerate(product.rows)) {
    const bool isShared =
        product.a.map.isFunctionOfDim(axis) && product.b.map.isFunctionOfDim(axis);
    ((isShared || (sumsTaps && at == 0)) ? outside : inside).push_back(axis);
  }
  product.rows = std::move(outside);
  llvm::append_range(product.rows, inside);
  for (unsigned axis = 0; axis < product.domain.size(); ++axis)
    if (!product.isInResult(axis) && !llvm::is_contained(product.taps, axis))
      product.sum.push_back(axis);

  if (product.cols &&
      kernel::strideAlong(product.b.map, Product::shapeOf(product.b), *product.cols) != 1)
    transposeForCols(builder, product);

  // A small weight's gradient gives threads too few tiles: shards of the batch are summed apart,
  // then in their order.
  const bool isByWeight = !readTaps.empty() && product.isInResult(readTaps[0]);
  int64_t shards = 1;
  if (isByWeight) {
    const int64_t tiles = product.extentOf(product.taps) *
                          llvm::divideCeil(product.extentOf(product.rows), 12) *
                          llvm::divideCeil(product.cols ? product.domain[*product.cols] : 1, 64);
    if (tiles < 8 || rereadsImages(product))
      shards = numShards(product.domain[product.sum[0]]);
  }
  if (shards == 1) {
    Value result = build(builder, product, blockOf(product, isByWeight));
    builder.set(op->getResult(0), result);
    if (liesAt) {
      // Point p of the result is the point of the tensor whose axis k is p's axis that lies at k.
      SmallVector<unsigned> read(liesAt->size());
      for (auto [axis, at] : llvm::enumerate(*liesAt))
        read[at] = axis;
      Access transposed = builder.whole(result);
      transposed.map = builder.axes(read.size(), read);
      builder.set(op->getResult(0), transposed);
    }
    return success();
  }
  const RankedTensorType type = product.type;
  shard(builder, product, shards);
  Value partials = build(builder, product, blockOf(product, isByWeight));
  builder.set(op->getResult(0), sumShards(builder, op->getLoc(), partials, type));
  return success();
}

} // namespace sinter::lower
