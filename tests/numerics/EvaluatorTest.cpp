//===- EvaluatorTest.cpp - the reference evaluator against PyTorch ------------------------------===//
// Forward values and, through `differentiate`, gradients of every stored case.
#include "compiler/reference/Evaluator.h"
#include "compiler/passes/Passes.h"
#include "dialects/RegisterDialects.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "tests/numerics/StoredCases.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace sinter;
using namespace sinter::numerics;

namespace {

reference::Tensor tensorOf(const Values &values, mlir::Type type) {
  reference::Tensor tensor(type);
  REQUIRE(tensor.shape == values.shape);
  if (tensor.isFloat())
    tensor.floats = values.values;
  else
    tensor.integers.assign(values.values.begin(), values.values.end());
  return tensor;
}

/// The largest difference, as a share of the largest value; infinite where one side has no number.
double difference(const std::vector<double> &ours, const std::vector<double> &theirs) {
  REQUIRE(ours.size() == theirs.size());
  double most = 0, size = 1e-6;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (!std::isfinite(ours[i]))
      return INFINITY;
    most = std::max(most, std::abs(ours[i] - theirs[i]));
    size = std::max(size, std::abs(theirs[i]));
  }
  return most / size;
}

class Fixture {
public:
  Fixture() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  void compare(const Case &stored, reference::Precision precision, double tolerance) {
    INFO(stored.name);
    const CaseStep step(stored);
    INFO(step.text);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(step.text, &context);
    REQUIRE(module);
    mlir::PassManager passes(&context);
    passes.addNestedPass<train::StepOp>(passes::createDifferentiate());
    REQUIRE(mlir::succeeded(passes.run(*module)));
    auto op = *module->getOps<train::StepOp>().begin();

    std::vector<reference::Tensor> arguments;
    for (size_t i = 0; i < step.arguments.size(); ++i)
      arguments.push_back(
          tensorOf(step.arguments[i], op.getArgumentTypes()[static_cast<unsigned>(i)]));
    reference::Evaluator evaluator(precision);
    auto outcome = evaluator.run(op, arguments);
    REQUIRE(mlir::succeeded(outcome));
    CHECK(difference(outcome->results["y"].floats, step.result.values) <= tolerance);
    for (size_t i = 0; i < step.gradients.size(); ++i) {
      INFO("gradient of " << step.gradientInputs[i]);
      CHECK(difference(outcome->states[step.gradientInputs[i]].floats, step.gradients[i].values) <=
            tolerance);
    }
  }

private:
  mlir::MLIRContext context;
};

} // namespace

// What remains is the rounding of constants within scalar bodies, which are f32 numbers (gelu's square roots).
TEST_CASE("operations and their gradients equal PyTorch's in f64") {
  Fixture fixture;
  for (const Case &stored : storedCases())
    fixture.compare(stored, reference::Precision::Double, 2e-8);
}

TEST_CASE("operations and their gradients equal PyTorch's in f32 as far as f32 goes") {
  Fixture fixture;
  for (const Case &stored : storedCases())
    fixture.compare(stored, reference::Precision::Single, 1e-5);
}
