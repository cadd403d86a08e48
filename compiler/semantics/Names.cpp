//===- Names.cpp - what a name means, and which names are unknown ------------------------------===//
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/Layers.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/Optimizers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <set>

namespace sinter::semantics {

using namespace syntax;

const ModelDeclaration *Evaluator::model(const std::string &name) const {
  // In its own definition a model does not hide the built-in of its name.
  if (frame && frame->model && frame->model->name.text == name &&
      (findLayer(name) || findFunction(name)))
    return nullptr;
  auto found = session.models.find(name);
  return found == session.models.end() ? nullptr : found->second;
}

bool Evaluator::isCallableName(const std::string &name) {
  if (Binding *binding = scope ? scope->find(name) : nullptr)
    return binding->isLayer || binding->value.get<Callable>();
  if (session.constants.count(name))
    return false;
  return model(name) || findLayer(name) || findFunction(name);
}

bool Evaluator::isInitializerName(const std::string &name) const {
  return isInitializer(name) && !(scope && scope->find(name)) && !session.constants.count(name);
}

bool Evaluator::isCallable(const Expr &expr) {
  if (expr.kind() == Expr::Kind::Stack)
    return true;
  const auto *path = dynCast<PathExpr>(expr);
  const auto *call = dynCast<CallExpr>(expr);
  if (!path && !call)
    return false;
  const std::string &name = path ? path->names.front().text : call->callee.front().text;
  // `max(a, b)` of numbers is a number; `leaky_relu(0.1)` waits for its input.
  static const std::set<std::string> numeric = {"floor_div", "ceil_div", "mod", "min", "max",
                                                "log2",      "sqrt",     "exp", "log", "abs"};
  if (call && numeric.count(name))
    return false;
  return isCallableName(name) || isInitializerName(name);
}

/// Where a model declares a name by a statement or by `as`.
static std::optional<Span> declarationOf(const std::string &wanted, const ModelDeclaration &model) {
  std::optional<Span> found;
  auto note = [&](const Name &name) {
    if (name.text == wanted && !found)
      found = name.span;
  };
  auto visitPipe = [&](const auto &self, const Expr *expr) -> void {
    const auto *pipe = dynCast<PipeExpr>(expr);
    if (!pipe)
      return;
    self(self, pipe->input.get());
    note(pipe->inputName);
    for (const PipeExpr::Stage &stage : pipe->stages)
      note(stage.name);
  };
  for (const ModelStatement &statement : model.statements) {
    std::visit(
        [&](const auto &each) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(each)>, UpdateStatement>)
            note(each.name);
        },
        statement);
    if (const auto *let = std::get_if<LetStatement>(&statement))
      visitPipe(visitPipe, let->value.get());
  }
  visitPipe(visitPipe, model.result.get());
  return found;
}

void Evaluator::unknownName(const Name &name) {
  if (isInitializer(name.text)) {
    session.engine.report(Diag::NotCallable, name.span, name.text, "an initializer");
    return;
  }
  const ModelDeclaration *around = frame ? frame->model : nullptr;
  if (session.mayBeLost(name.text) || (around && around->inputs.empty()))
    return;
  std::vector<std::string> known = scope ? scope->visible() : std::vector<std::string>();
  for (const auto &[each, constant] : session.constants)
    known.push_back(each);
  for (const auto &[each, declaration] : session.models)
    known.push_back(each);
  if (train) {
    known.insert(known.end(), train->fields.begin(), train->fields.end());
    known.insert(known.end(), train->models.begin(), train->models.end());
  }
  for (const std::string &each : layerNames())
    known.push_back(each);
  for (const std::string &each : functionNames())
    known.push_back(each);
  std::optional<Span> below = around ? declarationOf(name.text, *around) : std::nullopt;
  // The use lies in the name's own definition.
  const bool itself = below && below->file == name.span.file && below->end <= name.span.begin;
  if (itself && around->broken)
    return; // what was lost may have ended it
  auto report = session.engine.report(Diag::UnknownName, name.span, name.text);
  if (below) {
    report.note(*below, itself ? "declared here, and known below this statement"
                               : "declared here, below its use");
    return;
  }
  if (std::string help = didYouMean(name.text, known); !help.empty())
    report.help(help);
}

/// A model that the block neither trains nor has as a teacher.
void Evaluator::otherModel(const Name &name) {
  session.engine.report(Diag::OtherModel, name.span, name.text, train->models.front())
      .help(fmt::format(
          "a teacher may stand beside it: `teacher Big = {} from \"weights.safetensors\"`",
          name.text));
}

/// The text of `-D name=text` as a value of the kind that the const has.
static Value parseDefine(Session &session, const std::string &name, const std::string &text,
                         const Value &declared) {
  const char *first = text.data(), *last = first + text.size();
  auto parse = [&](auto number) -> std::optional<Value> {
    auto [end, error] = std::from_chars(first, last, number);
    return error == std::errc() && end == last && first != last ? std::optional<Value>(number)
                                                                : std::nullopt;
  };
  std::optional<Value> value;
  const char *kind = "a string";
  if (declared.get<int64_t>()) {
    kind = "a whole number";
    value = parse(int64_t{0});
  } else if (declared.get<double>()) {
    kind = "a number";
    value = parse(0.0);
    if (value && !std::isfinite(value->number()))
      value.reset();
  } else if (declared.get<bool>()) {
    kind = "`true` or `false`";
    if (text == "true" || text == "false")
      value = text == "true";
  } else {
    bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    value = quoted ? text.substr(1, text.size() - 2) : text;
  }
  if (value)
    return *value;
  session.engine.report(Diag::DefineKind, Span{}, name, text, kind)
      .note(session.constants.at(name).declaration->name.span, "declared here");
  return Poison{};
}

Value Evaluator::constant(const std::string &name, Span place) {
  Constant &constant = session.constants.at(name);
  if (constant.state == Constant::State::Done)
    return constant.value;
  if (constant.state == Constant::State::Busy) {
    session.engine.report(Diag::ConstantCircle, constant.declaration->name.span, name)
        .note(place, "which needs it here");
    return Poison{};
  }
  constant.state = Constant::State::Busy;
  Evaluator own(session);
  Value value = own.evaluate(*constant.declaration->value);
  if (value.get<List>() || value.get<Record>() || value.get<Callable>()) {
    session.engine.report(Diag::ValueKind, constant.declaration->value->span, "a `const`",
                          "a number, a string or a boolean", describe(value));
    value = Poison{};
  }
  if (constant.define && !value.poisoned())
    value = parseDefine(session, name, *constant.define, value);
  constant.value = value;
  constant.state = Constant::State::Done;
  return value;
}

Value Evaluator::members(Value base, const std::vector<Name> &names, size_t from, Span place) {
  for (size_t i = from; i < names.size(); ++i) {
    if (base.poisoned())
      return base;
    const Record *record = base.get<Record>();
    if (!record) {
      session.engine.report(Diag::NotARecord, place, session.text(place), describe(base),
                            names[i].text);
      return Poison{};
    }
    const Value *found = nullptr;
    std::vector<std::string> known;
    for (const auto &[name, value] : *record) {
      known.push_back(name);
      if (name == names[i].text)
        found = &value;
    }
    if (!found) {
      auto report = session.engine.report(Diag::NoSuchMember, names[i].span, names[i].text,
                                          alternatives(known));
      if (std::string help = didYouMean(names[i].text, known); !help.empty())
        report.help(help);
      return Poison{};
    }
    Value next = *found; // `found` is within `base`
    base = std::move(next);
    place = join(place, names[i].span);
  }
  return base;
}

Value Evaluator::path(const PathExpr &expr) {
  const Name &first = expr.names.front();
  if (Binding *binding = scope ? scope->find(first.text) : nullptr) {
    *binding->used = true;
    if (!binding->isLayer)
      return members(binding->value, expr.names, 1, first.span);
    if (expr.isName()) {
      session.engine.report(Diag::LayerAsValue, expr.span, first.text)
          .help(fmt::format("apply it: `x |> {}`", first.text));
      return Poison{};
    }
    // A parameter of a declared layer: `embed.weight`.
    const Instance *instance = binding->owner;
    for (size_t i = 0; instance && i + 1 < expr.names.size(); ++i) {
      auto child = instance->children.find(expr.names[i].text);
      if (child == instance->children.end()) {
        if (i == 0) {
          session.engine.report(Diag::LayerNotUsedYet, expr.span, first.text)
              .note(binding->place, "declared here")
              .help(fmt::format("use `{}` above this line: its shapes follow from its input",
                                first.text));
          return Poison{};
        }
        std::vector<std::string> known;
        for (const auto &[name, other] : instance->children)
          known.push_back(name);
        auto report = session.engine.report(Diag::NoSuchPart, expr.names[i].span, instance->path,
                                            expr.names[i].text);
        if (std::string help = didYouMean(expr.names[i].text, known); !help.empty())
          report.help(help);
        return Poison{};
      }
      instance = child->second.get();
    }
    auto found = instance->owned.find(expr.names.back().text);
    if (found == instance->owned.end()) {
      std::vector<std::string> known;
      for (const auto &[name, owned] : instance->owned)
        known.push_back(name);
      auto report = session.engine.report(Diag::NoSuchPart, expr.names.back().span, instance->path,
                                          expr.names.back().text);
      std::string help = didYouMean(expr.names.back().text, known);
      if (help.empty() && !known.empty())
        help = "it has " + alternatives(known);
      if (!help.empty())
        report.help(help);
      return Poison{};
    }
    if (!found->second.parameter) {
      session.engine.report(Diag::TiedToExpression, expr.span, session.text(expr.span));
      return Poison{};
    }
    if (!graph) {
      session.engine.report(Diag::NotAtBuildTime, expr.span, session.text(expr.span));
      return Poison{};
    }
    ValueId value = *read(*found->second.parameter, expr.span, "");
    if (!found->second.transposed)
      return Tensor{value};
    Type type = graph->type(value);
    std::swap(type.dims[0], type.dims[1]);
    return emit("permute", {value}, {{"axes", std::vector<int64_t>{1, 0}}}, type, expr.span);
  }
  if (train) {
    if (std::optional<Value> field = train->field(first.text, first.span))
      return members(*field, expr.names, 1, first.span);
    if (train->isModel(first.text))
      return members(train->call(first.text, nullptr, first.span), expr.names, 1, first.span);
  }
  if (session.constants.count(first.text))
    return members(constant(first.text, first.span), expr.names, 1, first.span);
  if (model(first.text) && train) {
    otherModel(first);
    return Poison{};
  }
  if (model(first.text) || findLayer(first.text)) {
    session.engine.report(Diag::LayerAsValue, first.span, first.text)
        .help(fmt::format("apply it: `x |> {}`", first.text));
    return Poison{};
  }
  if (findFunction(first.text)) {
    session.engine.report(Diag::FunctionAsValue, first.span, first.text)
        .help(fmt::format("apply it: `x |> {}`", first.text));
    return Poison{};
  }
  unknownName(first);
  return Poison{};
}

void Evaluator::checkNames(const Expr &expr) {
  auto checkArguments = [&](const Arguments &arguments, const Signature *signature) {
    for (size_t i = 0; i < arguments.list.size(); ++i) {
      const Argument &argument = arguments.list[i];
      if (signature && argument.name && !signature->find(argument.name.text))
        unknownArgument(*signature, argument.name);
      // A word (`padding: same`) is read by its argument, and is none of the names around.
      auto takesWord = [&](const ArgumentSpec *spec) {
        if (!spec)
          return false;
        if (spec->kindText == "init" || spec->kindText == "reg")
          return true;
        return argument.value->kind() == Expr::Kind::Path &&
               (spec->kind == ArgumentKind::Choice || spec->kind == ArgumentKind::Padding ||
                spec->kind == ArgumentKind::Axes);
      };
      auto at = [&](size_t index) {
        return signature && index < signature->arguments.size() ? &signature->arguments[index]
                                                                : nullptr;
      };
      // To the right of a pipe positions are moved by one.
      bool word = argument.name ? signature && takesWord(signature->find(argument.name.text))
                                : takesWord(at(i)) || takesWord(at(i + 1));
      if (word)
        continue;
      checkNames(*argument.value);
    }
  };
  switch (expr.kind()) {
  case Expr::Kind::Path: {
    const Name &first = expr.as<PathExpr>().names.front();
    if (Binding *binding = scope ? scope->find(first.text) : nullptr)
      *binding->used = true;
    else if (!session.constants.count(first.text) && !session.models.count(first.text) &&
             !findLayer(first.text) && !findFunction(first.text) && !isInitializer(first.text) &&
             !(train &&
               (train->isModel(first.text) || std::find(train->fields.begin(), train->fields.end(),
                                                        first.text) != train->fields.end())))
      unknownName(first);
    return;
  }
  case Expr::Kind::Call: {
    const auto &call = expr.as<CallExpr>();
    const Name &name = call.callee.front();
    const Signature *signature = nullptr;
    if (Binding *binding = scope ? scope->find(name.text) : nullptr) {
      *binding->used = true;
    } else if (!session.models.count(name.text) && !(train && train->isModel(name.text))) {
      const LayerEntry *layer = findLayer(name.text);
      const FunctionEntry *function = findFunction(name.text);
      if (layer)
        signature = &layer->signature;
      else if (function)
        signature = &function->signature;
      else if (!isInitializer(name.text) && !(train && isScheduleName(name.text)))
        unknownName(name);
    }
    checkArguments(call.parameters, nullptr);
    checkArguments(call.arguments, signature);
    return;
  }
  case Expr::Kind::Stack: {
    const auto &stack = expr.as<StackExpr>();
    checkNames(*stack.count);
    auto inner = std::make_shared<Scope>(scope);
    if (stack.index)
      inner->bind(stack.index.text, {});
    within(inner).checkNames(*stack.layer);
    if (stack.shared)
      checkNames(*stack.shared);
    return;
  }
  case Expr::Kind::Member:
    return checkNames(*expr.as<MemberExpr>().base);
  case Expr::Kind::List:
    for (const ExprPtr &element : expr.as<ListExpr>().elements)
      checkNames(*element);
    return;
  case Expr::Kind::Record:
    for (const RecordExpr::Field &field : expr.as<RecordExpr>().fields)
      checkNames(*field.value);
    return;
  case Expr::Kind::Unary:
    return checkNames(*expr.as<UnaryExpr>().operand);
  case Expr::Kind::Binary:
    checkNames(*expr.as<BinaryExpr>().first);
    for (const BinaryExpr::Link &link : expr.as<BinaryExpr>().rest)
      checkNames(*link.operand);
    return;
  case Expr::Kind::If:
    checkNames(*expr.as<IfExpr>().condition);
    checkNames(*expr.as<IfExpr>().thenBranch);
    checkNames(*expr.as<IfExpr>().elseBranch);
    return;
  case Expr::Kind::Pipe:
    checkNames(*expr.as<PipeExpr>().input);
    for (const PipeExpr::Stage &stage : expr.as<PipeExpr>().stages)
      checkNames(*stage.function);
    return;
  default:
    return;
  }
}

} // namespace sinter::semantics
