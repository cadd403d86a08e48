//===- ScanGradient.cpp - the derivative of a scan is a scan the other way --------------------===//
// The body is differentiated by itself, on a copy. What its gradient ops read of the forward pass comes
// from there: a value is kept by the forward scan, unless it is a view, which is made again. Gradients
// of carried values are carried, gradients of sequences are kept. A constant's gradient would be a sum
// over all steps of contractions over the rows: instead the two factors are kept, and one contraction
// over rows and steps stands behind the scan.
#include "dialects/train/Backward.h"
#include "dialects/train/Emit.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace sinter::train;

namespace {

class ReverseScan {
public:
  ReverseScan(ScanOp scan, OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted)
      : scan(scan), builder(builder), emit(builder, scan), resultGradients(resultGradients),
        wanted(wanted), steps(scan.getSteps()), walking(scan.getSequences().size()),
        carried(scan.getInitial().size()) {}

  LogicalResult build(MutableArrayRef<Value> operandGradients) {
    findLive();
    copyBody();
    if (failed(differentiate()))
      return failure();
    gather();
    keepForward();
    makeScan();
    for (unsigned at = 0; at < operandGradients.size(); ++at)
      if (wanted[at])
        operandGradients[at] = gradientOf(at);
    return success();
  }

private:
  void findLive();
  void copyBody();
  LogicalResult differentiate();
  void gather();
  void gatherFactors(Value gradient);
  void need(Value value, bool overTime);
  void keepForward();
  void makeScan();
  Value gradientOf(unsigned operand);
  Value lift(Value gradient);
  Value overTime(Value value);

  bool isForward(Value value) const { return toOriginal.contains(value); }
  /// Made again where it is read, rather than kept.
  static bool isMadeAgain(Value value) {
    Operation *op = value.getDefiningOp();
    return op && (isa<View>(op) || op->hasTrait<OpTrait::ConstantLike>());
  }
  /// The copy stands in no op, so its block does not know the context.
  OpBuilder atEndOfCopy() {
    OpBuilder inside(scan->getContext());
    inside.setInsertionPointToEnd(copy);
    return inside;
  }
  Value zeros(Type type) {
    auto tensor = cast<RankedTensorType>(type);
    return ConstantOp::create(builder, emit.location, tensor, DenseElementsAttr::get(tensor, 0.0f));
  }

  ScanOp scan;
  OpBuilder &builder;
  Emit emit;
  ValueRange resultGradients;
  ArrayRef<bool> wanted;
  const int64_t steps;
  const unsigned walking, carried;

  llvm::DenseSet<Value> live; ///< in the copy, once it is made
  SmallVector<bool> liveArguments;

  Region
      scratch; ///< the copy: the body's arguments, the gradients that come in, the body, gradients
  Block *copy = nullptr;
  llvm::DenseMap<Value, Value> toOriginal; ///< of the copy's forward values
  llvm::DenseMap<Value, Value> incoming;   ///< a kept value's gradient at a step → at all steps
  llvm::MapVector<unsigned, Value>
      carriedBack;              ///< live carried value → its gradient behind the step
  SmallVector<Value> gradients; ///< of the body's arguments
  llvm::SetVector<Value> kept;  ///< gradients that the new scan keeps
  llvm::SetVector<Value> sequences, constants; ///< of the copy's values: what the new body reads
  llvm::SetVector<Operation *> ops;            ///< of the copy: what the new body holds
  llvm::SetVector<Value> saved;                ///< forward values that must be there over time
  llvm::DenseMap<Value, Value> known;          ///< the copy's values at all steps
  ScanOp reverse;
};

/// A carried value is live where its beginning is, or where a step makes it so.
void ReverseScan::findLive() {
  Block &step = scan.getStep();
  liveArguments.assign(wanted.begin(), wanted.end());
  for (bool changed = true; changed;) {
    changed = false;
    live.clear();
    for (auto [argument, isLive] : llvm::zip_equal(step.getArguments(), liveArguments))
      if (isLive)
        live.insert(argument);
    for (Operation &op : step.without_terminator())
      spreadLive(&op, live);
    for (auto [at, value] : llvm::enumerate(scan.getNext().getCarried()))
      if (live.contains(value) && !liveArguments[walking + at])
        liveArguments[walking + at] = changed = true;
  }
}

void ReverseScan::copyBody() {
  Block &step = scan.getStep();
  copy = &scratch.emplaceBlock();
  IRMapping mapping;
  for (BlockArgument argument : step.getArguments())
    mapping.map(argument, copy->addArgument(argument.getType(), argument.getLoc()));
  OpBuilder inside = atEndOfCopy();
  for (Operation &op : step.without_terminator())
    inside.clone(op, mapping);
  llvm::DenseSet<Value> liveOfCopy;
  for (auto [original, value] : mapping.getValueMap()) {
    toOriginal[value] = original;
    if (live.contains(original))
      liveOfCopy.insert(value);
  }
  live = std::move(liveOfCopy);
}

LogicalResult ReverseScan::differentiate() {
  Operation *last = copy->empty() ? nullptr : &copy->back();
  llvm::DenseMap<Value, Value> toCopy;
  for (auto [value, original] : toOriginal)
    toCopy[original] = value;
  OpBuilder inside = atEndOfCopy();
  Backward backward(inside, live);
  const Location location = emit.location;
  NextOp next = scan.getNext();
  for (auto [at, value] : llvm::enumerate(next.getCarried())) {
    if (!liveArguments[walking + at])
      continue;
    const Value back = copy->addArgument(value.getType(), location);
    carriedBack[at] = back;
    backward.add(toCopy.at(value), back);
  }
  for (auto [at, value] : llvm::enumerate(next.getKept()))
    if (const Value all = resultGradients[carried + at]; all && live.contains(toCopy.at(value))) {
      const Value back = copy->addArgument(value.getType(), location);
      incoming[back] = all;
      backward.add(toCopy.at(value), back);
    }
  for (Operation *op = last; op; op = op->getPrevNode())
    if (failed(backward.visit(op)))
      return failure();
  for (unsigned at = 0; at < scan.getNumOperands(); ++at)
    gradients.push_back(liveArguments[at] ? backward.of(copy->getArgument(at)) : Value());
  // A step that does not read a carried value lets no gradient through to the step before.
  OpBuilder end = atEndOfCopy();
  for (auto &[at, back] : carriedBack)
    if (!gradients[walking + at]) {
      auto type = cast<RankedTensorType>(back.getType());
      gradients[walking + at] =
          ConstantOp::create(end, location, type, DenseElementsAttr::get(type, 0.0f));
    }
  return success();
}

/// What the new scan must hold: everything behind its results.
void ReverseScan::gather() {
  for (unsigned at = 0; at < walking; ++at)
    if (wanted[at] && gradients[at])
      kept.insert(gradients[at]);
  for (auto &[at, back] : carriedBack)
    need(gradients[walking + at], /*overTime=*/false);
  for (unsigned at = walking + carried; at < scan.getNumOperands(); ++at)
    if (wanted[at] && gradients[at])
      gatherFactors(gradients[at]);
  // Nothing but a result's own gradient flows back into a sequence: that is the gradient.
  for (Value value : kept)
    need(value, /*overTime=*/false);
}

/// The values whose all steps a constant's gradient is made of; see `lift`.
void ReverseScan::gatherFactors(Value gradient) {
  Operation *op = gradient.getDefiningOp();
  if (isa<ContractOp, SumOp>(op))
    for (Value operand : op->getOperands())
      need(operand, /*overTime=*/true);
  else
    llvm::for_each(op->getOperands(), [&](Value operand) { gatherFactors(operand); });
}

/// `value` is read inside the new body, or of all steps behind it.
void ReverseScan::need(Value value, bool overTime) {
  if (overTime) {
    if (incoming.contains(value))
      return;
    if (isForward(value)) {
      saved.insert(value);
      return;
    }
    kept.insert(value);
    return;
  }
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    const unsigned at = argument.getArgNumber();
    if (incoming.contains(value)) {
      sequences.insert(value);
    } else if (isForward(value) && at >= walking + carried) {
      constants.insert(value);
    } else if (isForward(value)) {
      saved.insert(value);
      sequences.insert(value);
    }
    return;
  }
  if (isForward(value) && !isMadeAgain(value)) {
    saved.insert(value);
    sequences.insert(value);
    return;
  }
  if (ops.insert(value.getDefiningOp()))
    for (Value operand : value.getDefiningOp()->getOperands())
      need(operand, /*overTime=*/false);
}

/// Makes the forward scan keep what is read of it, and knows where that lies.
void ReverseScan::keepForward() {
  NextOp next = scan.getNext();
  SmallVector<Value> more;
  SmallVector<std::pair<Value, unsigned>> places; // the copy's value, and its result
  for (Value value : saved) {
    const Value original = toOriginal.at(value);
    if (auto argument = dyn_cast<BlockArgument>(original);
        argument && argument.getArgNumber() < walking) {
      known[value] = scan.getSequences()[argument.getArgNumber()];
      continue;
    }
    SmallVector<Value> all(next.getKept());
    llvm::append_range(all, more);
    const auto *found = llvm::find(all, original);
    places.emplace_back(value, carried + (found - all.begin()));
    if (found == all.end())
      more.push_back(original);
  }
  ScanOp forward = scan;
  if (!more.empty()) {
    OpBuilder behind(scan->getContext());
    behind.setInsertionPointAfter(scan);
    SmallVector<Type> types(scan.getResultTypes());
    for (Value value : more)
      types.push_back(ScanOp::overTime(value.getType(), steps));
    forward = ScanOp::create(behind, scan.getLoc(), types, scan.getSequences(), scan.getInitial(),
                             scan.getConstants(), scan.getSteps(), scan.getBackwards());
    IRMapping mapping;
    scan.getBody().cloneInto(&forward.getBody(), mapping);
    for (Value value : more)
      forward.getNext().getKeptMutable().append(mapping.lookup(value));
    for (auto [before, now] : llvm::zip(scan.getResults(), forward.getResults()))
      before.replaceAllUsesWith(now);
  }
  for (auto [value, result] : places)
    known[value] = forward.getResult(result);
}

void ReverseScan::makeScan() {
  for (auto [value, all] : incoming)
    known[value] = all;
  // In the order of the copy, so that nothing hangs on the order in which it was found.
  SmallVector<Operation *> ordered;
  for (Operation &op : *copy)
    if (ops.contains(&op))
      ordered.push_back(&op);

  SmallVector<Value> walked, initial, fixed;
  for (Value value : sequences)
    walked.push_back(known.at(value));
  SmallVector<Type> types;
  for (auto &[at, back] : carriedBack) {
    const Value given = resultGradients[at];
    initial.push_back(given ? given : zeros(back.getType()));
    types.push_back(back.getType());
  }
  for (Value value : constants)
    fixed.push_back(scan.getOperand(cast<BlockArgument>(value).getArgNumber()));
  for (Value value : kept)
    types.push_back(ScanOp::overTime(value.getType(), steps));
  if (types.empty())
    return;
  reverse = ScanOp::create(builder, emit.location, types, walked, initial, fixed, scan.getSteps(),
                           !scan.getBackwards());

  OpBuilder::InsertionGuard guard(builder);
  Block *step = builder.createBlock(&reverse.getBody());
  IRMapping mapping;
  const auto argument = [&](Value value) {
    mapping.map(value, step->addArgument(value.getType(), emit.location));
  };
  llvm::for_each(sequences, argument);
  for (auto &[at, back] : carriedBack)
    argument(back);
  llvm::for_each(constants, argument);
  for (Operation *op : ordered)
    builder.clone(*op, mapping);
  SmallVector<Value> carriedOn, keptHere;
  for (auto &[at, back] : carriedBack)
    carriedOn.push_back(mapping.lookup(gradients[walking + at]));
  for (Value value : kept)
    keptHere.push_back(mapping.lookup(value));
  NextOp::create(builder, emit.location, carriedOn, keptHere);

  for (auto [at, value] : llvm::enumerate(kept))
    known[value] = reverse.getResult(carriedBack.size() + at);
}

Value ReverseScan::gradientOf(unsigned operand) {
  if (operand >= walking && operand < walking + carried)
    for (auto [number, entry] : llvm::enumerate(carriedBack))
      if (entry.first == operand - walking)
        return reverse.getResult(number);
  const Value gradient = gradients[operand];
  if (!gradient)
    return {};
  return operand < walking ? known.at(gradient) : lift(gradient);
}

Value ReverseScan::overTime(Value value) { return known.at(value); }

/// A gradient of one step as the sum over all steps.
Value ReverseScan::lift(Value gradient) {
  Operation *op = gradient.getDefiningOp();
  Emit at(builder, op->getLoc());
  if (auto contract = dyn_cast<ContractOp>(op)) {
    // The rows stand first in both factors; the steps are summed with them.
    auto [operands, result] = contract.getAxes().split("->");
    auto [lhs, rhs] = operands.split(",");
    char letter = 't';
    while (contract.getAxes().contains(letter))
      letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1);
    const std::string axes =
        (lhs.take_front() + StringRef(&letter, 1) + lhs.drop_front() + "," + rhs.take_front() +
         StringRef(&letter, 1) + rhs.drop_front() + "->" + result)
            .str();
    return at.contract(axes, overTime(contract.getLhs()), overTime(contract.getRhs()),
                       contract.getType());
  }
  if (auto sum = dyn_cast<SumOp>(op)) {
    SmallVector<int64_t> axes{0, 1};
    for (int64_t axis : sum.getAxes())
      if (axis > 0)
        axes.push_back(axis + 1);
    return at.sum(overTime(sum.getX()), axes);
  }
  // What else stands between is linear: sums of several uses, and views.
  IRMapping mapping;
  for (Value operand : op->getOperands())
    if (!mapping.contains(operand))
      mapping.map(operand, lift(operand));
  return builder.clone(*op, mapping)->getResult(cast<OpResult>(gradient).getResultNumber());
}

} // namespace

void ScanOp::buildGradients(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted,
                            MutableArrayRef<Value> operandGradients) {
  // An op of the body without a derivative has said so; the scan's own gradients are then missing.
  (void)ReverseScan(*this, builder, resultGradients, wanted).build(operandGradients);
}
