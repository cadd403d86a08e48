//===- KernelDialect.cpp - registration, and the small ops ------------------------------------===//
#include "dialects/kernel/KernelDialect.h"

#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter::kernel;

#include "dialects/kernel/KernelDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.cpp.inc"

void KernelDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/kernel/KernelAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/KernelOps.cpp.inc"
      >();
}

LogicalResult AliasOp::verify() {
  auto from = cast<RankedTensorType>(getX().getType()),
       to = cast<RankedTensorType>(getY().getType());
  if (from.getElementType() != to.getElementType() || from.getNumElements() != to.getNumElements())
    return emitOpError("(C1) both sides must have equally many elements of one type, are ")
           << from << " and " << to;
  return success();
}

OpFoldResult AliasOp::fold(FoldAdaptor) {
  Value source = getX();
  while (auto alias = source.getDefiningOp<AliasOp>())
    source = alias.getX();
  if (source.getType() == getY().getType())
    return source;
  if (source == getX())
    return {};
  getXMutable().assign(source);
  return getY();
}
