#include "tests/unit/semantics/Spec.h"

#include <catch2/catch.hpp>

using namespace sinter;
using tests::around;
using tests::Spec;

static const char *const model =
    "model Net(x: f32[4]) -> f32[10] {\n"
    "  let h = x |> dense(6) as enc |> batch_norm as bn |> relu |> dropout(0.5) as drop\n"
    "  h |> stack(2, dense(6)) as blocks |> relu |> dense(10) as head\n}";

static Spec trained(const std::string &lines) { return Spec(around(model, "f32[4]", lines)); }

static std::set<std::string> frozenBy(const std::string &lines) {
  Spec spec(around(model, "f32[4]", "optimize sgd(lr: 1); steps 1; " + lines));
  INFO(spec.said);
  REQUIRE(spec.program);
  return spec.stage().frozen;
}

TEST_CASE("a selector means what its path says") {
  using Names = std::set<std::string>;
  CHECK(frozenBy("freeze enc") == Names{"enc.weight", "enc.bias"});
  CHECK(frozenBy("freeze blocks.0.**") == Names{"blocks.0.weight", "blocks.0.bias"});
  CHECK(frozenBy("freeze blocks.*.bias") == Names{"blocks.0.bias", "blocks.1.bias"});
  CHECK(frozenBy("freeze blocks.{0, 1}.bias") == Names{"blocks.0.bias", "blocks.1.bias"});
  CHECK(frozenBy("freeze *.bias") == Names{"enc.bias", "bn.bias", "head.bias"});
  CHECK(frozenBy("freeze **.weights except blocks") == Names{"enc.weight", "head.weight"});
  CHECK(frozenBy("freeze **; unfreeze head.weight").size() == 11);
  CHECK(frozenBy("freeze enc; unfreeze **.bias") == Names{"enc.weight"});
}

TEST_CASE("statistics and dropout follow the layer, not one parameter of it") {
  auto layers = [](const std::string &lines) {
    Spec spec(around(model, "f32[4]", "optimize sgd(lr: 1); steps 1; " + lines));
    REQUIRE(spec.program);
    return spec.stage().frozenLayers;
  };
  using Names = std::set<std::string>;
  CHECK(layers("freeze bn.weight").empty());
  CHECK(layers("freeze bn.**") == Names{"bn"});
  CHECK(layers("freeze bn.*") == Names{"bn"});
  CHECK(layers("freeze drop") == Names{"drop"});
}

TEST_CASE("the last optimizer that selects a parameter has it, and rates split a line") {
  Spec spec(around(model, "f32[4]",
                   "optimize sgd(lr: 0.1, momentum: 0.9)\n"
                   "optimize head with adam(lr: cosine(1e-3, warmup: 20 steps, floor: 1e-5))\n"
                   "rate head.bias = 0.5\nrate head.** = 2\nrate head.bias = 3\n"
                   "freeze enc\nsteps 7"));
  INFO(spec.said);
  REQUIRE(spec.program);
  const auto &optimizers = spec.stage().optimizers;
  REQUIRE(optimizers.size() == 3);
  CHECK(optimizers[0].parameters == std::vector<std::string>{"bn.weight", "bn.bias",
                                                             "blocks.0.weight", "blocks.0.bias",
                                                             "blocks.1.weight", "blocks.1.bias"});
  CHECK(std::get<double>(optimizers[0].attributes.at("momentum")) == 0.9);
  CHECK(optimizers[1].parameters == std::vector<std::string>{"head.weight"});
  CHECK(optimizers[1].rateFactor == 2);
  CHECK(optimizers[2].rateFactor == 3);
  CHECK(optimizers[2].rate.kind == semantics::Schedule::Kind::Cosine);
  CHECK(optimizers[2].rate.warmup.value == 20);
  CHECK_FALSE(optimizers[2].rate.warmup.epochs);
  CHECK(optimizers[2].rate.floor == 1e-5);
  CHECK(spec.stage().length.value == 7);
  CHECK_FALSE(spec.stage().length.epochs);
}

TEST_CASE("a stage starts from what stands outside the stages, and its own lines win") {
  Spec spec(around(model, "f32[4]",
                   "batch 16\noptimize sgd(lr: 1)\nfreeze enc\n"
                   "stage a { epochs 1; freeze blocks.1; batch 8 drop last }\n"
                   "stage b { epochs 2; unfreeze enc.bias; optimize adam(lr: 1e-3) }"));
  INFO(spec.said);
  REQUIRE(spec.program);
  REQUIRE(spec.train().stages.size() == 2);
  CHECK(spec.stage(0).batch == 8);
  CHECK(spec.stage(0).dropLast);
  CHECK(spec.stage(1).batch == 16);
  CHECK(spec.stage(0).frozen.size() == 4);
  CHECK(spec.stage(1).frozen == std::set<std::string>{"enc.weight"});
  CHECK(spec.stage(0).optimizers.at(0).kind == "sgd");
  CHECK(spec.stage(1).optimizers.at(0).kind == "adam");
}

TEST_CASE("a regularizer leaves frozen parameters and buffers alone") {
  Spec spec = trained("optimize sgd(lr: 1); steps 1; freeze blocks\n"
                      "regularize ** with l1(1e-3) + elastic(1e-4, 1e-5)");
  REQUIRE(spec.program);
  const auto &regularizers = spec.stage().regularizers;
  REQUIRE(regularizers.size() == 2);
  CHECK(regularizers[0].parameters.size() == 6);
  CHECK(regularizers[0].l1 == 1e-3);
  CHECK(regularizers[1].l2 == 1e-5);
}

TEST_CASE("a model's value on one batch is computed once, however often it is named") {
  Spec spec = trained("optimize sgd(lr: 1); steps 1\nlet y = Net(x)\n"
                      "report accuracy(y, label)\nreport accuracy(Net, label)\n"
                      "report perplexity(x |> Net, label) as ppl");
  INFO(spec.said);
  REQUIRE(spec.program);
  size_t calls = 0;
  for (const auto &op : spec.stage().graph.operations)
    calls += op.kind == "call";
  CHECK(calls == 1);
  REQUIRE(spec.stage().reports.size() == 3);
  CHECK(spec.stage().reports[0].name == "accuracy");
  CHECK(spec.stage().reports[0].upwards);
  CHECK(spec.stage().reports[1].name == "accuracy2");
  CHECK(spec.stage().reports[2].name == "ppl");
  CHECK(spec.stage().reports[2].finish == "exp");
}

TEST_CASE("stop when keeps the best by its own measure unless said") {
  Spec spec = trained("optimize sgd(lr: 1); steps 1; report accuracy(Net, label)\n"
                      "stop when test.accuracy has not improved for 3 epochs");
  REQUIRE(spec.program);
  CHECK(spec.stage().stop->patience == 3);
  CHECK(spec.stage().keepBest->name == "accuracy");
  CHECK(spec.stage().keepBest->upwards);
}

TEST_CASE("-D sets a const, and a name that is none gets the nearest") {
  std::string text =
      "const width = 4\nconst rate = 0.1\nconst double = width * 2\n" +
      around("model Net(x: f32[4]) -> f32[10] { x |> dense(double) |> relu |> dense(10) }",
             "f32[4]", "optimize sgd(lr: rate); steps 1");
  semantics::Options options;
  options.defines = {{"width", "8"}, {"rate", "1"}};
  Spec spec(text, options);
  REQUIRE(spec.program);
  CHECK(spec.parameter("dense1.weight").type.str() == "f32[16, 4]");
  CHECK(spec.stage().optimizers.at(0).rate.rate == 1);
  options.defines = {{"widht", "8"}};
  Spec wrong(text, options);
  CHECK_FALSE(wrong.program);
  CHECK(wrong.said.find("did you mean `width`?") != std::string::npos);
  options.defines = {{"width", "0.5"}};
  CHECK_FALSE(Spec(text, options).program);
}

TEST_CASE("a tie the other way round is answered with the transpose that fits") {
  Spec spec(around("model Net(x: f32[4]) -> f32[10] {\n  param W: f32[6, 4] = he_normal\n"
                   "  x |> dense(6, weight: W) |> dense(4, weight: W) |> dense(10)\n}",
                   "f32[4]"));
  CHECK(spec.said.find("= help: use it the other way round: `weight: transpose(W)`") !=
        std::string::npos);
}

TEST_CASE("an i32 field that is a label has the range of the logits") {
  auto spec = [](const std::string &objective) {
    return "data d { x: f32[4]; y: i32; z: i32\n train { x, y, z = synthetic(8) } }\n"
           "model Net(x: f32[4]) { x |> dense(3) }\n"
           "train Net on d { optimize sgd(lr: 1); steps 1\n objective " +
           objective + " }";
  };
  Spec field(spec("cross_entropy(Net(x), y)"));
  INFO(field.said);
  REQUIRE(field.program);
  CHECK(field.program->datas.at(0).fields.at(1).labels == 3);
  CHECK(field.program->datas.at(0).fields.at(2).labels == 0);
  Spec made(spec("cross_entropy(Net(x), reshape(y, 1)) "));
  CHECK_FALSE(made.program);
}

TEST_CASE("an accuracy may stand in a block whose objective does not use it") {
  CHECK(trained("optimize sgd(lr: 1); steps 1\nlet hits = accuracy(Net(x), label)\n"
                "report hits as share")
            .program);
  CHECK_FALSE(Spec("data d { x: f32[4]; y: class[3]\n train { x, y = synthetic(8) } }\n"
                   "model Net(x: f32[4]) { x |> dense(3) }\n"
                   "train Net on d { optimize sgd(lr: 1); steps 1\n let h = accuracy(Net(x), y)\n"
                   " objective 1 - h }")
                  .program);
}

TEST_CASE("a help that quotes several lines stands on one, without their comments") {
  Spec spec(around("model Net(x: f32[3, 8, 8]) -> f32[10] {\n  x // red, green, blue\n"
                   "    |> max_pool2d(\n      2)\n    |> dense(10)\n}",
                   "f32[3, 8, 8]"));
  INFO(spec.said);
  CHECK(spec.said.find("= help: `x |> max_pool2d(2) |> flatten |> dense(10)`") !=
        std::string::npos);
}

TEST_CASE("a name used above its declaration is answered with the declaration's place") {
  Spec spec(around("model Net(x: f32[4]) -> f32[10] {\n  let a = x |> dense(4, weight: b.weight)\n"
                   "  a |> dense(4) as b |> dense(10)\n}",
                   "f32[4]"));
  INFO(spec.said);
  CHECK(spec.said.find("there is no `b`") != std::string::npos);
  CHECK(spec.said.find("declared here, below its use") != std::string::npos);
}

TEST_CASE("the wrong number of logits names both and the change that fits") {
  Spec spec(around("model Net(x: f32[4]) { x |> dense(7) }", "f32[4]"));
  CHECK(spec.said.find("`cross_entropy` gets 7 logits for 10 classes") != std::string::npos);
  CHECK(spec.said.find("`dense(10)`") != std::string::npos);
}
