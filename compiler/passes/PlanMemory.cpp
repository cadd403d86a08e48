//===- PlanMemory.cpp - a place in memory for every value of a step --------------------------------===//
// Turns a step's loops on tensors into tasks on static memory. Four questions, in this order:
//   In place?  A committed value is written straight into its state where every reader of the old value can come earlier (or reads
//              it at the very point that is written); otherwise a copy into the state ends the step.
//   Order?     As written, but readers of an old value move before the op that overwrites it, and what only goes into the states, as
//              an optimizer's update, follows at once what it reads.
//   Phases?    Neighbours that do not depend on each other run together; a task that needs one of its phase waits, which
//              begins the next phase.
//   Where?     Values alive in one phase get disjoint places in one arena: largest first, each in the tightest gap that fits.
//              Memory is reused across phases only, so that reuse never adds a wait.
// Every view carries the number of the value that it shows (`kernel.value`), by which verify-plan checks the whole.
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Loops.h"
#include "compiler/passes/Passes.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/train/StateLayout.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "runtime/Abi.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/passes/Passes.h.inc"
namespace {

bool isLoop(Operation *op) {
  return isa<kernel::SweepOp, kernel::ContractOp, kernel::ScanOp, kernel::AttendOp,
             kernel::WinogradOp, kernel::GatherOp, kernel::ScatterAddOp>(op);
}

ArrayAttr mapsOf(Operation *op) { return op->getAttrOfType<ArrayAttr>("maps"); }

/// Smaller gradients do not leave the caches before the step ends, or cost little to read again.
constexpr int64_t leastEarlyUpdate = int64_t{64} << 10;
/// What a penalty's sum may be before its parts are added.
constexpr int64_t mostOfSum = int64_t{4} << 10;

/// Where a value lies.
struct Place {
  bool inState = false;
  int64_t offset = 0;
};

class StepPlan {
public:
  StepPlan(train::StepOp step, const train::StateLayout &states)
      : step(step), commit(step.getCommit()), states(states) {}

  void run() {
    giveEachCommitItsOwnValue();
    collect();
    placeStates();
    order();
    findPhases();
    findLifetimes();
    placeInArena();
  }
  void emit();

  int64_t arenaBytes = 0, leastBytes = 0, copiedBytes = 0, numInPlace = 0, numWaits = 0;

private:
  struct Lifetime {
    Value value;
    int64_t bytes = 0, first = 0, last = 0;
  };

  void giveEachCommitItsOwnValue();
  void collect();
  void placeStates();
  void order();
  void findPhases();
  void findLifetimes();
  void placeInArena();

  Value copyOf(Value value, Location location);
  bool readsOnlyWhatItWrites(Operation *writer, OpResult result, Value old);
  bool reaches(Operation *from, Operation *to);
  SmallVector<Operation *> readersOf(Value value);
  bool isState(Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument && (step.getArgAttr(argument.getArgNumber(), "train.owns") ||
                        step.getArgAttr(argument.getArgNumber(), "train.reads"));
  }
  int64_t stateOffset(BlockArgument argument) {
    auto name = step.getArgAttrOfType<FlatSymbolRefAttr>(argument.getArgNumber(), "train.owns");
    if (!name)
      name = step.getArgAttrOfType<FlatSymbolRefAttr>(argument.getArgNumber(), "train.reads");
    return states.offsets.lookup(name.getValue());
  }

  train::StepOp step;
  train::CommitOp commit;
  const train::StateLayout &states;
  SmallVector<Operation *> loops;
  DenseMap<Operation *, llvm::SetVector<Operation *>>
      mustFollow; ///< op → ops that must come before it
  DenseMap<Operation *, int64_t> phases;
  llvm::MapVector<Value, Place> places;
  SmallVector<Lifetime> lifetimes;
};

/// Copies a tensor, in front of the commit.
Value StepPlan::copyOf(Value value, Location location) {
  OpBuilder builder(commit);
  auto type = cast<RankedTensorType>(value.getType());
  const AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  Value out = tensor::EmptyOp::create(builder, location, type.getShape(), type.getElementType());
  auto copy = kernel::SweepOp::create(
      builder, location, TypeRange(type), value, out, type.getShape(), ArrayRef<int64_t>(),
      builder.getAffineMapArrayAttr({identity, identity}), ArrayAttr(), IntegerSetAttr());
  Block *body = builder.createBlock(&copy.getBody());
  kernel::YieldOp::create(builder, location, body->addArgument(type.getElementType(), location));
  copiedBytes += bytesOf(type);
  return copy.getResult(0);
}

/// Behind this each state that changes is committed a value of its own that a loop makes, and outputs and results lie in the arena.
void StepPlan::giveEachCommitItsOwnValue() {
  llvm::DenseSet<Value> taken;
  for (auto [index, name] : llvm::enumerate(commit.getStates().getAsRange<FlatSymbolRefAttr>())) {
    OpOperand &operand = commit.getValuesMutable()[index];
    const Value root = rootOf(operand.get());
    if (root == step.getState(name.getValue()))
      continue;
    if (isa<BlockArgument>(root) || !taken.insert(root).second)
      operand.set(copyOf(operand.get(), commit.getLoc()));
    taken.insert(rootOf(operand.get()));
  }
  const auto keepInArena = [&](MutableOperandRange operands) {
    for (OpOperand &operand : operands)
      if (const Value root = rootOf(operand.get()); isState(root) || taken.contains(root))
        operand.set(copyOf(operand.get(), commit.getLoc()));
  };
  keepInArena(commit.getOutputsMutable());
  keepInArena(commit.getResults_Mutable());
}

void StepPlan::collect() {
  loops.clear();
  mustFollow.clear();
  for (Operation &op : step.getBody().front())
    if (isLoop(&op))
      loops.push_back(&op);
  for (Operation *op : loops)
    for (Value input : inputsOf(op))
      if (Operation *source = rootOf(input).getDefiningOp())
        mustFollow[op].insert(source);
}

SmallVector<Operation *> StepPlan::readersOf(Value value) {
  return llvm::filter_to_vector(loops, [&](Operation *op) {
    return llvm::any_of(inputsOf(op), [&](Value input) { return rootOf(input) == value; });
  });
}

/// Whether the loop that makes `result` reads `old`, if at all, at each point just where it writes.
bool StepPlan::readsOnlyWhatItWrites(Operation *writer, OpResult result, Value old) {
  auto sweep = dyn_cast<kernel::SweepOp>(writer);
  auto contract = dyn_cast<kernel::ContractOp>(writer);
  const ArrayAttr maps = mapsOf(writer); // of a scan: none
  const unsigned inputs = inputsOf(writer).size();
  for (auto [index, input] : llvm::enumerate(inputsOf(writer))) {
    if (rootOf(input) != old)
      continue;
    if (!maps || input.getType() != result.getType() ||
        maps[index] != maps[inputs + result.getResultNumber()])
      return false;
    if (sweep && !sweep.isPointwise())
      return false;
    if (contract && (index < 2 || !contract.sumsAtOnce()))
      return false;
  }
  return true;
}

/// Whether `to` must come after `from`.
bool StepPlan::reaches(Operation *from, Operation *to) {
  SmallVector<Operation *> open{to};
  llvm::DenseSet<Operation *> seen;
  while (!open.empty()) {
    Operation *op = open.pop_back_val();
    if (op == from)
      return true;
    if (seen.insert(op).second)
      llvm::append_range(open, mustFollow[op]);
  }
  return false;
}

void StepPlan::placeStates() {
  for (BlockArgument argument : step.getBody().getArguments())
    if (isState(argument))
      places[argument] = {true, stateOffset(argument)};

  for (auto [index, name] : llvm::enumerate(commit.getStates().getAsRange<FlatSymbolRefAttr>())) {
    OpOperand &operand = commit.getValuesMutable()[index];
    const BlockArgument old = step.getState(name.getValue());
    Value value = rootOf(operand.get());
    if (value == old)
      continue;
    const auto canOverwrite = [&](Operation *writer) {
      return llvm::all_of(readersOf(old), [&](Operation *reader) {
        return reader == writer ? readsOnlyWhatItWrites(writer, cast<OpResult>(value), old)
                                : !reaches(writer, reader);
      });
    };
    if (canOverwrite(value.getDefiningOp())) {
      ++numInPlace;
    } else {
      operand.set(copyOf(operand.get(), commit.getLoc()));
      value = operand.get();
      loops.push_back(value.getDefiningOp());
      mustFollow[value.getDefiningOp()].insert(
          rootOf(inputsOf(value.getDefiningOp())[0]).getDefiningOp());
    }
    for (Operation *reader : readersOf(old))
      if (reader != value.getDefiningOp())
        mustFollow[value.getDefiningOp()].insert(reader);
    places[value] = {true, stateOffset(old)};
  }
}

/// As written, each op as soon as what must come before it has. A large update comes as soon as it can: then the gradient is still near,
/// and its place in the arena free for the next one. So does a number made of numbers, such as Adam's corrections, which all updates read.
/// Small updates stay together: each by itself would make the threads wait once more. What is only made of weights, such as the sum of a
/// penalty, comes behind the first that reads them: they are near then, and by the backward pass no longer.
void StepPlan::order() {
  SmallVector<Operation *> ordered;
  llvm::DenseSet<Operation *> done;
  // The first that is ready, again and again: an op that waits for a later reader lets it pass.
  SmallVector<Operation *> open(loops);
  const auto isReady = [&](Operation *op) {
    return llvm::all_of(mustFollow[op], [&](Operation *before) { return done.contains(before); });
  };
  const auto isNumber = [](Type type) { return cast<ShapedType>(type).getNumElements() == 1; };
  const auto isEarly = [&](Operation *op) {
    return llvm::all_of(op->getOperandTypes(), isNumber) ||
           llvm::all_of(op->getResults(), [&](Value result) {
             return places.contains(result) && bytesOf(result.getType()) >= leastEarlyUpdate;
           });
  };
  const auto readsTheSameStates = [&](Operation *op) {
    const auto isRead = [&](Value input) {
      return isState(rootOf(input)) && !ordered.empty() &&
             llvm::any_of(inputsOf(ordered.back()),
                          [&](Value other) { return rootOf(other) == rootOf(input); });
    };
    return !inputsOf(op).empty() && llvm::all_of(inputsOf(op), isRead) &&
           llvm::all_of(op->getResults(),
                        [](Value result) { return bytesOf(result.getType()) <= mostOfSum; });
  };
  while (!open.empty()) {
    auto *ready =
        llvm::find_if(open, [&](Operation *op) { return readsTheSameStates(op) && isReady(op); });
    if (ready == open.end())
      ready = llvm::find_if(open, [&](Operation *op) { return isEarly(op) && isReady(op); });
    if (ready == open.end())
      ready = llvm::find_if(open, isReady);
    assert(ready != open.end() && "the order has a circle");
    done.insert(*ready);
    ordered.push_back(*ready);
    open.erase(ready);
  }
  loops = std::move(ordered);
}

void StepPlan::findPhases() {
  int64_t phase = 0;
  for (Operation *op : loops) {
    for (Operation *before : mustFollow[op])
      if (phases.lookup(before) == phase && phases.contains(before)) {
        ++phase;
        break;
      }
    phases[op] = phase;
  }
}

void StepPlan::findLifetimes() {
  const int64_t end = loops.empty() ? 0 : phases[loops.back()];
  llvm::MapVector<Value, Lifetime> found;
  // What the runtime fills in, or reads afterwards, stays all step long.
  for (BlockArgument argument : step.getBody().getArguments())
    if (isa<RankedTensorType>(argument.getType()) && !isState(argument))
      found[argument] = {argument, bytesOf(argument.getType()), 0, end};
  for (Operation *op : loops) {
    for (Value input : inputsOf(op))
      if (auto at = found.find(rootOf(input)); at != found.end())
        at->second.last = std::max(at->second.last, phases[op]);
    for (Value result : op->getResults())
      if (!places.contains(result))
        found[result] = {result, bytesOf(result.getType()), phases[op], phases[op]};
  }
  for (OperandRange range : {commit.getOutputs(), commit.getResults_()})
    for (Value value : range)
      found[rootOf(value)].last = end;
  for (auto &entry : found)
    lifetimes.push_back(entry.second);

  for (int64_t phase = 0; phase <= end; ++phase) {
    int64_t alive = runtime::clockBytes;
    for (const Lifetime &life : lifetimes)
      if (life.first <= phase && phase <= life.last)
        alive += llvm::alignTo(life.bytes, train::blockAlignment);
    leastBytes = std::max(leastBytes, alive);
  }
}

void StepPlan::placeInArena() {
  SmallVector<TakenPlace> taken;
  // Largest first; where equal, as they come.
  SmallVector<size_t> bySize = llvm::to_vector(llvm::seq<size_t>(0, lifetimes.size()));
  llvm::sort(bySize, [&](size_t a, size_t b) {
    return std::pair(-lifetimes[a].bytes, a) < std::pair(-lifetimes[b].bytes, b);
  });
  arenaBytes = runtime::clockBytes;
  for (size_t index : bySize) {
    const Lifetime &life = lifetimes[index];
    const int64_t bytes = llvm::alignTo(std::max<int64_t>(life.bytes, 1), train::blockAlignment);
    const TakenPlace here = takeTightest(taken, bytes, life.first, life.last, runtime::clockBytes);
    arenaBytes = std::max(arenaBytes, here.end);
    places[life.value] = {false, here.begin};
  }
}

//===--- tasks ------------------------------------------------------------------------------------===//

/// Where the runtime writes a clock's number, in 8-byte words.
std::optional<int64_t> clockWord(StringRef name) {
  using runtime::Clock;
  return llvm::StringSwitch<std::optional<int64_t>>(name)
      .Case("step", offsetof(Clock, step) / 8)
      .Case("last", offsetof(Clock, last) / 8)
      .Case("count", offsetof(Clock, count) / 8)
      .Case("seed", offsetof(Clock, seed) / 8)
      .Case("draw", offsetof(Clock, draw) / 8)
      .Case("epoch", offsetof(Clock, epoch) / 8)
      .Default(std::nullopt);
}

/// Bytes that a task touches since the last wait.
struct Touched {
  bool inState;
  int64_t begin, end;
  bool isWrite;
  bool conflictsWith(const Touched &other) const {
    return inState == other.inState && begin < other.end && other.begin < end &&
           (isWrite || other.isWrite);
  }
};

void StepPlan::emit() {
  OpBuilder builder(step);
  MLIRContext *context = step.getContext();
  const auto bytesType = [&](int64_t bytes) { return MemRefType::get(bytes, builder.getI8Type()); };
  DenseMap<Value, int64_t> numbers;
  for (auto [number, entry] : llvm::enumerate(places))
    numbers[entry.first] = number;

  SmallVector<Attribute> tasks;
  SmallVector<Touched> sinceWait;
  for (auto [index, op] : llvm::enumerate(loops)) {
    SmallVector<Touched> touched;
    const unsigned inputs = inputsOf(op).size();
    for (auto [at, operand] : llvm::enumerate(op->getOperands())) {
      const Value value = at < inputs ? rootOf(operand) : Value(op->getResult(at - inputs));
      const Place place = places.lookup(value);
      touched.push_back(
          {place.inState, place.offset, place.offset + bytesOf(operand.getType()), at >= inputs});
    }
    const bool waits = llvm::any_of(touched, [&](const Touched &mine) {
      return llvm::any_of(sinceWait,
                          [&](const Touched &other) { return mine.conflictsWith(other); });
    });
    if (waits) {
      sinceWait.clear();
      ++numWaits;
    }
    llvm::append_range(sinceWait, touched);

    const LoopCost cost = costOf(op);
    const std::string name = (step.getSymName() + "." + Twine(index)).str();
    auto task = kernel::TaskOp::create(builder, op->getLoc(), name, waits, cost.flops, cost.bytes);
    tasks.push_back(FlatSymbolRefAttr::get(context, name));
    OpBuilder inside(context);
    Block *block = inside.createBlock(&task.getBody());
    const Value arena = block->addArgument(bytesType(arenaBytes), op->getLoc());
    const Value state = block->addArgument(
        bytesType(std::max<int64_t>(states.bytes, train::blockAlignment)), op->getLoc());
    const auto view = [&](const Place &place, Type type) {
      auto shaped = cast<ShapedType>(type);
      Value offset = arith::ConstantIndexOp::create(inside, op->getLoc(), place.offset);
      return memref::ViewOp::create(inside, op->getLoc(),
                                    MemRefType::get(shaped.getShape(), shaped.getElementType()),
                                    place.inState ? state : arena, offset, ValueRange());
    };

    SmallVector<Value> operands;
    for (auto [at, operand] : llvm::enumerate(op->getOperands())) {
      const Value value = at < inputs ? rootOf(operand) : Value(op->getResult(at - inputs));
      auto memory = view(places.lookup(value), operand.getType());
      memory->setAttr("kernel.value", inside.getI64IntegerAttr(numbers.lookup(value)));
      operands.push_back(memory);
    }
    // The clock's numbers that the body uses, loaded once in front.
    Region *body = op->getNumRegions() == 0 ? nullptr : &op->getRegion(0);
    Value clock;
    for (BlockArgument argument : step.getBody().getArguments()) {
      auto bound = step.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "train.clock");
      if (!body || !bound || !argument.getType().isIndex() ||
          llvm::none_of(argument.getUsers(),
                        [&](Operation *user) { return body->isAncestor(user->getParentRegion()); }))
        continue;
      if (!clock)
        clock = view({false, 0},
                     RankedTensorType::get(sizeof(runtime::Clock) / 8, builder.getI64Type()));
      Value word =
          arith::ConstantIndexOp::create(inside, op->getLoc(), *clockWord(bound.getValue()));
      Value loaded = memref::LoadOp::create(inside, op->getLoc(), clock, word);
      Value number =
          arith::IndexCastOp::create(inside, op->getLoc(), builder.getIndexType(), loaded);
      replaceAllUsesInRegionWith(argument, number, *body);
    }
    OperationState loop(op->getLoc(), op->getName(), operands, TypeRange(), op->getAttrs());
    if (body)
      loop.addRegion()->takeBody(*body);
    inside.create(loop);
  }

  const auto placed = [&](StringRef name, Value value, ArrayRef<NamedAttribute> more) -> Attribute {
    SmallVector<NamedAttribute> entry(more);
    entry.push_back(builder.getNamedAttr("name", builder.getStringAttr(name)));
    entry.push_back(builder.getNamedAttr(
        "offset", builder.getI64IntegerAttr(places.lookup(rootOf(value)).offset)));
    return builder.getDictionaryAttr(entry);
  };
  SmallVector<Attribute> fields, outputs, results;
  IntegerAttr ids;
  for (BlockArgument argument : step.getBody().getArguments()) {
    const unsigned number = argument.getArgNumber();
    if (auto field = step.getArgAttrOfType<StringAttr>(number, "train.data")) {
      SmallVector<NamedAttribute> more;
      if (auto perm = step.getArgAttr(number, "train.perm"))
        more.push_back(builder.getNamedAttr("perm", perm));
      fields.push_back(placed(field.getValue(), argument, more));
    }
    if (auto bound = step.getArgAttrOfType<StringAttr>(number, "train.clock");
        bound && bound.getValue() == "ids")
      ids = builder.getI64IntegerAttr(places.lookup(argument).offset);
  }
  for (auto [name, value] :
       llvm::zip_equal(commit.getOutputNames().getAsValueRange<StringAttr>(), commit.getOutputs()))
    outputs.push_back(placed(name, value, {}));
  for (auto [name, value] : llvm::zip_equal(commit.getResultNames().getAsValueRange<StringAttr>(),
                                            commit.getResults_())) {
    const auto shape = cast<RankedTensorType>(value.getType()).getShape();
    results.push_back(
        placed(name, value, builder.getNamedAttr("shape", builder.getDenseI64ArrayAttr(shape))));
  }
  const std::string name = step.getSymName().str();
  const Location location = step.getLoc();
  const auto kind = builder.getStringAttr(step.getKind());
  const int64_t batch = step.getBatch();
  builder.setInsertionPointAfter(step);
  step.erase();
  kernel::StepOp::create(builder, location, builder.getStringAttr(name), kind,
                         builder.getI64IntegerAttr(batch), builder.getI64IntegerAttr(arenaBytes),
                         builder.getArrayAttr(fields), ids, builder.getArrayAttr(outputs),
                         builder.getArrayAttr(results), builder.getArrayAttr(tasks));
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  using Base::Base;

  void runOnOperation() override {
    const train::StateLayout states = train::layOutStates(getOperation());
    for (auto step : llvm::make_early_inc_range(getOperation().getOps<train::StepOp>())) {
      for (Operation &op : step.getBody().front())
        if (!isLoop(&op) && !isa<kernel::AliasOp, tensor::EmptyOp, train::CommitOp>(op)) {
          op.emitOpError("has no place in memory: the step must hold kernel ops on tensors alone");
          return signalPassFailure();
        }
      const std::string name = step.getSymName().str();
      StepPlan plan(step, states);
      plan.run();
      plan.emit();
      arenaBytes = std::max<uint64_t>(arenaBytes, plan.arenaBytes);
      leastBytes = std::max<uint64_t>(leastBytes, plan.leastBytes);
      copiedBytes += plan.copiedBytes;
      numInPlace += plan.numInPlace;
      numWaits += plan.numWaits;
      if (print)
        llvm::outs() << name << ": arena " << plan.arenaBytes << " bytes, at least "
                     << plan.leastBytes << "; copies " << plan.copiedBytes
                     << " bytes; states in place " << plan.numInPlace << "; waits " << plan.numWaits
                     << "\n";
    }
  }
};

} // namespace
} // namespace sinter::passes
