//===- ParsedStep.h - a step from text, ready to be evaluated --------------------------------------===//
#pragma once

#include "compiler/reference/Evaluator.h"
#include "dialects/RegisterDialects.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include <catch2/catch.hpp>
#include <functional>

namespace sinter::test {

/// Parses a module and holds its first step. Errors fail the test.
class ParsedStep {
public:
  explicit ParsedStep(const std::string &text) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    INFO(text);
    REQUIRE(module);
    step = *module->getOps<train::StepOp>().begin();
  }

  void run(std::unique_ptr<mlir::Pass> pass) {
    mlir::PassManager manager(&context);
    manager.nest<train::StepOp>().addPass(std::move(pass));
    REQUIRE(mlir::succeeded(manager.run(*module)));
  }

  /// One tensor an argument, zeroed, with the argument's type.
  std::vector<reference::Tensor> arguments() {
    std::vector<reference::Tensor> tensors;
    for (mlir::Type type : step.getArgumentTypes())
      tensors.emplace_back(type);
    return tensors;
  }

  reference::Outcome evaluate(const std::vector<reference::Tensor> &arguments,
                              reference::Precision precision = reference::Precision::Double) {
    reference::Evaluator evaluator(precision);
    auto outcome = evaluator.run(step, arguments);
    REQUIRE(mlir::succeeded(outcome));
    return *outcome;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  train::StepOp step;
};

} // namespace sinter::test
