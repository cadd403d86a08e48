//===- SequenceLayers.cpp - embeddings, positions and attention -------------------------------===//
#include "compiler/semantics/Layers.h"

#include <cstdlib>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

constexpr const char *ofTables = ", init?: init, regularize?: reg, weight?: tie";

/// Row t of the weight for token t.
Value embedding(LayerCall &call) {
  const Type tokens = call.type();
  int64_t count = call.arguments.integer("count"), size = call.arguments.integer("size");
  Engine &engine = call.evaluator.session.engine;
  if (tokens.scalar != Scalar::Class && tokens.scalar != Scalar::I32) {
    auto report = engine.report(Diag::TokensType, call.place, call.name(), tokens.str());
    report.note(call.inputSpan, tokens.str());
    if (tokens.scalar == Scalar::F32) {
      Type wanted = tokens;
      wanted.scalar = Scalar::Class;
      wanted.classes = count;
      report.help(fmt::format("declare the field as `{}`", wanted.str()));
    }
    return Poison{};
  }
  if (tokens.scalar == Scalar::Class && tokens.classes > count) {
    engine
        .report(Diag::TokensBeyond, call.arguments.span("count"), call.name(), count,
                tokens.classes)
        .note(call.inputSpan, tokens.str())
        .help(fmt::format("`embedding({}, {})`", tokens.classes, size));
    return Poison{};
  }
  std::optional<ValueId> weight = call.weight({count, size}, Role::Embedding, "normal(0, 1)");
  if (!weight)
    return Poison{};
  std::vector<int64_t> dims = tokens.dims;
  dims.push_back(size);
  return call.emit("embedding", {call.input, *weight}, {}, std::move(dims));
}

/// x + weight, or x + what sines and cosines of the position say.
Value positionEmbedding(LayerCall &call) {
  const std::vector<int64_t> dims = call.type().dims;
  if (!call.needsRank({2}, "[T, D]"))
    return Poison{};
  std::optional<ValueId> positions;
  if (call.arguments.string("kind") == "learned") {
    positions = call.weight(dims, Role::Embedding, "normal(0, 0.02)");
  } else {
    for (const char *argument : {"init", "regularize", "weight"})
      if (const Expr *expr = call.arguments.expr(argument)) {
        call.evaluator.session.engine
            .report(Diag::SinusoidWeight, expr->span, call.name(), argument)
            .help("`kind: learned` has one");
        return Poison{};
      }
    Value made = call.emit("sinusoid", {}, {}, dims);
    if (!made.poisoned())
      positions = made.get<Tensor>()->id;
  }
  if (!positions)
    return Poison{};
  return call.emit("add", {call.input, *positions}, {}, dims);
}

/// One of an attention's four dense layers, with the attention's arguments.
Value projection(LayerCall &call, int64_t units) {
  std::vector<int64_t> dims = call.type().dims;
  bool noBias = false;
  std::optional<ValueId> weight = call.weight({units, dims.back()});
  std::optional<ValueId> bias = weight ? call.bias(units, noBias) : std::nullopt;
  if (!weight || (!bias && !noBias))
    return Poison{};
  std::vector<ValueId> operands{call.input, *weight};
  if (bias)
    operands.push_back(*bias);
  dims.back() = units;
  return call.emit("dense", std::move(operands), {}, std::move(dims));
}

/// It is a child of the attention's instance.
std::optional<ValueId> project(LayerCall &call, const char *name, int64_t order, ValueId x,
                               int64_t units) {
  Instance &child = Evaluator::childOf(call.instance, *call.evaluator.frame->store, name, "dense",
                                       order, call.instance.place);
  LayerCall inner{call.evaluator, call.arguments, child, x, call.inputSpan, call.place};
  Value y = projection(inner, units);
  return y.poisoned() ? std::nullopt : std::optional(y.get<Tensor>()->id);
}

/// `a.query(x)`: its weights exist since the attention was first used.
Value projectAlone(LayerCall &call) {
  if (call.type().rank() == 0) {
    call.needsRank({1, 2}, "[…, D]");
    return Poison{};
  }
  return projection(call, call.instance.owned.at("weight").parameter->parameter.type.dims[0]);
}

/// The largest divisor of `size` that is at most `most`.
int64_t divisorBelow(int64_t size, int64_t most) {
  int64_t divisor = std::min(size, most);
  while (size % divisor != 0)
    --divisor;
  return divisor;
}

Value attention(LayerCall &call) {
  Engine &engine = call.evaluator.session.engine;
  if (!call.needsRank({2}, "[T, D]"))
    return Poison{};
  const Type x = call.type();
  ValueId memory = call.input;
  if (call.arguments.given("over")) {
    memory = call.arguments.tensor("over");
    const Type over = call.evaluator.graph->type(memory);
    if (over.rank() != 2) {
      engine.report(Diag::MemoryRank, call.arguments.span("over"), call.name(), over.str())
          .label(over.str());
      return Poison{};
    }
  }
  int64_t heads = call.arguments.integer("heads"), size = x.dims[1];
  if (size % heads != 0) {
    engine.report(Diag::HeadsDivide, call.arguments.span("heads"), heads, size, x.str())
        .note(call.inputSpan, x.str())
        .help(fmt::format("`attention({})`", divisorBelow(size, heads)));
    return Poison{};
  }
  if (const Expr *init = call.arguments.expr("bias_init");
      init && !call.arguments.boolean("bias")) {
    engine.report(Diag::InitOfNoBias, init->span, call.name());
    return Poison{};
  }
  std::vector<ValueId> operands;
  int64_t order = 0;
  for (const char *name : {"query", "key", "value"}) {
    ValueId source = order == 0 ? call.input : memory;
    std::optional<ValueId> projected = project(call, name, order++, source, size);
    if (!projected)
      return Poison{};
    operands.push_back(*projected);
  }
  const Type scores{Scalar::F32, 0, {heads, x.dims[0], call.evaluator.graph->type(memory).dims[0]}};
  if (!call.evaluator.checkSize(scores, call.place))
    return Poison{};
  Value mixed = call.emit("attention", std::move(operands),
                          {{"heads", heads},
                           {"causal", call.arguments.boolean("causal")},
                           {"dropout", call.arguments.number("dropout")}},
                          x.dims);
  if (mixed.poisoned())
    return mixed;
  std::optional<ValueId> y = project(call, "output", order, mixed.get<Tensor>()->id, size);
  return y ? Value(Tensor{*y}) : Value(Poison{});
}

} // namespace

std::vector<LayerEntry> sequenceLayers() {
  auto entry = [](const char *name, const std::string &text, Value (*apply)(LayerCall &),
                  bool ofTokens = false, Value(*applyPart)(LayerCall &) = nullptr) {
    return LayerEntry{Signature::parse(name, text), apply, ofTokens, applyPart};
  };
  const std::string table = ofTables;
  return {
      entry("embedding", "count: size, size: size" + table, embedding, true),
      entry("position_embedding", "kind: learned|sinusoidal = learned" + table, positionEmbedding),
      entry("attention",
            "heads: count, causal: bool = false, dropout: probability = 0, bias: bool = true, "
            "over?: tensor, init?: init, bias_init?: init, regularize?: reg",
            attention, false, projectAlone),
  };
}

} // namespace sinter::semantics
