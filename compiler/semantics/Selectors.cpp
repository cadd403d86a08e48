//===- Selectors.cpp ----------------------------------------------------------------------------------===//
#include "compiler/semantics/Selectors.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

using Step = SelectorStep;
using Steps = std::vector<Step>;
using Names = std::vector<std::string>;

Names splitPath(const std::string &path) {
  Names names(1);
  for (char letter : path) {
    if (letter == '.')
      names.emplace_back();
    else
      names.back() += letter;
  }
  return names;
}

bool stepMatches(const Step &step, const std::string &name) {
  if (step.kind == Step::Kind::Any)
    return true;
  for (const Name &each : step.names)
    if (each.text == name)
      return true;
  return false;
}

/// Whether the first `count` steps name the whole of a path. Row by row over the names, so that many `**` cost no more
/// than steps times names.
bool matches(const Steps &steps, size_t count, const Names &names) {
  std::vector<bool> reached(count + 1, false); // after so many steps
  auto skipDepths = [&] {
    for (size_t i = 0; i < count; ++i)
      if (reached[i] && steps[i].kind == Step::Kind::AnyDepth)
        reached[i + 1] = true;
  };
  reached[0] = true;
  skipDepths();
  for (const std::string &name : names) {
    std::vector<bool> next(count + 1, false);
    for (size_t i = 0; i < count; ++i) {
      if (!reached[i])
        continue;
      if (steps[i].kind == Step::Kind::AnyDepth)
        next[i] = true;
      else if (stepMatches(steps[i], name))
        next[i + 1] = true;
    }
    reached = std::move(next);
    skipDepths();
  }
  return reached[count];
}

bool isBeneath(const std::string &path, const std::string &layer) {
  return path.size() > layer.size() && path.starts_with(layer) && path[layer.size()] == '.';
}

} // namespace

bool isKernel(const Parameter &parameter) {
  switch (parameter.role) {
  case Role::Weight:
  case Role::Embedding:
  case Role::Recurrent:
    return true;
  case Role::Other:
    return parameter.type.rank() >= 2;
  default:
    return false;
  }
}

SelectorTable::SelectorTable(Session &session, const ParameterStore &store, std::string model,
                             const std::string &prefix, std::vector<std::string> teachers)
    : session(session), model(std::move(model)), teachers(std::move(teachers)) {
  auto add = [&](const std::string &name, const Parameter *parameter) {
    nodes.push_back({splitPath(name.substr(prefix.size())), parameter, name});
  };
  for (const OwnedParameter &owned : store.all) {
    add(owned.parameter.name, &owned.parameter);
    for (const Alias &alias : owned.parameter.aliases)
      add(alias.name, &owned.parameter);
  }
  for (const std::string &path : store.layerPaths)
    add(path, nullptr);
}

std::optional<Selection> SelectorTable::select(const SelectorPath &path) const {
  Selection selection;
  size_t count = path.steps.size();
  const Step &last = path.steps.back();
  bool kernels = last.kind == Step::Kind::Name && last.names.front().text == "weights";
  if (kernels)
    --count;
  std::set<std::string> layers;
  bool everything = kernels && count == 0;
  for (const Node &node : nodes) {
    if (!everything && !matches(path.steps, count, node.names))
      continue;
    if (node.parameter)
      selection.parameters.insert(node.parameter->name);
    else
      layers.insert(node.path);
  }
  for (const Node &node : nodes) {
    bool beneath = false;
    for (size_t i = 0; i < node.path.size() && !beneath; ++i)
      beneath = node.path[i] == '.' && layers.count(node.path.substr(0, i)) != 0;
    if (beneath && node.parameter)
      selection.parameters.insert(node.parameter->name);
    if (!node.parameter && (beneath || layers.count(node.path)))
      selection.layers.insert(node.path);
  }
  if (kernels) {
    selection.layers.clear();
    for (const Node &node : nodes)
      if (node.parameter && !isKernel(*node.parameter))
        selection.parameters.erase(node.parameter->name);
  }
  if (selection.parameters.empty() && selection.layers.empty()) {
    suggest(path);
    return std::nullopt;
  }
  return selection;
}

void SelectorTable::suggest(const SelectorPath &path) const {
  const std::vector<Name> &first = path.steps.front().names;
  for (const std::string &teacher : teachers)
    if (first.size() == 1 && first.front().text == teacher) {
      session.engine.report(Diag::SelectorOfTeacher, path.steps.front().span, teacher, model);
      return;
    }
  auto report = session.engine.report(Diag::SelectorMatchesNothing, path.span,
                                      session.text(path.span), model);
  // The first step at which nothing is left, and what could stand there.
  for (size_t i = 0; i < path.steps.size(); ++i) {
    bool any = false;
    for (const Node &node : nodes)
      any |= matches(path.steps, i + 1, node.names);
    if (any)
      continue;
    const Step &step = path.steps[i];
    Names candidates;
    for (const Node &node : nodes) {
      for (size_t length = 0; length < node.names.size(); ++length)
        if (matches(path.steps, i, Names(node.names.begin(), node.names.begin() + length)))
          candidates.push_back(node.names[length]);
    }
    if (step.names.empty())
      return;
    Names near = nearest(step.names.front().text, candidates);
    std::string text = session.text(path.span);
    size_t begin = step.span.begin - path.span.begin, length = step.span.end - step.span.begin;
    for (std::string &each : near)
      each = std::string(text).replace(begin, length, each);
    if (!near.empty()) {
      report.help("did you mean " + alternatives(near) + "?");
      return;
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    constexpr size_t most = 8;
    if (candidates.size() > most)
      candidates.resize(most);
    if (!candidates.empty())
      report.help("there is " + alternatives(candidates));
    return;
  }
}

std::optional<Selection> SelectorTable::select(const Selector &selector) const {
  if (!selector.present())
    return std::nullopt;
  std::optional<Selection> selection = select(selector.path);
  if (selector.except.steps.empty())
    return selection;
  std::optional<Selection> excepted = select(selector.except);
  if (!selection || !excepted)
    return std::nullopt;
  for (const std::string &each : excepted->parameters)
    selection->parameters.erase(each);
  for (const std::string &each : excepted->layers)
    selection->layers.erase(each);
  // A layer of which a part is left out is not selected as a whole.
  std::erase_if(selection->layers, [&](const std::string &layer) {
    for (const std::string &each : excepted->layers)
      if (isBeneath(each, layer))
        return true;
    return false;
  });
  return selection;
}

} // namespace sinter::semantics
