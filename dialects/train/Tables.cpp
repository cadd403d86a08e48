//===- Tables.cpp - rows of a table by their numbers, and the sums that go back ---------------===//
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"

using namespace mlir;
using namespace sinter::train;

/// `rows` [ids…, size] belong to `table` [count, size].
static LogicalResult verifyTable(Operation *op, Value table, Value ids, StringRef name,
                                 Value rows) {
  if (shapeOf(table).size() != 2)
    return op->emitOpError("(C1) the table is [count, size], is ") << table.getType();
  SmallVector<int64_t> shape(shapeOf(ids));
  shape.push_back(shapeOf(table)[1]);
  return verifyShape(op, "(C2)", name, rows.getType(), shape);
}

LogicalResult GatherOp::verify() { return verifyTable(*this, getTable(), getIds(), "y", getY()); }
LogicalResult GatherGradOp::verify() {
  return verifyTable(*this, getDtable(), getIds(), "dy", getDy());
}

int64_t GatherOp::getFlops() { return 0; }
int64_t GatherGradOp::getFlops() { return getDy().getType().getNumElements(); }

/// Of a table only the rows that are named are read; those of a sum are read and written.
static int64_t bytesOfRows(Value ids, Value rows, int64_t times) {
  return 4 * (cast<RankedTensorType>(ids.getType()).getNumElements() +
              times * cast<RankedTensorType>(rows.getType()).getNumElements());
}
int64_t GatherOp::getBytes() { return bytesOfRows(getIds(), getY(), 2); }
int64_t GatherGradOp::getBytes() {
  return bytesOfRows(getIds(), getDy(), 3) + 4 * getDtable().getType().getNumElements();
}

// An id has no gradient.
void GatherOp::buildGradients(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted,
                              MutableArrayRef<Value> operandGradients) {
  if (wanted[0])
    operandGradients[0] = GatherGradOp::create(builder, gradientLocation(*this),
                                               getTable().getType(), resultGradients[0], getIds());
}

void GatherGradOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                  ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  if (wanted[0])
    operandGradients[0] = GatherOp::create(builder, gradientLocation(*this), getDy().getType(),
                                           resultGradients[0], getIds());
}
