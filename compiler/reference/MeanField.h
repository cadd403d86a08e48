//===- MeanField.h - what theory expects of signals and gradients at initialisation ---------------------===//
// Mean-field theory (Schoenholz, Gilmer, Ganguli and Sohl-Dickstein, "Deep Information Propagation", 2017) over one step, op by op: the
// elements of a value are taken as independent draws of one distribution. Sums of many terms are normal; a pointwise function of one
// such value keeps its exact distribution, by quadrature; what joins two is taken as a function of independent values. Gradients are
// independent of the signals that they meet.
#pragma once

#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sinter::reference {

/// What one batch showed of a value: moments over all its elements, and some of them.
struct Sample {
  double mean = 0, square = 0;
  std::vector<double> some;
};

class MeanField {
public:
  /// `measured` begins the theory where it has nothing to say: at data, at random draws, and behind an op that it does not know.
  /// `measuredGradient` is the mean square there, for the way back; it may be empty.
  using Measured = std::function<const Sample *(mlir::Value)>;
  using MeasuredGradient = std::function<std::optional<double>(mlir::Value)>;
  MeanField(Measured measured, MeasuredGradient measuredGradient)
      : measured(std::move(measured)), measuredGradient(std::move(measuredGradient)) {}

  /// A parameter as its initializer makes it.
  void begin(mlir::Value value, double mean, double variance) {
    field(value, normal(mean, variance));
  }

  /// Forward through these ops, then back from `loss`.
  void run(llvm::ArrayRef<mlir::Operation *> ops, mlir::Value loss);

  std::optional<double> signal(mlir::Value value) const;   ///< the standard deviation
  std::optional<double> gradient(mlir::Value value) const; ///< the root of the mean square
  /// The names of ops that the theory does not know, in the order they were met.
  const std::vector<std::string> &unknown() const { return unknownOps; }

private:
  /// A random number that values depend on: points with weights that sum to 1.
  struct Root {
    std::vector<double> points, weights;
    double gradient = 0; ///< the mean square that has come back so far
  };
  /// A value as a function of its root: values and derivatives at the root's points.
  struct Field {
    size_t root = 0;
    std::vector<double> at, slope;
    double repeat = 1; ///< how often each element of the root stands in the value
  };

  size_t normal(double mean, double variance);
  size_t positive(double mean, double variance);
  size_t spread(std::vector<double> points, std::vector<double> weights);
  void field(mlir::Value value, size_t root);
  const Field &of(mlir::Value value);
  bool isConstant(const Field &field) const;
  double mean(const Field &field) const;
  double square(const Field &field) const;
  double variance(const Field &field) const;
  double slopeSquare(const Field &field) const;

  void forward(mlir::Operation *op);
  void pointwise(train::Pointwise op);
  void contraction(train::Contraction op);
  void softmax(mlir::Operation *op, mlir::Value x, bool logarithm);
  void crossEntropy(train::CrossEntropyOp op);
  size_t largest(const Field &field, int64_t count);
  void asMeasured(mlir::Operation *op);
  void backward(mlir::Operation *op);
  void push(mlir::Value to, double square);

  /// How much of a result's mean square goes back to an operand, for a result that is a root of its own.
  void passes(mlir::Value result, mlir::Value operand, double factor) {
    factors[result].emplace_back(operand, factor);
  }

  Measured measured;
  MeasuredGradient measuredGradient;
  std::vector<Root> roots;
  llvm::DenseMap<mlir::Value, Field> fields;
  llvm::DenseMap<mlir::Value, bool> isRoot; ///< whether a value began a root
  llvm::DenseMap<mlir::Value, double>
      gradients; ///< of values that are functions of an earlier root
  llvm::DenseMap<mlir::Value, std::vector<std::pair<mlir::Value, double>>> factors;
  std::vector<std::string> unknownOps;
};

} // namespace sinter::reference
