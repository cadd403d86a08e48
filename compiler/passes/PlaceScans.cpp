//===- PlaceScans.cpp - a place in memory for every value of a scan's body -------------------------===//
// The steps of a scan come one after the other, so its body is planned by itself, once for all steps: what is kept is written straight
// into the step's place among all steps; what is carried on, over what was carried here, where everything that reads that comes before;
// all else lies in scratch memory of the share, in the tightest place that is free. What must stand in two places is copied.
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Loops.h"
#include "compiler/passes/Passes.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/train/StateLayout.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_PLACESCANS
#include "compiler/passes/Passes.h.inc"
namespace {

class ScanPlan {
public:
  explicit ScanPlan(kernel::ScanOp scan)
      : scan(scan), body(scan.getBody().front()),
        yield(cast<kernel::YieldOp>(body.getTerminator())), carried(scan.getNumCarried()),
        firstCarried(scan.getNumSequences()) {}

  LogicalResult run() {
    giveEachOutputItsOwnValue();
    placeScratch();
    return emit();
  }

  int64_t scratchBytes = 0, numCopies = 0;

private:
  void giveEachOutputItsOwnValue();
  bool canOverwrite(OpResult value, BlockArgument old);
  Value copyOf(Value value, OpBuilder builder);
  void placeScratch();
  LogicalResult emit();
  SmallVector<Operation *> loops() {
    return llvm::filter_to_vector(
        llvm::map_range(body, [](Operation &op) { return &op; }),
        [](Operation *op) { return isa<DestinationStyleOpInterface>(op); });
  }

  kernel::ScanOp scan;
  Block &body;
  kernel::YieldOp yield;
  const unsigned carried, firstCarried;
  llvm::DenseMap<Value, unsigned> outputs; ///< the output in whose place a value is written
  llvm::DenseMap<Value, int64_t> offsets;  ///< of the others, in the scratch memory
};

Value ScanPlan::copyOf(Value value, OpBuilder builder) {
  auto type = cast<RankedTensorType>(value.getType());
  const Location location = scan.getLoc();
  const AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  Value out = tensor::EmptyOp::create(builder, location, type.getShape(), type.getElementType());
  auto copy = kernel::SweepOp::create(
      builder, location, TypeRange(type), value, out, type.getShape(), ArrayRef<int64_t>(),
      builder.getAffineMapArrayAttr({identity, identity}), ArrayAttr(), IntegerSetAttr());
  Block *block = builder.createBlock(&copy.getBody());
  kernel::YieldOp::create(builder, location, block->addArgument(type.getElementType(), location));
  ++numCopies;
  return copy.getResult(0);
}

/// Whether everything that reads `old` has done so before `value` is written, or does so where it writes.
bool ScanPlan::canOverwrite(OpResult value, BlockArgument old) {
  Operation *writer = value.getOwner();
  const auto isReadInPlace = [&](unsigned input) {
    const auto maps = writer->getAttrOfType<ArrayAttr>("maps");
    const unsigned output = inputsOf(writer).size() + value.getResultNumber();
    if (inputsOf(writer)[input].getType() != value.getType() || maps[input] != maps[output])
      return false;
    if (auto sweep = dyn_cast<kernel::SweepOp>(writer))
      return sweep.isPointwise();
    return input >= 2 && cast<kernel::ContractOp>(writer).sumsAtOnce();
  };
  for (Operation *op : loops())
    for (auto [at, input] : llvm::enumerate(inputsOf(op)))
      if (rootOf(input) == old && !op->isBeforeInBlock(writer) &&
          !(op == writer && isReadInPlace(at)))
        return false;
  return true;
}

/// Behind this each output is a value of its own that a loop writes in the output's place; what is carried unchanged is not written.
void ScanPlan::giveEachOutputItsOwnValue() {
  OpBuilder begin = OpBuilder::atBlockBegin(&body), end(yield);
  // What comes from outside the body is copied before anything is overwritten.
  for (auto [at, operand] : llvm::enumerate(yield->getOpOperands()))
    if (auto argument = dyn_cast<BlockArgument>(rootOf(operand.get()));
        argument && !(at < carried && operand.get() == body.getArgument(firstCarried + at)))
      operand.set(
          copyOf(operand.get(), operand.get() == argument
                                    ? begin
                                    : OpBuilder(operand.get().getDefiningOp()->getNextNode())));
  const auto take = [&](unsigned at) {
    OpOperand &operand = yield->getOpOperand(at);
    if (isa<BlockArgument>(operand.get()))
      return;
    const bool isAliased = isa<kernel::AliasOp>(operand.get().getDefiningOp()) ||
                           llvm::any_of(operand.get().getUsers(),
                                        [](Operation *op) { return isa<kernel::AliasOp>(op); });
    if (isAliased || outputs.contains(operand.get()) ||
        (at < carried &&
         !canOverwrite(cast<OpResult>(operand.get()), body.getArgument(firstCarried + at))))
      operand.set(copyOf(operand.get(), end));
    outputs[operand.get()] = at;
  };
  for (unsigned at = carried; at < yield.getNumOperands(); ++at)
    take(at);
  for (unsigned at = 0; at < carried; ++at)
    take(at);
}

void ScanPlan::placeScratch() {
  llvm::DenseMap<Value, int64_t> lastRead;
  const SmallVector<Operation *> ordered = loops();
  for (auto [number, op] : llvm::enumerate(ordered))
    for (Value input : inputsOf(op))
      lastRead[rootOf(input)] = static_cast<int64_t>(number);
  SmallVector<TakenPlace> taken;
  for (auto [at, op] : llvm::enumerate(ordered)) {
    const auto now = static_cast<int64_t>(at);
    for (Value result : op->getResults()) {
      if (outputs.contains(result))
        continue;
      const int64_t bytes =
          llvm::alignTo(std::max<int64_t>(bytesOf(result.getType()), 1), train::blockAlignment);
      const TakenPlace here =
          takeTightest(taken, bytes, now, std::max(lastRead.lookup(result), now));
      offsets[result] = here.begin;
      scratchBytes = std::max(scratchBytes, here.end);
    }
  }
  scratchBytes = std::max<int64_t>(scratchBytes, train::blockAlignment);
}

/// The scan again, with scratch memory and a body on memory.
LogicalResult ScanPlan::emit() {
  OpBuilder builder(scan);
  const Location location = scan.getLoc();
  const auto shares = static_cast<int64_t>(scan.getShares());
  const auto scratchType = RankedTensorType::get(shares * scratchBytes, builder.getI8Type());
  SmallVector<Value> places(scan.getOutputs());
  places.push_back(
      tensor::EmptyOp::create(builder, location, scratchType.getShape(), builder.getI8Type()));
  SmallVector<Type> types(scan.getResultTypes());
  types.push_back(scratchType);
  auto fresh = kernel::ScanOp::create(builder, location, types, scan.getSequences(),
                                      scan.getInitial(), scan.getConstants(), places,
                                      scan.getSteps(), scan.getBackwards(), shares);

  OpBuilder inside(scan->getContext());
  Block *block = inside.createBlock(&fresh.getBody());
  for (auto [at, operand] : llvm::enumerate(fresh.getOperands())) {
    auto type = cast<ShapedType>(operand.getType());
    SmallVector<int64_t> shape(type.getShape());
    if (fresh.isCut(at))
      shape[0] /= shares;
    block->addArgument(MemRefType::get(shape, type.getElementType()), location);
  }
  const unsigned firstOutput = fresh.getNumOperands() - places.size();
  const Value scratch = block->getArguments().back();

  for (Operation *op : loops()) {
    const unsigned inputs = inputsOf(op).size();
    SmallVector<Value> operands;
    SmallVector<Attribute> maps(op->getAttrOfType<ArrayAttr>("maps").getValue());
    for (auto [at, operand] : llvm::enumerate(op->getOperands())) {
      const Value value = at < inputs ? rootOf(operand) : Value(op->getResult(at - inputs));
      auto shaped = cast<ShapedType>(operand.getType());
      auto output = outputs.find(value);
      if (auto argument = dyn_cast<BlockArgument>(value)) {
        if (operand != argument)
          return op->emitOpError("has no place in memory: it reads an argument of a scan under "
                                 "another shape");
        const unsigned number = argument.getArgNumber();
        const bool isCarried = number >= firstCarried && number < firstCarried + carried;
        operands.push_back(
            block->getArgument(isCarried ? firstOutput + number - firstCarried : number));
      } else if (output != outputs.end()) {
        operands.push_back(block->getArgument(firstOutput + output->second));
        if (output->second >= carried)
          maps[at] = AffineMapAttr::get(cast<AffineMapAttr>(maps[at]).getValue().insertResult(
              inside.getAffineConstantExpr(0), 1));
      } else {
        Value offset = arith::ConstantIndexOp::create(inside, op->getLoc(), offsets.lookup(value));
        operands.push_back(memref::ViewOp::create(
            inside, op->getLoc(), MemRefType::get(shaped.getShape(), shaped.getElementType()),
            scratch, offset, ValueRange()));
      }
    }
    OperationState loop(op->getLoc(), op->getName(), operands, TypeRange(), op->getAttrs());
    loop.addRegion()->takeBody(op->getRegion(0));
    Operation *placed = inside.create(loop);
    placed->setAttr("maps", inside.getArrayAttr(maps));
  }
  kernel::YieldOp::create(inside, location, ValueRange());
  for (auto [before, now] : llvm::zip(scan.getResults(), fresh.getResults()))
    before.replaceAllUsesWith(now);
  scan.erase();
  return success();
}

struct PlaceScans : impl::PlaceScansBase<PlaceScans> {
  void runOnOperation() override {
    SmallVector<kernel::ScanOp> scans;
    getOperation().walk([&](kernel::ScanOp scan) { scans.push_back(scan); });
    for (kernel::ScanOp scan : scans) {
      if (scan.isPlaced())
        continue;
      ScanPlan plan(scan);
      if (failed(plan.run()))
        return signalPassFailure();
      scratchBytes = std::max<uint64_t>(scratchBytes, plan.scratchBytes);
      numCopies += plan.numCopies;
    }
  }
};

} // namespace
} // namespace sinter::passes
