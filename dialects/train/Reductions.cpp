//===- Reductions.cpp - sums, means, softmax and cross entropy --------------------------------===//
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"

using namespace mlir;
using namespace sinter::train;

/// The axes 0 … rank-1 of `value` without those in `dropped`.
static SmallVector<int64_t> otherAxes(Value value, ArrayRef<int64_t> dropped) {
  SmallVector<int64_t> axes;
  for (int64_t axis = 0, rank = shapeOf(value).size(); axis < rank; ++axis)
    if (!llvm::is_contained(dropped, axis))
      axes.push_back(axis);
  return axes;
}

/// `value`, of x's shape without `dropped`, repeated along these axes.
static Value spread(Emit &emit, Value value, Value x, ArrayRef<int64_t> dropped) {
  return emit.broadcast(value, shapeOf(x), otherAxes(x, dropped));
}

static int64_t lastAxis(Value value) { return static_cast<int64_t>(shapeOf(value).size()) - 1; }

//===--- sum and reduce_max -------------------------------------------------------------------===//

template <typename Op> static LogicalResult verifyAxesReduction(Op op) {
  if (failed(verifyAxes(op, "(C1)", "axes", op.getAxes(), op.getX().getType().getRank())))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t axis : otherAxes(op.getX(), op.getAxes()))
    shape.push_back(shapeOf(op.getX())[axis]);
  return verifyShape(op, "(C2)", "y", op.getY().getType(), shape);
}

LogicalResult SumOp::verify() { return verifyAxesReduction(*this); }
LogicalResult ReduceMaxOp::verify() { return verifyAxesReduction(*this); }

int64_t SumOp::getFlops() { return getX().getType().getNumElements(); }
int64_t ReduceMaxOp::getFlops() { return getX().getType().getNumElements(); }

void SumOp::buildGradients(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted,
                           MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  operandGradients[0] = spread(emit, resultGradients[0], getX(), getAxes());
}

// Shared equally between ties.
void ReduceMaxOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                 ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  Value held = emit.compare("eq", getX(), spread(emit, getY(), getX(), getAxes()));
  Value share = CastOp::create(builder, emit.location, getX().getType(), held);
  Value each = emit.div(resultGradients[0], emit.sum(share, getAxes()));
  operandGradients[0] = emit.mul(share, spread(emit, each, getX(), getAxes()));
}

//===--- argmax -------------------------------------------------------------------------------===//

LogicalResult ArgmaxOp::verify() {
  if (getX().getType().getRank() == 0)
    return emitOpError("(C1) x has a last axis");
  return verifyShape(*this, "(C2)", "y", getY().getType(), shapeOf(getX()).drop_back());
}

int64_t ArgmaxOp::getFlops() { return getX().getType().getNumElements(); }

void ArgmaxOp::buildGradients(OpBuilder &, ValueRange, ArrayRef<bool>, MutableArrayRef<Value>) {}

//===--- over the examples --------------------------------------------------------------------===//

LogicalResult BatchMeanOp::verify() {
  if (getX().getType().getRank() == 0)
    return emitOpError("(C1) x has rows");
  return verifyShape(*this, "(C2)", "y", getY().getType(), shapeOf(getX()).drop_front());
}

int64_t BatchMeanOp::getFlops() { return getX().getType().getNumElements(); }

void BatchMeanOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                 ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  Value dy = resultGradients[0];
  if (!shapeOf(dy).empty())
    dy = spread(emit, dy, getX(), {0});
  operandGradients[0] =
      BatchMeanGradOp::create(builder, emit.location, getX().getType(), dy, getCount());
}

LogicalResult MomentsOp::verify() {
  if (getX().getType().getRank() < 2)
    return emitOpError("(C1) x has rows and channels");
  const ArrayRef<int64_t> channels = shapeOf(getX()).take_back();
  if (failed(verifyShape(*this, "(C2)", "mean", getMean().getType(), channels)))
    return failure();
  return verifyShape(*this, "(C2)", "variance", getVariance().getType(), channels);
}

// A sum and a sum of squares about the mean.
int64_t MomentsOp::getFlops() { return 4 * getX().getType().getNumElements(); }

// With N = count · inner: dx = (dmean + 2 dvariance (x - mean)) / N in the rows that are there.
// (The mean within the variance adds nothing: Σ (x - mean) = 0.)
void MomentsOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                               ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  const SmallVector<int64_t> reduced = llvm::to_vector(llvm::seq<int64_t>(0, lastAxis(getX())));
  const auto inner =
      static_cast<double>(llvm::product_of(shapeOf(getX()).drop_front().drop_back()));
  Value dx;
  if (Value dmean = resultGradients[0])
    dx = spread(emit, emit.mul(dmean, 1 / inner), getX(), reduced);
  if (Value dvariance = resultGradients[1]) {
    Value slope = spread(emit, emit.mul(dvariance, 2 / inner), getX(), reduced);
    Value centred = emit.sub(getX(), spread(emit, getMean(), getX(), reduced));
    Value part = emit.mul(slope, centred);
    dx = dx ? emit.add(dx, part) : part;
  }
  operandGradients[0] =
      BatchMeanGradOp::create(builder, emit.location, getX().getType(), dx, getCount());
}

//===--- softmax ------------------------------------------------------------------------------===//

// Maximum, difference, exponential, sum, quotient.
int64_t SoftmaxOp::getFlops() { return 5 * getX().getType().getNumElements(); }
int64_t LogSoftmaxOp::getFlops() { return 5 * getX().getType().getNumElements(); }
int64_t CrossEntropyOp::getFlops() { return 5 * getLogits().getType().getNumElements(); }
int64_t CrossEntropyGradOp::getFlops() { return 6 * getLogits().getType().getNumElements(); }

LogicalResult SoftmaxOp::verify() {
  if (getX().getType().getRank() == 0)
    return emitOpError("(C1) x has a last axis");
  return success();
}

LogicalResult LogSoftmaxOp::verify() {
  if (getX().getType().getRank() == 0)
    return emitOpError("(C1) x has a last axis");
  return success();
}

/// y (g - Σ g y) along the last axis: the derivative of softmax, y its value.
static Value softmaxGradient(Emit &emit, Value y, Value g) {
  const int64_t last = lastAxis(y);
  Value total = emit.sum(emit.mul(g, y), last);
  return emit.mul(y, emit.sub(g, spread(emit, total, y, last)));
}

void SoftmaxOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                               ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  operandGradients[0] = softmaxGradient(emit, getY(), resultGradients[0]);
}

// dy - eʸ Σ dy
void LogSoftmaxOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                  ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  const int64_t last = lastAxis(getX());
  Value total = spread(emit, emit.sum(resultGradients[0], last), getX(), last);
  operandGradients[0] = emit.sub(resultGradients[0], emit.mul(emit.unary<ExpOp>(getY()), total));
}

//===--- cross entropy ------------------------------------------------------------------------===//

template <typename Op> static LogicalResult verifyCrossEntropy(Op op, Value rows) {
  if (op.getLogits().getType().getRank() == 0)
    return op.emitOpError("(C1) logits have a last axis, the classes");
  const ArrayRef<int64_t> shape = shapeOf(op.getLogits()).drop_back();
  if (failed(verifyShape(op, "(C1)", "labels", op.getLabels().getType(), shape)) ||
      failed(verifyShape(op, "(C1)", "the rows' values", rows.getType(), shape)))
    return failure();
  if (const double smoothing = op.getSmoothing().convertToDouble();
      !(smoothing >= 0 && smoothing < 1))
    return op.emitOpError("(C2) 0 ≤ smoothing < 1, is ") << smoothing;
  return success();
}

LogicalResult CrossEntropyOp::verify() { return verifyCrossEntropy(*this, getE()); }

LogicalResult CrossEntropyGradOp::verify() {
  if (failed(verifyCrossEntropy(*this, getDe())))
    return failure();
  return verifyShape(*this, "(C1)", "dlogits", getDlogits().getType(), shapeOf(getLogits()));
}

void CrossEntropyOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                    ArrayRef<bool> wanted,
                                    MutableArrayRef<Value> operandGradients) {
  if (wanted[0])
    operandGradients[0] = CrossEntropyGradOp::create(builder, gradientLocation(*this),
                                                     getLogits().getType(), resultGradients[0],
                                                     getLogits(), getLabels(), getSmoothingAttr());
}

// dlogits = de (p - t) with p = softmax(logits): by de it is Σ g (p - t), by the logits de p (g - Σ
// g p).
void CrossEntropyGradOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                        ArrayRef<bool> wanted,
                                        MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  Value g = resultGradients[0], logits = getLogits();
  const int64_t last = lastAxis(logits);
  Value p = emit.unary<SoftmaxOp>(logits);
  if (wanted[0]) {
    const double smoothing = getSmoothing().convertToDouble();
    const auto classes = static_cast<double>(shapeOf(logits).back());
    Value labels = emit.broadcast(getLabels(), shapeOf(logits), otherAxes(logits, last));
    Value target = OneHotOp::create(builder, emit.location, logits.getType(), labels);
    if (smoothing != 0)
      target = emit.add(emit.mul(target, 1 - smoothing), emit.scalar(smoothing / classes));
    operandGradients[0] = emit.sum(emit.mul(g, emit.sub(p, target)), last);
  }
  if (wanted[1])
    operandGradients[1] =
        emit.mul(spread(emit, getDe(), logits, last), softmaxGradient(emit, p, g));
}
