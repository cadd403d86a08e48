//===- TrainToKernelScan.cpp - a scan becomes a loop over time around loops -------------------===//
// The rows are cut into shares that each walk all steps by themselves; the body is lowered for one share. What
// it makes of constants alone, such as a weight transposed for the kernel that reads it, is the same at every
// step and moves in front of the scan.
#include "compiler/lower/TrainToKernelParts.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::lower {
namespace {

/// A share should have rows enough to fill a register tile; and there is no use in many more shares than threads.
constexpr int64_t fewestRows = 8, mostShares = 16;

int64_t sharesOf(int64_t rows) {
  for (int64_t shares = std::min(mostShares, rows / fewestRows); shares > 1; --shares)
    if (rows % shares == 0)
      return shares;
  return 1;
}

class ScanLowering {
public:
  ScanLowering(KernelBuilder &outside, train::ScanOp op)
      : outside(outside), op(op), rows(op.getRows()), shares(sharesOf(rows)),
        inside(op->getParentOfType<train::StepOp>()) {}

  LogicalResult run(LowerOp lower) {
    if (failed(narrow()))
      return failure();
    Block &block = body.emplaceBlock();
    takeArguments(block);
    for (Operation &each : narrowed.front()) {
      inside.builder.setInsertionPointToEnd(&block);
      if (failed(lower(inside, &each)))
        return failure();
    }
    for (Operation &each : block)
      if (!isa<kernel::SweepOp, kernel::ContractOp, kernel::AliasOp, tensor::EmptyOp>(each))
        return each.emitOpError("has no place in a scan");
    inside.builder.setInsertionPointToEnd(&block);
    SmallVector<Value> yields;
    for (Value value : op.getNext().getOperands())
      yields.push_back(inside.inMemory(mapping.lookup(value)));
    kernel::YieldOp::create(inside.builder, op.getNext().getLoc(), yields);
    hoist(block);
    create();
    return success();
  }

private:
  LogicalResult narrow();
  void takeArguments(Block &block);
  void hoist(Block &block);
  void create();

  RankedTensorType ofShare(Type type) const {
    auto tensor = cast<RankedTensorType>(type);
    SmallVector<int64_t> shape(tensor.getShape());
    shape[0] /= shares;
    return tensor.clone(shape);
  }

  KernelBuilder &outside;
  train::ScanOp op;
  const int64_t rows, shares;
  KernelBuilder inside;
  Region narrowed, body; ///< the body's train ops for one share, and what they become
  IRMapping mapping;     ///< from the op's body to the narrowed one
  SmallVector<Value> sequences, initial, constants;
};

/// Copies the body with the rows of one share.
LogicalResult ScanLowering::narrow() {
  const llvm::DenseSet<Value> withRows = op.valuesWithRows();
  Block &block = narrowed.emplaceBlock();
  const auto typeOf = [&](Value value) {
    return withRows.contains(value) ? ofShare(value.getType()) : value.getType();
  };
  for (BlockArgument argument : op.getStep().getArguments())
    mapping.map(argument, block.addArgument(typeOf(argument), argument.getLoc()));
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&block);
  for (Operation &each : op.getStep().without_terminator()) {
    Operation *copy = builder.clone(each, mapping);
    for (auto [before, now] : llvm::zip_equal(each.getResults(), copy->getResults()))
      now.setType(typeOf(before));
    if (auto constant = dyn_cast<train::ConstantOp>(copy);
        constant && constant.getValue().getType() != constant.getType()) {
      auto values = dyn_cast<DenseElementsAttr>(constant.getValue());
      if (!values || !values.isSplat())
        return each.emitOpError("has no kernel: in a scan, what has rows is one number throughout");
      constant.setValueAttr(values.resizeSplat(cast<RankedTensorType>(constant.getType())));
    }
    if (failed(verify(copy)))
      return each.emitOpError("has no kernel: it does not leave the rows apart");
  }
  return success();
}

/// A sequence is seen from the current step: now is at 0 of the axis behind the rows.
void ScanLowering::takeArguments(Block &block) {
  const unsigned walking = op.getSequences().size(), carried = op.getInitial().size();
  for (auto [at, operand] : llvm::enumerate(op.getOperands())) {
    const Value tensor = outside.inMemory(operand);
    (at < walking ? sequences : at < walking + carried ? initial : constants).push_back(tensor);
    const Value narrow = narrowed.getArgument(at);
    const Type type = at < walking + carried ? ofShare(tensor.getType()) : tensor.getType();
    const Value argument = block.addArgument(type, operand.getLoc());
    if (at >= walking + carried)
      inside.constants.insert(argument);
    if (at >= walking) {
      inside.set(narrow, argument);
      continue;
    }
    const unsigned rank = cast<RankedTensorType>(narrow.getType()).getRank();
    const AffineMap now =
        inside.identity(rank).insertResult(getAffineConstantExpr(0, inside.context), 1);
    inside.set(narrow, Access{argument, now, {}, cast<RankedTensorType>(type).getElementType()});
  }
}

/// Moves in front of the scan what reads constants alone.
void ScanLowering::hoist(Block &block) {
  const unsigned firstConstant = sequences.size() + initial.size();
  IRMapping toOutside;
  for (auto [argument, constant] :
       llvm::zip_equal(block.getArguments().drop_front(firstConstant), constants))
    toOutside.map(argument, constant);
  SmallVector<Operation *> moved;
  for (Operation &each : block.without_terminator()) {
    if (isa<tensor::EmptyOp>(each)) {
      // A place to write: goes wherever its writer goes.
      continue;
    }
    auto loop = dyn_cast<DestinationStyleOpInterface>(each);
    const unsigned written = loop ? loop.getNumDpsInits() : 0;
    if (llvm::any_of(each.getOperands().drop_back(written),
                     [&](Value value) { return !toOutside.contains(value); }))
      continue;
    for (Value place : each.getOperands().take_back(written))
      if (!toOutside.contains(place))
        toOutside.map(place,
                      outside.empty(place.getLoc(), cast<RankedTensorType>(place.getType())));
    outside.builder.clone(each, toOutside);
    moved.push_back(&each);
  }
  for (Operation *each : moved)
    for (Value result : each->getResults()) {
      const bool isRead = llvm::any_of(
          result.getUsers(), [&](Operation *user) { return !llvm::is_contained(moved, user); });
      if (!isRead)
        continue;
      constants.push_back(toOutside.lookup(result));
      const Value argument = block.addArgument(result.getType(), result.getLoc());
      result.replaceUsesWithIf(
          argument, [&](OpOperand &use) { return !llvm::is_contained(moved, use.getOwner()); });
    }
  for (Operation *each : llvm::reverse(moved))
    each->erase();
  // Places whose writers went, and constants that nothing reads any more.
  for (Operation &each : llvm::make_early_inc_range(block))
    if (isa<tensor::EmptyOp>(each) && each.use_empty())
      each.erase();
  for (unsigned at = block.getNumArguments(); at-- > firstConstant;)
    if (block.getArgument(at).use_empty()) {
      block.eraseArgument(at);
      constants.erase(constants.begin() + (at - firstConstant));
    }
}

void ScanLowering::create() {
  SmallVector<Value> places;
  for (Type type : op.getResultTypes())
    places.push_back(outside.empty(op.getLoc(), cast<RankedTensorType>(type)));
  auto scan =
      kernel::ScanOp::create(outside.builder, op.getLoc(), op.getResultTypes(), sequences, initial,
                             constants, places, op.getSteps(), op.getBackwards(), shares);
  scan.getBody().takeBody(body);
  for (auto [value, tensor] : llvm::zip_equal(op.getResults(), scan.getResults()))
    outside.set(value, tensor);
}

} // namespace

LogicalResult lowerScan(KernelBuilder &builder, train::ScanOp op, LowerOp lower) {
  return ScanLowering(builder, op).run(lower);
}

} // namespace sinter::lower
