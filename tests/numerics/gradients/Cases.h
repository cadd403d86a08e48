//===- Cases.h - small steps whose gradients are compared with finite differences -------------------===//
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sinter::test {

/// What an input's elements are drawn from.
enum class Values {
  Wide,     ///< -1.2 … 1.2
  Apart,    ///< the same, but at least 0.2 from 0: no kink is crossed
  Positive, ///< 0.3 … 1.5
  Small,    ///< -0.3 … 0.3
  Whole     ///< 0, 1, … limit-1
};

struct Input {
  std::string name, type;
  Values values = Values::Wide;
  int64_t limit = 0;
};

/// An op under test: `body` computes %y of `type` from the inputs. Float inputs are differentiated; the loss is Σ y · r
/// with random r.
struct Case {
  std::string op;
  std::vector<Input> inputs;
  std::string body;
  std::string type;
  int64_t count = 1; ///< the clock's; body may use %count
};

/// At least one for every differentiable op.
std::vector<Case> gradientCases();

} // namespace sinter::test
