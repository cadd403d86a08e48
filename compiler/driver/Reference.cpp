//===- Reference.cpp - a program run by the evaluator -----------------------------------------===//
// The runtime's program loop over another executor: each step is read off the train floor and evaluated. In double precision
// states keep their doubles from step to step; the state block holds them rounded, for checkpoints, and where the loop changed
// it (it began, resumed or restored a state) the block is read again.
#include "compiler/driver/Reference.h"

#include "compiler/codegen/Description.h"
#include "compiler/reference/Evaluator.h"
#include "dialects/train/StateLayout.h"
#include "dialects/train/TrainOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "runtime/Abi.h"
#include "runtime/Error.h"
#include "runtime/Run.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;

namespace sinter::driver {
namespace {

uint64_t bytesOf(Type type) {
  return static_cast<uint64_t>(cast<RankedTensorType>(type).getNumElements()) * 4;
}

/// Where a step's arguments come from and its outcome goes: arena and state block, as the description says.
struct StepPlan {
  train::StepOp op;
  codegen::StepLayout layout;

  /// Everything one behind the other, the clock first. Returns the bytes used.
  uint64_t place(train::StepOp step) {
    op = step;
    layout.name = step.getSymName().str();
    layout.batch = step.getBatch();
    uint64_t end = runtime::clockBytes;
    auto take = [&](uint64_t bytes) {
      const uint64_t offset = end;
      end = llvm::alignTo(end + bytes, 64);
      return offset;
    };
    for (BlockArgument argument : step.getArguments()) {
      const unsigned i = argument.getArgNumber();
      if (auto field = step.getArgAttrOfType<StringAttr>(i, "train.data")) {
        codegen::FieldLayout placed{field.str(), take(bytesOf(argument.getType())), {}};
        if (auto perm = step.getArgAttrOfType<DenseI64ArrayAttr>(i, "train.perm"))
          placed.perm.assign(perm.asArrayRef().begin(), perm.asArrayRef().end());
        layout.fields.push_back(std::move(placed));
      } else if (clockOf(i) == "ids") {
        layout.ids = take(bytesOf(argument.getType()));
      }
    }
    train::CommitOp commit = step.getCommit();
    for (auto name : commit.getOutputNames().getAsValueRange<StringAttr>())
      layout.outputs.push_back({name.str(), take(4)});
    for (auto [name, value] : llvm::zip_equal(commit.getResultNames().getAsValueRange<StringAttr>(),
                                              commit.getResults_())) {
      const auto shape = cast<RankedTensorType>(value.getType()).getShape().drop_front();
      layout.results.push_back({name.str(), take(bytesOf(value.getType())), shape.vec()});
    }
    return end;
  }

  StringRef clockOf(unsigned argument) {
    auto clock = op.getArgAttrOfType<StringAttr>(argument, "train.clock");
    return clock ? clock.getValue() : "";
  }
  StringRef stateOf(unsigned argument) {
    for (StringRef binding : {"train.reads", "train.owns"})
      if (auto symbol = op.getArgAttrOfType<FlatSymbolRefAttr>(argument, binding))
        return symbol.getValue();
    return "";
  }
  uint64_t fieldOffset(unsigned argument) {
    const auto name = op.getArgAttrOfType<StringAttr>(argument, "train.data");
    for (const codegen::FieldLayout &field : layout.fields)
      if (field.name == name.getValue())
        return field.offset;
    llvm_unreachable("every field was placed");
  }
};

class EvaluatingExecutor : public runtime::StepExecutor {
public:
  EvaluatingExecutor(std::vector<StepPlan> &plans, const train::StateLayout &states,
                     reference::Precision precision)
      : plans(plans), states(states), evaluator(precision) {}

  void run(size_t index, uint8_t *arena, uint8_t *state) override {
    StepPlan &plan = plans[index];
    std::vector<reference::Tensor> arguments;
    for (BlockArgument argument : plan.op.getArguments())
      arguments.push_back(read(plan, argument, arena, state));
    auto outcome = evaluator.run(plan.op, arguments);
    if (failed(outcome))
      throw runtime::Error("the evaluator does not know an op of " + plan.layout.name);
    for (const auto &entry : outcome->states)
      write(entry.getKey(), entry.getValue(), state);
    for (const codegen::OutputLayout &output : plan.layout.outputs)
      store(outcome->outputs.lookup(output.name), arena + output.offset);
    for (const codegen::ResultLayout &result : plan.layout.results)
      store(outcome->results.lookup(result.name), arena + result.offset);
  }

private:
  /// What a state was when it was last written: exactly, and as the state block holds it.
  struct Kept {
    std::vector<double> exact;
    std::vector<float> rounded;
  };

  static reference::Tensor load(Type type, const uint8_t *from) {
    reference::Tensor tensor(type);
    for (auto [i, value] : llvm::enumerate(tensor.floats)) {
      float number;
      std::memcpy(&number, from + 4 * i, 4);
      value = number;
    }
    for (auto [i, value] : llvm::enumerate(tensor.integers)) {
      int32_t number;
      std::memcpy(&number, from + 4 * i, 4);
      value = number;
    }
    return tensor;
  }

  static void store(const reference::Tensor &tensor, uint8_t *to) {
    for (auto [i, value] : llvm::enumerate(tensor.floats)) {
      const auto number = static_cast<float>(value);
      std::memcpy(to + 4 * i, &number, 4);
    }
  }

  reference::Tensor read(StepPlan &plan, BlockArgument argument, const uint8_t *arena,
                         const uint8_t *state) {
    const unsigned i = argument.getArgNumber();
    if (const StringRef name = plan.stateOf(i); !name.empty()) {
      const uint8_t *from = state + states.offsets.lookup(name);
      reference::Tensor tensor = load(argument.getType(), from);
      auto found = kept.find(name);
      if (found != kept.end() &&
          std::memcmp(found->second.rounded.data(), from, 4 * found->second.rounded.size()) == 0)
        tensor.floats = found->second.exact;
      return tensor;
    }
    const StringRef clockName = plan.clockOf(i);
    if (clockName.empty())
      return load(argument.getType(), arena + plan.fieldOffset(i));
    if (clockName == "ids")
      return load(argument.getType(), arena + *plan.layout.ids);
    runtime::Clock clock;
    std::memcpy(&clock, arena, sizeof clock);
    return reference::Tensor::scalar(clockName == "step"    ? clock.step
                                     : clockName == "last"  ? clock.last
                                     : clockName == "count" ? clock.count
                                     : clockName == "draw"  ? clock.draw
                                     : clockName == "epoch" ? clock.epoch
                                                            : static_cast<int64_t>(clock.seed));
  }

  void write(StringRef name, const reference::Tensor &tensor, uint8_t *state) {
    uint8_t *to = state + states.offsets.lookup(name);
    store(tensor, to);
    Kept &entry = kept[name];
    entry.exact = tensor.floats;
    entry.rounded.resize(tensor.floats.size());
    std::memcpy(entry.rounded.data(), to, 4 * entry.rounded.size());
  }

  std::vector<StepPlan> &plans;
  const train::StateLayout &states;
  reference::Evaluator evaluator;
  llvm::StringMap<Kept> kept;
};

} // namespace

ExitCode runReference(ModuleOp module, bool inDouble, const std::vector<std::string> &flags) {
  // Bodies of pointwise ops are made of these while the program runs.
  module.getContext()->loadDialect<arith::ArithDialect, math::MathDialect>();
  std::vector<StepPlan> plans;
  codegen::ProgramLayout layout;
  layout.cpu = inDouble ? "reference f64" : "reference f32";
  for (auto step : module.getOps<train::StepOp>()) {
    plans.emplace_back();
    layout.arenaBytes = std::max(layout.arenaBytes, plans.back().place(step));
    layout.steps.push_back(plans.back().layout);
  }
  const train::StateLayout states = train::layOutStates(module);
  const runtime::Description description =
      runtime::parseDescription(codegen::describeProgram(module, layout));

  std::vector<const char *> words{description.name.c_str()};
  for (const std::string &flag : flags)
    words.push_back(flag.c_str());
  auto factory = [&](const runtime::Description &, unsigned) {
    return std::make_unique<EvaluatingExecutor>(
        plans, states, inDouble ? reference::Precision::Double : reference::Precision::Single);
  };
  return static_cast<ExitCode>(
      runtime::runProgram(description, factory, static_cast<int>(words.size()), words.data()));
}

} // namespace sinter::driver
