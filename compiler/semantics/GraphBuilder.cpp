//===- GraphBuilder.cpp ----------------------------------------------------------------------===//
#include "compiler/semantics/GraphBuilder.h"

namespace sinter::semantics {

ValueId GraphBuilder::emit(std::string kind, std::vector<ValueId> operands, Attributes attributes,
                           Type result, Place place, std::string path) {
  bool varying = kind == "input";
  for (ValueId operand : operands)
    varying |= facts[operand].varies;
  auto id = static_cast<ValueId>(graph.types.size());
  graph.types.push_back(std::move(result));
  facts.push_back({graph.operations.size(), varying});
  std::string owner = path.empty() ? within : path;
  graph.operations.push_back({std::move(kind),
                              std::move(operands),
                              {id},
                              std::move(attributes),
                              std::move(path),
                              place,
                              std::move(owner)});
  return id;
}

std::vector<ValueId> GraphBuilder::emitCall(const std::string &net, std::vector<ValueId> operands,
                                            const std::vector<Type> &results, Place place) {
  std::vector<ValueId> ids;
  for (const Type &each : results) {
    ids.push_back(static_cast<ValueId>(graph.types.size()));
    graph.types.push_back(each);
    facts.push_back({graph.operations.size(), true});
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
