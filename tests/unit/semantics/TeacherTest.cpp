#include "tests/unit/semantics/Spec.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace sinter;
using tests::around;
using tests::Spec;

static const char *const models = "model Net(x: f32[4]) -> f32[10] {\n"
                                  "  x |> dense(6) as enc |> batch_norm as bn |> relu |> "
                                  "dropout(0.5) as drop |> dense(10) as head\n}\n"
                                  "model Wide(x: f32[4]) {\n  { logits: x |> dense(6) as enc |> "
                                  "batch_norm as bn |> relu |> dense(10) as head }\n}";

static Spec with(const std::string &lines) {
  return Spec(around(models, "f32[4]", "optimize sgd(lr: 1); steps 1\n" + lines));
}

static size_t calls(const Spec &spec, const std::string &net) {
  const auto &operations = spec.stage().graph.operations;
  return static_cast<size_t>(
      std::count_if(operations.begin(), operations.end(), [&](const auto &op) {
        return op.kind == "call" && std::get<std::string>(op.attributes.at("net")) == net;
      }));
}

TEST_CASE("a teacher has names of its own, is loaded whole, and is in inference mode") {
  Spec spec = with(
      "teacher Big = Wide from \"w.safetensors\" (strip: \"net.\")\nreport mse(Big.logits, Net)");
  INFO(spec.said);
  REQUIRE(spec.program);
  REQUIRE(spec.train().teachers.size() == 1);
  const semantics::Teacher &teacher = spec.train().teachers[0];
  CHECK(teacher.name == "Big");
  CHECK(teacher.parameters.size() == 8);
  CHECK(teacher.parameters[0].name == "Big:enc.weight");
  CHECK(spec.train().parameter("Big:enc.weight") == nullptr);
  REQUIRE(spec.train().loads.size() == 1);
  CHECK(spec.train().loads[0].prefix == "Big:");
  CHECK(spec.train().loads[0].rules.parameters.size() == 8);
  CHECK(spec.train().loads[0].rules.parameters[0] == "enc.weight");
  CHECK(spec.stage().frozenLayers.count("Big:bn") == 1);
  CHECK(spec.stage().frozenLayers.count("bn") == 0);
  CHECK(spec.stage().frozen.count("Big:head.weight") == 1);
}

TEST_CASE("the value of a model on one batch is one call, in however many ways it is written") {
  Spec spec = with(
      "teacher Big = Wide from \"w.safetensors\"\n"
      "let soft = softmax(Big.logits)\n"
      "report mse(Big(x).logits, Net)\nreport mse(soft, x |> Net)\n"
      "report mse(Big(x * 2).logits, Net(x * 2))\nreport mse(Big(x * 2).logits, Net(x * 2 + 0))\n");
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(calls(spec, "Big:Wide") == 2);
  CHECK(calls(spec, "Net") == 3);
}

TEST_CASE("what is shared outside the stages is one parameter of both names") {
  Spec spec = with("teacher Big = Wide from \"w.safetensors\"\nreport mse(Big.logits, Net)\n"
                   "share {enc, bn} with Big");
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.parameter("enc.weight").aliases.at(0).name == "Big:enc.weight");
  CHECK(spec.train().teachers[0].parameters.size() == 2);
  CHECK(spec.stage().frozen.count("enc.weight") == 1);
  CHECK(spec.stage().frozen.count("bn.running_mean") == 1);
  CHECK(spec.stage().frozenLayers.count("bn") == 1);
  CHECK(spec.stage().frozen.count("head.weight") == 0);
  for (const semantics::Net &net : spec.train().nets)
    for (const semantics::Operation &op : net.graph.operations)
      if (op.kind == "read")
        CHECK(std::get<std::string>(op.attributes.at("parameter")) != "Big:enc.weight");
}

TEST_CASE("names below what two paths begin with are what they have in common") {
  auto copied = [](const std::string &share) {
    Spec spec =
        with("teacher Big = Wide from \"w.safetensors\"\nreport mse(Big.logits, Net)\n" + share);
    INFO(spec.said);
    REQUIRE(spec.program);
    REQUIRE(spec.stage().copies.size() == 1);
    std::string text;
    for (size_t i = 0; i < spec.stage().copies[0].to.size(); ++i)
      text += spec.stage().copies[0].to[i] + "=" + spec.stage().copies[0].from[i] + " ";
    return text;
  };
  CHECK(copied("share copy enc with Big.enc") ==
        "enc.weight=Big:enc.weight enc.bias=Big:enc.bias ");
  CHECK(copied("share copy enc.bias with Big.enc.bias") == "enc.bias=Big:enc.bias ");
  CHECK(copied("share copy *.weights with Big.*.weights") ==
        "enc.weight=Big:enc.weight head.weight=Big:head.weight ");
  CHECK(copied("share copy enc.** with Big.enc") ==
        "enc.weight=Big:enc.weight enc.bias=Big:enc.bias ");
  CHECK(copied("share copy bn.bias with Big.enc.bias") == "bn.bias=Big:enc.bias ");
}

TEST_CASE("an average has all that the trained model has, and follows in each stage") {
  Spec spec =
      with("teacher Mean = ema(Net, decay: 0.9, every: 5)\nreport accuracy(Mean(x), label)");
  INFO(spec.said);
  REQUIRE(spec.program);
  const semantics::Teacher &teacher = spec.train().teachers[0];
  CHECK(teacher.parameters.size() == spec.train().parameters.size());
  for (const semantics::Parameter &each : teacher.parameters)
    CHECK("Mean:" + each.averageOf == each.name);
  REQUIRE(spec.stage().averages.size() == 1);
  CHECK(spec.stage().averages[0].decay == 0.9);
  CHECK(spec.stage().averages[0].every == 5);
  CHECK(spec.train().loads.empty());
}
