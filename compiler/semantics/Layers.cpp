//===- Layers.cpp - the table of built-in layers: to add one, add an entry ----------------------===//
#include "compiler/semantics/Layers.h"

#include "compiler/semantics/Recurrent.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace sinter::semantics {

using namespace syntax;

//===-- What the rules below are made of ---------------------------------------------------------===//

bool LayerCall::needsRank(std::vector<int64_t> ranks, const std::string &wanted) {
  if (std::find(ranks.begin(), ranks.end(), type().rank()) != ranks.end())
    return true;
  auto report =
      evaluator.session.engine.report(Diag::LayerRank, place, name(), wanted, type().str());
  report.note(inputSpan, type().str());
  if (wanted == "[C, H, W]" && type().rank() == 2)
    report.help(fmt::format("`{} |> reshape(1, {}, {}) |> {}` has one channel",
                            evaluator.session.text(inputSpan), type().dims[0], type().dims[1],
                            evaluator.session.text(place)));
  return false;
}

std::optional<ValueId> LayerCall::weight(std::vector<int64_t> dims, Role role,
                                         const char *fallback) {
  if (!fallback && role == Role::NormScale)
    fallback = "ones";
  std::optional<ValueId> id = evaluator.weight(
      instance, "weight", Type{Scalar::F32, 0, std::move(dims)}, role, arguments.expr("init"),
      fallback, arguments.expr("weight"), name(), place, instance.place);
  if (id)
    regularize({"weight"});
  return id;
}

void LayerCall::regularize(const std::vector<std::string> &names) {
  const Expr *regularizer = arguments.expr("regularize");
  if (!regularizer || instance.regularized)
    return;
  instance.regularized = true;
  // Of an expression, the parameters that it is made of.
  std::set<std::string> parameters;
  for (const std::string &each : names) {
    const Owned &owned = instance.owned.at(each);
    if (owned.parameter)
      parameters.insert(owned.parameter->parameter.name);
    parameters.insert(owned.behind.begin(), owned.behind.end());
  }
  for (const std::string &each : parameters)
    if (const OwnedParameter *owned = evaluator.frame->store->find(each);
        owned && owned->parameter.trained)
      evaluator.frame->regularizers->push_back({each, regularizer, evaluator.scope});
}

std::optional<ValueId> LayerCall::bias(int64_t size, bool &absent, const char *owned) {
  Type type{Scalar::F32, 0, {size}};
  const Expr *given = arguments.expr("bias");
  const Expr *tie = nullptr;
  absent = false;
  if (given) {
    Value value = evaluator.evaluate(*given);
    if (value.poisoned())
      return std::nullopt;
    const bool *flag = value.get<bool>();
    if (!flag && !value.get<Tensor>()) {
      evaluator.session.engine.report(Diag::ArgumentKind, given->span, name(), "bias",
                                      "`true`, `false` or a parameter", evaluator.describe(value));
      return std::nullopt;
    }
    absent = flag && !*flag;
    tie = flag ? nullptr : given;
  }
  const Expr *initializer = arguments.expr("bias_init");
  if (absent) {
    if (initializer)
      evaluator.session.engine.report(Diag::InitOfNoBias, initializer->span, name());
    return std::nullopt;
  }
  return evaluator.weight(instance, owned, type, Role::Bias, initializer, "zeros", tie, name(),
                          place, instance.place);
}

std::optional<ValueId> LayerCall::own(const std::string &owned, std::vector<int64_t> dims,
                                      Role role, const char *initializer,
                                      const char *initArgument) {
  return evaluator.weight(instance, owned, Type{Scalar::F32, 0, std::move(dims)}, role,
                          initArgument ? arguments.expr(initArgument) : nullptr, initializer,
                          nullptr, name(), place, instance.place);
}

Value LayerCall::emit(const std::string &kind, std::vector<ValueId> operands, Attributes attributes,
                      std::vector<int64_t> dims) {
  Type result{Scalar::F32, 0, std::move(dims)};
  if (!evaluator.checkSize(result, place))
    return Poison{};
  return Tensor{evaluator.graph->emit(kind, std::move(operands), std::move(attributes),
                                      std::move(result), place, instance.path)};
}

namespace {

Value dense(LayerCall &call) {
  if (call.type().rank() == 0) {
    call.needsRank({1, 2}, "[D] or [T, D]");
    return Poison{};
  }
  std::vector<int64_t> dims = call.type().dims;
  if (dims.size() >= 3)
    call.evaluator.session.engine
        .report(Diag::DenseOnImage, call.place, call.type().str(), dims.back())
        .help(fmt::format("`{} |> flatten |> {}`", call.evaluator.session.text(call.inputSpan),
                          call.evaluator.session.text(call.place)));
  int64_t units = call.arguments.integer("units");
  bool noBias = false;
  std::optional<ValueId> weight = call.weight({units, dims.back()});
  std::optional<ValueId> bias = call.bias(units, noBias);
  if (!weight || (!bias && !noBias))
    return Poison{};
  std::vector<ValueId> operands{call.input, *weight};
  if (bias)
    operands.push_back(*bias);
  dims.back() = units;
  return call.emit("dense", std::move(operands), {}, std::move(dims));
}

/// The bias of a norm.
std::optional<ValueId> shift(LayerCall &call, int64_t channels, bool &absent) {
  std::optional<ValueId> bias = call.bias(channels, absent);
  if (auto found = call.instance.owned.find("bias");
      bias && found != call.instance.owned.end() && found->second.parameter)
    found->second.parameter->parameter.role = Role::NormShift;
  return bias;
}

Value batchNorm(LayerCall &call) {
  if (!call.needsRank({1, 2, 3}, "[D], [T, D] or [C, H, W]"))
    return Poison{};
  int64_t axis = call.type().rank() == 3 ? 0 : call.type().rank() - 1;
  int64_t channels = call.type().dims[static_cast<size_t>(axis)];
  std::optional<ValueId> weight = call.weight({channels}, Role::NormScale);
  bool noBias = false;
  std::optional<ValueId> bias = shift(call, channels, noBias);
  std::optional<ValueId> mean = call.own("running_mean", {channels}, Role::Buffer, "zeros");
  std::optional<ValueId> variance = call.own("running_var", {channels}, Role::Buffer, "ones");
  if (!weight || (!bias && !noBias) || !mean || !variance)
    return Poison{};
  std::vector<ValueId> operands{call.input, *weight};
  if (bias)
    operands.push_back(*bias);
  operands.insert(operands.end(), {*mean, *variance});
  return call.emit("batch_norm", std::move(operands),
                   {{"momentum", call.arguments.number("momentum")},
                    {"eps", call.arguments.number("eps")},
                    {"axis", axis}},
                   call.type().dims);
}

Value groupNorm(LayerCall &call) {
  if (!call.needsRank({1, 2, 3}, "[D], [T, D] or [C, H, W]"))
    return Poison{};
  int64_t axis = call.type().rank() == 3 ? 0 : call.type().rank() - 1;
  int64_t channels = call.type().dims[static_cast<size_t>(axis)];
  int64_t groups = call.arguments.integer("groups");
  if (channels % groups) {
    call.evaluator.session.engine
        .report(Diag::NormGroups, call.arguments.span("groups"), groups, channels)
        .note(call.inputSpan, call.type().str());
    return Poison{};
  }
  std::optional<ValueId> weight = call.weight({channels}, Role::NormScale);
  bool noBias = false;
  std::optional<ValueId> bias = shift(call, channels, noBias);
  if (!weight || (!bias && !noBias))
    return Poison{};
  std::vector<ValueId> operands{call.input, *weight};
  if (bias)
    operands.push_back(*bias);
  return call.emit("group_norm", std::move(operands),
                   {{"groups", groups}, {"eps", call.arguments.number("eps")}, {"axis", axis}},
                   call.type().dims);
}

Value dropout(LayerCall &call) {
  return call.emit("dropout", {call.input},
                   {{"p", call.arguments.number("p")}, {"scale", call.arguments.string("scale")}},
                   call.type().dims);
}

Value gaussianNoise(LayerCall &call) {
  return call.emit("gaussian_noise", {call.input}, {{"std", call.arguments.number("std")}},
                   call.type().dims);
}

/// layer_norm and rms_norm, in the operations they are.
Value lastAxesNorm(LayerCall &call) {
  int64_t rank = call.type().rank();
  int64_t count = call.arguments.integer("axes");
  if (count > rank) {
    call.evaluator.session.engine.report(Diag::AxisRange, call.place, count, call.type().str(),
                                         rank);
    return Poison{};
  }
  if (rank == 3 && count == 1)
    call.evaluator.session.engine
        .report(Diag::NormOverWidth, call.place, call.name(), call.type().str())
        .help(fmt::format("`{}(axes: 3)` takes the whole image", call.name()));
  std::vector<int64_t> axes, dims = call.type().dims, kept = dims;
  std::vector<int64_t> shape(dims.end() - count, dims.end());
  for (int64_t axis = rank - count; axis < rank; ++axis) {
    axes.push_back(axis);
    kept[static_cast<size_t>(axis)] = 1;
  }
  bool centred = call.name() == "layer_norm";
  bool noBias = !centred;
  std::optional<ValueId> weight = call.weight(shape, Role::NormScale);
  std::optional<ValueId> bias;
  if (centred) {
    // Its shape is the norm's, not one size: the bias of a layer norm over two axes is a matrix.
    const Expr *given = call.arguments.expr("bias");
    const auto *flag = dynCast<BooleanExpr>(given);
    noBias = flag && !flag->value;
    if (!noBias)
      bias =
          call.evaluator.weight(call.instance, "bias", Type{Scalar::F32, 0, shape}, Role::NormShift,
                                call.arguments.expr("bias_init"), "zeros", flag ? nullptr : given,
                                call.name(), call.place, call.instance.place);
  }
  if (!weight || (!bias && !noBias))
    return Poison{};
  GraphBuilder &graph = *call.evaluator.graph;
  auto make = [&](const char *kind, std::vector<ValueId> operands, std::vector<int64_t> result,
                  Attributes attributes = {}) {
    return graph.emit(kind, std::move(operands), std::move(attributes),
                      Type{Scalar::F32, 0, std::move(result)}, call.place, call.instance.path);
  };
  Attributes overAxes{{"axes", axes}, {"keep", true}};
  ValueId x = call.input;
  if (centred)
    x = make("sub", {x, make("mean", {x}, kept, overAxes)}, dims);
  ValueId meanSquare = make("mean", {make("square", {x}, dims)}, kept, overAxes);
  ValueId eps = graph.constant(call.arguments.number("eps"), call.place);
  ValueId deviation = make("sqrt", {make("add", {meanSquare, eps}, kept)}, kept);
  // One division a row: of each element it would take longer than all the rest.
  ValueId one = graph.constant(1, call.place);
  ValueId scale = make("div", {one, deviation}, kept);
  ValueId y = make("mul", {make("mul", {x, scale}, dims), *weight}, dims);
  return Tensor{bias ? make("add", {y, *bias}, dims) : y};
}

/// where(x > 0, x, weight * x): one weight, or one a channel.
Value prelu(LayerCall &call) {
  const std::vector<int64_t> dims = call.type().dims;
  bool perChannel = call.arguments.boolean("per_channel");
  if (perChannel && !call.needsRank({1, 2, 3}, "[D], [T, D] or [C, H, W]"))
    return Poison{};
  int64_t channels = !perChannel ? 1 : dims.size() == 3 ? dims.front() : dims.back();
  std::optional<ValueId> weight = call.weight({channels}, Role::Other, "constant(0.25)");
  if (!weight)
    return Poison{};
  GraphBuilder &graph = *call.evaluator.graph;
  auto make = [&](const char *kind, std::vector<ValueId> operands, Type type,
                  Attributes attributes = {}) {
    return graph.emit(kind, std::move(operands), std::move(attributes), std::move(type), call.place,
                      call.instance.path);
  };
  if (perChannel && dims.size() == 3)
    weight = make("reshape", {*weight}, {Scalar::F32, 0, {channels, 1, 1}},
                  {{"shape", std::vector<int64_t>{channels, 1, 1}}});
  if (dims.empty())
    weight = make("reshape", {*weight}, {Scalar::F32, 0, {}}, {{"shape", std::vector<int64_t>{}}});
  Type type{Scalar::F32, 0, dims};
  ValueId zero = graph.constant(0, call.place);
  ValueId positive = make("greater", {call.input, zero}, {Scalar::Bool, 0, dims});
  return Tensor{
      make("where", {positive, call.input, make("mul", {call.input, *weight}, type)}, type)};
}

std::vector<LayerEntry> makeLayers() {
  auto entry = [](const char *name, const std::string &text, Value (*apply)(LayerCall &)) {
    return LayerEntry{Signature::parse(name, text), apply};
  };
  const std::string weights = ofWeights;
  std::vector<LayerEntry> all = {
      entry("dense", "units: size, bias: bias = true" + weights, dense),
      entry("batch_norm",
            "momentum: nonnegative = 0.1, eps: positive = 1e-5, bias: bias = true" + weights,
            batchNorm),
      entry("group_norm", "groups: count, eps: positive = 1e-5, bias: bias = true" + weights,
            groupNorm),
      entry("layer_norm", "eps: positive = 1e-5, axes: count = 1, bias: bias = true" + weights,
            lastAxesNorm),
      entry("rms_norm",
            "eps: positive = 1e-5, axes: count = 1, init?: init, regularize?: reg, weight?: tie",
            lastAxesNorm),
      entry("dropout", "p: probability, scale: training|inference = training", dropout),
      entry("gaussian_noise", "std: nonnegative", gaussianNoise),
      entry("prelu", "per_channel: bool = false, init?: init, regularize?: reg, weight?: tie",
            prelu),
      entry("rnn", recurrentArguments, recurrent),
      entry("lstm", recurrentArguments, recurrent),
      entry("gru", recurrentArguments, recurrent),
  };
  for (std::vector<LayerEntry> part : {imageLayers(), sequenceLayers()})
    std::move(part.begin(), part.end(), std::back_inserter(all));
  return all;
}

const std::vector<LayerEntry> &layers() {
  static const std::vector<LayerEntry> table = makeLayers();
  return table;
}

} // namespace

const LayerEntry *findLayer(const std::string &name) {
  for (const LayerEntry &each : layers())
    if (each.signature.name == name)
      return &each;
  return nullptr;
}

std::vector<std::string> layerNames() {
  std::vector<std::string> names;
  for (const LayerEntry &each : layers())
    names.push_back(each.signature.name);
  return names;
}

} // namespace sinter::semantics
