//===- TrainToKernelTables.cpp - embeddings and their gradients -------------------------------===//
#include "compiler/lower/TrainToKernelParts.h"

using namespace mlir;

namespace sinter::lower {

LogicalResult lowerTable(KernelBuilder &builder, Operation *op) {
  const Value first = builder.inMemory(op->getOperand(0)),
              ids = builder.inMemory(op->getOperand(1));
  const auto type = cast<RankedTensorType>(op->getResult(0).getType());
  const Value out = builder.empty(op->getLoc(), type);
  Operation *loop;
  if (isa<train::GatherOp>(op))
    loop =
        kernel::GatherOp::create(builder.builder, op->getLoc(), TypeRange(type), first, ids, out);
  else
    loop = kernel::ScatterAddOp::create(builder.builder, op->getLoc(), TypeRange(type), first, ids,
                                        out);
  builder.set(op->getResult(0), loop->getResult(0));
  return success();
}

} // namespace sinter::lower
