//===- GraphBuilder.cpp ----------------------------------------------------------------------===//
#include "compiler/semantics/GraphBuilder.h"

#include <algorithm>
#include <set>

namespace sinter::semantics {

namespace {

const std::set<std::string> pointwise = {
    "relu",          "leaky_relu", "elu",           "gelu",          "silu",       "tanh",
    "sigmoid",       "softplus",   "exp",           "log",           "sqrt",       "abs",
    "square",        "sin",        "cos",           "neg",           "clamp",      "stop_gradient",
    "add",           "sub",        "mul",           "div",           "pow",        "maximum",
    "minimum",       "equal",      "not_equal",     "less",          "less_equal", "greater",
    "greater_equal", "where",      "random_normal", "random_uniform"};

/// Of a reduction: whether it takes the last axis of its operand away.
bool reducesLast(const Operation &operation, int64_t rank) {
  if (auto found = operation.attributes.find("axes"); found != operation.attributes.end()) {
    const auto &axes = std::get<std::vector<int64_t>>(found->second);
    return !axes.empty() && axes.back() == rank - 1;
  }
  return std::get<int64_t>(operation.attributes.at("axis")) == rank - 1;
}

} // namespace

bool GraphBuilder::keepsColumns(const Operation &operation) const {
  const std::string &kind = operation.kind;
  auto columns = [&](ValueId each) { return facts[each].columns; };
  if (std::none_of(operation.operands.begin(), operation.operands.end(), columns))
    return kind == "pairwise" && batch > 1;
  if (pointwise.count(kind) || kind == "mask_columns" || kind == "softmax" || kind == "log_softmax")
    return true;
  bool reduces =
      kind == "sum" || kind == "max" || kind == "min" || kind == "mean" || kind == "argmax";
  return reduces && !reducesLast(operation, type(operation.operands.front()).rank());
}

const Operation *GraphBuilder::misusesColumns() const {
  static const std::set<std::string> masked = {"sum",           "max",      "min",
                                               "argmax",        "softmax",  "log_softmax",
                                               "cross_entropy", "accuracy", "top_k"};
  for (const Operation &operation : graph.operations) {
    bool any = false;
    for (ValueId each : operation.operands)
      any |= facts[each].columns;
    if (!any || pointwise.count(operation.kind) || operation.kind == "mask_columns")
      continue;
    ValueId first = operation.operands.front();
    const bool axisKind = masked.count(operation.kind) || operation.kind == "mean";
    if (axisKind && facts[first].columns &&
        (!reducesLast(operation, type(first).rank()) ||
         (operation.kind != "mean" && maker(first).kind == "mask_columns")))
      continue;
    return &operation;
  }
  return nullptr;
}

ValueId GraphBuilder::emit(std::string kind, std::vector<ValueId> operands, Attributes attributes,
                           Type result, Place place, std::string path) {
  bool varying = kind == "input" || kind == "random_normal" || kind == "random_uniform";
  for (ValueId operand : operands)
    varying |= facts[operand].varies;
  varying &= kind != "batch_mean" && kind != "batch_count";
  auto id = static_cast<ValueId>(graph.types.size());
  graph.types.push_back(std::move(result));
  std::string owner = path.empty() ? within : path;
  graph.operations.push_back({std::move(kind),
                              std::move(operands),
                              {id},
                              std::move(attributes),
                              std::move(path),
                              place,
                              std::move(owner)});
  facts.push_back({graph.operations.size() - 1, varying, keepsColumns(graph.operations.back())});
  return id;
}

void GraphBuilder::emitUpdate(const std::string &buffer, ValueId value, Place place) {
  graph.operations.push_back({"update", {value}, {}, {{"parameter", buffer}}, "", place, within});
}

std::vector<ValueId> GraphBuilder::emitCall(const std::string &net, std::vector<ValueId> operands,
                                            const std::vector<Type> &results,
                                            const std::vector<bool> &columns, Place place) {
  std::vector<ValueId> ids;
  for (size_t i = 0; i < results.size(); ++i) {
    ids.push_back(static_cast<ValueId>(graph.types.size()));
    graph.types.push_back(results[i]);
    facts.push_back({graph.operations.size(), true, columns[i]});
  }
  graph.operations.push_back({"call", std::move(operands), ids, {{"net", net}}, "", place, within});
  return ids;
}

ValueId GraphBuilder::canonical(ValueId value) {
  for (auto next = static_cast<ValueId>(firsts.size()); next <= value; ++next) {
    const Operation &op = maker(next);
    std::vector<ValueId> operands;
    for (ValueId operand : op.operands)
      operands.push_back(firsts[operand]);
    // Each draw of random numbers is a value of its own.
    bool draws = op.kind.starts_with("random") || !op.path.empty();
    if (draws)
      operands.push_back(next);
    size_t result = next - op.results.front();
    firsts.push_back(
        forms.emplace(Form(op.kind, operands, op.attributes, result), next).first->second);
  }
  return firsts[value];
}

ValueId GraphBuilder::constant(double value, Place place) {
  return emit("constant", {}, {{"value", value}}, Type{}, place);
}

} // namespace sinter::semantics
