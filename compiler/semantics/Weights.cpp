//===- Weights.cpp - parameters: made once, shared by use, tied by passing ----------------------===//
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Initializers.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

std::optional<ValueId> Evaluator::read(const OwnedParameter &owned, Span place,
                                       const std::string &layerPath) {
  return graph->emit("read", {}, {{"parameter", owned.parameter.name}}, owned.parameter.type, place,
                     layerPath);
}

/// The parameter whose name a value is read under, straight or transposed; "" for any other expression.
static std::string parameterBehind(const GraphBuilder &graph, ValueId value, bool &transposed) {
  const Operation *maker = &graph.maker(value);
  transposed = false;
  while (maker->kind == "permute" && graph.type(maker->operands.front()).rank() == 2) {
    const auto &axes = std::get<std::vector<int64_t>>(maker->attributes.at("axes"));
    transposed ^= axes[0] == 1;
    maker = &graph.maker(maker->operands.front());
  }
  return maker->kind == "read" ? std::get<std::string>(maker->attributes.at("parameter")) : "";
}

/// The names of all that an expression reads.
static void parametersBehind(const GraphBuilder &graph, ValueId value,
                             std::set<std::string> &names) {
  const Operation &maker = graph.maker(value);
  if (maker.kind == "read")
    names.insert(std::get<std::string>(maker.attributes.at("parameter")));
  for (ValueId operand : maker.operands)
    parametersBehind(graph, operand, names);
}

/// `transpose(W)` of `W`, and `W` of `transpose(W)`.
static std::string turnedRound(const std::string &text) {
  const std::string begin = "transpose(";
  const std::string inner =
      text.starts_with(begin) ? text.substr(begin.size(), text.size() - begin.size() - 1) : "";
  if (!inner.empty() && inner.find_first_of("(),") == std::string::npos)
    return inner;
  return begin + text + ")";
}

std::optional<ValueId> Evaluator::weight(Instance &instance, const std::string &name,
                                         const Type &type, Role role, const Expr *initializer,
                                         const char *fallback, const Expr *tie,
                                         const std::string &who, Span place, Span declared) {
  if (!checkSize(type, place))
    return std::nullopt;
  std::string fullName = instance.pathOf(name);
  if (tie) {
    if (initializer) {
      session.engine.report(Diag::InitOfTied, initializer->span, who, name)
          .note(tie->span, "tied here");
      return std::nullopt;
    }
    Value value = evaluate(*tie);
    std::optional<ValueId> id = real(value, tie->span, "`" + name + ":`");
    if (!id)
      return std::nullopt;
    if (graph->varies(*id)) {
      session.engine.report(Diag::TieVaries, tie->span, who, name);
      return std::nullopt;
    }
    const Type &given = graph->type(*id);
    bool transposed = false;
    std::string source = parameterBehind(*graph, *id, transposed);
    OwnedParameter *parameter = source.empty() ? nullptr : frame->store->find(source);
    if (given.dims != type.dims) {
      auto report = session.engine.report(Diag::TieShape, tie->span, who, name,
                                          source.empty() ? session.text(tie->span) : source);
      report.label(fmt::format("{} here, needs {}", given.str(), type.str()));
      if (parameter)
        report.note(parameter->parameter.place, "declared here");
      if (given.rank() == 2 && type.rank() == 2 && given.dims[0] == type.dims[1] &&
          given.dims[1] == type.dims[0])
        report.help(fmt::format("use it the other way round: `{}: {}`", name,
                                turnedRound(session.text(tie->span))));
      return std::nullopt;
    }
    if (parameter) {
      std::vector<Alias> &aliases = parameter->parameter.aliases;
      if (parameter->parameter.name != fullName &&
          std::none_of(aliases.begin(), aliases.end(),
                       [&](const Alias &each) { return each.name == fullName; }))
        aliases.push_back({fullName, transposed});
      if (parameter->parameter.role == Role::Other)
        parameter->parameter.role = role;
    }
    instance.owned[name] = {parameter, transposed, {}};
    if (!parameter)
      parametersBehind(*graph, *id, instance.owned[name].behind);
    return id;
  }
  if (auto found = instance.owned.find(name);
      found != instance.owned.end() && found->second.parameter) {
    const Parameter &parameter = found->second.parameter->parameter;
    if (parameter.type != type) {
      session.engine
          .report(Diag::SharedShape, place, instance.path.empty() ? name : instance.path, name,
                  parameter.type.str(), type.str())
          .label(fmt::format("needs {}", type.str()))
          .note(parameter.place, fmt::format("{} since its first use", parameter.type.str()));
      return std::nullopt;
    }
    return read(*found->second.parameter, place, instance.path);
  }
  OwnedParameter owned;
  owned.parameter.name = fullName;
  owned.parameter.type = type;
  owned.parameter.role = role;
  owned.parameter.trained = role != Role::Buffer;
  owned.parameter.place = declared;
  owned.order = instance.order;
  owned.order.push_back(declared.begin);
  owned.order.push_back(static_cast<int64_t>(instance.owned.size()));
  owned.initializerPlace = declared;
  if (initializer) {
    std::optional<Initializer> resolved = resolveInitializer(*this, *initializer, type);
    if (!resolved)
      return std::nullopt;
    owned.parameter.initializer = *resolved;
    owned.initializerPlace = initializer->span;
  } else if (fallback) {
    owned.parameter.initializer = initializerNamed(fallback, type);
  } else {
    owned.automatic = true;
  }
  frame->store->all.push_back(std::move(owned));
  instance.owned[name] = {&frame->store->all.back(), false, {}};
  return read(frame->store->all.back(), place, instance.path);
}

} // namespace sinter::semantics
