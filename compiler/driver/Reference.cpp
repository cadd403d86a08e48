//===- Reference.cpp - a program run by the evaluator -----------------------------------------===//
// The runtime's program loop over another executor: each step is read off the train floor and evaluated. In double precision
// states keep their doubles from step to step; the state block holds them rounded, for checkpoints, and where the loop changed
// it (it began, resumed or restored a state) the block is read again.
#include "compiler/driver/Reference.h"

#include "compiler/driver/StepPlan.h"
#include "compiler/reference/Evaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "runtime/Error.h"
#include "runtime/Run.h"

#include <cstring>

using namespace mlir;

namespace sinter::driver {
namespace {

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

  static void store(const reference::Tensor &tensor, uint8_t *to) {
    for (auto [i, value] : llvm::enumerate(tensor.floats)) {
      const auto number = static_cast<float>(value);
      std::memcpy(to + 4 * i, &number, 4);
    }
  }

  reference::Tensor read(StepPlan &plan, BlockArgument argument, const uint8_t *arena,
                         const uint8_t *state) {
    reference::Tensor tensor = plan.read(argument, states, arena, state);
    const StringRef name = plan.stateOf(argument.getArgNumber());
    if (name.empty())
      return tensor;
    const uint8_t *from = state + states.offsets.lookup(name);
    auto found = kept.find(name);
    if (found != kept.end() &&
        std::memcmp(found->second.rounded.data(), from, 4 * found->second.rounded.size()) == 0)
      tensor.floats = found->second.exact;
    return tensor;
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
  codegen::ProgramLayout layout;
  layout.cpu = inDouble ? "reference f64" : "reference f32";
  std::vector<StepPlan> plans = planSteps(module, layout);
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
