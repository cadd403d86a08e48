#include "TestFiles.h"

#include "runtime/LoadPlan.h"
#include "runtime/NamePattern.h"

#include <algorithm>
#include <fmt/format.h>

using namespace sinter::runtime;
using namespace sinter::runtime::test;

namespace {

TensorTable table(const std::map<std::string, Shape> &shapes) {
  TensorTable all;
  for (const auto &[name, shape] : shapes)
    all[name] = {shape, "F32", "", false};
  return all;
}

const std::vector<Target> net = {{"stem.weight", {4, 3}, {}},
                                 {"stem.bias", {4}, {}},
                                 {"head.weight", {2, 4}, {{"tail.weight", true}}}};

LoadRules everything() {
  LoadRules rules;
  rules.parameters = {"stem.weight", "stem.bias", "head.weight"};
  rules.whole = true;
  return rules;
}

std::string joined(const std::vector<std::string> &lines) {
  return fmt::format("{}", fmt::join(lines, "; "));
}

} // namespace

TEST_CASE("a pattern matches what it names and all beneath") {
  const auto matches = [](const char *pattern, const char *name, size_t rank = 2) {
    return NamePattern(pattern).matches(name, rank);
  };
  CHECK(matches("**", "a"));
  CHECK(matches("a", "a.b.c"));
  CHECK(matches("a.*", "a.b.c"));
  CHECK_FALSE(matches("a.*", "a"));
  CHECK(matches("**.bias", "a.b.bias"));
  CHECK(matches("**.bias", "bias"));
  CHECK_FALSE(matches("**.bias", "a.biases"));
  CHECK(matches("blocks.0.{1, 2}.weight", "blocks.0.2.weight"));
  CHECK_FALSE(matches("blocks.0.{1, 2}.weight", "blocks.0.3.weight"));
  CHECK(matches("**.a.**.b", "x.a.y.z.b"));
  CHECK(matches("head.weights", "head.weight"));
  CHECK_FALSE(matches("head.weights", "head.bias", 1));
  CHECK_FALSE(matches("a", "ab"));
}

TEST_CASE("tensors meet parameters of their names, and a tie's further name is the transpose") {
  const LoadPlan plan =
      planLoad(everything(),
               table({{"stem.weight", {4, 3}}, {"stem.bias", {4}}, {"tail.weight", {4, 2}}}), net);
  CHECK(joined(plan.problems).empty());
  REQUIRE(plan.pieces.size() == 3);
  CHECK(plan.pieces[2].tensor == "tail.weight");
  CHECK(plan.pieces[2].swapLast);
}

TEST_CASE("all that does not fit is found in one go") {
  const LoadPlan plan = planLoad(
      everything(), table({{"stem.weight", {3, 4}}, {"head.weight", {2, 4}}, {"more", {1}}}), net);
  CHECK(plan.problems.size() == 3);
  const std::string all = joined(plan.problems);
  CHECK(all.find("`stem.weight` is [3, 4] there, and `stem.weight` is [4, 3]") !=
        std::string::npos);
  CHECK(all.find("`stem.bias` [4] is missing") != std::string::npos);
  CHECK(all.find("`more` [1] belongs to nothing") != std::string::npos);
  CHECK(plan.help.find("transpose: stem.weight") != std::string::npos);
}

TEST_CASE("a tensor left over is an error for the whole model and a note for a part") {
  LoadRules rules;
  rules.parameters = {"head.weight"};
  rules.beneath = "head";
  const LoadPlan plan = planLoad(rules, table({{"weight", {2, 4}}, {"stem.bias", {4}}}), net);
  CHECK(plan.problems.empty());
  CHECK(joined(plan.leftOver) == "stem.bias");
}

TEST_CASE("options that do nothing are told") {
  LoadRules rules = everything();
  rules.strip = "module.";
  rules.rename = {{"fc", "head"}};
  rules.except = {"nothing.**"};
  const LoadPlan plan = planLoad(
      rules, table({{"stem.weight", {4, 3}}, {"stem.bias", {4}}, {"head.weight", {2, 4}}}), net);
  CHECK(plan.problems.size() == 3);
}

TEST_CASE("names that would meet after a strip or a rename are suggested") {
  const std::map<std::string, Shape> shapes = {
      {"stem.weight", {4, 3}}, {"stem.bias", {4}}, {"head.weight", {2, 4}}};
  std::map<std::string, Shape> stripped, renamed;
  for (const auto &[name, shape] : shapes) {
    stripped["module.net." + name] = shape;
    renamed[name == "head.weight" ? "fc.weight" : name] = shape;
  }
  CHECK(planLoad(everything(), table(stripped), net).help == R"(`(strip: "module.net.")`)");
  CHECK(planLoad(everything(), table(renamed), net).help == R"(`(rename: {"fc": "head"})`)");
}

TEST_CASE("two tensors that get one name are an error") {
  LoadRules rules = everything();
  rules.rename = {{"fc", "head"}};
  const LoadPlan plan = planLoad(rules,
                                 table({{"stem.weight", {4, 3}},
                                        {"stem.bias", {4}},
                                        {"head.weight", {2, 4}},
                                        {"fc.weight", {2, 4}}}),
                                 net);
  CHECK(joined(plan.problems) == "`fc.weight` and `head.weight` both become `head.weight`");
}

TEST_CASE("a fused tensor is cut, also where it lies the other way round") {
  const std::vector<Target> attention = {{"q", {2, 5}, {}}, {"k", {2, 5}, {}}, {"v", {3, 5}, {}}};
  LoadRules rules;
  rules.parameters = {"q", "v"}; // `k` is not selected
  rules.fileNames = {{"qkv", {"q", "k", "v"}}};
  const LoadPlan plain = planLoad(rules, table({{"qkv", {7, 5}}}), attention);
  CHECK(plain.problems.empty());
  REQUIRE(plain.pieces.size() == 2);
  CHECK(plain.pieces[1].from == 4);
  CHECK(plain.pieces[1].rows == 3);
  rules.transposed = {"q"};
  const LoadPlan turned = planLoad(rules, table({{"qkv", {5, 7}}}), attention);
  CHECK(turned.problems.empty());
  CHECK(turned.pieces[0].swapFirst);
  CHECK_FALSE(planLoad(rules, table({{"qkv", {7, 5}}}), attention).problems.empty());
}

TEST_CASE("counters of batches and what `except` names are not asked for") {
  LoadRules rules = everything();
  rules.parameters = {"stem.weight", "stem.bias"};
  rules.left = {"head.weight"};
  rules.except = {"head"};
  const LoadPlan plan = planLoad(rules,
                                 table({{"stem.weight", {4, 3}},
                                        {"stem.bias", {4}},
                                        {"head.weight", {1000, 4}},
                                        {"stem.num_batches_tracked", {}}}),
                                 net);
  CHECK(joined(plan.problems).empty());
  CHECK(plan.pieces.size() == 2);
}

TEST_CASE("integers are no weights") {
  TensorTable file = table({{"stem.weight", {4, 3}}, {"stem.bias", {4}}, {"head.weight", {2, 4}}});
  file["stem.bias"].dtype = "I64";
  CHECK(joined(planLoad(everything(), file, net).problems).find("I64") != std::string::npos);
}
