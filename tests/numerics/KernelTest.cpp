//===- KernelTest.cpp - compiled kernels against the reference evaluator --------------------------===//
// Every stored operation, its gradients included, is compiled for AVX2, for AVX-512 where there is one, and for the host, and
// must give what the evaluator gives in f64, as far as f32 goes. The evaluator itself is held against PyTorch.

#include "compiler/codegen/Codegen.h"
#include "compiler/passes/Passes.h"
#include "dialects/RegisterDialects.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "tests/numerics/CompiledProgram.h"
#include "tests/numerics/StoredCases.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace sinter;
using namespace sinter::numerics;

namespace {

/// The largest difference, as a share of the largest value; infinite where one side has no number.
template <typename Numbers>
double difference(const Numbers &ours, const std::vector<double> &theirs) {
  REQUIRE(ours.size() == theirs.size());
  double most = 0, size = 1e-6;
  for (size_t i = 0; i < theirs.size(); ++i) {
    if (!std::isfinite(ours[i]))
      return INFINITY;
    most = std::max(most, std::abs(static_cast<double>(ours[i]) - theirs[i]));
    size = std::max(size, std::abs(theirs[i]));
  }
  return most / size;
}

class Fixture {
public:
  Fixture() {
    mlir::DialectRegistry registry;
    mlir::registerAllDialects(registry);
    mlir::registerAllExtensions(registry);
    sinter::registerAllDialects(registry);
    codegen::registerTranslations(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  void compare(const Case &stored, const codegen::Target &target, unsigned threads) {
    INFO(stored.name << " for " << target.cpu << " on " << threads << " threads");
    const CaseStep step(stored);
    INFO(step.text);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(step.text, &context);
    REQUIRE(module);
    mlir::PassManager passes(&context);
    passes.addNestedPass<train::StepOp>(passes::createDifferentiate());
    REQUIRE(mlir::succeeded(passes.run(*module)));
    auto op = *module->getOps<train::StepOp>().begin();

    tests::CompiledProgram program(*module, target, threads);
    for (size_t i = 0; i < step.arguments.size(); ++i) {
      const auto &values = step.arguments[i].values;
      const auto index = static_cast<unsigned>(i);
      if (auto state = op.getArgAttrOfType<mlir::FlatSymbolRefAttr>(index, "train.owns")) {
        copy(values, program.state(state.getValue().str()));
        continue;
      }
      if (auto state = op.getArgAttrOfType<mlir::FlatSymbolRefAttr>(index, "train.reads")) {
        copy(values, program.state(state.getValue().str()));
        continue;
      }
      auto field = op.getArgAttrOfType<mlir::StringAttr>(index, "train.data");
      REQUIRE(field);
      auto tensor = mlir::cast<mlir::RankedTensorType>(op.getArgumentTypes()[index]);
      if (tensor.getElementType().isF32())
        copy(values, program.field<float>("case", field.str(), values.size()));
      else
        copy(values, program.field<int32_t>("case", field.str(), values.size()));
    }
    program.clock().count = op.getBatch();
    program.run("case");
    CHECK(difference(program.result("case", "y"), step.result.values) <= 1e-5);
    for (size_t i = 0; i < step.gradients.size(); ++i) {
      INFO("gradient of " << step.gradientInputs[i]);
      CHECK(difference(program.state(step.gradientInputs[i]), step.gradients[i].values) <= 1e-5);
    }
  }

private:
  mlir::MLIRContext context;

  template <typename T> static void copy(const std::vector<double> &from, std::span<T> to) {
    REQUIRE(from.size() == to.size());
    for (size_t i = 0; i < from.size(); ++i)
      to[i] = static_cast<T>(from[i]);
  }
};

codegen::Target targetNamed(const char *name) {
  auto target = codegen::Target::named(name);
  if (!target)
    FAIL(llvm::toString(target.takeError()));
  return *target;
}

} // namespace

TEST_CASE("compiled operations and their gradients equal PyTorch's, with AVX2") {
  Fixture fixture;
  for (const Case &stored : storedCases())
    fixture.compare(stored, targetNamed("x86-64-v3"), 1);
}

TEST_CASE(
    "compiled operations and their gradients equal PyTorch's, on this machine, on three threads") {
  Fixture fixture;
  const codegen::Target host = targetNamed("host");
  for (const Case &stored : storedCases())
    fixture.compare(stored, host, 3);
}
