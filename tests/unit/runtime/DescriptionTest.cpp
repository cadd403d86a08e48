#include "Regression.h"

#include "TestFiles.h"

#include "runtime/Description.h"
#include "runtime/TaskExecutor.h"

using namespace sinter::runtime;
using namespace sinter::runtime::test;
using Catch::Contains;
using Json = nlohmann::json;

static std::string refusal(const char *pointer, const Json &value) {
  Json json = regression("a.csv", "b.csv");
  json[Json::json_pointer(pointer)] = value;
  return messageOf([&] { parseDescription(json.dump()); });
}

TEST_CASE("a description is read as it is written") {
  const Description all = parseDescription(regression("a.csv", "b.csv").dump());
  CHECK(all.name == "line");
  CHECK(all.states.size() == 4);
  CHECK(all.states[2].layout->perm == std::vector<int>{1, 0});
  CHECK(all.states[3].kind == StateKind::Optimizer);
  CHECK(all.states[3].of == "out.weight");
  CHECK(all.data[0].field("x")->type() == "f32[3]");
  CHECK(all.data[0].has("test"));
  CHECK_FALSE(all.data[0].has("valid"));
  CHECK(all.steps[0].fields[0].offset == 64);
  CHECK(all.steps[0].flops() == 1e6);
  CHECK(all.runs[0].stages[0].epochs == 5);
  CHECK(*all.runs[0].stages[0].predictStep == 2);
}

TEST_CASE("what does not fit is refused by its path") {
  CHECK_THAT(refusal("/version", 99), Contains("version 99") && Contains("build it again"));
  CHECK_THAT(messageOf([] { parseDescription("{"); }), Contains("not JSON"));
  CHECK_THAT(refusal("/states/1/offset", 253),
             Contains("description.states[1].offset") && Contains("multiple of 4"));
  CHECK_THAT(refusal("/states/2/offset", 240), Contains("states[2].offset") && Contains("0 … 256"));
  CHECK_THAT(refusal("/states/0/offset", -4), Contains("states[0].offset"));
  CHECK_THAT(refusal("/states/0/shape", {1, 0}), Contains("states[0].shape[1]"));
  CHECK_THAT(refusal("/states/0/kind", "gadget"), Contains("`gadget`"));
  CHECK_THAT(refusal("/states/0/init/kind", "guess"), Contains("states[0].init.kind"));
  CHECK_THAT(refusal("/states/1/init/kind", "orthogonal"), Contains("two dimensions"));
  CHECK_THAT(refusal("/states/2/layout/perm", {0, 0}), Contains("an axis stands twice"));
  CHECK_THAT(refusal("/states/2/layout/view", {2, 4}), Contains("8 elements, the tensor 6"));
  CHECK_THAT(refusal("/states/1/name", "out.weight"), Contains("`out.weight` stands twice"));
  CHECK_THAT(refusal("/steps/0/fields/0/offset", 480), Contains("steps[0].fields[0].offset"));
  CHECK_THAT(refusal("/steps/0/fields/0/offset", 32), Contains("64 … 512")); // the Clock lies there
  CHECK_THAT(refusal("/steps/0/fields/0/name", "z"), Contains("no field `z`"));
  CHECK_THAT(refusal("/steps/0/ids", 500), Contains("steps[0].ids"));
  CHECK_THAT(refusal("/steps/2/results/0/shape", {100}), Contains("steps[2].results[0].offset"));
  CHECK_THAT(refusal("/steps/1/outputs/0/name", "cost"), Contains("no first output `loss`"));
  CHECK_THAT(refusal("/steps/1/outputs/1/name", "cost"), Contains("is cost, not error"));
  CHECK_THAT(refusal("/steps/0/batch", 3), Contains("differ in batch"));
  CHECK_THAT(refusal("/steps/0/tasks/0/shares", 0), Contains("tasks[0].shares"));
  CHECK_THAT(refusal("/runs/0/stages/0/train_step", 3), Contains("train_step"));
  CHECK_THAT(refusal("/runs/0/data", "other"), Contains("no data is called `other`"));
  CHECK_THAT(refusal("/runs/0/stages/0/accumulate", 2), Contains("accumulate"));
  CHECK_THAT(refusal("/runs/0/stages/0/steps", 2), Contains("one of `epochs` and `steps`"));
  CHECK_THAT(refusal("/runs/0/stages/0/keep_best", {{"set", "valid"}, {"name", "loss"}}),
             Contains("no valid part"));
  CHECK_THAT(refusal("/runs/0/stages/0/keep_best", {{"set", "test"}, {"name", "luck"}}),
             Contains("nothing reports `luck`"));
  CHECK_THAT(refusal("/data/0/split", {{"train", 0.5}, {"test", 0.5}}), Contains("that is filled"));
  CHECK_THAT(refusal("/data/0/parts/train/0/fields", {"z"}), Contains("no field is called `z`"));
}

TEST_CASE("a task of a function that is not there is refused") {
  const Description all = parseDescription(regression("a.csv", "b.csv").dump());
  const Program program{abiVersion, 0, nullptr, 0, nullptr, 0};
  CHECK_THAT(messageOf([&] { TaskExecutor executor(all, program, 1); }),
             Contains("is function 0, and the program has 0"));
}
