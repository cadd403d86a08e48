//===- FuseBody.cpp - joining the scalar bodies of loop ops ----------------------------------------===//
#include "compiler/passes/FuseBody.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::passes {

FusedBody::FusedBody(Region &region, MLIRContext *context)
    : builder(context), block(builder.createBlock(&region)) {}

Value FusedBody::read(Value operand, AffineMap map) {
  for (auto [at, known] : llvm::enumerate(operands))
    if (known == operand && maps[at] == map)
      return reads[at];
  operands.push_back(operand);
  maps.push_back(map);
  reads.push_back(argument(cast<ShapedType>(operand.getType()).getElementType(), operand.getLoc()));
  return reads.back();
}

Value FusedBody::argument(Type type, Location location) {
  return block->addArgument(type, location);
}

/// A boolean that was to be stored as i8 and is tested at once: the boolean itself.
static Value withoutRoundTrip(Operation &op, IRMapping &mapping) {
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::ne ||
      !matchPattern(compare.getRhs(), m_Zero()))
    return {};
  auto widened = mapping.lookupOrDefault(compare.getLhs()).getDefiningOp<arith::ExtUIOp>();
  return widened && widened.getIn().getType().isInteger(1) ? widened.getIn() : Value();
}

SmallVector<Value> FusedBody::append(Block &part, ValueRange arguments, AffineMap axes) {
  IRMapping mapping;
  mapping.map(part.getArguments(), arguments);
  builder.setInsertionPointToEnd(block);
  for (Operation &op : part.without_terminator()) {
    if (auto index = dyn_cast<kernel::IndexOp>(op)) {
      SmallVector<Value> point;
      for (unsigned axis = 0; axis < axes.getNumDims(); ++axis)
        point.push_back(
            kernel::IndexOp::create(builder, op.getLoc(), builder.getIndexType(), axis));
      mapping.map(index.getResult(),
                  affine::expandAffineExpr(builder, op.getLoc(), axes.getResult(index.getAxis()),
                                           point, {}));
    } else if (Value boolean = withoutRoundTrip(op, mapping)) {
      mapping.map(op.getResult(0), boolean);
    } else {
      builder.clone(op, mapping);
    }
  }
  return llvm::map_to_vector(part.getTerminator()->getOperands(),
                             [&](Value value) { return mapping.lookupOrDefault(value); });
}

void FusedBody::yield(Location location, ValueRange values) {
  builder.setInsertionPointToEnd(block);
  kernel::YieldOp::create(builder, location, values);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

Location joinedLocation(Location first, Location second) {
  return first == second ? first : FusedLoc::get(first.getContext(), {first, second});
}

void keepAgain(Operation *fused, ArrayRef<Operation *> from) {
  for (Operation *op : from)
    if (Attribute again = op->getAttr("kernel.again"))
      fused->setAttr("kernel.again", again);
}

SmallVector<Block *> blocksOfLoops(train::StepOp step) {
  SmallVector<Block *> blocks{&step.getBody().front()};
  step.walk([&](kernel::ScanOp scan) { blocks.push_back(&scan.getBody().front()); });
  return blocks;
}

bool isUsedByOnly(Value value, ArrayRef<Operation *> users) {
  return llvm::all_of(value.getUsers(),
                      [&](Operation *user) { return llvm::is_contained(users, user); });
}

} // namespace sinter::passes
