//===- PointwiseTests.cpp - scalar bodies against their definitions ---------------------------------===//
#include "runtime/Philox.h"
#include "tests/unit/reference/ParsedStep.h"

#include <cmath>
#include <numbers>

using namespace sinter;
using namespace sinter::test;
using reference::Precision;
using reference::Tensor;

TEST_CASE("train.random draws what the runtime's generator draws") {
  // 5 examples of 150 elements: three blocks of 64, the last one ragged.
  ParsedStep parsed(R"(
    train.step @s kind "eval" (%draw: index {train.clock = "draw"}, %seed: index {train.clock = "seed"},
                               %ids: tensor<5xi32> {train.clock = "ids"}) {
      %rows = train.broadcast %ids to [0] : tensor<5xi32> -> tensor<5x30x5xi32>
      %u = train.random "dropout1" of %rows draw %draw seed %seed : tensor<5x30x5xi32> -> tensor<5x30x5xf32>
      train.commit results ["u"] (%u : tensor<5x30x5xf32>)
    })");
  // Beyond 32 bits: the key has two words, a draw's number wraps.
  const uint64_t seed = 0xFEDCBA9876543210u;
  const int64_t draw = 0x1'0000'0007;
  std::vector<Tensor> arguments = parsed.arguments();
  arguments[0].integers = {draw};
  arguments[1].integers = {static_cast<int64_t>(seed)};
  arguments[2].integers = {0, 1, 59999, 7, 2147483647};
  for (Precision precision : {Precision::Single, Precision::Double}) {
    const Tensor u = parsed.evaluate(arguments, precision).results["u"];
    REQUIRE(u.floats.size() == 750);
    for (size_t row = 0; row < 5; ++row)
      for (uint64_t element = 0; element < 150; ++element) {
        const uint32_t bits =
            runtime::randomBits(seed, runtime::fnv1a("dropout1"), static_cast<uint32_t>(draw),
                                static_cast<uint32_t>(arguments[2].integers[row]), element);
        REQUIRE(u.floats[row * 150 + element] == runtime::uniformFloat(bits));
      }
  }
}

/// The value of a schedule at one step.
static double rate(const std::string &op, int64_t step, int64_t last) {
  ParsedStep parsed(
      R"(train.step @s kind "eval" (%t: index {train.clock = "step"}, %T: index {train.clock = "last"}) {
      %y = train.)" +
      op + R"( : tensor<f32>
      train.commit results ["y"] (%y : tensor<f32>)
    })");
  std::vector<Tensor> arguments = parsed.arguments();
  arguments[0].integers = {step};
  arguments[1].integers = {last};
  return parsed.evaluate(arguments).results["y"].floats[0];
}

TEST_CASE("schedules follow their closed forms") {
  CHECK(rate(R"(rate "constant"(0.1) at %t of %T)", 5, 10) == 0.1);
  CHECK(rate(R"(rate "constant"(0.1) at %t of %T {factor = 0.5})", 5, 10) == 0.05);
  CHECK(rate(R"(rate "linear"(1.0) at %t of %T {to = 0.2 : f64})", 5, 10) == Approx(0.6));
  CHECK(rate(R"(rate "cosine"(1.0) at %t of %T {to = 0.2 : f64})", 0, 10) == Approx(1.0));
  CHECK(rate(R"(rate "cosine"(1.0) at %t of %T {to = 0.2 : f64})", 5, 10) == Approx(0.6));
  CHECK(rate(R"(rate "cosine"(1.0) at %t of %T)", 3, 9) ==
        Approx((1 + std::cos(std::numbers::pi / 3)) / 2));
  CHECK(rate(R"(rate "exponential"(2.0) at %t of %T {by = 0.5 : f64})", 3, 10) == Approx(0.25));
  CHECK(rate(R"(rate "step"(2.0) at %t of %T {by = 0.5 : f64, every = 4 : i64})", 3, 10) == 2);
  CHECK(rate(R"(rate "step"(2.0) at %t of %T {by = 0.5 : f64, every = 4 : i64})", 8, 10) == 0.5);
  // Warm-up: (t + 1) / warmup of the value, and then the schedule from its beginning.
  CHECK(rate(R"(rate "linear"(1.0) at %t of %T {warmup = 4 : i64})", 0, 12) == Approx(0.25));
  CHECK(rate(R"(rate "linear"(1.0) at %t of %T {warmup = 4 : i64})", 3, 12) == Approx(1));
  CHECK(rate(R"(rate "linear"(1.0) at %t of %T {warmup = 4 : i64})", 8, 12) == Approx(0.5));
  CHECK(rate(R"(bias_correction 0.9 at %t)", 0, 10) == Approx(0.1));
  CHECK(rate(R"(bias_correction 0.999 at %t)", 999, 10) == Approx(1 - std::pow(0.999, 1000)));
}

namespace {
/// Runs an update on one element; `operands` and `results` are letters, each a tensor<1xf32>.
std::vector<double> update(const std::string &op, const std::vector<double> &values, int results) {
  std::string arguments, returned, types, names;
  for (size_t i = 0; i < values.size(); ++i)
    arguments += std::string(i ? ", " : "") + "%a" + std::to_string(i) +
                 ": tensor<1xf32> {train.data = \"a" + std::to_string(i) + "\"}";
  for (int i = 0; i < results; ++i) {
    const std::string comma = i ? ", " : "";
    returned += comma + "%y#" + std::to_string(i);
    types += comma + "tensor<1xf32>";
    names += comma + "\"y" + std::to_string(i) + "\"";
  }
  ParsedStep parsed("train.step @s kind \"eval\" (" + arguments + ") {\n" +
                    "%rate = train.constant dense<0.125> : tensor<f32>\n"
                    "%c1 = train.constant dense<0.5> : tensor<f32>\n"
                    "%c2 = train.constant dense<0.25> : tensor<f32>\n"
                    "%y:" +
                    std::to_string(results) + " = train." + op + " -> (" + types + ")\n" +
                    "train.commit results [" + names + "] (" + returned + " : " + types + ")\n}");
  std::vector<Tensor> tensors = parsed.arguments();
  for (size_t i = 0; i < values.size(); ++i)
    tensors[i].floats = {values[i]};
  auto outcome = parsed.evaluate(tensors);
  std::vector<double> found;
  for (int i = 0; i < results; ++i)
    found.push_back(outcome.results["y" + std::to_string(i)].floats[0]);
  return found;
}
} // namespace

// All constants are exact in f32, so that f64 gives the closed forms.
TEST_CASE("sgd follows PyTorch's formula") {
  const double w = 0.7, g = -0.3, m = 0.4, lr = 0.125;
  const std::string t = "tensor<1xf32>", plain = " : (" + t + ", " + t + ", tensor<f32>)",
                    full = " : (" + t + ", " + t + ", " + t + ", tensor<f32>)";
  CHECK(update("sgd %a0, %a1 rate %rate" + plain, {w, g}, 1)[0] == Approx(w - lr * g));
  CHECK(update("sgd %a0, %a1 rate %rate {weight_decay = 0.25}" + plain, {w, g}, 1)[0] ==
        Approx(w - lr * (g + 0.25 * w)));
  const double m1 = 0.5 * m + g + 0.25 * w;
  const auto heavy = update(
      "sgd %a0, %a1, %a2 rate %rate {momentum = 0.5, weight_decay = 0.25}" + full, {w, g, m}, 2);
  CHECK(heavy[0] == Approx(w - lr * m1));
  CHECK(heavy[1] == Approx(m1));
  const auto nesterov =
      update("sgd %a0, %a1, %a2 rate %rate {momentum = 0.5, weight_decay = 0.25, nesterov}" + full,
             {w, g, m}, 2);
  CHECK(nesterov[0] == Approx(w - lr * (g + 0.25 * w + 0.5 * m1)));
  CHECK(nesterov[1] == Approx(m1));
}

TEST_CASE("adam and adamw follow PyTorch's formulas") {
  const double w = 0.7, g = -0.3, m = 0.4, v = 0.2, lr = 0.125, c1 = 0.5, c2 = 0.25;
  const std::string t = "tensor<1xf32>", types = " : (" + t + ", " + t + ", " + t + ", " + t +
                                                 ", tensor<f32>, tensor<f32>, tensor<f32>)";
  const std::string betas = "beta1 = 0.75, beta2 = 0.5, eps = 0.0625";
  auto expected = [&](double weight, double gradient) {
    const double m1 = 0.75 * m + 0.25 * gradient, v1 = 0.5 * v + 0.5 * gradient * gradient;
    return std::vector<double>{weight - lr / c1 * m1 / (std::sqrt(v1) / std::sqrt(c2) + 0.0625), m1,
                               v1};
  };
  auto check = [&](const std::string &attributes, const std::vector<double> &wanted) {
    const auto found = update("adam %a0, %a1, %a2, %a3 rate %rate corrections %c1, %c2 {" + betas +
                                  attributes + "}" + types,
                              {w, g, m, v}, 3);
    for (size_t i = 0; i < 3; ++i)
      CHECK(found[i] == Approx(wanted[i]));
  };
  check("", expected(w, g));
  check(", weight_decay = 0.25", expected(w, g + 0.25 * w));
  check(", weight_decay = 0.25, decoupled", expected(w * (1 - lr * 0.25), g));
}

/// One op of one operand, at single points.
static double at(const std::string &op, double x, Precision precision = Precision::Double) {
  ParsedStep parsed(
      "train.step @s kind \"eval\" (%x: tensor<1xf32> {train.data = \"x\"}) {\n%y = train." + op +
      " : tensor<1xf32>\ntrain.commit results [\"y\"] (%y : tensor<1xf32>)\n}");
  std::vector<Tensor> arguments = parsed.arguments();
  arguments[0].floats = {x};
  return parsed.evaluate(arguments, precision).results["y"].floats[0];
}

TEST_CASE("activations follow their definitions, far out as well") {
  CHECK(at("relu %x", -3) == 0);
  CHECK(at("relu %x", 3) == 3);
  CHECK(std::isnan(at("relu %x", NAN)));
  CHECK(at("sigmoid %x", 2) == Approx(1 / (1 + std::exp(-2.))));
  CHECK(at("sigmoid %x", -800, Precision::Single) == 0);
  CHECK(at("softplus %x", 800, Precision::Single) == 800);
  CHECK(at("softplus %x", -2) == Approx(std::log1p(std::exp(-2.))));
  CHECK(at("silu %x", -2) == Approx(-2 / (1 + std::exp(2.))));
  CHECK(at("elu %x {alpha = 0.5 : f64}", -1) == Approx(0.5 * std::expm1(-1.)));
  CHECK(at("leaky_relu %x {slope = 0.25 : f64}", -1) == -0.25);
  CHECK(at("gelu %x", 1) == Approx(0.8413447461));
  CHECK(at("gelu %x {approximate}", 1) == Approx(0.8411919906));
  CHECK(at("sign %x", -0.5) == -1);
  CHECK(at("sign %x", 0) == 0);
}
