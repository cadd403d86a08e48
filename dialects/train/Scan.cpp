//===- Scan.cpp - a body for each time step: what it may hold, and what is not used of it -----===//
// Its derivative is in ScanGradient.cpp.
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace sinter::train;

NextOp ScanOp::getNext() { return cast<NextOp>(getStep().getTerminator()); }

RankedTensorType ScanOp::overTime(Type type, int64_t steps) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  shape.insert(shape.begin() + 1, steps);
  return tensor.clone(shape);
}

llvm::DenseSet<Value> ScanOp::valuesWithRows() {
  llvm::DenseSet<Value> rows;
  for (BlockArgument argument : getStep().getArguments().drop_back(getConstants().size()))
    rows.insert(argument);
  for (Operation &op : getStep().without_terminator())
    if (llvm::any_of(op.getOperands(), [&](Value value) { return rows.contains(value); }))
      rows.insert_range(op.getResults());
  // What meets such a value element by element has rows too, though the constant behind it has none.
  for (Operation &op : llvm::reverse(getStep().without_terminator()))
    if (isa<Pointwise>(op) && rows.contains(op.getResult(0)))
      for (Value operand : op.getOperands())
        if (auto type = dyn_cast<RankedTensorType>(operand.getType()); type && type.getRank() > 0)
          rows.insert(operand);
  for (Value value : getNext().getOperands())
    rows.insert(value);
  return rows;
}

int64_t ScanOp::getFlops() {
  int64_t flops = 0;
  for (Operation &op : getStep())
    if (auto cost = dyn_cast<Cost>(op))
      flops += cost.getFlops();
  return flops * static_cast<int64_t>(getSteps());
}

//===--- what it may hold ---------------------------------------------------------------------===//

LogicalResult ScanOp::verify() {
  const auto steps = static_cast<int64_t>(getSteps());
  if (steps < 1 || getSequences().size() + getInitial().size() == 0)
    return emitOpError("(C1) has at least one step, and something that has rows");
  for (auto [index, sequence] : llvm::enumerate(getSequences()))
    if (shapeOf(sequence).size() < 2 || shapeOf(sequence)[0] != getRows() ||
        shapeOf(sequence)[1] != steps)
      return emitOpError("(C1) sequence ") << index << " must be of " << getRows() << " rows and "
                                           << steps << " steps, is " << sequence.getType();
  for (auto [index, initial] : llvm::enumerate(getInitial()))
    if (shapeOf(initial).empty() || shapeOf(initial)[0] != getRows())
      return emitOpError("(C1) carried value ")
             << index << " must have " << getRows() << " rows, is " << initial.getType();
  return success();
}

/// (C5): the constant's gradient is one that can be summed over rows and steps behind the scan.
static LogicalResult verifyConstantUses(ScanOp scan, Value value,
                                        const llvm::DenseSet<Value> &rows) {
  for (Operation *user : value.getUsers()) {
    if (isa<NextOp>(user))
      continue;
    if (!isa<ContractOp, View, Bf16Op>(user)) // rounding comes behind the derivative
      return user->emitOpError("(C5) reads a constant of the scan, and is neither a contraction "
                               "nor a view");
    if (!rows.contains(user->getResult(0)) &&
        failed(verifyConstantUses(scan, user->getResult(0), rows)))
      return failure();
  }
  return success();
}

LogicalResult ScanOp::verifyRegions() {
  Block &step = getStep();
  const auto steps = static_cast<int64_t>(getSteps());
  if (step.getNumArguments() != getNumOperands())
    return emitOpError("(C2) has ")
           << getNumOperands() << " operands, and its body takes " << step.getNumArguments();
  for (auto [index, operand, argument] : llvm::enumerate(getOperands(), step.getArguments())) {
    const bool walks = index < getSequences().size();
    if ((walks ? overTime(argument.getType(), steps) : argument.getType()) != operand.getType())
      return emitOpError("(C2) argument ")
             << index << " of the body is " << argument.getType() << ", for " << operand.getType();
  }
  auto next = dyn_cast<NextOp>(step.getTerminator());
  if (!next || next.getCarried().getTypes() != getInitial().getTypes())
    return emitOpError("(C3) must end in train.next with ") << getInitial().getTypes();
  SmallVector<Type> results(next.getCarried().getTypes());
  for (Type type : next.getKept().getTypes())
    if (auto tensor = cast<RankedTensorType>(type);
        tensor.getRank() == 0 || tensor.getDimSize(0) != getRows())
      return emitOpError("(C4) a value that is kept must have the rows first, is ") << type;
    else
      results.push_back(overTime(type, steps));
  if (!llvm::equal(results, getResultTypes()))
    return emitOpError("(C3) results must be ") << results << ", are " << getResultTypes();

  for (Operation &op : step.without_terminator()) {
    if (isa<ScanOp>(op) || !isMemoryEffectFree(&op) || op.getNumResults() == 0)
      return op.emitOpError("(C6) has no place in a train.scan");
    if (op.hasTrait<MixesExamples>())
      return op.emitOpError("(C4) mixes examples in a train.scan");
  }
  const llvm::DenseSet<Value> rows = valuesWithRows();
  for (Operation &op : step.without_terminator())
    for (Value result : op.getResults())
      if (rows.contains(result) && (shapeOf(result).empty() || shapeOf(result)[0] != getRows()))
        return op.emitOpError("(C4) must keep the ") << getRows() << " rows first in a train.scan";
  for (BlockArgument constant : step.getArguments().take_back(getConstants().size()))
    if (failed(verifyConstantUses(*this, constant, rows)))
      return failure();
  return success();
}

//===--- what is not used of it ---------------------------------------------------------------===//

namespace {
/// Drops what is kept and not read, and operands that the body does not read.
struct DropUnused : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp scan, PatternRewriter &rewriter) const override {
    NextOp next = scan.getNext();
    const unsigned carried = scan.getInitial().size(), walking = scan.getSequences().size();
    SmallVector<unsigned> kept;
    for (unsigned at = 0; at < next.getKept().size(); ++at)
      if (!scan.getResult(carried + at).use_empty())
        kept.push_back(at);
    const auto isRead = [&](unsigned at) {
      return (at >= walking && at < walking + carried) ||
             !scan.getStep().getArgument(at).use_empty();
    };
    const bool allRead = llvm::all_of(llvm::seq<unsigned>(0, scan.getNumOperands()), isRead);
    if (allRead && kept.size() == next.getKept().size())
      return failure();
    if (kept.empty() && carried == 0)
      return failure(); // nothing reads it at all, and it goes as a whole

    SmallVector<Value> sequences, constants;
    for (auto [at, operand] : llvm::enumerate(scan.getOperands()))
      if (isRead(at) && (at < walking || at >= walking + carried))
        (at < walking ? sequences : constants).push_back(operand);
    if (sequences.empty() && carried == 0)
      return failure();
    SmallVector<Type> types(scan.getInitial().getTypes());
    for (unsigned at : kept)
      types.push_back(scan.getResult(carried + at).getType());
    auto fresh = ScanOp::create(rewriter, scan.getLoc(), types, sequences, scan.getInitial(),
                                constants, scan.getSteps(), scan.getBackwards());
    IRMapping mapping;
    Block *step = rewriter.createBlock(&fresh.getBody());
    for (auto [at, argument] : llvm::enumerate(scan.getStep().getArguments()))
      if (isRead(at))
        mapping.map(argument, step->addArgument(argument.getType(), argument.getLoc()));
    for (Operation &op : scan.getStep().without_terminator())
      rewriter.clone(op, mapping);
    const auto mapped = [&](Value value) { return mapping.lookup(value); };
    NextOp::create(
        rewriter, next.getLoc(), llvm::map_to_vector(next.getCarried(), mapped),
        llvm::map_to_vector(kept, [&](unsigned at) { return mapped(next.getKept()[at]); }));
    for (unsigned at = 0; at < carried; ++at)
      rewriter.replaceAllUsesWith(scan.getResult(at), fresh.getResult(at));
    for (auto [now, before] : llvm::enumerate(kept))
      rewriter.replaceAllUsesWith(scan.getResult(carried + before), fresh.getResult(carried + now));
    rewriter.eraseOp(scan);
    return success();
  }
};
} // namespace

void ScanOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropUnused>(context);
}
