//===- Verify.cpp -----------------------------------------------------------------------------===//
#include "dialects/train/Verify.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter::train;

LogicalResult sinter::train::verifyPointwise(Operation *op) {
  const ArrayRef<int64_t> shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  for (Value result : op->getResults())
    if (cast<RankedTensorType>(result.getType()).getShape() != shape)
      return op->emitOpError("(P1) results must have one shape");
  for (auto [index, operand] : llvm::enumerate(op->getOperands()))
    if (auto type = dyn_cast<RankedTensorType>(operand.getType());
        type && type.getRank() != 0 && type.getShape() != shape)
      return op->emitOpError("(P2) operand ")
             << index << " must have the result's shape or rank 0, is " << type;
  return success();
}

LogicalResult sinter::train::verifyShape(Operation *op, StringRef constraint, StringRef name,
                                         Type type, ArrayRef<int64_t> shape) {
  const ArrayRef<int64_t> actual = cast<RankedTensorType>(type).getShape();
  if (actual == shape)
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError(constraint)
                                  << " " << name << " must have shape [";
  llvm::interleaveComma(shape, diagnostic);
  diagnostic << "], has [";
  llvm::interleaveComma(actual, diagnostic);
  return diagnostic << "]";
}

LogicalResult sinter::train::verifyAxes(Operation *op, StringRef constraint, StringRef name,
                                        ArrayRef<int64_t> axes, int64_t rank) {
  for (auto [index, axis] : llvm::enumerate(axes))
    if (axis < 0 || axis >= rank || (index > 0 && axes[index - 1] >= axis))
      return op->emitOpError(constraint)
             << " " << name << " must be distinct, sorted and below " << rank;
  return success();
}

int64_t sinter::train::windowExtent(int64_t extent, int64_t padding, int64_t size, int64_t stride,
                                    int64_t dilation) {
  const int64_t room = extent + padding - dilation * (size - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}
