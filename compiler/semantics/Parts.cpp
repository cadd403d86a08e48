//===- Parts.cpp - layers within layers, used by themselves: `enc.first(x)`, `a.query(x)` -----------===//
#include "compiler/semantics/Callee.h"
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Layers.h"
#include "compiler/semantics/Nearest.h"

#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

static void reportNoPart(Session &session, const Instance &whole, const Name &name) {
  std::vector<std::string> known;
  for (const auto &[each, child] : whole.children)
    known.push_back(each);
  auto report = session.engine.report(Diag::NoSuchPart, name.span, whole.path, name.text);
  std::string help = didYouMean(name.text, known);
  if (help.empty() && !known.empty())
    help = "it has " + alternatives(known);
  if (!help.empty())
    report.help(help);
}

Value Evaluator::usePart(Instance &instance, const std::vector<Name> &names, size_t from,
                         Inputs inputs, Span place) {
  Instance *whole = nullptr, *part = &instance;
  for (size_t i = from; i < names.size(); ++i) {
    auto found = part->children.find(names[i].text);
    if (found == part->children.end()) {
      reportNoPart(session, *part, names[i]);
      return Poison{};
    }
    whole = part;
    part = found->second.get();
  }
  if (!part->applied.expr)
    return useBuiltPart(*whole, *part, std::move(inputs), place);
  Evaluator inner = within(part->applied.scope);
  // The inputs of `Block(x) as block` were its first use's.
  Callee callee = calleeOf(*part->applied.expr);
  inner.withoutInputs = callee.names && !inner.scope->find(callee.names->front().text) &&
                        inner.model(callee.names->front().text);
  return inner.applyIn(*part->applied.expr, std::move(inputs), place, *part);
}

/// A part that a layer makes by itself: the layer's entry knows it, and its arguments hold for it.
Value Evaluator::useBuiltPart(Instance &whole, Instance &part, Inputs inputs, Span place) {
  if (poisonedAny(inputs))
    return Poison{};
  if (inputs.size() != 1) {
    session.engine.report(Diag::InputCount, place, part.path, counted(1, "input"), inputs.size());
    return Poison{};
  }
  const LayerEntry *entry = findLayer(whole.kind);
  Evaluator inner = within(whole.applied.scope);
  Callee callee = calleeOf(*whole.applied.expr);
  std::optional<BoundArguments> bound =
      inner.bind(entry->signature, *callee.arguments, callee.span);
  std::optional<ValueId> input =
      real(inputs.front().first, inputs.front().second, "`" + part.path + "`");
  if (!bound || !input)
    return Poison{};
  LayerCall application{inner, *bound, part, *input, inputs.front().second, place};
  return entry->applyPart(application);
}

} // namespace sinter::semantics
