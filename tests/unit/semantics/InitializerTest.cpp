#include "tests/unit/semantics/Spec.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace sinter;
using semantics::Initializer;
using tests::around;
using tests::Spec;

static Initializer initializerOf(const std::string &written) {
  Spec spec(around("model Net(x: f32[4, 6, 6]) -> f32[10] {"
                   " x |> conv2d(8, kernel: 3, init: " +
                       written + ") |> flatten |> dense(10) }",
                   "f32[4, 6, 6]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  return spec.parameter("conv2d1.weight").initializer;
}

// A weight [8, 4, 3, 3]: fan_in 36, fan_out 72.
TEST_CASE("initializers come to the numbers of their definitions") {
  CHECK(initializerOf("xavier_uniform").b == Approx(std::sqrt(6.0 / 108)));
  CHECK(initializerOf("xavier_uniform").a == Approx(-std::sqrt(6.0 / 108)));
  CHECK(initializerOf("xavier_normal(gain: 2)").b == Approx(2 * std::sqrt(2.0 / 108)));
  CHECK(initializerOf("he_uniform").b == Approx(std::sqrt(2.0) * std::sqrt(3.0 / 36)));
  CHECK(initializerOf("he_normal").b == Approx(std::sqrt(2.0 / 36)));
  CHECK(initializerOf("he_normal(fan: out)").b == Approx(std::sqrt(2.0 / 72)));
  CHECK(initializerOf("he_normal(fan: average, gain: 1)").b == Approx(std::sqrt(1.0 / 54)));
  CHECK(initializerOf("lecun_normal").b == Approx(std::sqrt(1.0 / 36)));
  CHECK(initializerOf("lecun_uniform").b == Approx(std::sqrt(3.0 / 36)));
  CHECK(initializerOf("constant(0.5)").a == 0.5);
  CHECK(initializerOf("truncated_normal(0, 0.02)").kind == Initializer::Kind::TruncatedNormal);
  CHECK(initializerOf("uniform(-1, 2)").a == -1);
  CHECK(initializerOf("orthogonal(gain: 3)").a == 3);
  CHECK(initializerOf("identity").kind == Initializer::Kind::Identity);
}

TEST_CASE("a model may take an initializer as a parameter") {
  auto headOf = [](const std::string &models) {
    Spec spec(around(models + "\nmodel Net(x: f32[8]) -> f32[10] { x |> Head[constant(3)] as h }",
                     "f32[8]"));
    INFO(spec.said);
    REQUIRE(spec.program);
    return spec.parameter("h.w.weight").initializer;
  };
  const std::string body = "(x: f32[8]) -> f32[10] { x |> dense(10, init: start) as w }";
  CHECK(headOf("model Head[start]" + body).a == 3);
  CHECK(headOf("model Head[start = zeros]" + body).a == 3);
  CHECK(headOf("model Head[given](x: f32[8]) -> f32[10] { x |> Inner[given] as w }\n"
               "model Inner[start](x: f32[8]) -> f32[10] { "
               "param weight: f32[10, 8] = start; x |> dense(10, weight: weight) as d }")
            .a == 3);
}

TEST_CASE("in its own default a parameter's name means what it meant before") {
  Spec spec(around("model Net[relu = relu, ones = ones](x: f32[8]) -> f32[10] "
                   "{ x |> dense(10, init: ones) as w |> relu }",
                   "f32[8]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.parameter("w.weight").initializer.a == 1);
}

TEST_CASE("left out, the initializer follows from the first activations") {
  auto chosen = [](const std::string &rest) {
    Spec spec(around("model Net(x: f32[8]) -> f32[10] { x |> dense(10) as w |> " + rest + " }",
                     "f32[8]"));
    INFO(spec.said);
    REQUIRE(spec.program);
    return spec.parameter("w.weight").initializer.name;
  };
  CHECK(chosen("relu") == "he_normal");
  CHECK(chosen("batch_norm |> dropout(0.2) |> silu") == "he_normal");
  CHECK(chosen("tanh |> dense(10) |> relu") == "xavier_uniform");
  CHECK(chosen("dense(10) |> gelu") == "he_normal");
  CHECK(chosen("sigmoid") == "xavier_uniform");
  CHECK(chosen("dense(10)") == "xavier_uniform");
}

TEST_CASE("what a model's result goes through outside counts too") {
  Spec spec("data d { x: f32[8]; y: f32[8]; train { x = idx(\"x\"); y = idx(\"y\") } }\n"
            "model Net(x: f32[8]) -> f32[8] { x |> dense(8) as w }\n"
            "train Net on d { objective mse(relu(Net(x)), y); optimize sgd(lr: 0.1); batch 2; "
            "epochs 1 }");
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.parameter("w.weight").initializer.name == "he_normal");
}

TEST_CASE("a tied weight goes by its first use") {
  Spec spec(
      around("model Net(x: f32[8]) -> f32[10] {"
             " param W: f32[8, 8] = he_normal\n"
             " x |> dense(8, weight: W) as a |> relu |> dense(8, weight: transpose(W)) as b |> tanh"
             " |> dense(8) as c |> tanh |> dense(8, weight: c.weight) as d |> relu |> dense(10) }",
             "f32[8]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.engine.warningCount() == 0);
  CHECK(spec.parameter("c.weight").initializer.name == "xavier_uniform");
}

TEST_CASE("what the theory advises against is a warning, and only that") {
  auto warnings = [](const std::string &layer, const std::string &rest) {
    Spec spec(around("model Net(x: f32[8]) -> f32[10] { x |> dense(10, init: " + layer + ") |> " +
                         rest + " |> dense(10) }",
                     "f32[8]"));
    REQUIRE(spec.program);
    return spec.engine.warningCount();
  };
  CHECK(warnings("he_normal", "tanh") == 1);
  CHECK(warnings("xavier_uniform", "relu") == 1);
  CHECK(warnings("zeros", "relu") == 1);
  CHECK(warnings("he_normal", "relu") == 0);
  CHECK(warnings("xavier_normal", "tanh") == 0);
  CHECK(warnings("normal(0, 0.01)", "relu") == 0);
}
