//===- Evaluator.h - one step of the train dialect, op by op, slow and obvious ---------------------===//
// The oracle for kernels and for derivatives. In double precision nothing is rounded to f32; in single precision the
// result of every operation is.
#pragma once

#include "compiler/reference/ScalarProgram.h"
#include "compiler/reference/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <functional>
#include <optional>

namespace sinter::reference {

/// What a step leaves: by the names in its commit.
struct Outcome {
  llvm::StringMap<Tensor> states, outputs, results;
};

class Evaluator {
public:
  explicit Evaluator(Precision precision) : precision(precision) {}

  /// Runs the step on one tensor an argument (clocks are scalars of integers). Fails, with an error at the op, on an op
  /// that has no meaning here, such as a train.gradient that is left.
  mlir::FailureOr<Outcome> run(train::StepOp step, llvm::ArrayRef<Tensor> arguments);

  /// Runs one op. results come zeroed, with their types' shapes.
  mlir::LogicalResult run(mlir::Operation *op, llvm::ArrayRef<const Tensor *> operands,
                          llvm::MutableArrayRef<Tensor> results);

  /// Is shown the results of every op as it has run.
  std::function<void(mlir::Operation *op, llvm::ArrayRef<Tensor> results)> observe;

  const Precision precision;

  /// x as this precision holds it.
  double round(double x) const {
    return precision == Precision::Single ? static_cast<double>(static_cast<float>(x)) : x;
  }

private:
  mlir::LogicalResult runPointwise(train::Pointwise op, llvm::ArrayRef<const Tensor *> operands,
                                   llvm::MutableArrayRef<Tensor> results);
  mlir::LogicalResult runScan(train::ScanOp op, llvm::ArrayRef<const Tensor *> operands,
                              llvm::MutableArrayRef<Tensor> results);
  void runContraction(train::Contraction op, llvm::ArrayRef<const Tensor *> operands,
                      Tensor &result) const;

  /// Bodies, built once an op; an op must outlive the evaluator.
  llvm::DenseMap<mlir::Operation *, ScalarProgram> programs;
};

/// How the ops that are neither pointwise nor contractions nor one map run; null for an op that is not among them.
using Rule = void (*)(const Evaluator &evaluator, mlir::Operation *op,
                      llvm::ArrayRef<const Tensor *> operands,
                      llvm::MutableArrayRef<Tensor> results);
Rule ruleFor(mlir::Operation *op);

} // namespace sinter::reference
