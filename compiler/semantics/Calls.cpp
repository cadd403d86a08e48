//===- Calls.cpp - calls, pipes and stacks: where layers come to be ----------------------------===//
#include "compiler/semantics/Callee.h"
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Layers.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/Optimizers.h"

#include <cctype>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

/// GPTBlock: gpt_block; ConvUnit: conv_unit; MLP: mlp; Block2: block2.
std::string snakeCase(const std::string &name) {
  auto isUpper = [&](size_t i) { return i < name.size() && std::isupper(name[i]) != 0; };
  auto isLower = [&](size_t i) { return i < name.size() && std::islower(name[i]) != 0; };
  std::string result;
  for (size_t i = 0; i < name.size(); ++i) {
    bool startsWord =
        i > 0 && isUpper(i) && name[i - 1] != '_' && (!isUpper(i - 1) || isLower(i + 1));
    if (startsWord)
      result += '_';
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return result;
}

} // namespace

std::string Evaluator::kindOf(const Expr &layer) {
  if (layer.kind() == Expr::Kind::Stack)
    return "stack";
  Callee callee = calleeOf(layer);
  if (!callee.names)
    return "";
  const std::string &name = callee.names->front().text;
  if (Binding *binding = scope ? scope->find(name) : nullptr) {
    const Callable *callable = binding->value.get<Callable>();
    return callable ? within(callable->scope).kindOf(*callable->expr) : "";
  }
  if (model(name))
    return snakeCase(name);
  return findLayer(name) ? name : "";
}

Instance &Evaluator::childOf(Instance &parent, ParameterStore &store, const std::string &name,
                             const std::string &kind, int64_t order, Span place) {
  std::unique_ptr<Instance> &slot = parent.children[name];
  if (!slot) {
    slot = std::make_unique<Instance>();
    slot->path = parent.pathOf(name);
    slot->kind = kind;
    slot->order = parent.order;
    slot->order.push_back(order);
    slot->place = place;
    store.layerPaths.push_back(slot->path);
  }
  return *slot;
}

Instance *Evaluator::child(const std::string &kind, const NameRequest &name, Span place) {
  std::string chosen = name.given;
  if (chosen.empty()) {
    chosen = kind + std::to_string(++frame->counters[kind]);
    frame->automatic[chosen] = place;
  } else if (name.byAs) {
    if (Binding *earlier = scope->find(chosen)) {
      session.engine.report(Diag::DuplicateName, name.place, chosen)
          .note(earlier->place, "the first one");
      return nullptr;
    }
  }
  return &childOf(*frame->instance, *frame->store, chosen, kind, place.begin, place);
}

void Evaluator::bindAs(const NameRequest &name, const Expr &layer) {
  // In its own definition a name means what it meant above.
  auto above = std::make_shared<Scope>();
  for (const auto &[each, earlier] : scope->own())
    above->bind(each, earlier);
  Binding binding;
  binding.layer = {&layer, above};
  binding.owner = frame->instance;
  binding.isLayer = true;
  *binding.used = true;
  binding.place = name.place;
  scope->bind(name.given, std::move(binding));
}

bool Evaluator::appendPositional(Inputs &inputs, const Arguments &arguments,
                                 const std::string &who) {
  bool good = true;
  for (const Argument &argument : arguments.list) {
    if (argument.name) {
      session.engine.report(Diag::NamedInput, argument.name.span, who, argument.name.text);
      good = false;
      continue;
    }
    inputs.emplace_back(evaluate(*argument.value), argument.value->span);
  }
  return good;
}

const ModelDeclaration *Evaluator::modelNamed(const Expr &expr) const {
  const auto *path = dynCast<PathExpr>(expr);
  if (!path || !path->isName() || scope->find(path->names.front().text))
    return nullptr;
  return model(path->names.front().text);
}

const Expr *Evaluator::chosenLayer(const Expr &layer) {
  const auto *choice = dynCast<IfExpr>(layer);
  if (!choice)
    return &layer;
  std::optional<bool> taken = condition(*choice->condition);
  if (!taken)
    return nullptr;
  checkNames(*taken ? *choice->elseBranch : *choice->thenBranch);
  return chosenLayer(*taken ? *choice->thenBranch : *choice->elseBranch);
}

Value Evaluator::useDeclared(Binding &binding, const std::vector<Name> &names, Inputs inputs,
                             Span place) {
  if (!frame || !binding.owner)
    return Poison{};
  const std::string &name = names.front().text;
  if (names.size() > 1) {
    auto found = binding.owner->children.find(name);
    if (found != binding.owner->children.end())
      return usePart(*found->second, names, 1, std::move(inputs), place);
    session.engine.report(Diag::PartNotUsedYet, place, name)
        .note(binding.place, "declared here")
        .help(fmt::format("use `{}` above this line: its layers follow from its input", name));
    return Poison{};
  }
  Evaluator inner = within(binding.layer.scope);
  const Expr *layer = inner.chosenLayer(*binding.layer.expr);
  if (!layer)
    return Poison{};
  Instance &instance = childOf(*binding.owner, *frame->store, name, inner.kindOf(*layer),
                               binding.place.begin, binding.place);
  inner.withoutInputs = binding.calledWithInputs;
  return inner.applyIn(*layer, std::move(inputs), place, instance);
}

Value Evaluator::applyFunction(const FunctionEntry &function, const Arguments &arguments,
                               Inputs inputs, Span nameSpan) {
  if (!function.finish.empty() && !(measure == nameSpan)) {
    session.engine.report(Diag::MeasureAsValue, nameSpan, function.signature.name)
        .help(fmt::format("`report {}(…)`", function.signature.name));
    return Poison{};
  }
  // Positional arguments are evaluated here, once, to see whether all of them are numbers known at build time.
  size_t positional = 0;
  if (function.fold) {
    bool numbersAlone = true;
    for (const Argument &argument : arguments.list) {
      numbersAlone &= !argument.name;
      if (argument.name)
        break;
      inputs.emplace_back(evaluate(*argument.value), argument.value->span);
      ++positional;
    }
    if (poisonedAny(inputs))
      return Poison{};
    List numbers;
    for (const auto &[value, span] : inputs) {
      numbersAlone &= value.isNumber();
      numbers.push_back(value);
    }
    if (numbersAlone && !numbers.empty()) {
      if (std::optional<Value> result = function.fold(numbers))
        return *result;
      session.engine.report(Diag::NoNumber, nameSpan, function.signature.name,
                            function.signature.usage());
      return Poison{};
    }
  }
  if (!graph || !function.apply) {
    session.engine.report(Diag::NotAtBuildTime, nameSpan, function.signature.name);
    return Poison{};
  }
  std::optional<BoundArguments> bound =
      bind(function.signature, arguments, nameSpan, std::move(inputs), positional);
  return bound ? function.apply(*this, *bound) : Value(Poison{});
}

Value Evaluator::applyStack(const StackExpr &stack, Inputs inputs, Span place, Instance &instance) {
  std::optional<int64_t> count = atBuildTime().integer(*stack.count, "the count of a stack");
  std::optional<bool> shared = stack.shared ? atBuildTime().condition(*stack.shared) : false;
  if (!count || !shared)
    return Poison{};
  constexpr int64_t mostLayers = 65536;
  if (*count < 0 || *count > mostLayers) {
    session.engine.report(Diag::StackCount, stack.count->span, *count);
    return Poison{};
  }
  if (*shared && stack.index) {
    session.engine.report(Diag::SharedStackIndex, stack.index.span, stack.index.text);
    return Poison{};
  }
  if (inputs.size() != 1) {
    session.engine.report(Diag::InputCount, place, "stack", counted(1, "input"), inputs.size());
    return Poison{};
  }
  if (*count == 0)
    checkNames(stack);
  for (int64_t i = 0; i < *count; ++i) {
    Evaluator inner = *this;
    if (stack.index) {
      inner.scope = std::make_shared<Scope>(scope);
      Binding index;
      index.value = i;
      index.place = stack.index.span;
      inner.scope->bind(stack.index.text, std::move(index));
    }
    const Expr *layer = inner.chosenLayer(*stack.layer);
    if (!layer)
      return Poison{};
    Instance &each = *shared ? instance
                             : childOf(instance, *frame->store, std::to_string(i),
                                       inner.kindOf(*layer), i, layer->span);
    inputs.front().first = inner.applyIn(*layer, inputs, place, each);
    if (inputs.front().first.poisoned())
      return Poison{};
  }
  return inputs.front().first;
}

void Evaluator::checkArguments(const Expr &layer, Inputs inputs, Span place, Instance &instance) {
  if (const auto *stack = dynCast<StackExpr>(layer)) {
    applyStack(*stack, std::move(inputs), place, instance);
    return;
  }
  Callee callee = calleeOf(layer);
  if (!callee.names || model(callee.names->front().text) ||
      (scope && scope->find(callee.names->front().text)))
    return;
  const std::string &name = callee.names->front().text;
  const LayerEntry *entry = findLayer(name);
  if (entry)
    bind(entry->signature, *callee.arguments, callee.span);
  const FunctionEntry *function = findFunction(name);
  if (!entry && function)
    applyFunction(*function, *callee.arguments, std::move(inputs), callee.span);
}

Value Evaluator::applyIn(const Expr &layer, Inputs inputs, Span place, Instance &instance) {
  if (layer.kind() == Expr::Kind::Error)
    return Poison{};
  if (poisonedAny(inputs)) {
    checkNames(layer);
    checkArguments(layer, std::move(inputs), place, instance);
    return Poison{};
  }
  instance.applied = {&layer, scope ? scope : std::make_shared<Scope>()};
  if (const auto *stack = dynCast<StackExpr>(layer))
    return applyStack(*stack, std::move(inputs), place, instance);
  Callee callee = calleeOf(layer);
  if (std::exchange(withoutInputs, false))
    callee.arguments = &noArguments;
  const Name &first = callee.names->front();
  if (Binding *binding = scope ? scope->find(first.text) : nullptr) {
    *binding->used = true;
    const Callable *given = binding->value.get<Callable>();
    if (callee.parameters->present)
      if (const ModelDeclaration *passed =
              given ? within(given->scope).modelNamed(*given->expr) : nullptr)
        return runModel(*passed, *callee.parameters, std::move(inputs), callee.arguments, place,
                        instance, *frame->store, frame->regularizers);
    if (callee.parameters->present) {
      session.engine.report(Diag::BracketsOnBuiltin, callee.parameters->span, first.text)
          .note(binding->place, "declared here");
      return Poison{};
    }
    if (!appendPositional(inputs, *callee.arguments, first.text))
      return Poison{};
    if (binding->isLayer)
      return useDeclared(*binding, *callee.names, std::move(inputs), place);
    if (const Callable *callable = binding->value.get<Callable>())
      return within(callable->scope).applyIn(*callable->expr, std::move(inputs), place, instance);
    if (!binding->value.poisoned())
      session.engine.report(Diag::NotCallable, callee.span, first.text, describe(binding->value))
          .note(binding->place, "declared here");
    return Poison{};
  }
  if (const ModelDeclaration *declaration = model(first.text))
    return runModel(*declaration, *callee.parameters, std::move(inputs), callee.arguments, place,
                    instance, *frame->store, frame->regularizers);
  if (callee.parameters->present && (findLayer(first.text) || findFunction(first.text))) {
    session.engine.report(Diag::BracketsOnBuiltin, callee.parameters->span, first.text)
        .help(fmt::format("its arguments stand in parentheses: `{}(…)`", first.text));
    return Poison{};
  }
  if (const FunctionEntry *function = findFunction(first.text); function && !findLayer(first.text))
    return applyFunction(*function, *callee.arguments, std::move(inputs), callee.span);
  const LayerEntry *entry = findLayer(first.text);
  if (!entry) {
    unknownName(first);
    return Poison{};
  }
  if (inputs.size() != 1) {
    session.engine.report(Diag::InputCount, place, first.text, counted(1, "input"), inputs.size());
    return Poison{};
  }
  std::optional<BoundArguments> bound = bind(entry->signature, *callee.arguments, callee.span);
  std::optional<ValueId> input =
      tensor(inputs.front().first, inputs.front().second, "`" + first.text + "`");
  if (!bound || !input)
    return Poison{};
  if (!entry->ofTokens)
    input = real(Tensor{*input}, inputs.front().second, "`" + first.text + "`");
  if (!input)
    return Poison{};
  LayerCall application{*this, *bound, instance, *input, inputs.front().second, place};
  return entry->apply(application);
}

Value Evaluator::apply(const Expr &layer, Inputs inputs, Span place, const NameRequest &name) {
  if (layer.kind() == Expr::Kind::Error)
    return Poison{};
  if (!graph) {
    session.engine.report(Diag::NotAtBuildTime, layer.span, session.text(layer.span));
    return Poison{};
  }
  if (Callee callee = calleeOf(layer);
      train && callee.names && !(scope && scope->find(callee.names->front().text))) {
    const std::string &called = callee.names->front().text;
    if (train->isModel(called)) {
      if (callee.names->size() > 1 || callee.parameters->present) {
        session.engine.report(Diag::TrainedModelParameters, callee.span, called);
        return Poison{};
      }
      if (!appendPositional(inputs, *callee.arguments, called) || poisonedAny(inputs))
        return Poison{};
      return train->call(called, &inputs, place);
    }
    if (model(called)) {
      otherModel(callee.names->front());
      return Poison{};
    }
  }
  std::string kind = kindOf(layer);
  if (kind.empty()) { // a function, a layer that has its name already, or an unknown name
    Callee callee = calleeOf(layer);
    bool known = callee.names && ((scope && scope->find(callee.names->front().text)) ||
                                  findFunction(callee.names->front().text));
    if (name.byAs && known)
      session.engine.report(Diag::NameOnFunction, name.place, name.given,
                            callee.names->front().text);
    Instance none;
    return applyIn(layer, std::move(inputs), place, none);
  }
  if (!frame) {
    session.engine.report(Diag::LayerInTrain, layer.span).help("make the layer part of the model");
    return Poison{};
  }
  Instance *instance = child(kind, name, layer.span);
  if (!instance)
    return Poison{};
  Value value = applyIn(layer, std::move(inputs), place, *instance);
  if (name.byAs)
    bindAs(name, layer);
  return value;
}

Value Evaluator::pipe(const PipeExpr &expr) {
  Value value;
  if (expr.inputName) {
    // `Block[64](x) as block`: names the model's instance.
    const auto *call = dynCast<CallExpr>(*expr.input);
    if (call && frame && model(call->callee.front().text) &&
        !scope->find(call->callee.front().text) && call->arguments.present) {
      NameRequest name{expr.inputName.text, expr.inputName.span, true};
      Instance *instance = child(kindOf(*call), name, call->span);
      if (instance) {
        value = applyIn(*call, {}, call->span, *instance);
        bindAs(name, *call);
        scope->find(name.given)->calledWithInputs = true;
      }
    } else {
      bool callable =
          expr.input->kind() == Expr::Kind::Path || call || expr.input->kind() == Expr::Kind::Stack;
      if (callable) // anything else the parser has told of
        session.engine.report(Diag::NameOnFunction, expr.inputName.span, expr.inputName.text,
                              session.text(expr.input->span));
      value = evaluate(*expr.input);
    }
  } else {
    value = evaluate(*expr.input);
  }
  Span inputSpan = expr.input->span;
  for (size_t i = 0; i < expr.stages.size(); ++i) {
    const PipeExpr::Stage &stage = expr.stages[i];
    NameRequest name;
    if (stage.name)
      name = {stage.name.text, stage.name.span, true};
    value = apply(*stage.function, {{value, inputSpan}}, stage.function->span, name);
    inputSpan = expr.spanUpTo(i);
  }
  return value;
}

Value Evaluator::call(const CallExpr &expr) {
  const Name &first = expr.callee.front();
  auto asValue = [&] {
    session.engine.report(Diag::LayerAsValue, expr.span, first.text)
        .help(fmt::format("apply it: `x |> {}`", session.text(expr.span)));
    return Value(Poison{});
  };
  if (Binding *binding = scope ? scope->find(first.text) : nullptr) {
    bool callable = binding->isLayer || binding->value.get<Callable>();
    if (callable && !graph) {
      session.engine.report(Diag::NotAtBuildTime, expr.span, session.text(expr.span));
      return Poison{};
    }
    if (callable && !binding->isLayer && frame) {
      // The layer that a model takes as a parameter: an instance of its own at each place.
      const Callable inner = *binding->value.get<Callable>();
      if (expr.parameters.present)
        return apply(expr, {}, expr.span, {});
      Inputs inputs;
      *binding->used = true;
      if (!appendPositional(inputs, expr.arguments, first.text))
        return Poison{};
      return within(inner.scope).apply(*inner.expr, std::move(inputs), expr.span, {});
    }
    Instance none;
    return applyIn(expr, {}, expr.span, none);
  }
  if (train && train->isModel(first.text)) {
    if (expr.callee.size() > 1 || expr.parameters.present) {
      session.engine.report(Diag::TrainedModelParameters, expr.calleeSpan, first.text);
      return Poison{};
    }
    Inputs inputs;
    if (!appendPositional(inputs, expr.arguments, first.text))
      return Poison{};
    return poisonedAny(inputs) ? Value(Poison{}) : train->call(first.text, &inputs, expr.span);
  }
  if (model(first.text) && train) {
    otherModel(first);
    return Poison{};
  }
  if (model(first.text)) {
    if (!expr.arguments.present)
      return asValue();
    if (!graph) {
      session.engine.report(Diag::NotAtBuildTime, expr.span, session.text(expr.span));
      return Poison{};
    }
    Instance *instance = child(kindOf(expr), {}, expr.span);
    return applyIn(expr, {}, expr.span, *instance);
  }
  if (const FunctionEntry *function = findFunction(first.text)) {
    return applyFunction(*function, expr.arguments, {}, expr.calleeSpan);
  }
  if (findLayer(first.text)) {
    checkNames(expr);
    return asValue();
  }
  if (isScheduleName(first.text) && !session.constants.count(first.text)) {
    if (train && graph)
      return scheduledNumber(*this, expr);
    if (train)
      session.engine.report(Diag::NotAtBuildTime, expr.calleeSpan, first.text);
    else
      session.engine.report(Diag::ScheduleHere, expr.calleeSpan, first.text)
          .help("multiply there: `objective linear(0.9, to: 0.1) * …`");
    return Poison{};
  }
  unknownName(first);
  return Poison{};
}

} // namespace sinter::semantics
