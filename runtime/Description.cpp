#include "runtime/Description.h"

#include "runtime/Abi.h"
#include "runtime/DescriptionNode.h"
#include "runtime/Error.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace sinter::runtime {

int64_t elementsOf(const Shape &shape) {
  int64_t elements = 1;
  for (int64_t dim : shape)
    elements *= dim;
  return elements;
}

std::string Field::type() const {
  std::string text = classes > 0             ? fmt::format("class[{}]", classes)
                     : boolean               ? "bool"
                     : scalar == Scalar::F32 ? "f32"
                                             : "i32";
  return shape.empty() ? text : fmt::format("{}[{}]", text, fmt::join(shape, ", "));
}

const Field *Data::field(std::string_view wanted) const {
  for (const Field &candidate : fields)
    if (candidate.name == wanted)
      return &candidate;
  return nullptr;
}

bool Data::has(std::string_view wanted) const {
  for (const Part &part : parts)
    if (part.name == wanted)
      return true;
  return split &&
         ((wanted == "valid" && split->valid > 0) || (wanted == "test" && split->test > 0));
}

double Step::flops() const {
  double sum = 0;
  for (const Task &task : tasks)
    sum += task.flops;
  return sum;
}

namespace {

Init readInit(const Node &node, int64_t elements) {
  using Kind = Init::Kind;
  Init init;
  init.kind = choose<Kind>(node.at("kind"), {{"constant", Kind::Constant},
                                             {"uniform", Kind::Uniform},
                                             {"normal", Kind::Normal},
                                             {"truncated_normal", Kind::TruncatedNormal},
                                             {"orthogonal", Kind::Orthogonal},
                                             {"identity", Kind::Identity},
                                             {"values", Kind::Values}});
  init.a = node.number("a", 0);
  init.b = node.number("b", 0);
  if (init.kind == Kind::Values) {
    for (double value : node.numbers("values"))
      init.values.push_back(static_cast<float>(value));
    if (static_cast<int64_t>(init.values.size()) != elements)
      refuse(node.path, fmt::format("{} values for {} elements", init.values.size(), elements));
  }
  return init;
}

/// "dec.weight" or "transpose(dec.weight)".
Alias readAlias(std::string_view text) {
  constexpr std::string_view opening = "transpose(";
  if (!text.starts_with(opening) || !text.ends_with(")"))
    return {std::string(text), false};
  text.remove_prefix(opening.size());
  text.remove_suffix(1);
  return {std::string(text), true};
}

State readState(const Node &node, uint64_t stateBytes) {
  State state;
  state.name = node.at("name").text();
  state.kind = choose<StateKind>(node.at("kind"), {{"parameter", StateKind::Parameter},
                                                   {"buffer", StateKind::Buffer},
                                                   {"teacher", StateKind::Teacher},
                                                   {"optimizer", StateKind::Optimizer}});
  state.shape = readShape(node.at("shape"));
  const int64_t elements = state.elements();
  state.offset =
      readOffset(node.at("offset"), 4 * static_cast<uint64_t>(elements), 0, stateBytes, 4);
  state.layout = readLayout(node, elements);
  for (const std::string &text : node.texts("aliases"))
    state.aliases.push_back(readAlias(text));
  state.of = node.text("of", "");
  state.run = node.text("run", "");
  if (node.has("init"))
    state.init = readInit(node.at("init"), elements);
  state.place = node.text("place", "");
  const bool matrix =
      state.init.kind == Init::Kind::Orthogonal || state.init.kind == Init::Kind::Identity;
  if (matrix && state.shape.size() < 2)
    refuse(node.path, "this initializer needs two dimensions");
  if (matrix && state.init.b > 1 && state.shape[0] % static_cast<int64_t>(state.init.b) != 0)
    refuse(node.path,
           fmt::format("{} rows do not make {} equal parts", state.shape[0], state.init.b));
  for (const Alias &alias : state.aliases)
    if (alias.transposed && state.shape.size() != 2)
      refuse(node.path, fmt::format("`{}` is the transpose of no matrix", alias.name));
  return state;
}

Step readStep(const Node &node, uint64_t arenaBytes) {
  Step step;
  step.name = node.at("name").text();
  step.batch = node.at("batch").integer(1, std::numeric_limits<int32_t>::max());
  for (const Node &item : node.list("fields")) // offsets are checked once the data is known
    step.fields.push_back({item.at("name").text(), 0, std::nullopt});
  if (node.has("ids"))
    step.ids = readOffset(node.at("ids"), 4 * static_cast<uint64_t>(step.batch), clockBytes,
                          arenaBytes, 4);
  for (const Node &item : node.list("outputs"))
    step.outputs.push_back(
        {item.at("name").text(), readOffset(item.at("offset"), 4, clockBytes, arenaBytes, 4)});
  for (const Node &item : node.list("results")) {
    Result result;
    result.name = item.text("name", "");
    result.shape = readShape(item.at("shape"), step.batch);
    const int64_t elements = elementsOf(result.shape);
    result.offset = readOffset(item.at("offset"), 4 * static_cast<uint64_t>(step.batch * elements),
                               clockBytes, arenaBytes, 4);
    result.layout = readLayout(item, elements);
    step.results.push_back(std::move(result));
  }
  for (const Node &item : node.list("tasks")) {
    Task task;
    task.function =
        static_cast<uint32_t>(item.at("function").integer(0, std::numeric_limits<uint32_t>::max()));
    task.shares = item.at("shares").integer(1, std::numeric_limits<int32_t>::max());
    task.wait = item.at("wait").truth();
    task.name = item.text("name", "");
    task.place = item.text("place", "");
    task.flops = item.number("flops", 0);
    task.bytes = item.number("bytes", 0);
    step.tasks.push_back(std::move(task));
  }
  return step;
}

/// Binds a step's fields to the data that it is used with.
void bindFields(const Node &node, Step &step, const Data &data, uint64_t arenaBytes) {
  const std::vector<Node> items = node.list("fields");
  for (size_t i = 0; i < items.size(); ++i) {
    StepField &bound = step.fields[i];
    const Field *field = data.field(bound.name);
    if (!field)
      refuse(items[i].path, fmt::format("data {} has no field `{}`", data.name, bound.name));
    const uint64_t bytes = 4 * static_cast<uint64_t>(step.batch * field->elements());
    bound.offset = readOffset(items[i].at("offset"), bytes, clockBytes, arenaBytes, 4);
    bound.layout = readLayout(items[i], field->elements());
  }
}

Load readLoad(const Node &node, const std::vector<Run> &earlier) {
  Load load;
  load.place = node.text("place", "");
  load.prefix = node.text("prefix", "");
  if (node.has("file") == node.has("run"))
    refuse(node.path, "one of `file` and `run` is needed");
  load.file = node.text("file", "");
  load.run = node.text("run", "");
  const auto isRun = [&](const Run &run) { return run.name == load.run; };
  if (!load.run.empty() && std::none_of(earlier.begin(), earlier.end(), isRun))
    refuse(node.path, fmt::format("no earlier run is called `{}`", load.run));
  LoadRules &rules = load.rules;
  const Node said = node.at("rules");
  rules.parameters = said.texts("parameters");
  rules.left = said.texts("left");
  rules.whole = said.truth("whole");
  rules.beneath = said.text("beneath", "");
  rules.strip = said.text("strip", "");
  for (const Node &pair : said.list("rename")) {
    const std::vector<Node> words = pair.items();
    if (words.size() != 2)
      refuse(pair.path, "two names are needed");
    rules.rename.emplace_back(words[0].text(), words[1].text());
  }
  rules.except = said.texts("except");
  rules.transposed = said.texts("transposed");
  for (const Node &entry : said.list("file_names"))
    rules.fileNames.push_back({entry.at("name").text(), entry.texts("parts")});
  return load;
}

Measure readMeasure(const Node &node, const Stage &stage, const Data &data) {
  Measure measure{node.at("set").text(), node.at("name").text(), node.truth("higher_is_better")};
  if (!data.has(measure.set))
    refuse(node.path, fmt::format("data {} has no {} part", data.name, measure.set));
  bool known = measure.name == "loss";
  for (const Report &report : stage.reports)
    known |= report.name == measure.name;
  if (!known)
    refuse(node.path, fmt::format("nothing reports `{}`", measure.name));
  return measure;
}

void checkOutputs(const Node &node, const Step &step, const Stage &stage) {
  if (step.outputs.empty() || step.outputs[0].name != "loss")
    refuse(node.path, fmt::format("step {} has no first output `loss`", step.name));
  if (step.outputs.size() != stage.reports.size() + 1)
    refuse(node.path, fmt::format("step {} has {} outputs for the loss and {} reports", step.name,
                                  step.outputs.size(), stage.reports.size()));
  for (size_t i = 0; i < stage.reports.size(); ++i)
    if (step.outputs[i + 1].name != stage.reports[i].name)
      refuse(node.path, fmt::format("output {} of step {} is {}, not {}", i + 1, step.name,
                                    step.outputs[i + 1].name, stage.reports[i].name));
}

Stage readStage(const Node &node, const Data &data, Description &all,
                const std::vector<Node> &steps) {
  Stage stage;
  for (const Node &item : node.list("loads"))
    stage.loads.push_back(readLoad(item, all.runs));
  stage.name = node.text("name", "");
  stage.batch = node.at("batch").integer(1);
  stage.dropLast = node.truth("drop_last");
  stage.sequential = node.truth("sequential");
  if (node.has("accumulate"))
    stage.accumulate = node.at("accumulate").integer(1);
  if (node.has("epochs") == node.has("steps"))
    refuse(node.path, "one of `epochs` and `steps` is needed");
  if (node.has("epochs"))
    stage.epochs = node.at("epochs").integer(0);
  else
    stage.steps = node.at("steps").integer(0);
  const int64_t lastStep = static_cast<int64_t>(all.steps.size()) - 1;
  stage.trainStep = static_cast<size_t>(node.at("train_step").integer(0, lastStep));
  stage.evalStep = static_cast<size_t>(node.at("eval_step").integer(0, lastStep));
  if (node.has("update_step"))
    stage.updateStep = static_cast<size_t>(node.at("update_step").integer(0, lastStep));
  if (stage.updateStep.has_value() != (stage.accumulate > 1))
    refuse(node.path, "`update_step` stands exactly where `accumulate` is above 1");
  if (node.has("predict_step"))
    stage.predictStep = static_cast<size_t>(node.at("predict_step").integer(0, lastStep));
  stage.trained = node.texts("trained");
  stage.frozen = node.texts("frozen");
  for (const Node &item : node.list("copies"))
    stage.copies.push_back({item.at("from").text(), item.at("to").text()});
  stage.frozenProof = node.texts("frozen_proof");
  stage.sparse = node.texts("sparse");
  for (const std::string &name : stage.sparse)
    if (std::none_of(all.states.begin(), all.states.end(),
                     [&](const State &state) { return state.name == name; }))
      refuse(node.path, fmt::format("no state is called `{}`", name));
  for (const Node &item : node.list("reports")) {
    const std::string finish = item.text("finish", "");
    if (!finish.empty() && finish != "exp")
      refuse(item.path, fmt::format("`{}` is no way to finish a mean", finish));
    stage.reports.push_back({item.at("name").text(), finish == "exp",
                             item.truth("higher_is_better"),
                             item.has("every") ? item.at("every").integer(0) : 0});
  }
  for (size_t index : {stage.trainStep, stage.evalStep, stage.predictStep.value_or(stage.evalStep),
                       stage.updateStep.value_or(stage.evalStep)})
    bindFields(steps[index], all.steps[index], data, all.arenaBytes);
  checkOutputs(node, all.steps[stage.trainStep], stage);
  checkOutputs(node, all.steps[stage.evalStep], stage);
  if (all.steps[stage.trainStep].batch != stage.batch)
    refuse(node.path, "the stage and its train step differ in batch");
  if (stage.predictStep && all.steps[*stage.predictStep].results.empty())
    refuse(node.path, "the predict step has no results");
  if (node.has("stop")) {
    const Node rule = node.at("stop");
    stage.stop = StopRule{readMeasure(rule, stage, data), rule.at("patience").integer(1)};
  }
  if (node.has("keep_best"))
    stage.keepBest = readMeasure(node.at("keep_best"), stage, data);
  return stage;
}

void checkNames(const Description &all) {
  for (const Run &run : all.runs) {
    std::set<std::string> names;
    for (const State &state : all.states) {
      if (!state.run.empty() && state.run != run.name)
        continue;
      std::vector<std::string> own{state.name};
      for (const Alias &alias : state.aliases)
        own.push_back(alias.name);
      for (const std::string &name : own)
        if (!names.insert(name).second)
          refuse("states", fmt::format("`{}` stands twice", name));
    }
    const auto shapeOf = [&](const std::string &name) {
      for (const State &state : all.states)
        if ((state.run.empty() || state.run == run.name) && state.name == name)
          return state.shape;
      refuse("states", fmt::format("there is no `{}` to copy", name));
    };
    for (const State &state : all.states)
      if (state.kind == StateKind::Teacher && !state.of.empty() &&
          (state.run.empty() || state.run == run.name) && shapeOf(state.of) != state.shape)
        refuse("states", fmt::format("`{}` averages what has another shape", state.name));
    for (const Stage &stage : run.stages)
      for (const Copy &copy : stage.copies)
        if (shapeOf(copy.from) != shapeOf(copy.to))
          refuse("stages", fmt::format("`{}` and `{}` differ in shape", copy.from, copy.to));
  }
}

} // namespace

Description parseDescription(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    throw Error("the program's description is not JSON");
  const Node root(json, "description");
  Description all;
  const int64_t version = root.at("version").integer();
  if (version != abiVersion)
    throw Error(fmt::format("the program was compiled for version {} of the runtime, and this is "
                            "version {}: build it again",
                            version, abiVersion));
  all.version = abiVersion;
  all.name = root.at("name").text();
  all.source = root.text("source", "");
  all.cpu = root.text("cpu", "");
  all.arenaBytes = static_cast<uint64_t>(root.at("arena_bytes").integer(clockBytes));
  all.stateBytes = static_cast<uint64_t>(root.at("state_bytes").integer(0));
  if (root.has("stack_bytes"))
    all.stackBytes = static_cast<uint64_t>(root.at("stack_bytes").integer(0));
  for (const Node &node : root.list("states"))
    all.states.push_back(readState(node, all.stateBytes));
  for (const Node &node : root.list("data"))
    all.data.push_back(readData(node));
  const std::vector<Node> steps = root.list("steps");
  for (const Node &node : steps)
    all.steps.push_back(readStep(node, all.arenaBytes));
  for (const Node &node : root.at("runs").items()) {
    Run run;
    run.name = node.at("name").text();
    run.place = node.text("place", "");
    run.seed = node.has("seed") ? node.at("seed").seed() : 0;
    const std::string dataName = node.at("data").text();
    const auto found = std::find_if(all.data.begin(), all.data.end(),
                                    [&](const Data &data) { return data.name == dataName; });
    if (found == all.data.end())
      refuse(node.path, fmt::format("no data is called `{}`", dataName));
    run.data = static_cast<size_t>(found - all.data.begin());
    for (const Node &item : node.list("loads"))
      run.loads.push_back(readLoad(item, all.runs));
    for (const Node &stage : node.at("stages").items())
      run.stages.push_back(readStage(stage, *found, all, steps));
    if (run.stages.empty())
      refuse(node.path, "a run needs a stage");
    all.runs.push_back(std::move(run));
  }
  checkNames(all);
  return all;
}

} // namespace sinter::runtime
