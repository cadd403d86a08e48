//===- Views.cpp - ops that move values and compute nothing -----------------------------------===//
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace sinter::train;

/// A map from the points of `result`, one expression an axis of the operand.
static AffineMap mapFrom(Value result, ArrayRef<AffineExpr> expressions) {
  return AffineMap::get(shapeOf(result).size(), 0, expressions, result.getContext());
}

/// x and y hold one kind of element.
static LogicalResult verifyElements(Operation *op) {
  const Type element = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  for (Type type : op->getOperandTypes())
    if (cast<RankedTensorType>(type).getElementType() != element)
      return op->emitOpError("(V1) operand and result must have one element type");
  return success();
}

//===--- reshape ------------------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  if (getX().getType().getNumElements() != getY().getType().getNumElements())
    return emitOpError("(C1) x has ") << getX().getType().getNumElements() << " elements, y has "
                                      << getY().getType().getNumElements();
  return verifyElements(*this);
}

// Not one map: axes split and merge.
AffineMap ReshapeOp::getAccessMap() { return {}; }

void ReshapeOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                               ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  operandGradients[0] =
      ReshapeOp::create(builder, gradientLocation(*this), getX().getType(), resultGradients[0]);
}

//===--- transpose ----------------------------------------------------------------------------===//

LogicalResult TransposeOp::verify() {
  SmallVector<int64_t> sorted(getPerm());
  llvm::sort(sorted);
  const int64_t rank = getX().getType().getRank();
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return emitOpError("(C1) perm must be a permutation of x's ") << rank << " axes";
  SmallVector<int64_t> shape;
  for (int64_t axis : getPerm())
    shape.push_back(shapeOf(getX())[axis]);
  if (failed(verifyShape(*this, "(C2)", "y", getY().getType(), shape)))
    return failure();
  return verifyElements(*this);
}

AffineMap TransposeOp::getAccessMap() {
  SmallVector<AffineExpr> expressions(getPerm().size());
  for (auto [axis, from] : llvm::enumerate(getPerm()))
    expressions[from] = getAffineDimExpr(axis, getContext());
  return mapFrom(getY(), expressions);
}

void TransposeOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                 ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  SmallVector<int64_t> inverse(getPerm().size());
  for (auto [axis, from] : llvm::enumerate(getPerm()))
    inverse[from] = static_cast<int64_t>(axis);
  operandGradients[0] = TransposeOp::create(builder, gradientLocation(*this), getX().getType(),
                                            resultGradients[0], inverse);
}

//===--- broadcast ----------------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  if (static_cast<int64_t>(getDims().size()) != getX().getType().getRank())
    return emitOpError("(C1) x has ")
           << getX().getType().getRank() << " axes, dims " << getDims().size();
  if (failed(verifyAxes(*this, "(C1)", "dims", getDims(), getY().getType().getRank())))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t axis : getDims())
    shape.push_back(shapeOf(getY())[axis]);
  if (failed(verifyShape(*this, "(C2)", "x", getX().getType(), shape)))
    return failure();
  return verifyElements(*this);
}

AffineMap BroadcastOp::getAccessMap() {
  SmallVector<AffineExpr> expressions;
  for (int64_t axis : getDims())
    expressions.push_back(getAffineDimExpr(axis, getContext()));
  return mapFrom(getY(), expressions);
}

void BroadcastOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                 ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  SmallVector<int64_t> repeated;
  for (int64_t axis = 0, rank = getY().getType().getRank(); axis < rank; ++axis)
    if (!llvm::is_contained(getDims(), axis))
      repeated.push_back(axis);
  operandGradients[0] = Emit(builder, *this).sum(resultGradients[0], repeated);
}

//===--- slice and pad: each the other's transpose --------------------------------------------===//

/// `part`, laid from `low` in steps of `strides`, stays within `whole`.
static LogicalResult verifyWithin(Operation *op, Value part, Value whole, StringRef lowName,
                                  ArrayRef<int64_t> low, ArrayRef<int64_t> strides) {
  const size_t rank = shapeOf(whole).size();
  if (shapeOf(part).size() != rank || low.size() != rank || strides.size() != rank)
    return op->emitOpError("(C1) x, y, ") << lowName << " and strides must have one rank";
  for (size_t axis = 0; axis < rank; ++axis) {
    if (strides[axis] < 1 || low[axis] < 0)
      return op->emitOpError("(C2) ")
             << lowName << " must not be negative, strides must be positive";
    if (low[axis] + (shapeOf(part)[axis] - 1) * strides[axis] >= shapeOf(whole)[axis])
      return op->emitOpError("(C3) axis ")
             << axis << " reaches beyond its extent of " << shapeOf(whole)[axis];
  }
  return verifyElements(op);
}

LogicalResult SliceOp::verify() {
  return verifyWithin(*this, getY(), getX(), "offsets", getOffsets(), getStrides());
}

AffineMap SliceOp::getAccessMap() {
  SmallVector<AffineExpr> expressions;
  for (auto [axis, offset, stride] : llvm::enumerate(getOffsets(), getStrides()))
    expressions.push_back(getAffineDimExpr(axis, getContext()) * stride + offset);
  return mapFrom(getY(), expressions);
}

void SliceOp::buildGradients(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted,
                             MutableArrayRef<Value> operandGradients) {
  operandGradients[0] =
      PadOp::create(builder, gradientLocation(*this), getX().getType(), resultGradients[0],
                    getOffsetsAttr(), getStridesAttr(), builder.getF64FloatAttr(0));
}

LogicalResult PadOp::verify() {
  return verifyWithin(*this, getX(), getY(), "low", getLow(), getStrides());
}

// Where y holds `value` it is read from nowhere.
AffineMap PadOp::getAccessMap() { return {}; }

void PadOp::buildGradients(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted,
                           MutableArrayRef<Value> operandGradients) {
  operandGradients[0] = SliceOp::create(builder, gradientLocation(*this), getX().getType(),
                                        resultGradients[0], getLowAttr(), getStridesAttr());
}

//===--- concat -------------------------------------------------------------------------------===//

LogicalResult ConcatOp::verify() {
  const auto axis = static_cast<int64_t>(getAxis());
  if (getXs().empty())
    return emitOpError("(C1) has operands");
  if (axis < 0 || axis >= getY().getType().getRank())
    return emitOpError("(C1) axis ") << axis << " does not exist";
  SmallVector<int64_t> shape(shapeOf(getXs().front()));
  if (axis >= static_cast<int64_t>(shape.size()))
    return emitOpError("(C1) axis ") << axis << " does not exist in operand 0";
  int64_t extent = 0;
  for (auto [index, x] : llvm::enumerate(getXs())) {
    SmallVector<int64_t> other(shapeOf(x));
    if (other.size() == shape.size()) {
      extent += other[axis];
      other[axis] = shape[axis];
    }
    if (other != shape)
      return emitOpError("(C2) operand ")
             << index << " must agree with operand 0 but for axis " << axis;
  }
  shape[axis] = extent;
  if (failed(verifyShape(*this, "(C3)", "y", getY().getType(), shape)))
    return failure();
  return verifyElements(*this);
}

// Several operands: no one map.
AffineMap ConcatOp::getAccessMap() { return {}; }

void ConcatOp::buildGradients(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted,
                              MutableArrayRef<Value> operandGradients) {
  const SmallVector<int64_t> strides(shapeOf(getY()).size(), 1);
  SmallVector<int64_t> offsets(strides.size(), 0);
  for (auto [index, x] : llvm::enumerate(getXs())) {
    if (wanted[index])
      operandGradients[index] = SliceOp::create(builder, gradientLocation(*this), x.getType(),
                                                resultGradients[0], offsets, strides);
    offsets[getAxis()] += shapeOf(x)[getAxis()];
  }
}
