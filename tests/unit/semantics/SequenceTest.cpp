#include "tests/unit/semantics/Spec.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

using namespace sinter;
using tests::around;
using tests::Spec;

namespace {

const std::string blocks = "model Block[heads](x: f32[T, D]) -> f32[T, D] {\n"
                           "  x + (x |> attention(heads, causal: true) as attention)\n}\n";
const std::string net = blocks + "model Net(x: class[7][6]) -> f32[10] {\n"
                                 "  x |> embedding(9, 4) as embed |> stack(2, Block[2]) as blocks\n"
                                 "    |> mean(axis: 0) |> dense(10)\n}";

} // namespace

TEST_CASE("an attention is four dense layers of its own names, an embedding a table") {
  Spec spec(around(
      "model Net(x: class[7][6]) -> f32[10] {\n"
      "  let m = x |> embedding(9, 3) as memory\n"
      "  x |> embedding(9, 4) as embed |> position_embedding\n"
      "    |> attention(2, over: m, bias: false) |> mean(axis: 0) |> dense(10, bias: false)\n}",
      "class[7][6]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.shapes() == "memory.weight: f32[9, 3]; embed.weight: f32[9, 4]; "
                         "position_embedding1.weight: f32[6, 4]; "
                         "attention1.query.weight: f32[4, 4]; attention1.key.weight: f32[4, 3]; "
                         "attention1.value.weight: f32[4, 3]; attention1.output.weight: f32[4, 4]; "
                         "dense1.weight: f32[10, 4]");
  CHECK(spec.parameter("embed.weight").role == semantics::Role::Embedding);
  CHECK(spec.parameter("embed.weight").initializer.b == 1);
  CHECK(spec.parameter("position_embedding1.weight").initializer.b == 0.02);
}

TEST_CASE("parts of an attention are selected as layers and as parameters") {
  Spec spec(around(net, "class[7][6]",
                   "freeze blocks.*.attention.query.weight\nfreeze blocks.1.attention.output\n"
                   "optimize adam(lr: 1e-3); epochs 1"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.stage().frozen == std::set<std::string>{"blocks.0.attention.query.weight",
                                                     "blocks.1.attention.query.weight",
                                                     "blocks.1.attention.output.weight",
                                                     "blocks.1.attention.output.bias"});
  // One part at rest does not stop the whole.
  CHECK(spec.stage().frozenLayers.count("blocks.1.attention") == 0);
}

TEST_CASE("init, bias_init and regularize of an attention go to all its parts") {
  Spec spec(
      around("model Net(x: f32[6, 4]) -> f32[10] {\n"
             "  x |> attention(2, init: normal(0, 0.5), bias_init: ones, regularize: l2(0.1))\n"
             "    |> mean(axis: 0) |> dense(10)\n}",
             "f32[6, 4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  std::vector<std::string> regularized;
  for (const semantics::Regularizer &each : spec.stage().regularizers)
    regularized.insert(regularized.end(), each.parameters.begin(), each.parameters.end());
  CHECK(regularized.size() == 4);
  for (const char *part : {"query", "key", "value", "output"}) {
    const std::string path = std::string("attention1.") + part;
    CHECK(spec.parameter(path + ".weight").initializer.b == 0.5);
    CHECK(spec.parameter(path + ".bias").initializer.a == 1);
    CHECK(std::count(regularized.begin(), regularized.end(), path + ".weight") == 1);
  }
}

TEST_CASE("queries and keys end in a softmax, values go on to what follows") {
  Spec spec(around("model Net(x: f32[6, 4]) -> f32[10] {\n"
                   "  x |> attention(2) |> relu |> mean(axis: 0) |> dense(10)\n}",
                   "f32[6, 4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.parameter("attention1.query.weight").initializer.name == "xavier_uniform");
  CHECK(spec.parameter("attention1.key.weight").initializer.name == "xavier_uniform");
  CHECK(spec.parameter("attention1.value.weight").initializer.name == "he_normal");
  CHECK(spec.parameter("attention1.output.weight").initializer.name == "he_normal");
}

TEST_CASE("an i32 field that is tokens has the range of its table, seen through views and nets") {
  Spec spec(
      around("model Net(x: i32[6]) -> f32[10] {\n"
             "  let a = reshape(x, 2, 3) |> embedding(12, 4) |> mean(axis: [0, 1])\n"
             "  let b = slice(x, axis: 0, from: 0, to: 2) |> embedding(9, 4) |> mean(axis: 0)\n"
             "  a + b |> dense(10)\n}",
             "i32[6]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.program->datas.front().fields.front().labels == 9);
}
