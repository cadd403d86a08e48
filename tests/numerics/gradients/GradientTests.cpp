//===- GradientTests.cpp - every derivative against central finite differences, in f64 --------------===//
#include "compiler/passes/Passes.h"
#include "tests/numerics/gradients/Cases.h"
#include "tests/unit/reference/ParsedStep.h"

#include <fmt/format.h>
#include <random>
#include <set>

using namespace sinter;
using namespace sinter::test;

namespace {

bool isFloat(const Input &input) { return input.type.ends_with("f32>"); }

/// A step that commits, for each float input, the gradient of Σ y · r as its new value, and reports the sum as its loss.
std::string stepText(const Case &test) {
  std::string states, arguments, names, values, types;
  auto state = [&](const std::string &name, const std::string &type) {
    states += fmt::format("train.state @{} : {} kind \"parameter\" init <constant, 0.0, 0.0>\n",
                          name, type);
  };
  for (const Input &input : test.inputs) {
    if (!isFloat(input)) {
      arguments += fmt::format(", %{0}: {1} {{train.data = \"{0}\"}}", input.name, input.type);
      continue;
    }
    state(input.name, input.type);
    arguments += fmt::format(", %{0}: {1} {{train.owns = @{0}}}", input.name, input.type);
    const std::string comma = names.empty() ? "" : ", ";
    names += comma + "@" + input.name;
    values += comma + "%" + input.name;
    types += comma + input.type;
  }
  state("r", test.type);
  const int64_t rank = std::count(test.type.begin(), test.type.end(), 'x');
  std::string axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    axes += (axis ? ", " : "") + std::to_string(axis);

  std::string gradients;
  const auto number = static_cast<size_t>(std::count(names.begin(), names.end(), '@'));
  for (size_t i = 0; i < number; ++i)
    gradients += fmt::format("{}%g#{}", i ? ", " : "", i);
  return states +
         fmt::format(
             "train.step @test kind \"train\" (%count: index {{train.clock = \"count\"}}, "
             "%r: {0} {{train.reads = @r}}{1}) {{\n{2}\n"
             "%weighted = train.mul %y, %r : {0}, {0} -> {0}\n"
             "%loss = train.sum %weighted over [{3}] : {0} -> tensor<f32>\n"
             "%g:{4} = train.gradient %loss of {5} : {6}\n"
             "train.commit states [{7}] ({8} : {6}) outputs [\"loss\"] (%loss : tensor<f32>)\n}}",
             test.type, arguments, test.body, axes, number, values, types, names, gradients);
}

void fill(reference::Tensor &tensor, Values values, int64_t limit, std::mt19937 &generator) {
  std::uniform_real_distribution<double> wide(-1.2, 1.2), apart(0.2, 1.2), positive(0.3, 1.5);
  for (double &x : tensor.floats)
    x = values == Values::Positive ? positive(generator)
        : values == Values::Wide   ? wide(generator)
        : values == Values::Small  ? wide(generator) / 4
                                   : std::copysign(apart(generator), wide(generator));
  for (int64_t &x : tensor.integers)
    x = std::uniform_int_distribution<int64_t>(0, limit - 1)(generator);
}

void check(const Case &test) {
  const std::string text = stepText(test);
  INFO(text);
  ParsedStep parsed(text);
  parsed.run(passes::createDifferentiate());

  std::mt19937 generator(17);
  std::vector<reference::Tensor> arguments = parsed.arguments();
  arguments[0].integers = {test.count};
  fill(arguments[1], Values::Wide, 0, generator);
  for (size_t i = 0; i < test.inputs.size(); ++i)
    fill(arguments[2 + i], test.inputs[i].values, test.inputs[i].limit, generator);

  reference::Evaluator evaluator(reference::Precision::Double);
  auto loss = [&] {
    auto outcome = evaluator.run(parsed.step, arguments);
    REQUIRE(mlir::succeeded(outcome));
    return outcome->outputs["loss"].floats[0];
  };
  auto outcome = evaluator.run(parsed.step, arguments);
  REQUIRE(mlir::succeeded(outcome));

  const double h = 1e-5;
  for (size_t i = 0; i < test.inputs.size(); ++i) {
    if (!isFloat(test.inputs[i]))
      continue;
    const reference::Tensor gradient = outcome->states[test.inputs[i].name];
    std::vector<double> &x = arguments[2 + i].floats;
    REQUIRE(gradient.floats.size() == x.size());
    for (size_t element = 0; element < x.size(); ++element) {
      const double at = x[element];
      x[element] = at + h;
      const double above = loss();
      x[element] = at - h;
      const double below = loss();
      x[element] = at;
      INFO("by %" << test.inputs[i].name << ", element " << element);
      const double difference = (above - below) / (2 * h);
      CHECK(gradient.floats[element] == Approx(difference).margin(2e-8).epsilon(1e-6));
    }
  }
}

} // namespace

TEST_CASE("the derivative of every op is the limit of its finite differences") {
  for (const Case &test : gradientCases())
    DYNAMIC_SECTION(test.op << ": " << test.body) { check(test); }
}

TEST_CASE("every op that has a derivative has a case") {
  std::set<std::string> tested;
  for (const Case &test : gradientCases())
    tested.insert("train." + test.op);
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  int seen = 0;
  for (mlir::RegisteredOperationName name : context.getRegisteredOperationsByDialect("train"))
    // A rounding is a staircase: its derivative is that of what it rounds, by intent.
    if (name.hasInterface<train::Differentiable>() && !name.hasTrait<train::StopsGradient>() &&
        name.getStringRef() != "train.bf16") {
      ++seen;
      INFO(name.getStringRef().str());
      CHECK(tested.contains(name.getStringRef().str()));
    }
  CHECK(seen > 40);
}
