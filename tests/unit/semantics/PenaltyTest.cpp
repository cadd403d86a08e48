//===- PenaltyTest.cpp - regularizers, constraints and recomputation, as a stage has them ---------===//
#include "tests/unit/semantics/Spec.h"

#include <catch2/catch.hpp>

using namespace sinter;
using tests::around;
using tests::Spec;

using List = std::vector<std::string>;

static const char *const model =
    "model Block(x: f32[6]) -> f32[6] { x + (x |> dense(6) as inner |> relu) }\n"
    "model Net(x: f32[4]) -> f32[10] {\n"
    "  x |> dense(6) as enc |> batch_norm as bn |> relu |> stack(2, Block) as blocks |> dense(10) "
    "as head\n}";

static Spec trained(const std::string &lines) {
  return Spec(around(model, "f32[4]", "optimize sgd(lr: 1); steps 1; " + lines));
}

static List againBy(const std::string &lines) {
  const Spec spec = trained(lines);
  INFO(spec.said);
  REQUIRE(spec.program);
  List parts = spec.stage().recompute;
  std::sort(parts.begin(), parts.end());
  return parts;
}

TEST_CASE("what is computed again is the largest instance, a stack's elements each by themselves") {
  CHECK(againBy("recompute enc") == List{"enc"});
  CHECK(againBy("recompute blocks") == List{"blocks.0", "blocks.1"});
  CHECK(againBy("recompute blocks.*") == List{"blocks.0", "blocks.1"});
  CHECK(againBy("recompute blocks.1.**") == List{"blocks.1"});
  CHECK(againBy("recompute blocks.1.inner") == List{"blocks.1.inner"});
  CHECK(againBy("recompute blocks except blocks.0") == List{"blocks.1"});
  CHECK(againBy("recompute enc; recompute blocks.0") == List{"blocks.0", "enc"});
  CHECK(againBy("recompute **") == List{"", "blocks.0", "blocks.1", "bn", "enc", "head"});
}

TEST_CASE("what belongs to an instance says so, a function too") {
  const Spec spec = trained("");
  REQUIRE(spec.program);
  std::set<std::string> owners;
  for (const auto &op : spec.train().nets.at(0).graph.operations)
    if (op.kind == "relu")
      owners.insert(op.within);
  CHECK(owners == std::set<std::string>{"", "blocks.0", "blocks.1"});
}

TEST_CASE("a constraint is of what is trained, and a norm of what has incoming weights") {
  const Spec spec =
      trained("freeze enc; constrain ** to max_norm(2); constrain *.bias to nonnegative");
  INFO(spec.said);
  REQUIRE(spec.program);
  const auto &constraints = spec.stage().constraints;
  REQUIRE(constraints.size() == 2);
  CHECK(constraints[0].kind == "max_norm");
  CHECK(constraints[0].limit == 2);
  CHECK(constraints[0].parameters ==
        List{"blocks.0.inner.weight", "blocks.1.inner.weight", "head.weight"});
  CHECK(constraints[1].parameters == List{"bn.bias", "head.bias"});
}

TEST_CASE("a penalty on values is a number of each example, one for each kind") {
  const Spec spec = trained("regularize value Net(x) with elastic(1e-3, 1e-4) + l1(0)");
  INFO(spec.said);
  REQUIRE(spec.program);
  REQUIRE(spec.stage().penalties.size() == 2);
  for (semantics::ValueId penalty : spec.stage().penalties)
    CHECK(spec.stage().graph.type(penalty).str() == "f32");
  CHECK(spec.stage().regularizers.empty());
}

TEST_CASE("arguments that are not given are PyTorch's, and lion's its authors'") {
  const Spec spec = trained("optimize enc with rmsprop; optimize bn with adagrad(lr_decay: 0.1)\n"
                            "optimize head with lion(betas: (0.8, 0.9))");
  INFO(spec.said);
  REQUIRE(spec.program);
  auto of = [&](const std::string &kind) -> const semantics::Optimizer & {
    for (const semantics::Optimizer &each : spec.stage().optimizers)
      if (each.kind == kind)
        return each;
    throw std::runtime_error(kind);
  };
  auto number = [&](const std::string &kind, const char *name) {
    return std::get<double>(of(kind).attributes.at(name));
  };
  CHECK(of("rmsprop").rate.rate == 0.01);
  CHECK(number("rmsprop", "alpha") == 0.99);
  CHECK(number("rmsprop", "eps") == 1e-8);
  CHECK(of("adagrad").rate.rate == 0.01);
  CHECK(number("adagrad", "lr_decay") == 0.1);
  CHECK(number("adagrad", "eps") == 1e-10);
  CHECK(of("lion").rate.rate == 1e-4);
  CHECK(number("lion", "beta1") == 0.8);
  CHECK(number("lion", "beta2") == 0.9);
}

TEST_CASE("a stage's own precision, accumulation and clipping stand in for the block's") {
  const Spec spec =
      Spec(around(model, "f32[4]",
                  "optimize sgd(lr: 1); precision bf16; accumulate 2; clip norm 1; epochs 1\n"
                  "stage a { }\nstage b { precision f32; accumulate 5; clip value 2; steps 3 }"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.stage(0).bf16);
  CHECK(spec.stage(0).accumulate == 2);
  CHECK(spec.stage(0).clip.kind == semantics::Clip::Kind::Norm);
  CHECK_FALSE(spec.stage(1).bf16);
  CHECK(spec.stage(1).accumulate == 5);
  CHECK(spec.stage(1).clip.kind == semantics::Clip::Kind::Value);
  CHECK_FALSE(spec.stage(1).length.epochs);
}
