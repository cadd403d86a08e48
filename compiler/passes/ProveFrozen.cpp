//===- ProveFrozen.cpp - what is frozen stays as it is: why, and what that spares --------------------===//
// A parameter could only change by a commit, and a step commits what it owns. So for each name that a stage freezes three
// things are looked up in the stage's training step, after differentiation: it is not owned, no optimizer state of it is,
// and no op that differentiation built leads nowhere (it would be the gradient of something that nobody may write). Where
// one of them fails, the program is not built.
#include "compiler/passes/Passes.h"
#include "compiler/passes/Provenance.h"

#include "dialects/train/TrainOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_PROVEFROZEN
#include "compiler/passes/Passes.h.inc"
namespace {

/// `blocks.0.conv1 (net.sinter:4:11)`, as much of it as the location says.
std::string describe(Location location) {
  std::string name, place;
  location->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part);
        named && name.empty() && named.getName() != "gradient")
      name = named.getName().str();
    if (auto file = dyn_cast<FileLineColLoc>(part); file && place.empty())
      place =
          llvm::formatv("{0}:{1}:{2}", file.getFilename().str(), file.getLine(), file.getColumn());
    return WalkResult::advance();
  });
  if (name.empty() || place.empty())
    return name + place;
  return name + " (" + place + ")";
}

int64_t bytesOf(train::StateOp state) {
  return 4 * cast<RankedTensorType>(state.getType()).getNumElements();
}

/// One training step, seen once for all names that its stage freezes.
class Step {
public:
  Step(train::StepOp op, ModuleOp module) : op(op), symbols(module) {
    for (BlockArgument argument : op.getBody().getArguments()) {
      const unsigned i = argument.getArgNumber();
      if (auto name = op.getArgAttrOfType<FlatSymbolRefAttr>(i, "train.owns"))
        owned[name.getValue()] = argument;
      if (auto name = op.getArgAttrOfType<FlatSymbolRefAttr>(i, "train.reads"))
        read[name.getValue()] = argument;
    }
    for (const auto &entry : owned)
      if (auto state = symbols.lookup<train::StateOp>(entry.getKey()); state && state.getOf())
        optimizerStates[*state.getOf()].push_back(state);
  }

  bool owns(StringRef state) const { return owned.contains(state); }
  ArrayRef<train::StateOp> optimizerStatesOf(StringRef state) const {
    auto found = optimizerStates.find(state);
    return found == optimizerStates.end() ? ArrayRef<train::StateOp>() : found->second;
  }

  /// What the gradient of a state that is only read would cost: for each product it takes part in, as much as the product.
  int64_t gradientFlops(StringRef state) const {
    auto argument = read.find(state);
    if (argument == read.end())
      return 0;
    int64_t flops = 0;
    llvm::SetVector<Value> same; // the state under views
    same.insert(argument->second);
    for (size_t i = 0; i < same.size(); ++i)
      for (Operation *user : same[i].getUsers()) {
        if (isGradient(user))
          continue;
        if (isa<train::View>(user) || (user->getNumOperands() == 1 && user->getNumResults() == 1 &&
                                       elements(user->getResult(0)) == elements(same[i])))
          same.insert(user->getResults().begin(), user->getResults().end());
        else if (auto cost = dyn_cast<train::Cost>(user))
          flops += cost.getFlops();
      }
    return flops;
  }

  /// Values that are made of frozen states and of nothing trained, where something trained is done with them: behind these
  /// points no gradient goes back.
  SmallVector<Value> cuts() {
    llvm::DenseSet<Value> trained, frozen;
    for (const auto &entry : owned)
      if (auto state = symbols.lookup<train::StateOp>(entry.getKey());
          state && state.getKind() == "parameter")
        trained.insert(entry.getValue());
    for (const auto &entry : read)
      frozen.insert(entry.getValue());
    llvm::SetVector<Value> found;
    for (Operation &each : op.getBody().front()) {
      if (isGradient(&each) || each.hasTrait<OpTrait::IsTerminator>())
        continue;
      const bool isTrained =
          llvm::any_of(each.getOperands(), [&](Value v) { return trained.contains(v); });
      const bool isFrozen =
          llvm::any_of(each.getOperands(), [&](Value v) { return frozen.contains(v); });
      if (isTrained)
        for (Value operand : each.getOperands())
          if (frozen.contains(operand) && !trained.contains(operand) && operand.getDefiningOp() &&
              dependsOnData(operand))
            found.insert(operand);
      for (Value result : each.getResults()) {
        if (isTrained)
          trained.insert(result);
        else if (isFrozen)
          frozen.insert(result);
      }
    }
    return SmallVector<Value>(found.begin(), found.end());
  }

private:
  static int64_t elements(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type ? type.getNumElements() : 0;
  }
  bool dependsOnData(Value value) const {
    llvm::SetVector<Value> all;
    all.insert(value);
    for (size_t i = 0; i < all.size(); ++i) {
      if (auto argument = dyn_cast<BlockArgument>(all[i]);
          argument && op.getArgAttr(argument.getArgNumber(), "train.data"))
        return true;
      if (Operation *maker = all[i].getDefiningOp())
        all.insert(maker->operand_begin(), maker->operand_end());
    }
    return false;
  }

  mutable train::StepOp op;
  SymbolTable symbols;
  llvm::StringMap<Value> owned, read;
  llvm::StringMap<SmallVector<train::StateOp>> optimizerStates;
};

struct ProveFrozen : impl::ProveFrozenBase<ProveFrozen> {
  using ProveFrozenBase::ProveFrozenBase;
  ProveFrozen() = default;
  ProveFrozen(const ProveFrozen &other) : ProveFrozenBase(other) {}

  void runOnOperation() override {
    symbols.emplace(getOperation());
    for (auto run : getOperation().getOps<train::RunOp>())
      for (auto stage : run.getBody().getOps<train::StageOp>())
        if (failed(prove(run, stage)))
          return signalPassFailure();
  }

  /// The state that a stage calls by this name.
  train::StateOp stateOf(train::RunOp run, StringRef name) {
    const std::string own = (run.getSymName() + "/" + name).str();
    if (auto state = symbols->lookup<train::StateOp>(own))
      return state;
    return symbols->lookup<train::StateOp>(name);
  }

  LogicalResult prove(train::RunOp run, train::StageOp stage) {
    auto frozen = stage->getAttrOfType<ArrayAttr>("frozen");
    auto op = getOperation().lookupSymbol<train::StepOp>(stage.getStep());
    if (!frozen || frozen.empty() || !op)
      return success();
    Step step(op, getOperation());
    if (Operation *stray = strayGradient(op.getBody().front()))
      return stray->emitOpError("computes a gradient that nothing owned needs");

    SmallVector<Attribute> lines;
    Builder builder(&getContext());
    auto say = [&](const std::string &line) { lines.push_back(builder.getStringAttr(line)); };
    int64_t bytes = 0, flops = 0;
    for (StringRef name : frozen.getAsValueRange<StringAttr>()) {
      train::StateOp state = stateOf(run, name);
      if (!state)
        return stage.emitOpError("freezes `") << name << "`, which is no state";
      if (step.owns(state.getSymName()))
        return stage.emitOpError("freezes `") << name << "`, and its step may write it";
      if (!step.optimizerStatesOf(state.getSymName()).empty())
        return stage.emitOpError("freezes `")
               << name << "`, and its step keeps optimizer state for it";
      ++numProved;
      if (state.getKind() != "parameter") {
        say(llvm::formatv("{0}: a buffer, not written", name));
        continue;
      }
      const int64_t saved = savedBytes(run, stage, step, name, state);
      const int64_t spared = step.gradientFlops(state.getSymName());
      bytes += saved;
      flops += spared;
      say(llvm::formatv(
          "{0}: not written; no gradient ({1} flops a step spared); no optimizer state "
          "({2} bytes spared)",
          name, spared, saved));
    }
    for (Value cut : step.cuts())
      say(llvm::formatv("the gradient ends behind {0}", describe(cut.getLoc())));
    say(llvm::formatv("in all: {0} names frozen, {1} flops of gradient a step and {2} bytes of "
                      "optimizer state spared",
                      frozen.size(), flops, bytes));
    stage->setAttr("frozen_proof", builder.getArrayAttr(lines));
    if (printProof) {
      llvm::outs() << "stage @" << stage.getSymName() << " of @" << run.getSymName() << ":\n";
      for (Attribute line : lines)
        llvm::outs() << "  " << cast<StringAttr>(line).getValue() << "\n";
    }
    return success();
  }

  /// What the optimizer that would train a parameter keeps for one that it does.
  int64_t savedBytes(train::RunOp run, train::StageOp stage, const Step &step, StringRef name,
                     train::StateOp state) {
    auto spared = stage->getAttrOfType<ArrayAttr>("spared");
    if (!spared)
      return 0;
    for (auto entry : spared.getAsRange<DictionaryAttr>()) {
      if (!llvm::is_contained(entry.getAs<ArrayAttr>("parameters").getAsValueRange<StringAttr>(),
                              name))
        continue;
      train::StateOp like = stateOf(run, entry.getAs<StringAttr>("like").getValue());
      if (!like)
        return 0;
      return bytesOf(state) *
             static_cast<int64_t>(step.optimizerStatesOf(like.getSymName()).size());
    }
    return 0;
  }

  std::optional<SymbolTable> symbols;
};

} // namespace
} // namespace sinter::passes
