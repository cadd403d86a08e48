//===- StoredCases.h - what PyTorch computed for single operations ------------------------------===//
// Reads pytorch/ops.json and writes each case as a training step of the train dialect, so that any
// way of running a step can be compared with PyTorch.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sinter::numerics {

/// Row-major; axis 0 of an activation is the batch. Labels are numbers too.
struct Values {
  std::vector<int64_t> shape;
  std::vector<double> values;

  int64_t elements() const;
  /// Axis i of the result is axis perm[i] of this.
  Values permuted(const std::vector<int64_t> &perm) const;
};

struct Case {
  std::string name, op;
  nlohmann::json attributes;
  std::vector<std::pair<std::string, Values>> inputs; ///< in PyTorch's order and layout
  Values upstream;                                    ///< the gradient of the result
  Values output;
  std::map<std::string, Values> gradients; ///< by input

  const Values &input(const std::string &which) const;
};

/// All cases of pytorch/ops.json whose operation is one step's affair: all but batch_norm.
std::vector<Case> storedCases();

/// A case as a step `@case` whose arguments are the inputs in order, then the upstream gradient. Each input
/// that has a gradient is an owned state, for which the step commits that gradient; the result `y`
/// is the operation's. Tensors lie as the train dialect has them: images as [B, H, W, C],
/// convolution weights as [kh, kw, C, O], dense weights as [in, out].
struct CaseStep {
  explicit CaseStep(const Case &stored);

  std::string text;                        ///< a module
  std::vector<Values> arguments;           ///< inputs in order, then upstream
  std::vector<std::string> gradientInputs; ///< whose gradients are committed, in this order
  std::vector<Values> gradients;           ///< what they should be
  Values result;                           ///< what `y` should be
};

} // namespace sinter::numerics
