//===- Attention.cpp - attention without its scores, and its gradient -------------------------===//
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"

using namespace mlir;
using namespace sinter::train;

//===--- what both have in common -------------------------------------------------------------===//

static bool isScaledAndDropped(Operation *op, const APFloat &scale, double dropout, bool hasPurpose,
                               ValueRange draws, int64_t batch) {
  if (!scale.isFinite()) {
    op->emitOpError("(C3) scale must be finite");
    return false;
  }
  const bool drops = dropout != 0;
  if (!(dropout >= 0 && dropout < 1) || hasPurpose != drops || draws.size() != (drops ? 3 : 0)) {
    op->emitOpError(
        "(C2) dropout must be from 0 to 1, exclusively, with purpose, ids, draw and seed exactly "
        "where it is not 0, is ")
        << dropout;
    return false;
  }
  return !drops || succeeded(verifyShape(op, "(C1)", "ids", draws[0].getType(), {batch}));
}

/// The operands that draws take: all, or none.
template <typename Op> static SmallVector<Value> drawsOf(Op op) {
  SmallVector<Value> draws;
  for (Value value : {Value(op.getIds()), Value(op.getDraw()), Value(op.getSeed())})
    if (value)
      draws.push_back(value);
  return draws;
}

template <typename Op> static LogicalResult verifyAttention(Op op, Value y, Value logsum) {
  const ArrayRef<int64_t> q = shapeOf(op.getQ()), k = shapeOf(op.getK());
  if (q.size() != 4 || k.size() != 4)
    return op.emitOpError("(C1) q and k must be [batch, positions, heads, columns], are ")
           << op.getQ().getType() << " and " << op.getK().getType();
  if (failed(verifyShape(op, "(C1)", "k", op.getK().getType(), {q[0], k[1], q[2], q[3]})) ||
      failed(verifyShape(op, "(C1)", "v", op.getV().getType(), k)) ||
      failed(verifyShape(op, "(C1)", "y", y.getType(), q)) ||
      failed(verifyShape(op, "(C1)", "logsum", logsum.getType(), {q[0], q[2], q[1]})))
    return failure();
  return success(isScaledAndDropped(op, op.getScale(), op.getDropout().convertToDouble(),
                                    op.getPurpose().has_value(), drawsOf(op), q[0]));
}

/// Of `products` products of queries with keys and `others` operations a score: as where the scores are written out.
static int64_t attentionFlops(Value q, Value k, int64_t products, int64_t others) {
  const ArrayRef<int64_t> shape = shapeOf(q);
  return shape[0] * shape[1] * shape[2] * shapeOf(k)[1] * (2 * products * shape[3] + others);
}

//===--- attention ----------------------------------------------------------------------------===//

LogicalResult AttentionOp::verify() { return verifyAttention(*this, getY(), getLogsum()); }

int64_t AttentionOp::getFlops() { return attentionFlops(getQ(), getK(), 2, 5); }

void AttentionOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                 ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  if (!resultGradients[0])
    return;
  auto gradients = AttentionGradOp::create(
      builder, gradientLocation(*this),
      TypeRange{getQ().getType(), getK().getType(), getV().getType()}, resultGradients[0], getQ(),
      getK(), getV(), getY(), getLogsum(), getIds(), getDraw(), getSeed(), getScaleAttr(),
      getCausalAttr(), getDropoutAttr(), getPurposeAttr());
  for (unsigned i = 0; i < 3; ++i)
    if (wanted[i])
      operandGradients[i] = gradients->getResult(i);
}

//===--- its gradient -------------------------------------------------------------------------===//

LogicalResult AttentionGradOp::verify() {
  if (failed(verifyShape(*this, "(C1)", "dy", getDy().getType(), shapeOf(getQ()))) ||
      failed(verifyShape(*this, "(C1)", "dq", getDq().getType(), shapeOf(getQ()))) ||
      failed(verifyShape(*this, "(C1)", "dk", getDk().getType(), shapeOf(getK()))) ||
      failed(verifyShape(*this, "(C1)", "dv", getDv().getType(), shapeOf(getV()))))
    return failure();
  return verifyAttention(*this, getY(), getLogsum());
}

int64_t AttentionGradOp::getFlops() { return attentionFlops(getQ(), getK(), 4, 4); }
