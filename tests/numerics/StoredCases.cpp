#include "tests/numerics/StoredCases.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <numeric>
#include <stdexcept>

namespace sinter::numerics {

using Axes = std::vector<int64_t>;

int64_t Values::elements() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

Values Values::permuted(const Axes &perm) const {
  if (perm.empty())
    return *this;
  Axes strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  Values result;
  for (int64_t axis : perm)
    result.shape.push_back(shape[static_cast<size_t>(axis)]);
  Axes point(shape.size(), 0);
  for (int64_t i = 0; i < elements(); ++i) {
    int64_t from = 0;
    for (size_t axis = 0; axis < perm.size(); ++axis)
      from += point[axis] * strides[static_cast<size_t>(perm[axis])];
    result.values.push_back(values[static_cast<size_t>(from)]);
    for (size_t axis = perm.size(); axis-- > 0;) {
      if (++point[axis] < result.shape[axis])
        break;
      point[axis] = 0;
    }
  }
  return result;
}

const Values &Case::input(const std::string &which) const {
  for (const auto &[key, values] : inputs)
    if (key == which)
      return values;
  throw std::out_of_range(which);
}

static Values valuesOf(const nlohmann::json &json) {
  return {json.at("shape").get<Axes>(), json.at("values").get<std::vector<double>>()};
}

std::vector<Case> storedCases() {
  std::ifstream file(SINTER_SOURCE_DIR "/tests/numerics/pytorch/ops.json");
  const auto all = nlohmann::ordered_json::parse(file);
  std::vector<Case> cases;
  for (const nlohmann::ordered_json &json : all.at("cases")) {
    Case one;
    one.name = json.at("name");
    one.op = json.at("op");
    if (one.op == "batch_norm")
      continue;
    one.attributes = json.at("attributes");
    for (const auto &[name, values] : json.at("inputs").items())
      one.inputs.emplace_back(name, valuesOf(values));
    one.upstream = valuesOf(json.at("upstream"));
    one.output = valuesOf(json.at("outputs").at(0));
    for (const auto &[name, values] : json.at("gradients").items())
      one.gradients.emplace(name, valuesOf(values));
    cases.push_back(std::move(one));
  }
  return cases;
}

namespace {

std::string tensorType(const Axes &shape, const char *element = "f32") {
  return shape.empty() ? fmt::format("tensor<{}>", element)
                       : fmt::format("tensor<{}x{}>", fmt::join(shape, "x"), element);
}

std::string listText(const Axes &values) {
  return fmt::format("array<i64: {}>", fmt::join(values, ", "));
}

/// Writes ops one by one; a value is known by its name and shape.
class StepWriter {
public:
  struct Value {
    std::string name;
    Axes shape;
    std::string type() const { return tensorType(shape); }
  };

  std::string body;

  Value emit(const std::string &text, Axes shape) {
    Value value{fmt::format("%{}", next++), std::move(shape)};
    body += fmt::format("    {} = {}\n", value.name, text);
    return value;
  }

  Value unary(const std::string &op, const Value &x, const std::string &attributes = "") {
    return emit(fmt::format("train.{} {}{} : {}", op, x.name, attributes, x.type()), x.shape);
  }

  Value binary(const std::string &op, const Value &a, const Value &b) {
    return emit(fmt::format("train.{} {}, {} : {}, {} -> {}", op, a.name, b.name, a.type(),
                            b.type(), a.shape.empty() ? b.type() : a.type()),
                a.shape.empty() ? b.shape : a.shape);
  }

  Value number(double value) {
    return emit(fmt::format("train.constant dense<{:e}> : tensor<f32>", value), {});
  }

  /// x along the axes `dims` of a result of this shape.
  Value broadcast(const Value &x, const Axes &dims, const Axes &shape) {
    return emit(fmt::format("train.broadcast {} to [{}] : {} -> {}", x.name, fmt::join(dims, ", "),
                            x.type(), tensorType(shape)),
                shape);
  }

  Value reduce(const std::string &op, const Value &x, const Axes &axes) {
    Axes rest;
    for (size_t axis = 0; axis < x.shape.size(); ++axis)
      if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) == axes.end())
        rest.push_back(x.shape[axis]);
    return emit(fmt::format("train.{} {} over [{}] : {} -> {}", op, x.name, fmt::join(axes, ", "),
                            x.type(), tensorType(rest)),
                rest);
  }

  Value reshape(const Value &x, const Axes &shape) {
    return emit(fmt::format("train.reshape {} : {} -> {}", x.name, x.type(), tensorType(shape)),
                shape);
  }

private:
  int next = 0;
};

using Value = StepWriter::Value;

/// The operation of a case, with `shape` what the result has in the step.
class CaseWriter {
public:
  CaseWriter(const Case &stored, StepWriter &writer, std::vector<Value> arguments, Axes shape)
      : stored(stored), w(writer), arguments(std::move(arguments)), shape(std::move(shape)) {}

  Value write() {
    const std::string &op = stored.op;
    if (op == "dense")
      return dense();
    if (op == "conv2d")
      return conv2d();
    if (op == "max_pool2d" || op == "avg_pool2d")
      return pool();
    if (op == "global_avg_pool")
      return mean({1, 2});
    if (op == "cross_entropy")
      return crossEntropy();
    if (op == "mse") {
      arguments[0] = w.unary("square", w.binary("sub", arguments[0], arguments[1]));
      return mean(allButBatch());
    }
    if (stored.attributes.contains("keep"))
      return reduction();
    if (arguments.size() == 2)
      return binary();
    return w.unary(op, arguments[0], attributes());
  }

private:
  Axes list(const char *name) const { return stored.attributes.at(name).get<Axes>(); }

  std::string attributes() const {
    const nlohmann::json &a = stored.attributes;
    if (a.contains("slope"))
      return fmt::format(" {{slope = {:e} : f64}}", a.at("slope").get<double>());
    if (a.contains("alpha"))
      return fmt::format(" {{alpha = {:e} : f64}}", a.at("alpha").get<double>());
    if (a.contains("approximate") && a.at("approximate") == "tanh")
      return " {approximate}";
    return "";
  }

  Axes allButBatch() const {
    Axes axes(arguments[0].shape.size() - 1);
    std::iota(axes.begin(), axes.end(), 1);
    return axes;
  }

  Value withBias(const Value &y) {
    if (!stored.attributes.at("bias").get<bool>())
      return y;
    const auto last = static_cast<int64_t>(shape.size()) - 1;
    return w.binary("add", y, w.broadcast(arguments[2], {last}, shape));
  }

  Value dense() {
    const std::string leading = std::string("bt").substr(0, shape.size() - 1);
    const Value &x = arguments[0], &weight = arguments[1];
    return withBias(
        w.emit(fmt::format("train.contract \"{0}k,kn->{0}n\" {1}, {2} : ({3}, {4}) -> {5}", leading,
                           x.name, weight.name, x.type(), weight.type(), tensorType(shape)),
               shape));
  }

  Value conv2d() {
    const Value &x = arguments[0], &weight = arguments[1];
    return withBias(
        w.emit(fmt::format("train.conv2d {}, {} {{strides = {}, padding = {}, dilations = {}}} : "
                           "({}, {}) -> {}",
                           x.name, weight.name, listText(list("stride")), listText(list("pads")),
                           listText(list("dilation")), x.type(), weight.type(), tensorType(shape)),
               shape));
  }

  Value pool() {
    const Axes padding = list("padding");
    const bool largest = stored.op == "max_pool2d";
    const std::string more = largest ? ", " + tensorType(shape, "i8") : "";
    Value y = w.emit(
        fmt::format("train.{} {} {{size = {}, strides = {}, padding = {}}} : ({}) -> {}", stored.op,
                    arguments[0].name, listText(list("size")), listText(list("stride")),
                    listText({padding[0], padding[1], padding[0], padding[1]}), arguments[0].type(),
                    largest ? fmt::format("({}{})", tensorType(shape), more) : tensorType(shape)),
        shape);
    if (largest) {
      // Two results: the value and where it was.
      const size_t at = w.body.rfind(y.name + " =");
      w.body.replace(at, y.name.size(), y.name + ":2");
      y.name += "#0";
    }
    return y;
  }

  Value mean(const Axes &axes) {
    double count = 1;
    for (int64_t axis : axes)
      count *= static_cast<double>(arguments[0].shape[static_cast<size_t>(axis)]);
    return w.binary("div", w.reduce("sum", arguments[0], axes), w.number(count));
  }

  Value reduction() {
    Axes axes = list("axis");
    for (int64_t &axis : axes)
      ++axis; // the batch stands in front
    if (stored.op == "mean")
      return mean(axes);
    if (stored.op == "min")
      return w.unary("neg", w.reduce("reduce_max", w.unary("neg", arguments[0]), axes));
    return w.reduce(stored.op == "max" ? "reduce_max" : "sum", arguments[0], axes);
  }

  Value crossEntropy() {
    const Value &logits = arguments[0], &label = arguments[1];
    return w.emit(
        fmt::format("train.cross_entropy {}, {} {{smoothing = {:e} : f64}} : {}, {} -> {}",
                    logits.name, label.name, stored.attributes.at("smoothing").get<double>(),
                    logits.type(), tensorType(label.shape, "i32"), tensorType(shape)),
        shape);
  }

  Value binary() {
    Value b = arguments[1];
    if (b.shape != shape) {
      // The axes that b has with more than one value, from the back.
      Axes dims, extents;
      for (size_t i = 0; i < b.shape.size(); ++i)
        if (b.shape[i] != 1) {
          dims.push_back(static_cast<int64_t>(shape.size() - b.shape.size() + i));
          extents.push_back(b.shape[i]);
        }
      b = w.broadcast(extents == b.shape ? b : w.reshape(b, extents), dims, shape);
    }
    return w.binary(stored.op, arguments[0], b);
  }

  const Case &stored;
  StepWriter &w;
  std::vector<Value> arguments;
  Axes shape;
};

/// How an input of PyTorch lies in a step; empty: as it is.
Axes layoutOf(const Case &stored, const std::string &name) {
  const bool image = stored.op == "conv2d" || stored.op == "max_pool2d" ||
                     stored.op == "avg_pool2d" || stored.op == "global_avg_pool";
  if (image && name == "x")
    return {0, 2, 3, 1};
  if (stored.op == "conv2d" && name == "weight")
    return {2, 3, 1, 0};
  if (stored.op == "dense" && name == "weight")
    return {1, 0};
  return {};
}

Axes layoutOfResult(const Case &stored) {
  return stored.output.shape.size() == 4 ? layoutOf(stored, "x") : Axes();
}

} // namespace

CaseStep::CaseStep(const Case &stored) {
  StepWriter writer;
  std::vector<Value> values;
  std::string states, parameters;
  std::vector<std::string> owned, names, types;
  for (const auto &[name, input] : stored.inputs) {
    arguments.push_back(input.permuted(layoutOf(stored, name)));
    values.push_back({"%" + name, arguments.back().shape});
    const auto gradient = stored.gradients.find(name);
    const bool label = name == "label";
    const std::string type = tensorType(values.back().shape, label ? "i32" : "f32");
    if (gradient == stored.gradients.end()) {
      parameters += fmt::format("%{0}: {1} {{train.data = \"{0}\"}}, ", name, type);
      continue;
    }
    states += fmt::format(
        "  train.state @{} : {} kind \"parameter\" init #train.init<constant, 0.0, 0.0>\n", name,
        type);
    parameters += fmt::format("%{0}: {1} {{train.owns = @{0}}}, ", name, type);
    owned.push_back("@" + name);
    names.push_back("%" + name);
    types.push_back(type);
    gradientInputs.push_back(name);
    gradients.push_back(gradient->second.permuted(layoutOf(stored, name)));
  }
  arguments.push_back(stored.upstream.permuted(layoutOfResult(stored)));
  result = stored.output.permuted(layoutOfResult(stored));
  const Value upstream{"%upstream", arguments.back().shape};
  parameters += fmt::format("%upstream: {} {{train.data = \"upstream\"}}", upstream.type());

  const Value y = CaseWriter(stored, writer, values, result.shape).write();
  Axes all(y.shape.size());
  std::iota(all.begin(), all.end(), 0);
  const Value loss = writer.reduce("sum", writer.binary("mul", y, upstream), all);
  std::vector<std::string> committed;
  for (size_t i = 0; i < names.size(); ++i)
    committed.push_back(names.size() == 1 ? "%g" : fmt::format("%g#{}", i));
  text = fmt::format("module {{\n{}  train.step @case kind \"train\" ({}) {{\n{}", states,
                     parameters, writer.body);
  text += fmt::format("    %g{} = train.gradient {} of {} : {}\n",
                      names.size() == 1 ? "" : fmt::format(":{}", names.size()), loss.name,
                      fmt::join(names, ", "), fmt::join(types, ", "));
  text +=
      fmt::format("    train.commit states [{}] ({} : {}) outputs [\"loss\"] ({} : tensor<f32>) "
                  "results [\"y\"] ({} : {})\n  }}\n}}\n",
                  fmt::join(owned, ", "), fmt::join(committed, ", "), fmt::join(types, ", "),
                  loss.name, y.name, y.type());
}

} // namespace sinter::numerics
