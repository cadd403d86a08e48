//===- Recurrent.cpp - rnn, lstm and gru --------------------------------------------------------===//
// They differ in their gates alone: how many rows of the weights each state has.
#include "compiler/semantics/Recurrent.h"

#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

const char *const recurrentArguments =
    "size: size, return: all|last = all, bias: bias = true, init?: init, recurrent_init?: init, "
    "bias_init?: init, regularize?: reg, weight?: tie, recurrent_weight?: tie";

static int64_t gatesOf(const std::string &kind) {
  return kind == "lstm" ? 4 : kind == "gru" ? 3 : 1;
}

/// Each gate's part of weight_hh is a map from state to state, and begins as one by itself.
static void beginGatesApart(Instance &instance, int64_t gates) {
  Initializer &initializer = instance.owned.at("weight_hh").parameter->parameter.initializer;
  if (initializer.kind == Initializer::Kind::Orthogonal ||
      initializer.kind == Initializer::Kind::Identity)
    initializer.b = static_cast<double>(gates);
}

Value recurrent(LayerCall &call) {
  Evaluator &evaluator = call.evaluator;
  Engine &engine = evaluator.session.engine;
  if (call.type().rank() != 2) {
    auto report =
        engine.report(Diag::LayerRank, call.place, call.name(), "[T, D]", call.type().str());
    report.note(call.inputSpan, call.type().str());
    const std::string input = evaluator.session.text(call.inputSpan),
                      layer = evaluator.session.text(call.place);
    const std::vector<int64_t> &dims = call.type().dims;
    if (dims.size() == 1)
      report.help(fmt::format("as {} steps of one number each: `{} |> reshape({}, 1) |> {}`",
                              dims[0], input, dims[0], layer));
    else if (dims.size() == 3)
      report.help(
          dims[0] == 1
              ? fmt::format("an image row by row: `{} |> reshape({}, {}) |> {}`", input, dims[1],
                            dims[2], layer)
              : fmt::format("an image row by row: `{} |> permute(1, 0, 2) |> reshape({}, {}) "
                            "|> {}`",
                            input, dims[1], dims[0] * dims[2], layer));
    return Poison{};
  }
  const int64_t size = call.arguments.integer("size"), gates = gatesOf(call.name());
  const int64_t steps = call.type().dims[0], inputs = call.type().dims[1];
  const Type inputWeight{Scalar::F32, 0, {gates * size, inputs}},
      stateWeight{Scalar::F32, 0, {gates * size, size}}, bias{Scalar::F32, 0, {gates * size}};

  // Of a tied weight's shape the gates are what surprises.
  std::optional<ValueId> weight = evaluator.weight(
      call.instance, "weight_ih", inputWeight, Role::Weight, call.arguments.expr("init"), nullptr,
      call.arguments.expr("weight"), call.name(), call.place, call.instance.place);
  const Expr *stateTie = call.arguments.expr("recurrent_weight");
  std::optional<ValueId> state =
      evaluator.weight(call.instance, "weight_hh", stateWeight, Role::Recurrent,
                       call.arguments.expr("recurrent_init"), "orthogonal", stateTie, call.name(),
                       call.place, call.instance.place);
  if (!weight || !state)
    return Poison{};
  if (!stateTie)
    beginGatesApart(call.instance, gates);
  call.regularize({"weight_ih", "weight_hh"});

  std::vector<ValueId> operands{call.input, *weight, *state};
  bool absent = false;
  std::optional<ValueId> first = call.bias(gates * size, absent, "bias_ih");
  if (!absent) {
    std::optional<ValueId> second =
        call.own("bias_hh", bias.dims, Role::Bias, "zeros", "bias_init");
    if (!first || !second)
      return Poison{};
    operands.push_back(*first);
    operands.push_back(*second);
  }
  const bool last = call.arguments.string("return") == "last";
  std::vector<int64_t> result =
      last ? std::vector<int64_t>{size} : std::vector<int64_t>{steps, size};
  return call.emit(call.name(), std::move(operands), {{"last", last}}, std::move(result));
}

} // namespace sinter::semantics
