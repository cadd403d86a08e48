//===- KernelCases.h - small steps whose compiled kernels are compared with the evaluator -----------===//
#pragma once

#include "runtime/Abi.h"
#include "tests/numerics/gradients/Cases.h"
#include <map>

namespace sinter::test {

/// An op under test, at sizes that leave rests of vectors, of register blocks and of threads' shares.
struct KernelCase {
  std::string op;            ///< without its dialect
  std::vector<Input> inputs; ///< f32, i32 or i8
  /// May use the inputs, %count, %step, %last, %seed and %draw, and %ids where there are any.
  std::string body;
  std::vector<std::pair<std::string, std::string>> outputs; ///< f32 values of the body: name, type
  /// How far from the evaluator, as a share of the largest value. 0: the same number, rounded to f32.
  double tolerance = 0;
  std::vector<runtime::Clock> clocks = {{0, 1, 1, 0, 0}}; ///< it runs once with each
  int64_t ids = 0;                                        ///< rows, where the body uses %ids
  std::map<std::string, std::vector<double>> exact = {};  ///< inputs that are not drawn, by name
};

/// At least one for every op that may stand in a differentiated step; those of gradientCases() among them.
std::vector<KernelCase> kernelCases();

/// The module of a case: a step @test whose inputs are states to read (f32) or fields (others). Output y is committed to
/// the state @y.out.
std::string moduleText(const KernelCase &test);

} // namespace sinter::test
