//===- EvaluatorTests.cpp - the oracle against numbers worked out by hand ---------------------------===//
#include "tests/unit/reference/ParsedStep.h"

#include <cmath>

using namespace sinter;
using namespace sinter::test;
using reference::Precision;
using reference::Tensor;

namespace {
/// A step whose arguments are data and a count, and whose results y, z, … are whatever `body` names.
struct Run {
  Run(const std::string &arguments, const std::string &body, const std::string &results,
      const std::string &types)
      : parsed("train.step @s kind \"eval\" (%count: index {train.clock = \"count\"}" + arguments +
               ") {\n" + body + "\ntrain.commit results [\"y\"] (" + results + " : " + types +
               ")\n}") {
    tensors = parsed.arguments();
  }
  Tensor operator()(Precision precision = Precision::Double) {
    return parsed.evaluate(tensors, precision).results["y"];
  }
  ParsedStep parsed;
  std::vector<Tensor> tensors;
};
} // namespace

TEST_CASE("a convolution's padding is absent, not a value") {
  Run run(", %x: tensor<2x2x3x1xf32> {train.data = \"x\"}, %w: tensor<2x2x1x1xf32> {train.data = "
          "\"w\"}",
          "%y = train.conv2d %x, %w {strides = array<i64: 1, 2>, padding = array<i64: 1, 0, 0, 1>, "
          "dilations = array<i64: 1, 1>} : (tensor<2x2x3x1xf32>, tensor<2x2x1x1xf32>) -> "
          "tensor<2x2x2x1xf32>",
          "%y", "tensor<2x2x2x1xf32>");
  run.tensors[1].floats = {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1};
  run.tensors[2].floats = {1, 10, 100, 1000};
  // Rows -1 and 0, then 0 and 1; columns 0 and 1, then 2 and outside.
  CHECK(run().floats == std::vector<double>{2100, 300, 5421, 603, 0, 0, 0, 100});
}

TEST_CASE("sums over examples take the rows that are there") {
  Run mean(", %x: tensor<3x2xf32> {train.data = \"x\"}",
           "%y = train.batch_mean %x of %count : tensor<3x2xf32> -> tensor<2xf32>", "%y",
           "tensor<2xf32>");
  mean.tensors[1].floats = {1, 2, 3, 6, 100, 200};
  mean.tensors[0].integers = {2};
  CHECK(mean().floats == std::vector<double>{2, 4});

  Run variance(
      ", %x: tensor<3x2x1xf32> {train.data = \"x\"}",
      "%m, %y = train.moments %x of %count : tensor<3x2x1xf32> -> tensor<1xf32>, tensor<1xf32>",
      "%y", "tensor<1xf32>");
  variance.tensors[1].floats = {1, 2, 3, 6, 100, 200};
  variance.tensors[0].integers = {2};
  CHECK(variance().floats[0] == Approx(3.5));
}

TEST_CASE("pools know the first maximum, and padding that counts") {
  const std::string attributes =
      "{size = array<i64: 2, 2>, strides = array<i64: 1, 1>, padding = array<i64: 0, 1, 0, 0>}";
  Run index(", %x: tensor<1x2x2x1xf32> {train.data = \"x\"}",
            "%m, %y = train.max_pool2d %x " + attributes +
                " : (tensor<1x2x2x1xf32>) -> (tensor<1x1x2x1xf32>, tensor<1x1x2x1xi8>)",
            "%y", "tensor<1x1x2x1xi8>");
  index.tensors[1].floats = {-5, 7, -5, 7};
  CHECK(index().integers == std::vector<int64_t>{1, 1}); // never the padding, the first of equals
  Run mean(", %x: tensor<1x2x2x1xf32> {train.data = \"x\"}",
           "%y = train.avg_pool2d %x " + attributes +
               " : (tensor<1x2x2x1xf32>) -> tensor<1x1x2x1xf32>",
           "%y", "tensor<1x1x2x1xf32>");
  mean.tensors[1].floats = {-5, 7, -5, 7};
  CHECK(mean().floats == std::vector<double>{-2.5, 1});
}

TEST_CASE("cross entropy neither overflows nor loses its smoothing") {
  Run run(", %x: tensor<2x3xf32> {train.data = \"x\"}, %t: tensor<2xi32> {train.data = \"t\"}",
          "%y = train.cross_entropy %x, %t {smoothing = 0.3 : f64} : tensor<2x3xf32>, "
          "tensor<2xi32> -> tensor<2xf32>",
          "%y", "tensor<2xf32>");
  run.tensors[1].floats = {1000, 0, 0, 1, 2, 3};
  run.tensors[2].integers = {0, 2};
  const Tensor e = run();
  CHECK(e.floats[0] == Approx(200)); // a tenth each for the two that are 1000 below
  const double logSum = std::log(std::exp(-2.) + std::exp(-1.) + 1);
  CHECK(e.floats[1] == Approx(0.1 * (2 + logSum) + 0.1 * (1 + logSum) + 0.8 * logSum));
}

TEST_CASE("single precision rounds every operation, double none") {
  Run run(", %x: tensor<3xf32> {train.data = \"x\"}",
          "%y = train.sum %x over [0] : tensor<3xf32> -> tensor<f32>", "%y", "tensor<f32>");
  run.tensors[1].floats = {16777216, 1, 1}; // 2^24: the next f32 is two further
  CHECK(run(Precision::Single).floats[0] == 16777216);
  CHECK(run(Precision::Double).floats[0] == 16777218);
}

TEST_CASE("an op without meaning is an error at its place") {
  ParsedStep parsed("train.state @w : tensor<f32> kind \"parameter\" init <constant, 0.0, 0.0>\n"
                    "train.step @s kind \"train\" (%w: tensor<f32> {train.owns = @w}) {\n"
                    "%g = train.gradient %w of %w : tensor<f32>\n"
                    "train.commit states [@w] (%g : tensor<f32>)\n}");
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&parsed.context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  reference::Evaluator evaluator(Precision::Double);
  CHECK(mlir::failed(evaluator.run(parsed.step, parsed.arguments())));
  CHECK(message == "'train.gradient' op has no meaning to the reference evaluator");
}
