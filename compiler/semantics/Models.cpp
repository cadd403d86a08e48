//===- Models.cpp - runs a model's body on values of known types -------------------------------===//
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/Layers.h"
#include "compiler/semantics/Nearest.h"

#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

namespace sinter::semantics {

using namespace syntax;

namespace {

constexpr int deepestNesting = 256;

class ModelRun {
public:
  ModelRun(Evaluator &caller, const ModelDeclaration &model, Evaluator &inner, Frame &frame,
           Span place)
      : caller(caller), session(caller.session), engine(caller.session.engine), model(model),
        inner(inner), frame(frame), place(place) {}

  bool bindParameters(const Arguments &arguments);
  bool bindInputs(Evaluator::Inputs inputs, const Arguments *more);
  Value body();

private:
  bool bindParameter(const ModelParameter &parameter, const Expr &expr, Evaluator &where);
  bool bindInput(const ModelInput &input, const Value &value, Span span);
  bool matchDimension(const Expr &written, int64_t actual, bool &matches);
  bool declare(const Name &name, Binding binding);
  void run(const ParamStatement &statement);
  std::optional<Initializer> bufferValue(const BufferStatement &statement,
                                         const semantics::Type &type);
  void run(const BufferStatement &statement);
  void run(const UpdateStatement &statement);
  void run(const LayerStatement &statement);
  void run(const LetStatement &statement);
  bool checkResult(const syntax::Type &written, const Value &value, Span span);
  Value rounded(const TensorType &written, Value value, Span span);
  Value rounded(const syntax::Type &written, Value value, Span span);
  bool checkTensor(const TensorType &written, const Value &value, Span span);
  std::string writtenType(const TensorType &type) const { return session.text(type.span); }

  Evaluator &caller;
  Session &session;
  Engine &engine;
  const ModelDeclaration &model;
  Evaluator &inner;
  Frame &frame;
  Span place;
  std::map<std::string, Span> updates; ///< where each buffer is updated
};

std::vector<std::string> parameterNames(const ModelDeclaration &model) {
  std::vector<std::string> names;
  for (const ModelParameter &each : model.parameters)
    names.push_back(each.name.text);
  return names;
}

bool ModelRun::bindParameter(const ModelParameter &parameter, const Expr &expr, Evaluator &where) {
  Binding binding;
  binding.place = parameter.name.span;
  const Name *callee = nullptr;
  if (const auto *path = dynCast<PathExpr>(expr))
    callee = &path->names.front();
  else if (const auto *call = dynCast<CallExpr>(expr))
    callee = &call->callee.front();
  if (where.isCallable(expr)) {
    Binding *outer = callee && where.scope ? where.scope->find(callee->text) : nullptr;
    const Callable *passedOn = outer ? outer->value.get<Callable>() : nullptr;
    if (outer)
      *outer->used = true;
    // A default sees the names so far: in its own definition a name means what it meant before.
    auto scope = where.scope && &where == &inner ? std::make_shared<Scope>(*where.scope)
                 : where.scope                   ? where.scope
                                                 : std::make_shared<Scope>();
    binding.value =
        passedOn && expr.kind() == Expr::Kind::Path ? *passedOn : Callable{&expr, std::move(scope)};
  } else {
    binding.value = where.atBuildTime().evaluate(expr);
    if (binding.value.poisoned())
      return false;
  }
  inner.scope->bind(parameter.name.text, std::move(binding));
  return true;
}

bool ModelRun::bindParameters(const Arguments &arguments) {
  const std::vector<ModelParameter> &parameters = model.parameters;
  std::vector<const Argument *> given(parameters.size());
  bool good = true;
  for (size_t i = 0; i < arguments.list.size(); ++i) {
    const Argument &argument = arguments.list[i];
    size_t index = i;
    if (argument.name) {
      index = 0;
      while (index < parameters.size() && parameters[index].name.text != argument.name.text)
        ++index;
      if (index == parameters.size()) {
        auto report = engine.report(Diag::UnknownArgument, argument.name.span, model.name.text,
                                    argument.name.text);
        std::string help = didYouMean(argument.name.text, parameterNames(model));
        if (!help.empty())
          report.help(help);
        report.note(model.name.span, "declared here");
        good = false;
        continue;
      }
    } else if (index >= parameters.size()) {
      engine
          .report(Diag::TooManyArguments, argument.span, model.name.text,
                  counted(parameters.size(), "argument"))
          .note(model.name.span, "declared here");
      return false;
    }
    if (given[index]) {
      engine.report(Diag::GivenTwice, argument.span, model.name.text, parameters[index].name.text)
          .note(given[index]->span, "given here");
      good = false;
      continue;
    }
    given[index] = &argument;
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (given[i]) {
      good &= bindParameter(parameters[i], *given[i]->value, caller);
    } else if (parameters[i].defaultValue) {
      good &= bindParameter(parameters[i], *parameters[i].defaultValue, inner);
    } else {
      if (good)
        engine.report(Diag::MissingArgument, place, model.name.text, parameters[i].name.text)
            .note(parameters[i].name.span, "declared here")
            .help(fmt::format("what a model is made of stands in square brackets: `{}[{}: …]`",
                              model.name.text, parameters[i].name.text));
      good = false;
    }
  }
  return good;
}

/// Binds a name that is not known yet, and compares otherwise. False after an error in the dimension itself.
bool ModelRun::matchDimension(const Expr &written, int64_t actual, bool &matches) {
  const auto *name = dynCast<PathExpr>(written);
  if (name && name->isName()) {
    const std::string &text = name->names.front().text;
    if (!inner.scope->find(text) && !session.constants.count(text)) {
      Binding binding;
      binding.value = actual;
      binding.place = written.span;
      inner.scope->bind(text, std::move(binding));
      return true;
    }
  }
  std::optional<int64_t> size = inner.dimension(written);
  if (!size)
    return false;
  matches &= *size == actual;
  return true;
}

bool ModelRun::bindInput(const ModelInput &input, const Value &value, Span span) {
  std::optional<ValueId> id = caller.tensor(value, span, "`" + model.name.text + "`");
  if (!id)
    return false;
  const semantics::Type actual = inner.graph->type(*id);
  if (input.type.broken)
    return false;
  static const std::map<ScalarKind, Scalar> scalars = {{ScalarKind::F32, Scalar::F32},
                                                       {ScalarKind::BF16, Scalar::F32},
                                                       {ScalarKind::I32, Scalar::I32},
                                                       {ScalarKind::Bool, Scalar::Bool},
                                                       {ScalarKind::Class, Scalar::Class}};
  bool matches = scalars.at(input.type.scalar) == actual.scalar &&
                 input.type.dims.size() == actual.dims.size();
  if (matches && input.type.classCount &&
      !matchDimension(*input.type.classCount, actual.classes, matches))
    return false;
  for (size_t i = 0; matches && i < actual.dims.size(); ++i)
    if (!matchDimension(*input.type.dims[i], actual.dims[i], matches))
      return false;
  if (!matches) {
    auto report = engine.report(Diag::InputType, span, model.name.text, input.name.text,
                                writtenType(input.type), actual.str());
    report.label(actual.str());
    report.note(input.type.span, "declared here");
    int64_t elements = 1;
    bool literal = true;
    std::string shape;
    for (const ExprPtr &dim : input.type.dims) {
      const auto *size = dynCast<IntegerExpr>(dim);
      literal &= size != nullptr;
      elements *= size ? size->value : 1;
      shape += ", " + session.text(dim->span);
    }
    if (literal && input.type.dims.size() == 1 && elements == actual.elements())
      report.help(fmt::format("`{} |> flatten` has this shape", session.text(span)));
    else if (literal && elements == actual.elements())
      report.help(fmt::format("`reshape({}{})` has this shape", session.text(span), shape));
    return false;
  }
  Binding binding;
  binding.value = rounded(input.type, Tensor{*id}, input.name.span);
  binding.place = input.name.span;
  return declare(input.name, std::move(binding));
}

bool ModelRun::bindInputs(Evaluator::Inputs inputs, const Arguments *more) {
  std::vector<std::optional<std::pair<Value, Span>>> given(model.inputs.size());
  size_t count = inputs.size();
  bool good = true;
  for (size_t i = 0; i < inputs.size() && i < given.size(); ++i)
    given[i] = inputs[i];
  if (more) {
    for (const Argument &argument : more->list) {
      size_t index = count;
      if (argument.name) {
        std::vector<std::string> names;
        index = given.size();
        for (size_t i = 0; i < given.size(); ++i) {
          names.push_back(model.inputs[i].name.text);
          if (model.inputs[i].name.text == argument.name.text)
            index = i;
        }
        if (index == given.size()) {
          auto report = engine.report(Diag::UnknownArgument, argument.name.span, model.name.text,
                                      argument.name.text);
          if (std::string help = didYouMean(argument.name.text, names); !help.empty())
            report.help(help);
          good = false;
          continue;
        }
      }
      ++count;
      if (index < given.size())
        given[index] = {caller.evaluate(*argument.value), argument.value->span};
    }
  }
  if (!good)
    return false;
  bool complete = count == given.size();
  for (const auto &each : given)
    complete &= each.has_value();
  if (!complete) {
    engine.report(Diag::InputCount, place, model.name.text, counted(given.size(), "input"), count)
        .note(model.name.span, "declared here");
    return false;
  }
  for (const auto &each : given)
    good &= !each->first.poisoned();
  for (size_t i = 0; good && i < given.size(); ++i)
    good = bindInput(model.inputs[i], given[i]->first, given[i]->second);
  return good;
}

bool ModelRun::declare(const Name &name, Binding binding) {
  if (auto found = inner.scope->own().find(name.text); found != inner.scope->own().end()) {
    engine.report(Diag::DuplicateName, name.span, name.text)
        .note(found->second.place, "the first one");
    return false;
  }
  inner.scope->bind(name.text, std::move(binding));
  return true;
}

void ModelRun::run(const ParamStatement &statement) {
  Binding binding;
  binding.place = statement.name.span;
  if (std::optional<semantics::Type> type = inner.type(statement.type)) {
    Span span = statement.name.span;
    if (type->scalar != Scalar::F32 || statement.type.scalar == ScalarKind::BF16)
      engine.report(Diag::ParameterType, statement.type.span, statement.name.text,
                    session.text(statement.type.span));
    else if (std::optional<ValueId> id =
                 inner.weight(*frame.instance, statement.name.text, *type, Role::Other,
                              statement.initializer.get(), nullptr, nullptr, "param", span, span))
      binding.value = Tensor{*id};
  }
  declare(statement.name, std::move(binding));
}

/// The numbers of nested lists, row-major, where they have this shape; false where they do not.
static bool flattenList(const Value &value, const std::vector<int64_t> &dims, size_t depth,
                        std::vector<double> &numbers) {
  if (depth == dims.size()) {
    if (value.isNumber())
      numbers.push_back(value.number());
    return value.isNumber();
  }
  const List *list = value.get<List>();
  if (!list || static_cast<int64_t>(list->size()) != dims[depth])
    return false;
  bool fits = true;
  for (const Value &each : *list)
    fits = fits && flattenList(each, dims, depth + 1, numbers);
  return fits;
}

/// A number, nested lists, or an initializer. Null after an error.
std::optional<Initializer> ModelRun::bufferValue(const BufferStatement &statement,
                                                 const semantics::Type &type) {
  const Expr &expr = *statement.value;
  const auto *path = dynCast<PathExpr>(expr);
  const auto *call = dynCast<CallExpr>(expr);
  const Name *name = path && path->isName() ? &path->names.front()
                     : call                 ? &call->callee.front()
                                            : nullptr;
  bool isValue =
      !name || session.constants.count(name->text) ||
      (inner.scope->find(name->text) && !inner.scope->find(name->text)->value.get<std::string>() &&
       !inner.scope->find(name->text)->value.get<Callable>());
  static const std::set<std::string> numeric = {"sqrt", "exp", "log", "log2", "max", "min", "abs"};
  isValue |= call && name && numeric.count(name->text);
  if (!isValue)
    return resolveInitializer(inner, expr, type);
  Value value = inner.atBuildTime().evaluate(expr);
  if (value.poisoned())
    return std::nullopt;
  Initializer result;
  if (value.isNumber()) {
    result.a = value.number();
    return result;
  }
  if (!value.get<List>()) {
    engine.report(Diag::BufferValue, expr.span, statement.name.text, inner.describe(value));
    return std::nullopt;
  }
  result.kind = Initializer::Kind::Values;
  if (flattenList(value, type.dims, 0, result.values))
    return result;
  engine.report(Diag::BufferShape, expr.span, statement.name.text, type.str())
      .note(statement.type.span, "declared here");
  return std::nullopt;
}

void ModelRun::run(const BufferStatement &statement) {
  Binding binding;
  binding.place = statement.name.span;
  if (std::optional<semantics::Type> type = inner.type(statement.type)) {
    Span span = statement.name.span;
    bool isMade = frame.instance->owned.count(statement.name.text) != 0;
    std::optional<Initializer> initializer;
    if (type->scalar != Scalar::F32)
      engine.report(Diag::BufferType, statement.type.span, statement.name.text, type->str());
    else if (!isMade)
      initializer = bufferValue(statement, *type);
    if (isMade || initializer) {
      std::optional<ValueId> id =
          inner.weight(*frame.instance, statement.name.text, *type, Role::Buffer, nullptr, "zeros",
                       nullptr, "buffer", span, span);
      if (id)
        binding.value = Tensor{*id};
      if (id && initializer)
        frame.instance->owned.at(statement.name.text).parameter->parameter.initializer =
            std::move(*initializer);
    }
  }
  declare(statement.name, std::move(binding));
}

void ModelRun::run(const UpdateStatement &statement) {
  const std::string &name = statement.name.text;
  Value value = inner.evaluate(*statement.value);
  const BufferStatement *buffer = nullptr;
  std::vector<std::string> buffers;
  for (const ModelStatement &each : model.statements)
    if (const auto *declared = std::get_if<BufferStatement>(&each)) {
      buffers.push_back(declared->name.text);
      if (declared->name.text == name)
        buffer = declared;
    }
  Binding *binding = inner.scope->find(name);
  if (!buffer || !binding) {
    if (session.mayBeLost(name))
      return;
    auto report = engine.report(Diag::UpdateTarget, statement.name.span, name);
    if (buffer)
      report.note(buffer->name.span, "declared here, below its use");
    else if (binding)
      report.note(binding->place, "declared here")
          .help(fmt::format("`buffer {}: … = …` declares what an update may set", name));
    else if (std::string help = didYouMean(name, buffers); !help.empty())
      report.help(help);
    return;
  }
  *binding->used = true;
  if (auto [earlier, fresh] = updates.emplace(name, statement.name.span); !fresh) {
    engine.report(Diag::UpdateTwice, statement.name.span, name)
        .note(earlier->second, "the first one");
    return;
  }
  if (value.poisoned() || binding->value.poisoned())
    return;
  Span span = statement.value->span;
  std::optional<ValueId> id = inner.real(value, span, "`update`");
  if (!id)
    return;
  const semantics::Type &needed = inner.graph->type(binding->value.get<Tensor>()->id);
  const semantics::Type actual = inner.graph->type(*id);
  if (actual.dims != needed.dims) {
    engine.report(Diag::UpdateType, span, name, needed.str(), actual.str())
        .label(actual.str())
        .note(buffer->type.span, "declared here");
    return;
  }
  if (inner.graph->varies(*id)) {
    engine.report(Diag::UpdateVaries, span, name)
        .note(buffer->name.span, "declared here")
        .help(fmt::format("`update {} = batch_mean({})`", name, session.text(span)));
    return;
  }
  inner.graph->emitUpdate(frame.instance->pathOf(name), *id, statement.span);
}

void ModelRun::run(const LayerStatement &statement) {
  inner.checkNames(*statement.layer);
  Binding binding;
  binding.isLayer = true;
  binding.layer = {statement.layer.get(), inner.scope};
  binding.owner = frame.instance;
  binding.place = statement.name.span;
  // In its own definition a name means what it meant above: the layer sees the names so far.
  auto above = std::make_shared<Scope>();
  for (const auto &[name, earlier] : inner.scope->own())
    above->bind(name, earlier);
  binding.layer.scope = above;
  declare(statement.name, std::move(binding));
}

void ModelRun::run(const LetStatement &statement) {
  Binding binding;
  binding.place = statement.name.span;
  binding.value = inner.evaluate(*statement.value);
  declare(statement.name, std::move(binding));
}

/// What is declared as bf16 is rounded to it where it is declared so.
Value ModelRun::rounded(const TensorType &written, Value value, Span span) {
  const Tensor *tensor = value.get<Tensor>();
  if (written.scalar != ScalarKind::BF16 || !tensor)
    return value;
  return inner.emit("bf16", {tensor->id}, {}, inner.graph->type(tensor->id), span);
}

Value ModelRun::rounded(const syntax::Type &written, Value value, Span span) {
  if (!written.isRecord())
    return rounded(written.tensor(), std::move(value), span);
  Record record = *value.get<Record>();
  for (auto &[name, each] : record)
    for (const syntax::Type::Field &field : written.fields())
      if (field.name.text == name)
        each = rounded(field.type, each, span);
  return record;
}

bool ModelRun::checkTensor(const TensorType &written, const Value &value, Span span) {
  if (written.broken || value.poisoned())
    return false;
  std::optional<ValueId> id = inner.tensor(value, span, "`" + model.name.text + "`");
  if (!id)
    return false;
  const semantics::Type actual = inner.graph->type(*id);
  bool matches = written.dims.size() == actual.dims.size();
  matches &= (written.scalar == ScalarKind::F32 || written.scalar == ScalarKind::BF16) ==
             (actual.scalar == Scalar::F32);
  matches &= (written.scalar == ScalarKind::Bool) == (actual.scalar == Scalar::Bool);
  if (written.scalar == ScalarKind::Class && written.classCount) { // an `i32` may be any of them
    std::optional<int64_t> classes = inner.dimension(*written.classCount);
    if (!classes)
      return false;
    matches &= actual.scalar == Scalar::Class && actual.classes == *classes;
  }
  std::string needed;
  for (size_t i = 0; i < written.dims.size(); ++i) {
    needed += i ? ", " : "[";
    if (written.dims[i]->kind() == Expr::Kind::Open) {
      needed += "_";
      continue;
    }
    std::optional<int64_t> size = inner.dimension(*written.dims[i]);
    if (!size)
      return false;
    needed += std::to_string(*size);
    if (i < actual.dims.size())
      matches &= *size == actual.dims[i];
  }
  if (!needed.empty())
    needed += "]";
  if (!matches)
    engine
        .report(Diag::ResultType, span, model.name.text, session.text(written.scalarSpan) + needed,
                actual.str())
        .label(actual.str())
        .note(written.span, "declared here");
  return matches;
}

bool ModelRun::checkResult(const syntax::Type &written, const Value &value, Span span) {
  if (value.poisoned() || written.broken())
    return !written.broken() && !value.poisoned();
  if (!written.isRecord()) {
    if (value.get<Record>()) {
      engine.report(Diag::ResultType, span, model.name.text, session.text(written.span), "a record")
          .note(written.span, "declared here");
      return false;
    }
    return checkTensor(written.tensor(), value, span);
  }
  const Record *record = value.get<Record>();
  if (!record) {
    engine
        .report(Diag::ResultType, span, model.name.text, session.text(written.span),
                inner.describe(value))
        .note(written.span, "declared here");
    return false;
  }
  bool good = true;
  for (const syntax::Type::Field &field : written.fields()) {
    const Value *found = nullptr;
    for (const auto &[name, each] : *record)
      if (name == field.name.text)
        found = &each;
    if (!found) {
      engine.report(Diag::ResultField, span, model.name.text, field.name.text)
          .note(field.name.span, "declared here");
      good = false;
      continue;
    }
    good &= checkResult(field.type, *found, span);
  }
  for (const auto &[name, each] : *record) {
    bool declared = false;
    for (const syntax::Type::Field &field : written.fields())
      declared |= field.name.text == name;
    if (!declared) {
      engine.report(Diag::ResultExtra, span, model.name.text, name)
          .note(written.span, "declared here");
      good = false;
    }
  }
  return good;
}

Value ModelRun::body() {
  size_t before = engine.errorCount();
  for (const ModelStatement &statement : model.statements)
    std::visit([&](const auto &each) { run(each); }, statement);
  Value result = inner.evaluate(*model.result);
  if (result.get<Callable>() || result.get<List>() || result.get<std::string>() ||
      result.get<bool>()) {
    engine.report(Diag::OperandKind, model.result->span, "`" + model.name.text + "`",
                  inner.describe(result));
    result = Poison{};
  }
  if (result.isNumber())
    result = Tensor{*inner.tensor(result, model.result->span, "")};
  if (model.hasResultType && !checkResult(model.resultType, result, model.result->span))
    result = Poison{};
  if (model.hasResultType && !result.poisoned())
    result = rounded(model.resultType, std::move(result), model.result->span);
  for (const auto &[name, binding] : inner.scope->own())
    if (auto same = frame.automatic.find(name); binding.isLayer && same != frame.automatic.end())
      engine.report(Diag::NameIsAutomatic, binding.place, name)
          .note(same->second, "this one is called so by its number");
  // What follows an error may not have been reached.
  if (engine.errorCount() == before && !model.broken)
    for (const auto &[name, binding] : inner.scope->own())
      if (binding.isLayer && !*binding.used)
        engine.report(Diag::UnusedLayer, binding.place, name);
  return result;
}

} // namespace

Value Evaluator::runModel(const ModelDeclaration &declaration, const Arguments &parameters,
                          Inputs inputs, const Arguments *more, Span place, Instance &instance,
                          ParameterStore &store, std::vector<LayerRegularizer> *regularizers) {
  session.instantiated.insert(&declaration);
  Frame own;
  own.instance = &instance;
  own.model = &declaration;
  own.store = &store;
  own.regularizers = regularizers;
  own.depth = frame ? frame->depth + 1 : 0;
  if (own.depth > deepestNesting) {
    session.engine.report(Diag::NestingDepth, declaration.name.span, declaration.name.text)
        .help("a model that makes itself needs an `if` with a branch that does not");
    return Poison{};
  }
  Evaluator inner(session);
  inner.scope = std::make_shared<Scope>();
  inner.graph = graph;
  inner.frame = &own;
  ModelRun run(*this, declaration, inner, own, place);
  if (!run.bindParameters(parameters) || !run.bindInputs(std::move(inputs), more))
    return Poison{};
  if (!graph)
    return run.body();
  std::string outer = std::exchange(graph->within, instance.path);
  Value result = run.body();
  graph->within = std::move(outer);
  return result;
}

} // namespace sinter::semantics
