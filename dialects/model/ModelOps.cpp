//===- ModelOps.cpp - the shape rules of layers and functions ---------------------------------===//
// Each rule computes the shape that the op's result has and compares; shapes are of one example.
#include "dialects/model/ModelOps.h"

#include "dialects/train/TrainOps.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter::model;

#define GET_OP_CLASSES
#include "dialects/model/ModelOps.cpp.inc"

using Shape = SmallVector<int64_t>;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}
static int64_t rankOf(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }

static void printShape(InFlightDiagnostic &diagnostic, ArrayRef<int64_t> shape) {
  diagnostic << "[";
  llvm::interleaveComma(shape, diagnostic);
  diagnostic << "]";
}

/// Compares the shape of `value` with what the rule says it is.
static LogicalResult expect(Operation *op, StringRef constraint, StringRef what, Value value,
                            ArrayRef<int64_t> shape) {
  if (shapeOf(value) == shape)
    return success();
  auto diagnostic = op->emitOpError() << constraint << " " << what << " has shape ";
  printShape(diagnostic, shape);
  diagnostic << ", not ";
  printShape(diagnostic, shapeOf(value));
  return diagnostic;
}

static LogicalResult expectRank(Operation *op, StringRef what, Value value, int64_t rank) {
  if (rankOf(value) == rank)
    return success();
  return op->emitOpError("(C1) ") << what << " has " << rank << " axes, not " << rankOf(value);
}

static LogicalResult expectAxis(Operation *op, StringRef constraint, int64_t axis, Value value) {
  if (axis >= 0 && axis < rankOf(value))
    return success();
  return op->emitOpError() << constraint << " axis " << axis << " is none of the " << rankOf(value)
                           << " there are";
}

static LogicalResult sameElementType(Operation *op, Value a, Value b) {
  if (cast<RankedTensorType>(a.getType()).getElementType() ==
      cast<RankedTensorType>(b.getType()).getElementType())
    return success();
  return op->emitOpError("has operands and results of two element types, ")
         << a.getType() << " and " << b.getType();
}

/// numpy's rule; none where extents disagree.
static std::optional<Shape> broadcast(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  Shape shape(std::max(a.size(), b.size()));
  for (size_t i = 0; i < shape.size(); ++i) { // from the last axis on
    const int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1)
      return std::nullopt;
    shape[shape.size() - 1 - i] = left == 1 ? right : left;
  }
  return shape;
}

static LogicalResult expectBroadcast(Operation *op, ValueRange operands, Value result) {
  Shape shape;
  for (Value operand : operands) {
    auto joined = broadcast(shape, shapeOf(operand));
    if (!joined)
      return op->emitOpError("(C1) the shapes of its operands do not broadcast: ")
             << operands.getTypes();
    shape = *joined;
  }
  return expect(op, "(C1)", "the result", result, shape);
}

//===--- sequences ----------------------------------------------------------------------------===//

LogicalResult EmbeddingOp::verify() {
  if (failed(expectRank(*this, "weight", getWeight(), 2)))
    return failure();
  Shape shape(shapeOf(getTokens()));
  shape.push_back(shapeOf(getWeight())[1]);
  return expect(*this, "(C1)", "y", getY(), shape);
}

LogicalResult SinusoidOp::verify() { return expectRank(*this, "y", getY(), 2); }

LogicalResult AttentionOp::verify() {
  if (failed(expectRank(*this, "query", getQuery(), 2)) ||
      failed(expectRank(*this, "key", getKey(), 2)))
    return failure();
  const int64_t size = shapeOf(getQuery())[1];
  const Shape memory{shapeOf(getKey())[0], size};
  if (failed(expect(*this, "(C1)", "key", getKey(), memory)) ||
      failed(expect(*this, "(C1)", "value", getValue(), memory)) ||
      failed(expect(*this, "(C1)", "y", getY(), shapeOf(getQuery()))))
    return failure();
  const auto heads = static_cast<int64_t>(getHeads());
  if (heads < 1 || size % heads != 0)
    return emitOpError("(C2) ") << heads << " heads do not divide " << size;
  const double p = getDropout().convertToDouble();
  if (!(p >= 0 && p < 1))
    return emitOpError("(C3) dropout is from 0 to below 1, is ") << p;
  return success();
}

//===--- layers -------------------------------------------------------------------------------===//

LogicalResult DenseOp::verify() {
  if (rankOf(getX()) < 1)
    return emitOpError("(C1) x has an axis");
  if (failed(expectRank(*this, "weight", getWeight(), 2)))
    return failure();
  const int64_t units = shapeOf(getWeight())[0];
  if (failed(expect(*this, "(C1)", "weight", getWeight(), {units, shapeOf(getX()).back()})))
    return failure();
  if (getBias() && failed(expect(*this, "(C1)", "bias", getBias(), {units})))
    return failure();
  Shape shape(shapeOf(getX()));
  shape.back() = units;
  return expect(*this, "(C1)", "y", getY(), shape);
}

/// Of a recurrent layer with this many gates.
template <typename Op> static LogicalResult verifyRecurrent(Op op, int64_t gates) {
  if (failed(expectRank(op, "x", op.getX(), 2)) ||
      failed(expectRank(op, "weight_hh", op.getWeightHh(), 2)))
    return failure();
  const int64_t size = shapeOf(op.getWeightHh())[1];
  if (failed(expect(op, "(C1)", "weight_hh", op.getWeightHh(), {gates * size, size})) ||
      failed(
          expect(op, "(C1)", "weight_ih", op.getWeightIh(), {gates * size, shapeOf(op.getX())[1]})))
    return failure();
  if (!op.getBiases().empty() && op.getBiases().size() != 2)
    return op.emitOpError("(C2) has two biases or none, not ") << op.getBiases().size();
  for (Value bias : op.getBiases())
    if (failed(expect(op, "(C1)", "a bias", bias, {gates * size})))
      return failure();
  Shape shape{shapeOf(op.getX())[0], size};
  if (op.getLast())
    shape.erase(shape.begin());
  return expect(op, "(C1)", "y", op.getY(), shape);
}
LogicalResult RnnOp::verify() { return verifyRecurrent(*this, 1); }
LogicalResult LstmOp::verify() { return verifyRecurrent(*this, 4); }
LogicalResult GruOp::verify() { return verifyRecurrent(*this, 3); }

/// One axis of a window's result: ⌊(extent + before + after - reach) / stride⌋ + 1.
static int64_t windows(int64_t extent, int64_t padding, int64_t reach, int64_t stride) {
  return extent + padding < reach ? 0 : (extent + padding - reach) / stride + 1;
}

static LogicalResult expectCounts(Operation *op, ArrayRef<int64_t> numbers, size_t count,
                                  int64_t least, StringRef what) {
  if (numbers.size() == count && llvm::all_of(numbers, [&](int64_t n) { return n >= least; }))
    return success();
  return op->emitOpError("(C2) ") << what << " is " << count << " numbers, each at least " << least;
}

/// Of a convolution along `axes` axes: attributes, groups, and the weight's and bias's shapes. `first` and `second` are the
/// channels behind the weight's first axis and, group by group, its second.
template <typename ConvOp>
static LogicalResult verifyConvolution(ConvOp op, size_t axes, int64_t first, int64_t second,
                                       int64_t outputs) {
  const auto rank = static_cast<int64_t>(axes);
  if (failed(expectRank(op, "weight", op.getWeight(), rank + 2)) ||
      failed(expectCounts(op, op.getStride(), axes, 1, "stride")) ||
      failed(expectCounts(op, op.getPadding(), 2 * axes, 0, "padding")) ||
      failed(expectCounts(op, op.getDilation(), axes, 1, "dilation")))
    return failure();
  const auto groups = static_cast<int64_t>(op.getGroups());
  if (groups < 1 || first % groups || second % groups)
    return op.emitOpError("(C3) groups divide the channels, ")
           << groups << " does not divide " << second << " and " << first;
  Shape weight{first, second / groups};
  llvm::append_range(weight, shapeOf(op.getWeight()).drop_front(2));
  if (failed(expect(op, "(C1)", "weight", op.getWeight(), weight)))
    return failure();
  if (op.getBias() && failed(expect(op, "(C1)", "bias", op.getBias(), {outputs})))
    return failure();
  return success();
}

/// What a convolution along axes 1… leaves of an image of this shape.
template <typename ConvOp>
static Shape convolved(ConvOp op, int64_t channels, ArrayRef<int64_t> x) {
  Shape y{channels};
  for (size_t axis = 0; axis + 1 < x.size(); ++axis)
    y.push_back(windows(x[axis + 1], op.getPadding()[2 * axis] + op.getPadding()[2 * axis + 1],
                        op.getDilation()[axis] * (shapeOf(op.getWeight())[axis + 2] - 1) + 1,
                        op.getStride()[axis]));
  return y;
}

template <typename ConvOp> static LogicalResult verifyForward(ConvOp op, size_t axes) {
  if (failed(expectRank(op, "x", op.getX(), static_cast<int64_t>(axes) + 1)) ||
      failed(expectRank(op, "weight", op.getWeight(), static_cast<int64_t>(axes) + 2)))
    return failure();
  const auto x = shapeOf(op.getX());
  const int64_t outputs = shapeOf(op.getWeight())[0];
  if (failed(verifyConvolution(op, axes, outputs, x[0], outputs)))
    return failure();
  return expect(op, "(C1)", "y", op.getY(), convolved(op, outputs, x));
}
LogicalResult Conv2dOp::verify() { return verifyForward(*this, 2); }
LogicalResult Conv1dOp::verify() { return verifyForward(*this, 1); }

LogicalResult ConvTranspose2dOp::verify() {
  if (failed(expectRank(*this, "x", getX(), 3)) || failed(expectRank(*this, "y", getY(), 3)))
    return failure();
  const auto x = shapeOf(getX()), y = shapeOf(getY());
  if (failed(verifyConvolution(*this, 2, x[0], y[0], y[0])))
    return failure();
  // The convolution that it is the transpose of.
  return expect(*this, "(C1)", "x", getX(), convolved(*this, x[0], y));
}

template <typename PoolOp> static LogicalResult verifyPool(PoolOp op) {
  if (failed(expectRank(op, "x", op.getX(), 3)) ||
      failed(expectCounts(op, op.getSize(), 2, 1, "size")) ||
      failed(expectCounts(op, op.getStride(), 2, 1, "stride")) ||
      failed(expectCounts(op, op.getPadding(), 4, 0, "padding")))
    return failure();
  const auto x = shapeOf(op.getX());
  const auto size = op.getSize(), stride = op.getStride(), padding = op.getPadding();
  for (int side = 0; side < 4; ++side)
    if (padding[side] >= size[side / 2])
      return op.emitOpError("(C2) padding is less than size, ")
             << padding[side] << " is not less than " << size[side / 2];
  return expect(op, "(C1)", "y", op.getY(),
                {x[0], windows(x[1], padding[0] + padding[1], size[0], stride[0]),
                 windows(x[2], padding[2] + padding[3], size[1], stride[1])});
}
LogicalResult MaxPool2dOp::verify() { return verifyPool(*this); }
LogicalResult AvgPool2dOp::verify() { return verifyPool(*this); }

LogicalResult GlobalAvgPoolOp::verify() {
  if (failed(expectRank(*this, "x", getX(), 3)))
    return failure();
  return expect(*this, "(C1)", "y", getY(), {shapeOf(getX())[0]});
}

LogicalResult BatchNormOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis());
  if (failed(expectAxis(*this, "(C1)", axis, getX())) ||
      failed(expect(*this, "(C1)", "y", getY(), shapeOf(getX()))))
    return failure();
  const int64_t channels = shapeOf(getX())[axis];
  if (failed(expect(*this, "(C1)", "weight", getWeight(), {channels})) ||
      (getBias() && failed(expect(*this, "(C1)", "bias", getBias(), {channels}))) ||
      failed(expect(*this, "(C1)", "running_mean", getRunningMean(), {channels})) ||
      failed(expect(*this, "(C1)", "running_var", getRunningVar(), {channels})))
    return failure();
  for (Value statistics : {getRunningMean(), getRunningVar()}) {
    auto read = statistics.getDefiningOp<ReadOp>();
    auto train = (*this)->getParentOfType<TrainOp>();
    if (!read || (train && !train.lookupSymbol<BufferOp>(read.getParameter())))
      return emitOpError("(C2) the statistics are buffers, read as they are");
  }
  if (getEps().convertToDouble() < 0)
    return emitOpError("(C3) eps is not negative");
  return success();
}

LogicalResult DropoutOp::verify() {
  const double p = getP().convertToDouble();
  if (!(p >= 0 && p <= 1))
    return emitOpError("(C1) p is from 0 to 1, is ") << p;
  if (getScale() != "training" && getScale() != "inference")
    return emitOpError("(C2) scale is training or inference, is \"") << getScale() << "\"";
  return success();
}

LogicalResult GroupNormOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis()), groups = static_cast<int64_t>(getGroups());
  if (failed(expectAxis(*this, "(C1)", axis, getX())) ||
      failed(expect(*this, "(C1)", "y", getY(), shapeOf(getX()))))
    return failure();
  const int64_t channels = shapeOf(getX())[axis];
  if (failed(expect(*this, "(C1)", "weight", getWeight(), {channels})) ||
      (getBias() && failed(expect(*this, "(C1)", "bias", getBias(), {channels}))))
    return failure();
  if (groups < 1 || channels % groups)
    return emitOpError("(C2) groups divide the channels, ")
           << groups << " does not divide " << channels;
  if (getEps().convertToDouble() < 0)
    return emitOpError("(C3) eps is not negative");
  return success();
}

LogicalResult GaussianNoiseOp::verify() {
  if (getStd().convertToDouble() >= 0)
    return success();
  return emitOpError("(C1) std is not negative, is ") << getStd().convertToDouble();
}

LogicalResult Upsample2dOp::verify() {
  if (failed(expectRank(*this, "x", getX(), 3)) ||
      failed(expectCounts(*this, getFactor(), 2, 1, "factor")))
    return failure();
  if (getMode() != "nearest" && getMode() != "bilinear")
    return emitOpError("(C3) mode is nearest or bilinear, is \"") << getMode() << "\"";
  const auto x = shapeOf(getX());
  return expect(*this, "(C1)", "y", getY(), {x[0], x[1] * getFactor()[0], x[2] * getFactor()[1]});
}

LogicalResult PixelShuffleOp::verify() {
  if (failed(expectRank(*this, "x", getX(), 3)))
    return failure();
  const auto x = shapeOf(getX());
  const auto r = static_cast<int64_t>(getR());
  if (r < 1 || x[0] % (r * r))
    return emitOpError("(C2) r² divides the channels, ") << r * r << " does not divide " << x[0];
  return expect(*this, "(C1)", "y", getY(), {x[0] / (r * r), x[1] * r, x[2] * r});
}

//===--- views --------------------------------------------------------------------------------===//

static int64_t elementsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

LogicalResult FlattenOp::verify() {
  if (failed(sameElementType(*this, getX(), getY())))
    return failure();
  return expect(*this, "(C1)", "y", getY(), {elementsOf(getX())});
}

LogicalResult ReshapeOp::verify() {
  if (failed(sameElementType(*this, getX(), getY())))
    return failure();
  if (elementsOf(getX()) != elementsOf(getY()))
    return emitOpError("(C1) y has ")
           << elementsOf(getX()) << " elements, not " << elementsOf(getY());
  return expect(*this, "(C1)", "y", getY(), getShape());
}

LogicalResult PermuteOp::verify() {
  if (failed(sameElementType(*this, getX(), getY())))
    return failure();
  Shape sorted(getAxes());
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rankOf(getX()))))
    return emitOpError("(C1) axes are a permutation of x's");
  Shape shape;
  for (int64_t axis : getAxes())
    shape.push_back(shapeOf(getX())[axis]);
  return expect(*this, "(C2)", "y", getY(), shape);
}

LogicalResult ConcatOp::verify() {
  if (getXs().empty())
    return emitOpError("(C1) has an operand");
  const auto axis = static_cast<int64_t>(getAxis());
  if (failed(expectAxis(*this, "(C1)", axis, getXs().front())))
    return failure();
  Shape shape(shapeOf(getXs().front()));
  for (Value x : getXs()) {
    if (failed(sameElementType(*this, x, getY())))
      return failure();
    Shape agreed(shape);
    if (rankOf(x) != static_cast<int64_t>(shape.size()))
      return emitOpError("(C1) its operands have ")
             << shape.size() << " and " << rankOf(x) << " axes";
    agreed[axis] = shapeOf(x)[axis];
    if (failed(expect(*this, "(C1)", "an operand", x, agreed)))
      return failure();
  }
  shape[axis] = 0;
  for (Value x : getXs())
    shape[axis] += shapeOf(x)[axis];
  return expect(*this, "(C1)", "y", getY(), shape);
}

LogicalResult SliceOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis());
  const auto from = static_cast<int64_t>(getFrom()), to = static_cast<int64_t>(getTo());
  const auto step = static_cast<int64_t>(getStep());
  if (failed(sameElementType(*this, getX(), getY())) ||
      failed(expectAxis(*this, "(C1)", axis, getX())))
    return failure();
  Shape shape(shapeOf(getX()));
  if (from < 0 || from >= to || to > shape[axis] || step < 1)
    return emitOpError("(C1) 0 ≤ from < to ≤ ")
           << shape[axis] << " and step > 0, not from " << from << " to " << to << " by " << step;
  shape[axis] = (to - from + step - 1) / step;
  return expect(*this, "(C2)", "y", getY(), shape);
}

LogicalResult PadOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis());
  const auto before = static_cast<int64_t>(getBefore()), after = static_cast<int64_t>(getAfter());
  if (failed(expectAxis(*this, "(C1)", axis, getX())))
    return failure();
  if (before < 0 || after < 0)
    return emitOpError("(C1) before and after are not negative");
  Shape shape(shapeOf(getX()));
  shape[axis] += before + after;
  return expect(*this, "(C2)", "y", getY(), shape);
}

//===--- pointwise ----------------------------------------------------------------------------===//

LogicalResult GeluOp::verify() {
  if (getApproximate() == "none" || getApproximate() == "tanh")
    return success();
  return emitOpError("(C1) approximate is none or tanh, is \"") << getApproximate() << "\"";
}

#define BROADCASTS(Op)                                                                             \
  LogicalResult Op::verify() { return expectBroadcast(*this, getOperands(), getY()); }
BROADCASTS(AddOp)
BROADCASTS(SubOp)
BROADCASTS(MulOp)
BROADCASTS(DivOp)
BROADCASTS(PowOp)
BROADCASTS(MaximumOp)
BROADCASTS(MinimumOp)
BROADCASTS(WhereOp)
#undef BROADCASTS

static LogicalResult verifyComparison(Operation *op) {
  auto element = [&](unsigned i) {
    return cast<RankedTensorType>(op->getOperand(i).getType()).getElementType();
  };
  if (element(0) != element(1) || (element(0).isInteger(1) && !isa<EqualOp, NotEqualOp>(op)))
    return op->emitOpError("(C2) compares two f32 or two i32, not ")
           << element(0) << " and " << element(1);
  return expectBroadcast(op, op->getOperands(), op->getResult(0));
}
LogicalResult EqualOp::verify() { return verifyComparison(*this); }
LogicalResult NotEqualOp::verify() { return verifyComparison(*this); }
LogicalResult LessOp::verify() { return verifyComparison(*this); }
LogicalResult LessEqualOp::verify() { return verifyComparison(*this); }
LogicalResult GreaterOp::verify() { return verifyComparison(*this); }
LogicalResult GreaterEqualOp::verify() { return verifyComparison(*this); }

//===--- along axes ---------------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() { return expectAxis(*this, "(C1)", getAxis(), getX()); }
LogicalResult LogSoftmaxOp::verify() { return expectAxis(*this, "(C1)", getAxis(), getX()); }

template <typename ReductionOp> static LogicalResult verifyReduction(ReductionOp op) {
  Shape shape(shapeOf(op.getX()));
  int64_t previous = -1;
  for (int64_t axis : op.getAxes()) {
    if (failed(expectAxis(op, "(C1)", axis, op.getX())))
      return failure();
    if (axis <= previous)
      return op.emitOpError("(C1) axes ascend");
    previous = axis;
    shape[axis] = op.getKeep() ? 1 : -1;
  }
  llvm::erase(shape, -1);
  return expect(op, "(C2)", "y", op.getY(), shape);
}
LogicalResult SumOp::verify() { return verifyReduction(*this); }
LogicalResult MeanOp::verify() { return verifyReduction(*this); }
LogicalResult MaxOp::verify() { return verifyReduction(*this); }
LogicalResult MinOp::verify() { return verifyReduction(*this); }

LogicalResult MatmulOp::verify() {
  const auto a = shapeOf(getA()), b = shapeOf(getB());
  if (a.size() < 2 || b.size() < 2)
    return emitOpError("(C1) a and b have two axes or more");
  if (a.back() != b[b.size() - 2])
    return emitOpError("(C1) a has ")
           << a.back() << " columns, b has " << b[b.size() - 2] << " rows";
  auto shape = broadcast(a.drop_back(2), b.drop_back(2));
  if (!shape)
    return emitOpError("(C1) leading axes do not broadcast");
  shape->append({a[a.size() - 2], b.back()});
  return expect(*this, "(C1)", "y", getY(), *shape);
}

LogicalResult OneHotOp::verify() {
  Shape shape(shapeOf(getLabel()));
  shape.push_back(getClasses());
  return expect(*this, "(C1)", "y", getY(), shape);
}

LogicalResult ArgmaxOp::verify() {
  if (failed(expectAxis(*this, "(C1)", getAxis(), getX())))
    return failure();
  Shape shape(shapeOf(getX()));
  shape.erase(shape.begin() + static_cast<int64_t>(getAxis()));
  return expect(*this, "(C2)", "y", getY(), shape);
}

//===--- across the batch -------------------------------------------------------------------------===//

LogicalResult PairwiseOp::verify() {
  if (failed(expect(*this, "(C1)", "b", getB(), shapeOf(getA()))))
    return failure();
  return expectRank(*this, "y", getY(), 1);
}

LogicalResult MaskColumnsOp::verify() {
  if (rankOf(getX()) > 0)
    return success();
  return emitOpError("(C1) x has an axis");
}

LogicalResult UpdateOp::verify() {
  auto train = (*this)->getParentOfType<TrainOp>();
  auto buffer = train ? train.lookupSymbol<BufferOp>(getParameter()) : BufferOp();
  if (train && (!buffer || buffer.getType() != getValue().getType()))
    return emitOpError("(C1) the block has no buffer @") << getParameter() << " of this type";
  return success();
}

//===--- losses and measures ------------------------------------------------------------------===//

/// logits' shape without `axis`.
static Shape positions(Value logits, int64_t axis) {
  Shape shape(shapeOf(logits));
  shape.erase(shape.begin() + axis);
  return shape;
}

LogicalResult CrossEntropyOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis());
  if (failed(expectAxis(*this, "(C3)", axis, getLogits())))
    return failure();
  const double smoothing = getSmoothing().convertToDouble();
  if (!(smoothing >= 0 && smoothing < 1))
    return emitOpError("(C2) smoothing is from 0 to below 1, is ") << smoothing;
  const bool indices = cast<RankedTensorType>(getLabel().getType()).getElementType().isInteger(32);
  return expect(*this, "(C1)", "label", getLabel(),
                indices ? positions(getLogits(), axis) : Shape(shapeOf(getLogits())));
}

LogicalResult MseOp::verify() { return expect(*this, "(C1)", "b", getB(), shapeOf(getA())); }

LogicalResult TopKOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis()), k = static_cast<int64_t>(getK());
  if (failed(expectAxis(*this, "(C3)", axis, getLogits())))
    return failure();
  if (const int64_t classes = shapeOf(getLogits())[axis]; k < 1 || k > classes)
    return emitOpError("(C2) 1 ≤ k ≤ ") << classes << ", is " << k;
  return expect(*this, "(C1)", "label", getLabel(), positions(getLogits(), axis));
}

LogicalResult AccuracyOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis());
  if (failed(expectAxis(*this, "(C3)", axis, getLogits())))
    return failure();
  return expect(*this, "(C1)", "label", getLabel(), positions(getLogits(), axis));
}
