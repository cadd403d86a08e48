//===- Recompute.cpp - compute activations again rather than keep them ------------------------===//
// Where a stage says `recompute S`, the ops of S's instances carry `train.part`, the instance that
// they are computed again with. What the forward pass leaves for the backward pass within a part is
// then computed twice: a clone stands beside its first late use, so that the first one's memory is
// free in between. Between parts the values that one hands to another stay: a part begins anew from
// them. Keeps bits: a clone is the same op on the same values, random draws included.
#include "compiler/passes/ForwardPass.h"
#include "compiler/passes/Passes.h"

#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_RECOMPUTE
#include "compiler/passes/Passes.h.inc"
namespace {

constexpr StringRef partName = "train.part";

/// The values of one step, forward and late.
class Parts {
public:
  explicit Parts(train::StepOp step) : forward(step) {}

  bool isForward(Operation *op) const { return forward.contains(op); }

  /// `value` for an op of the backward pass: itself where it is kept, else a clone's result.
  /// `builder` stands where the clone goes.
  Value again(Value value, OpBuilder &builder, uint64_t &count) {
    Operation *op = value.getDefiningOp();
    if (!op || !isForward(op) || op->hasTrait<OpTrait::ConstantLike>())
      return value;
    if (auto known = clones.find(op); known != clones.end())
      return known->second->getResult(cast<OpResult>(value).getResultNumber());
    const bool moves = isa<train::View>(op);
    if (!moves && (!op->hasAttr(partName) || isHandedOn(op) || !isOfOneExample(op)))
      return value;
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(again(operand, builder, count));
    if (moves && llvm::equal(operands, op->getOperands()))
      return value;
    Operation *clone = builder.clone(*op);
    clone->setOperands(operands);
    clone->setAttr("train.again", builder.getUnitAttr());
    clones[op] = clone;
    ++count;
    return clone->getResult(cast<OpResult>(value).getResultNumber());
  }

private:
  /// Statistics over examples are small, and their sums dear.
  static bool isOfOneExample(Operation *op) {
    return !op->hasTrait<train::MixesExamples>() || isa<train::Pointwise>(op);
  }

  /// Whether another part's forward pass reads a result of `op`, be it through views.
  bool isHandedOn(Operation *op) {
    const Attribute part = op->getAttr(partName);
    SmallVector<Operation *> open(op->user_begin(), op->user_end());
    while (!open.empty()) {
      Operation *user = open.pop_back_val();
      if (!isForward(user))
        continue;
      if (isa<train::View>(user))
        open.append(user->user_begin(), user->user_end());
      else if (const Attribute other = user->getAttr(partName); other && other != part)
        return true;
    }
    return false;
  }

  const ForwardPass forward;
  llvm::DenseMap<Operation *, Operation *> clones;
};

struct Recompute : impl::RecomputeBase<Recompute> {
  void runOnOperation() override {
    Block &block = getOperation().getBody().front();
    if (llvm::none_of(block, [](Operation &op) { return op.hasAttr(partName); }))
      return;
    Parts parts(getOperation());
    uint64_t count = 0;
    SmallVector<Operation *> late;
    for (Operation &op : block.without_terminator())
      if (!parts.isForward(&op))
        late.push_back(&op);
    for (Operation *op : late) {
      OpBuilder builder(op);
      for (OpOperand &operand : op->getOpOperands())
        operand.set(parts.again(operand.get(), builder, count));
    }
    for (Operation &op : block)
      op.removeAttr(partName);
    numAgain += count;
  }
};

} // namespace
} // namespace sinter::passes
