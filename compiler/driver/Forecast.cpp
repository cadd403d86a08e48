//===- Forecast.cpp - signals and gradients at initialisation, expected and measured -----------===//
// The training step is lowered plainly and asked for the gradient of every value on its way; the evaluator then runs it once and shows
// each result. Data that is there is used; else examples are drawn from the fields' types.
#include "compiler/driver/Forecast.h"

#include "compiler/driver/StepPlan.h"
#include "compiler/driver/Terminal.h"
#include "compiler/lower/Passes.h"
#include "compiler/reference/Evaluator.h"
#include "compiler/reference/MeanField.h"
#include "dialects/model/ModelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "runtime/Error.h"
#include "runtime/Initializers.h"
#include "runtime/Session.h"
#include "llvm/ADT/DenseSet.h"

#include <cmath>
#include <fmt/format.h>

using namespace mlir;

namespace sinter::driver {
namespace {

constexpr int64_t mostExamples = 32, fewestExamples = 4;
constexpr double mostProducts =
    1e9;                           ///< of the way forward: what the evaluator does in some seconds
constexpr size_t mostPoints = 501; ///< of a value that the theory begins with
constexpr double farAway = 1e3;    ///< what counts as vanished or exploded

reference::Sample sampleOf(const reference::Tensor &tensor) {
  reference::Sample sample;
  auto take = [&](const auto &values) {
    const size_t stride = std::max<size_t>(1, values.size() / mostPoints);
    for (auto [i, value] : llvm::enumerate(values)) {
      const auto x = static_cast<double>(value);
      sample.mean += x;
      sample.square += x * x;
      if (i % stride == 0)
        sample.some.push_back(x);
    }
    sample.mean /= static_cast<double>(std::max<size_t>(values.size(), 1));
    sample.square /= static_cast<double>(std::max<size_t>(values.size(), 1));
  };
  if (tensor.isFloat())
    take(tensor.floats);
  else
    take(tensor.integers);
  return sample;
}

/// Mean and variance that an initializer gives; of the drawn values where it has no such form.
std::pair<double, double> momentsOf(train::InitAttr init, const reference::Sample &drawn) {
  const double a = init.getA(), b = init.getB();
  switch (init.getDistribution()) {
  case train::Distribution::Constant:
    return {a, 0};
  case train::Distribution::Uniform:
    return {(a + b) / 2, (b - a) * (b - a) / 12};
  case train::Distribution::Normal:
    return {a, b * b};
  case train::Distribution::TruncatedNormal:
    return {a, 0.7737413 * b * b}; // 1 - 4 φ(2) / (2 Φ(2) - 1)
  default:
    return {drawn.mean, std::max(drawn.square - drawn.mean * drawn.mean, 0.0)};
  }
}

/// One training step, made to show its inside.
class Probe {
public:
  /// Asks for the gradient of every float value that stands in front of the step's gradient op.
  explicit Probe(train::StepOp step) {
    for (Operation &op : step.getBody().front()) {
      if (auto gradient = dyn_cast<train::GradientOp>(op)) {
        ask(gradient);
        return;
      }
      forward.push_back(&op);
    }
    forward.clear(); // nothing is trained
  }

  bool any() const { return !forward.empty(); }

  /// Products that the way forward takes.
  double products() const {
    double sum = 0;
    for (Operation *op : forward)
      if (auto contraction = dyn_cast<train::Contraction>(op)) {
        double domain = 1;
        for (int64_t extent : contraction.getDomain())
          domain *= static_cast<double>(extent);
        sum += domain;
      }
    return sum;
  }

  void observe(Operation *op, ArrayRef<reference::Tensor> results) {
    if (auto asked = sums.find(op); asked != sums.end()) {
      auto type = cast<RankedTensorType>(asked->second.getType());
      gradients[asked->second] = results[0].floats[0] / static_cast<double>(type.getNumElements());
    } else if (known.contains(op)) {
      for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results))
        samples[result] = sampleOf(tensor);
    }
  }

  std::vector<Operation *> forward;
  Value loss;
  llvm::DenseMap<Value, reference::Sample> samples;
  llvm::DenseMap<Value, double> gradients; ///< mean squares

private:
  void ask(train::GradientOp gradient) {
    loss = gradient.getY();
    llvm::DenseSet<Value> live(llvm::from_range, gradient.getOf());
    SmallVector<Value> of(gradient.getOf());
    const size_t own = of.size();
    for (Operation *op : forward) {
      if (op->hasTrait<train::StopsGradient>() ||
          llvm::none_of(op->getOperands(), [&](Value value) { return live.contains(value); }))
        continue;
      for (Value result : op->getResults())
        if (isa<FloatType>(getElementTypeOrSelf(result.getType())) && result != loss) {
          live.insert(result);
          of.push_back(result);
        }
    }
    OpBuilder builder(gradient);
    auto asked =
        train::GradientOp::create(builder, gradient.getLoc(), TypeRange(ValueRange(of)), loss, of);
    gradient.replaceAllUsesWith(asked.getGradients().take_front(own));
    for (size_t i = own; i < of.size(); ++i) {
      const Value back = asked.getGradients()[i];
      const Value square = train::SquareOp::create(builder, back.getLoc(), back.getType(), back);
      SmallVector<int64_t> axes;
      for (int64_t axis = 0; axis < cast<RankedTensorType>(back.getType()).getRank(); ++axis)
        axes.push_back(axis);
      Operation *sum =
          axes.empty()
              ? square.getDefiningOp()
              : train::SumOp::create(builder, back.getLoc(),
                                     RankedTensorType::get({}, builder.getF32Type()), square, axes)
                    .getOperation();
      sums[sum] = of[i];
    }
    gradient.erase(); // here, for the builder stood in front of it
    // These go as gradients are made.
    llvm::erase_if(forward, [](Operation *op) { return isa<train::StopGradientOp>(op); });
    known.insert(forward.begin(), forward.end());
  }

  llvm::DenseSet<Operation *> known;
  llvm::DenseMap<Operation *, Value> sums;
};

/// The runtime's loop asks it to run a step; it evaluates, and shows the probe.
class ProbingExecutor : public runtime::StepExecutor {
public:
  ProbingExecutor(std::vector<StepPlan> &plans, const train::StateLayout &states, Probe *&probe)
      : plans(plans), states(states), probe(probe), evaluator(reference::Precision::Double) {}

  void run(size_t index, uint8_t *arena, uint8_t *state) override {
    StepPlan &plan = plans[index];
    std::vector<reference::Tensor> arguments;
    for (BlockArgument argument : plan.op.getArguments()) {
      arguments.push_back(plan.read(argument, states, arena, state));
      probe->samples[argument] = sampleOf(arguments.back());
    }
    evaluator.observe = [&](Operation *op, ArrayRef<reference::Tensor> results) {
      probe->observe(op, results);
    };
    if (failed(evaluator.run(plan.op, arguments)))
      throw runtime::Error("the evaluator does not know an op of " + plan.layout.name);
  }

private:
  std::vector<StepPlan> &plans;
  const train::StateLayout &states;
  Probe *&probe;
  reference::Evaluator evaluator;
};

struct Row {
  std::string name;
  std::optional<double> signal, gradient; ///< expected
  double measuredSignal = 0;
  std::optional<double> measuredGradient;
};

/// A layer's path, or a function's name with its line.
std::string nameOf(Operation *op) {
  if (auto named = dyn_cast<NameLoc>(op->getLoc()))
    return named.getName().str();
  std::string name = op->getName().stripDialect().str();
  if (auto place = op->getLoc()->findInstanceOf<FileLineColLoc>())
    name += fmt::format(" (line {})", place.getLine());
  return name;
}

/// The last value of each layer or function, in order.
std::vector<Row> rowsOf(const Probe &probe, const reference::MeanField &theory, double batch) {
  std::vector<Row> rows;
  for (auto [i, op] : llvm::enumerate(probe.forward)) {
    const bool last =
        i + 1 == probe.forward.size() || probe.forward[i + 1]->getLoc() != op->getLoc();
    if (!last || op->getNumResults() == 0)
      continue;
    const Value value = op->getResult(0);
    auto type = dyn_cast<RankedTensorType>(value.getType());
    const auto sample = probe.samples.find(value);
    const auto gradient = probe.gradients.find(value);
    if (!type || type.getRank() < 2 || !isa<FloatType>(type.getElementType()) ||
        sample == probe.samples.end() || gradient == probe.gradients.end())
      continue;
    Row row;
    row.name = nameOf(op);
    const double mean = sample->second.mean;
    row.measuredSignal = std::sqrt(std::max(sample->second.square - mean * mean, 0.0));
    row.measuredGradient = batch * std::sqrt(gradient->second);
    row.signal = theory.signal(value);
    if (auto expected = theory.gradient(value))
      row.gradient = batch * *expected;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string number(std::optional<double> value) {
  return value ? fmt::format("{:.3g}", *value) : std::string("-");
}

void print(const std::vector<Row> &rows) {
  size_t width = 5;
  for (const Row &row : rows)
    width = std::max(width, row.name.size());
  fmt::print("{:<{}}  {:^20}  {:^20}\n", "", width, "signal", "gradient");
  fmt::print("{:<{}}  {:>9}  {:>9}  {:>9}  {:>9}\n", "layer", width, "expected", "measured",
             "expected", "measured");
  for (const Row &row : rows)
    fmt::print("{:<{}}  {:>9}  {:>9}  {:>9}  {:>9}\n", row.name, width, number(row.signal),
               number(row.measuredSignal), number(row.gradient), number(row.measuredGradient));
}

/// One sentence for each way in which a column leaves the range around its first value. `rows` stand in the order in which the column runs.
template <typename Of>
void judge(std::vector<const Row *> rows, const char *what, const char *from, Of valueOf) {
  std::optional<double> first;
  for (const Row *row : rows) {
    const std::optional<double> value = valueOf(*row);
    if (!value)
      continue;
    if (!first) {
      first = *value;
      if (*value > 0 && std::isfinite(*value))
        continue;
    }
    const char *verdict = nullptr;
    if (!std::isfinite(*value) || *value > *first * farAway)
      verdict = "explodes";
    else if (*value < *first / farAway || *value == 0)
      verdict = "vanishes";
    if (!verdict)
      continue;
    fmt::print("the {} {} {} `{}`: {:.3g}, where it began with {:.3g}\n", what, verdict, from,
               row->name, *value, *first);
    return;
  }
}

void judge(const std::vector<Row> &rows) {
  std::vector<const Row *> onwards, back;
  for (const Row &row : rows)
    onwards.push_back(&row);
  back.assign(onwards.rbegin(), onwards.rend());
  judge(onwards, "signal", "from",
        [](const Row &row) { return std::optional(row.measuredSignal); });
  judge(back, "gradient", "on its way back from",
        [](const Row &row) { return row.measuredGradient; });
}

/// Lowers a copy of the module with batches of at most this many examples, and makes its first train steps show their inside.
struct Prepared {
  OwningOpRef<ModuleOp> module;
  llvm::MapVector<Operation *, std::unique_ptr<Probe>> probes; ///< by step
  double products = 0;
};

FailureOr<Prepared> prepare(ModuleOp model, int64_t examples) {
  Prepared prepared;
  prepared.module = model.clone();
  prepared.module->walk([&](model::StageOp stage) {
    stage.setBatch(std::min<int64_t>(static_cast<int64_t>(stage.getBatch()), examples));
  });
  PassManager lower(model.getContext());
  lower.addPass(lower::createModelToTrain());
  if (failed(lower.run(*prepared.module)))
    return failure();
  for (auto step : prepared.module->getOps<train::StepOp>())
    if (step.getKind() == "train") {
      auto probe = std::make_unique<Probe>(step);
      prepared.products += probe->products();
      prepared.probes.insert({step.getOperation(), std::move(probe)});
    }
  PassManager differentiate(model.getContext());
  registerPasses();
  if (failed(parsePassPipeline("train.step(differentiate)", differentiate)) ||
      failed(differentiate.run(*prepared.module)))
    return failure();
  return prepared;
}

} // namespace

ExitCode runForecast(ModuleOp model) {
  model.getContext()->loadDialect<arith::ArithDialect, math::MathDialect>();
  FailureOr<Prepared> prepared = prepare(model, mostExamples);
  if (succeeded(prepared) && prepared->products > mostProducts)
    prepared =
        prepare(model, std::max(fewestExamples, static_cast<int64_t>(mostExamples * mostProducts /
                                                                     prepared->products)));
  if (failed(prepared))
    return Wrong;
  ModuleOp module = *prepared->module;

  codegen::ProgramLayout layout;
  layout.cpu = "reference f64";
  std::vector<StepPlan> plans = planSteps(module, layout);
  const train::StateLayout states = train::layOutStates(module);
  const runtime::Description description =
      runtime::parseDescription(codegen::describeProgram(module, layout));
  Probe *probe = nullptr;
  auto factory = [&](const runtime::Description &, unsigned) {
    return std::make_unique<ProbingExecutor>(plans, states, probe);
  };
  runtime::Options options;
  try {
    runtime::Session session(description, options, factory);
    for (const runtime::Run &run : description.runs) {
      const runtime::Stage &stage = run.stages.front();
      StepPlan &plan = plans[stage.trainStep];
      probe = prepared->probes.find(plan.op.getOperation())->second.get();
      if (!probe->any())
        continue;
      const runtime::Data &data = description.data[run.data];
      runtime::initialize(session.statesOf(run), run.seed, 1, session.state());
      std::optional<runtime::PartData> drawn;
      const runtime::PartData *part = nullptr;
      try {
        part = session.dataOf(run, nullptr).part("train");
      } catch (const runtime::Error &) {
        drawn = runtime::syntheticPart(data, "train", static_cast<size_t>(stage.batch), run.seed);
        part = &*drawn;
      }
      runtime::Sampler sampler(part->count(), static_cast<size_t>(stage.batch), false,
                               stage.sequential, run.seed);
      sampler.start(0);
      runtime::Feeder(description.steps[stage.trainStep], *part)
          .fill(sampler.batch(0), session.arena());
      runtime::Clock clock{};
      clock.last = 1;
      clock.count = static_cast<int64_t>(sampler.batch(0).size());
      clock.seed = run.seed;
      session.runStep(stage.trainStep, clock);

      reference::MeanField theory(
          [&](Value value) {
            auto found = probe->samples.find(value);
            return found == probe->samples.end() ? nullptr : &found->second;
          },
          [&](Value value) -> std::optional<double> {
            auto found = probe->gradients.find(value);
            return found == probe->gradients.end() ? std::nullopt : std::optional(found->second);
          });
      for (BlockArgument argument : plan.op.getArguments())
        if (const StringRef name = plan.stateOf(argument.getArgNumber()); !name.empty()) {
          auto state = cast<train::StateOp>(SymbolTable::lookupSymbolIn(module, name));
          if (auto init = state->getAttrOfType<train::InitAttr>("init")) {
            const auto [mean, variance] = momentsOf(init, probe->samples[argument]);
            theory.begin(argument, mean, variance);
          }
        }
      theory.run(probe->forward, probe->loss);

      fmt::print("forecast of `{}`: standard deviations at initialisation, over {} examples {}\n",
                 run.name, clock.count, drawn ? "drawn from the fields' types" : "of the data");
      const std::vector<Row> rows = rowsOf(*probe, theory, static_cast<double>(stage.batch));
      print(rows);
      judge(rows);
      if (!theory.unknown().empty())
        fmt::print("theory says nothing about {}: behind it, it begins with what was measured\n",
                   fmt::join(theory.unknown(), ", "));
    }
  } catch (const runtime::Error &error) {
    printError(error.what());
    return Wrong;
  }
  return Fine;
}

} // namespace sinter::driver
