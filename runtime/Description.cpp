#include "runtime/Description.h"

#include "runtime/Abi.h"
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

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string &path, const std::string &what) {
  throw Error(
      fmt::format("the program's description does not fit the runtime: {}: {}", path, what));
}

/// A JSON value that knows its path, so that every complaint can name it.
class Node {
public:
  Node(const Json &value, std::string where) : json(value), path(std::move(where)) {}

  bool has(const char *key) const { return object().contains(key) && !object().at(key).is_null(); }

  Node at(const char *key) const {
    if (!has(key))
      refuse(path, fmt::format("`{}` is missing", key));
    return {object().at(key), fmt::format("{}.{}", path, key)};
  }

  std::vector<Node> list(const char *key) const {
    return has(key) ? at(key).items() : std::vector<Node>();
  }

  std::vector<Node> items() const {
    if (!json.is_array())
      refuse(path, "a list is needed");
    std::vector<Node> nodes;
    for (size_t i = 0; i < json.size(); ++i)
      nodes.emplace_back(json[i], fmt::format("{}[{}]", path, i));
    return nodes;
  }

  std::string text() const {
    if (!json.is_string())
      refuse(path, "a string is needed");
    return json.get<std::string>();
  }

  bool truth() const {
    if (!json.is_boolean())
      refuse(path, "true or false is needed");
    return json.get<bool>();
  }

  double number() const {
    if (!json.is_number())
      refuse(path, "a number is needed");
    return json.get<double>();
  }

  int64_t integer(int64_t low = std::numeric_limits<int64_t>::min(),
                  int64_t high = std::numeric_limits<int64_t>::max()) const {
    if (!json.is_number_integer() ||
        (json.is_number_unsigned() &&
         json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())))
      refuse(path, "an integer is needed");
    const auto value = json.get<int64_t>();
    if (value < low || value > high)
      refuse(path, fmt::format("{} does not lie in {} … {}", value, low, high));
    return value;
  }

  uint64_t seed() const {
    if (json.is_number_unsigned())
      return json.get<uint64_t>();
    return static_cast<uint64_t>(integer(0));
  }

  std::string text(const char *key, const char *otherwise) const {
    return has(key) ? at(key).text() : otherwise;
  }
  bool truth(const char *key) const { return has(key) && at(key).truth(); }
  double number(const char *key, double otherwise) const {
    return has(key) ? at(key).number() : otherwise;
  }

  std::vector<std::string> texts(const char *key) const {
    std::vector<std::string> all;
    for (const Node &node : list(key))
      all.push_back(node.text());
    return all;
  }
  std::vector<double> numbers(const char *key) const {
    std::vector<double> all;
    for (const Node &node : list(key))
      all.push_back(node.number());
    return all;
  }

  const Json &json;
  std::string path;

private:
  const Json &object() const {
    if (!json.is_object())
      refuse(path, "an object is needed");
    return json;
  }
};

/// Looks a word up among the allowed ones.
template <typename Enum>
Enum choose(const Node &node, std::initializer_list<std::pair<const char *, Enum>> choices) {
  const std::string word = node.text();
  for (const auto &[name, value] : choices)
    if (word == name)
      return value;
  refuse(node.path, fmt::format("`{}` is not known here", word));
}

/// A shape whose tensor of four-byte elements, `rows` times over, stays addressable.
Shape readShape(const Node &node, int64_t rows = 1) {
  Shape shape;
  int64_t elements = rows;
  for (const Node &dim : node.items()) {
    shape.push_back(dim.integer(1, std::numeric_limits<int32_t>::max()));
    if (elements > std::numeric_limits<int64_t>::max() / 8 / shape.back())
      refuse(node.path, "the tensor is too large");
    elements *= shape.back();
  }
  return shape;
}

std::optional<Layout> readLayout(const Node &owner, int64_t elements) {
  if (!owner.has("layout"))
    return std::nullopt;
  const Node node = owner.at("layout");
  Layout layout;
  layout.view = readShape(node.at("view"));
  std::set<int> seen;
  for (const Node &axis : node.at("perm").items()) {
    const auto last = static_cast<int64_t>(layout.view.size()) - 1;
    layout.perm.push_back(static_cast<int>(axis.integer(0, last)));
    if (!seen.insert(layout.perm.back()).second)
      refuse(axis.path, "an axis stands twice");
  }
  if (layout.perm.size() != layout.view.size())
    refuse(node.path, "view and perm differ in length");
  if (elementsOf(layout.view) != elements)
    refuse(node.path, fmt::format("the view has {} elements, the tensor {}",
                                  elementsOf(layout.view), elements));
  return layout;
}

/// An offset of `bytes` bytes within a block.
uint64_t readOffset(const Node &node, uint64_t bytes, uint64_t from, uint64_t blockBytes,
                    uint64_t alignment) {
  const auto offset = static_cast<uint64_t>(node.integer(0));
  if (offset % alignment != 0)
    refuse(node.path, fmt::format("{} is no multiple of {}", offset, alignment));
  if (offset < from || offset > blockBytes || bytes > blockBytes - offset)
    refuse(node.path, fmt::format("bytes {} … {} do not lie in {} … {}", offset, offset + bytes,
                                  from, blockBytes));
  return offset;
}

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

LoadOp readLoadOp(const Node &node) {
  using Kind = LoadOp::Kind;
  LoadOp op;
  op.kind = choose<Kind>(node.at("kind"), {{"affine", Kind::Affine},
                                           {"add", Kind::Add},
                                           {"multiply", Kind::Multiply},
                                           {"divide", Kind::Divide},
                                           {"subtract_from", Kind::SubtractFrom},
                                           {"divide_into", Kind::DivideInto},
                                           {"power", Kind::Power},
                                           {"normalize", Kind::Normalize},
                                           {"standardize", Kind::Standardize},
                                           {"bf16", Kind::Bf16}});
  if (op.kind == Kind::Affine) {
    op.value = node.number("scale", 1);
    op.shift = node.number("shift", 0);
  } else if (op.kind == Kind::Normalize) {
    op.mean = node.numbers("mean");
    op.std = node.numbers("std");
    if (op.mean.empty() || op.mean.size() != op.std.size())
      refuse(node.path, "mean and std need one number each, or one a channel");
  } else if (op.kind != Kind::Standardize && op.kind != Kind::Bf16) {
    op.value = node.at("value").number();
  }
  return op;
}

Source readSource(const Node &node) {
  using Kind = Source::Kind;
  Source source;
  source.kind = choose<Kind>(node.at("kind"), {{"idx", Kind::Idx},
                                               {"csv", Kind::Csv},
                                               {"npy", Kind::Npy},
                                               {"npz", Kind::Npz},
                                               {"safetensors", Kind::SafeTensors},
                                               {"cifar", Kind::Cifar},
                                               {"images", Kind::Images},
                                               {"text", Kind::Text},
                                               {"synthetic", Kind::Synthetic}});
  if (source.kind == Kind::Synthetic)
    source.count = node.at("count").integer(1, std::numeric_limits<int32_t>::max());
  else
    source.file = node.at("file").text();
  source.moreFiles = node.texts("more_files");
  if (source.kind == Kind::Npz || source.kind == Kind::SafeTensors)
    source.key = node.at("key").text();
  const bool image = source.kind == Kind::Cifar || source.kind == Kind::Images;
  if (image || source.kind == Kind::Text) {
    source.part = node.at("part").text();
    if (source.part != (image ? "image" : "tokens") && source.part != (image ? "label" : "next"))
      refuse(node.path, fmt::format("`{}` is no part of it", source.part));
  }
  source.resize = node.truth("resize");
  if (source.kind == Kind::Text)
    source.window = node.at("window").integer(1, std::numeric_limits<int32_t>::max());
  if (source.kind != Kind::Csv)
    return source;
  const Node columns = node.at("columns");
  if (columns.json.is_object()) {
    source.first = columns.at("first").integer();
    source.last = columns.at("last").integer();
  } else {
    for (const Node &column : columns.items())
      if (column.json.is_string())
        source.columnNames.push_back(column.text());
      else
        source.columns.push_back(column.integer());
    if (source.columns.empty() == source.columnNames.empty())
      refuse(columns.path, "numbers or names are needed, not both");
  }
  if (node.has("skip") && node.at("skip").integer() >= 0)
    source.skip = node.at("skip").integer();
  const std::string separator = node.text("separator", ",");
  if (separator.size() != 1)
    refuse(node.path, fmt::format("the separator `{}` is not one byte", separator));
  source.separator = separator[0];
  return source;
}

Fill readFill(const Node &node, const Data &data) {
  Fill fill;
  fill.place = node.text("place", "");
  fill.fields = node.texts("fields");
  fill.source = readSource(node.at("source"));
  if (fill.fields.empty() ||
      (fill.fields.size() > 1 && fill.source.kind != Source::Kind::Synthetic))
    refuse(node.path, "one field is needed");
  for (const Node &op : node.list("ops"))
    fill.ops.push_back(readLoadOp(op));
  for (const std::string &name : fill.fields) {
    const Field *field = data.field(name);
    if (!field)
      refuse(node.path, fmt::format("no field is called `{}`", name));
    for (const LoadOp &op : fill.ops) {
      const bool perChannel = op.kind == LoadOp::Kind::Normalize && op.mean.size() > 1;
      if (perChannel &&
          (field->shape.empty() || field->shape[0] != static_cast<int64_t>(op.mean.size())))
        refuse(node.path, fmt::format("normalize has {} channels, {} is {}", op.mean.size(), name,
                                      field->type()));
    }
    const bool picture = fill.source.kind == Source::Kind::Images && fill.source.part == "image";
    if (picture && (field->shape.size() != 3 || (field->shape[0] != 1 && field->shape[0] != 3)))
      refuse(node.path, fmt::format("{} is {}, and holds no picture", name, field->type()));
    if (fill.source.kind == Source::Kind::Text &&
        (field->scalar != Scalar::I32 || field->elements() != fill.source.window ||
         !fill.ops.empty()))
      refuse(node.path, fmt::format("{} is {}, and holds no window of text", name, field->type()));
  }
  return fill;
}

Keep readKeep(const Node &node, const Data &data) {
  using Op = Keep::Op;
  Keep keep;
  keep.op = choose<Op>(node.at("op"), {{"number", Op::Number},
                                       {"field", Op::Field},
                                       {"neg", Op::Negate},
                                       {"+", Op::Add},
                                       {"-", Op::Subtract},
                                       {"*", Op::Multiply},
                                       {"/", Op::Divide},
                                       {"**", Op::Power},
                                       {"==", Op::Equal},
                                       {"!=", Op::NotEqual},
                                       {"<", Op::Less},
                                       {"<=", Op::LessEqual},
                                       {">", Op::Greater},
                                       {">=", Op::GreaterEqual},
                                       {"and", Op::And},
                                       {"or", Op::Or},
                                       {"not", Op::Not}});
  if (keep.op == Op::Number) {
    keep.value = node.at("value").number();
    return keep;
  }
  if (keep.op == Op::Field) {
    keep.field = node.at("field").text();
    const Field *field = data.field(keep.field);
    if (!field || field->elements() != 1)
      refuse(node.path, fmt::format("`{}` is no field of one number", keep.field));
    return keep;
  }
  for (const Node &operand : node.at("args").items())
    keep.operands.push_back(readKeep(operand, data));
  if (keep.operands.size() != (keep.op == Op::Negate || keep.op == Op::Not ? 1U : 2U))
    refuse(node.path, "it has the wrong number of operands");
  return keep;
}

Augment readAugment(const Node &node, const Data &data) {
  using Kind = Augment::Kind;
  Augment augment;
  augment.fields = node.texts("fields");
  for (const Node &item : node.list("steps")) {
    Augment::Step step;
    step.kind = choose<Kind>(item.at("kind"), {{"random_crop", Kind::RandomCrop},
                                               {"flip_horizontal", Kind::FlipHorizontal},
                                               {"flip_vertical", Kind::FlipVertical},
                                               {"random_rotation", Kind::RandomRotation},
                                               {"random_erase", Kind::RandomErase},
                                               {"noise", Kind::Noise}});
    step.value = item.at("value").number();
    for (const std::string &name : augment.fields) {
      const Field *field = data.field(name);
      const bool noise = step.kind == Kind::Noise;
      if (!field || (noise ? field->scalar != Scalar::F32 : field->shape.size() < 2))
        refuse(item.path, fmt::format("`{}` cannot be changed so", name));
    }
    augment.steps.push_back(step);
  }
  return augment;
}

/// Windows of text are cut anew each epoch, so nothing can stand beside them.
void checkTextAlone(const Node &node, const Part &part) {
  const auto isText = [](const Fill &fill) { return fill.source.kind == Source::Kind::Text; };
  const bool any = std::any_of(part.fills.begin(), part.fills.end(), isText);
  if (!any)
    return;
  for (const Fill &fill : part.fills)
    if (!isText(fill) || fill.source.file != part.fills[0].source.file ||
        fill.source.window != part.fills[0].source.window)
      refuse(node.path, "text stands beside another source");
}

Data readData(const Node &node) {
  Data data;
  data.name = node.at("name").text();
  data.place = node.text("place", "");
  data.seed = node.has("seed") ? node.at("seed").seed() : 0;
  for (const Node &item : node.at("fields").items()) {
    Field field;
    field.name = item.at("name").text();
    field.scalar = choose<Scalar>(
        item.at("dtype"), {{"f32", Scalar::F32}, {"i32", Scalar::I32}, {"bool", Scalar::F32}});
    field.boolean = item.at("dtype").text() == "bool";
    field.classes = item.has("classes") ? item.at("classes").integer(0, int64_t{1} << 31) : 0;
    field.labels = item.has("labels") ? item.at("labels").integer(0, int64_t{1} << 31) : 0;
    field.shape = readShape(item.at("shape"));
    if ((field.classes > 0 || field.labels > 0) && field.scalar != Scalar::I32)
      refuse(item.path, "a class is i32");
    data.fields.push_back(field);
  }
  const Node parts = node.at("parts");
  for (const char *name : {"train", "valid", "test"}) {
    if (!parts.has(name))
      continue;
    Part part{name, {}};
    for (const Node &fill : parts.at(name).items())
      part.fills.push_back(readFill(fill, data));
    checkTextAlone(parts.at(name), part);
    data.parts.push_back(std::move(part));
  }
  if (!parts.has("train"))
    refuse(parts.path, "`train` is missing");
  if (node.has("split")) {
    const Node item = node.at("split");
    Split split;
    split.train = item.at("train").number();
    split.valid = item.number("valid", 0);
    split.test = item.number("test", 0);
    split.seed = item.has("seed") ? item.at("seed").seed() : data.seed;
    split.stratify = item.text("stratify", "");
    split.place = item.text("place", data.place.c_str());
    const double sum = split.train + split.valid + split.test;
    if (!(split.train > 0) || split.valid < 0 || split.test < 0 || std::abs(sum - 1) > 1e-6)
      refuse(item.path, "the shares do not sum to 1");
    if ((split.valid > 0 && parts.has("valid")) || (split.test > 0 && parts.has("test")))
      refuse(item.path, "the split cuts off a part that is filled");
    if (!split.stratify.empty()) {
      const Field *field = data.field(split.stratify);
      if (!field || field->classes == 0 || field->elements() != 1)
        refuse(item.path, fmt::format("`{}` is no field of one class", split.stratify));
    }
    data.split = split;
  }
  if (node.has("keep"))
    data.keep = readKeep(node.at("keep"), data);
  if (node.has("take"))
    data.take = node.at("take").integer(1);
  for (const Node &item : node.list("augment"))
    data.augments.push_back(readAugment(item, data));
  return data;
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
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
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
