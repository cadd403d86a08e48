//===- Arguments.cpp - matches the arguments of a call with a signature ------------------------===//
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/Optimizers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <set>

namespace sinter::semantics {

using namespace syntax;

std::vector<int64_t> BoundArguments::pair(const std::string &name) const {
  const Value &value = items.at(name).value;
  if (const int64_t *one = value.get<int64_t>())
    return {*one, *one};
  return integers(name);
}

std::vector<int64_t> BoundArguments::integers(const std::string &name) const {
  const Value &value = items.at(name).value;
  if (const int64_t *one = value.get<int64_t>())
    return {*one};
  std::vector<int64_t> result;
  for (const Value &each : *value.get<List>())
    result.push_back(*each.get<int64_t>());
  return result;
}

std::vector<double> BoundArguments::reals(const std::string &name) const {
  const Value &value = items.at(name).value;
  if (value.isNumber())
    return {value.number()};
  std::vector<double> result;
  for (const Value &each : *value.get<List>())
    result.push_back(each.number());
  return result;
}

namespace {

/// A default of a signature: 1, -1, 0.5, 1e-5, true, (0.9, 0.999), or a word.
Value parseDefault(const std::string &text) {
  if (text == "true" || text == "false")
    return text == "true";
  if (text.starts_with("(")) {
    List list;
    for (size_t begin = 1; begin < text.size();) {
      size_t end = text.find_first_of(",)", begin);
      list.push_back(parseDefault(text.substr(begin, end - begin)));
      begin = end + 2;
    }
    return list;
  }
  const char *last = text.data() + text.size();
  int64_t integer = 0;
  if (auto [end, error] = std::from_chars(text.data(), last, integer);
      error == std::errc() && end == last)
    return integer;
  double real = 0;
  if (auto [end, error] = std::from_chars(text.data(), last, real);
      error == std::errc() && end == last)
    return real;
  return text;
}

bool allIntegers(const Value &value) {
  const List *list = value.get<List>();
  return list && std::all_of(list->begin(), list->end(),
                             [](const Value &each) { return each.get<int64_t>() != nullptr; });
}

constexpr int64_t largestSize = std::numeric_limits<int32_t>::max();

bool isPair(const Value &value, int64_t least) {
  if (const int64_t *one = value.get<int64_t>())
    return *one >= least && *one <= largestSize;
  if (!allIntegers(value) || value.get<List>()->size() != 2)
    return false;
  const List &list = *value.get<List>();
  return std::all_of(list.begin(), list.end(), [&](const Value &each) {
    return *each.get<int64_t>() >= least && *each.get<int64_t>() <= largestSize;
  });
}

/// Whether a value is what this kind takes; kinds that are expressions of values are none of it.
bool fits(ArgumentKind kind, const Value &value) {
  const int64_t *integer = value.get<int64_t>();
  switch (kind) {
  case ArgumentKind::Integer:
    return integer;
  case ArgumentKind::Natural:
    return integer && *integer >= 0;
  case ArgumentKind::Count:
    return integer && *integer >= 1;
  case ArgumentKind::Size:
    return integer && *integer >= 1 && *integer <= largestSize;
  case ArgumentKind::Real:
    return value.isNumber();
  case ArgumentKind::Positive:
    return value.isNumber() && value.number() > 0;
  case ArgumentKind::NonNegative:
    return value.isNumber() && value.number() >= 0;
  case ArgumentKind::Probability:
    return value.isNumber() && value.number() >= 0 && value.number() < 1;
  case ArgumentKind::Boolean:
    return value.get<bool>();
  case ArgumentKind::String:
    return value.get<std::string>();
  case ArgumentKind::Pair:
    return isPair(value, 1);
  case ArgumentKind::Padding:
    return isPair(value, 0);
  case ArgumentKind::Reals: {
    const List *list = value.get<List>();
    return value.isNumber() || (list && !list->empty() &&
                                std::all_of(list->begin(), list->end(),
                                            [](const Value &each) { return each.isNumber(); }));
  }
  case ArgumentKind::Integers:
  case ArgumentKind::Axes:
    return integer || allIntegers(value);
  case ArgumentKind::Columns: {
    const List *list = value.get<List>();
    return integer || value.get<std::string>() || (allIntegers(value) && !list->empty()) ||
           (list && !list->empty() &&
            std::all_of(list->begin(), list->end(),
                        [](const Value &each) { return each.get<std::string>() != nullptr; }));
  }
  default:
    return true;
  }
}

class Binder {
public:
  Binder(Evaluator &evaluator, const Signature &signature, Span nameSpan)
      : evaluator(evaluator), engine(evaluator.session.engine), signature(signature) {
    bound.nameSpan = nameSpan;
  }

  std::optional<BoundArguments> run(const Arguments &arguments, Evaluator::Inputs inputs,
                                    size_t skip) {
    bound.place = arguments.present ? join(bound.nameSpan, arguments.span) : bound.nameSpan;
    size_t position = 0;
    for (auto &[value, span] : inputs)
      if (const ArgumentSpec *spec = next(position, span))
        take(*spec, std::move(value), span);
    for (size_t i = skip; i < arguments.list.size(); ++i) {
      const Argument &argument = arguments.list[i];
      if (argument.name) {
        named(argument);
        continue;
      }
      if (const ArgumentSpec *spec = next(position, argument.span))
        evaluate(*spec, *argument.value);
    }
    for (const ArgumentSpec &spec : signature.arguments)
      complete(spec);
    return good ? std::optional(std::move(bound)) : std::nullopt;
  }

private:
  const ArgumentSpec *next(size_t &position, Span span) {
    if (position < signature.arguments.size()) {
      const ArgumentSpec *spec = &signature.arguments[position];
      if (!spec->rest)
        ++position;
      return spec;
    }
    good = false;
    if (!tooMany)
      engine
          .report(Diag::TooManyArguments, span, signature.name,
                  counted(signature.arguments.size(), "argument"))
          .help(fmt::format("it is `{}`", signature.usage()));
    tooMany = true;
    return nullptr;
  }

  void named(const Argument &argument) {
    const ArgumentSpec *spec = signature.find(argument.name.text);
    if (!spec) {
      good = false;
      evaluator.unknownArgument(signature, argument.name);
      return;
    }
    if (bound.items.count(spec->name)) {
      good = false;
      if (!names.insert(spec->name).second)
        return; // the parser has told of a name that stands twice
      engine.report(Diag::GivenTwice, argument.name.span, signature.name, spec->name)
          .note(bound.items.at(spec->name).span, "given here");
      return;
    }
    names.insert(spec->name);
    evaluate(*spec, *argument.value);
  }

  void evaluate(const ArgumentSpec &spec, const Expr &expr) {
    BoundArguments::Item item;
    item.expr = &expr;
    item.span = expr.span;
    item.given = true;
    if (spec.kind == ArgumentKind::Lazy || spec.kind == ArgumentKind::Rate ||
        spec.kind == ArgumentKind::Duration ||
        (spec.kind == ArgumentKind::Columns && expr.kind() == Expr::Kind::Range)) {
      good &= isRightLater(spec, expr);
      bound.items[spec.name] = std::move(item);
      return;
    }
    const auto *word = dynCast<PathExpr>(expr);
    bool isWord = word && word->isName();
    if (spec.kind == ArgumentKind::Choice) {
      choose(spec, expr, isWord ? word->names.front().text : "", item);
      return;
    }
    if (isWord &&
        ((spec.kind == ArgumentKind::Padding && (word->isName("same") || word->isName("valid"))) ||
         (spec.kind == ArgumentKind::Axes && word->isName("all")))) {
      item.value = word->names.front().text;
      bound.items[spec.name] = std::move(item);
      return;
    }
    // A word that is no name either is a choice that there is not.
    if (isWord && (spec.kind == ArgumentKind::Padding || spec.kind == ArgumentKind::Axes) &&
        word->isName() && !evaluator.session.constants.count(word->names.front().text) &&
        !(evaluator.scope && evaluator.scope->find(word->names.front().text)) &&
        !evaluator.session.mayBeLost(word->names.front().text)) {
      good = false;
      engine.report(Diag::ArgumentKind, expr.span, signature.name, spec.name,
                    semantics::describe(spec), "`" + word->names.front().text + "`");
      bound.items[spec.name] = std::move(item);
      return;
    }
    bool values = spec.kind == ArgumentKind::Tensor || spec.kind == ArgumentKind::Tensors ||
                  spec.kind == ArgumentKind::Labels || spec.kind == ArgumentKind::Any;
    if (spec.scheduled) {
      // Of values, only what is one number for all examples and elements.
      Value value = evaluator.evaluate(expr);
      const Tensor *tensor = value.get<Tensor>();
      bool many = tensor && (evaluator.graph->varies(tensor->id) ||
                             evaluator.graph->type(tensor->id).rank() > 0);
      if (many) {
        good = false;
        engine.report(Diag::ArgumentKind, expr.span, signature.name, spec.name,
                      semantics::describe(spec), shown(value, expr.span));
        bound.items[spec.name] = std::move(item);
        return;
      }
      take(spec, std::move(value), expr.span, &expr);
      return;
    }
    Value value = values ? evaluator.evaluate(expr) : evaluator.atBuildTime().evaluate(expr);
    take(spec, std::move(value), expr.span, &expr);
  }

  /// Arguments that the layer or optimizer will evaluate itself are right or wrong already here,
  /// where the errors of all arguments are told.
  bool isRightLater(const ArgumentSpec &spec, const Expr &expr) {
    static const Type matrix{
        Scalar::F32, 0, {1, 1}}; // what a shape forbids is told when it is known
    if (spec.kind == ArgumentKind::Rate)
      return resolveRate(evaluator, expr).has_value();
    if (spec.kind == ArgumentKind::Duration)
      return resolveCount(evaluator, expr).has_value();
    if (spec.kindText == "init")
      return resolveInitializer(evaluator, expr, matrix).has_value();
    bool right = true;
    if (spec.kindText == "reg")
      for (const Expr *term : termsOf(expr))
        right &= resolveRegularizer(evaluator, *term).has_value();
    return right;
  }

  /// A choice is a word, or a string parameter of a model that holds one.
  void choose(const ArgumentSpec &spec, const Expr &expr, const std::string &word,
              BoundArguments::Item item) {
    std::string chosen = word;
    bool known = std::find(spec.choices.begin(), spec.choices.end(), word) != spec.choices.end();
    if (!known && (word.empty() || (evaluator.scope && evaluator.scope->find(word)) ||
                   evaluator.session.constants.count(word))) {
      Value value = evaluator.atBuildTime().evaluate(expr);
      if (value.poisoned()) {
        good = false;
        bound.items[spec.name] = std::move(item);
        return;
      }
      if (const std::string *text = value.get<std::string>())
        chosen = *text;
      known = std::find(spec.choices.begin(), spec.choices.end(), chosen) != spec.choices.end();
    }
    if (!known) {
      good = false;
      auto report =
          engine.report(Diag::ArgumentKind, expr.span, signature.name, spec.name,
                        semantics::describe(spec), "`" + evaluator.session.text(expr.span) + "`");
      if (std::string help = didYouMean(chosen, spec.choices); !help.empty())
        report.help(help);
    }
    item.value = chosen;
    bound.items[spec.name] = std::move(item);
  }

  void take(const ArgumentSpec &spec, Value value, Span span, const Expr *expr = nullptr) {
    BoundArguments::Item item{Poison{}, expr, span, true};
    if (value.poisoned()) {
      good = false;
    } else if (spec.kind == ArgumentKind::Tensor || spec.kind == ArgumentKind::Tensors ||
               spec.kind == ArgumentKind::Labels || spec.kind == ArgumentKind::Any) {
      std::string who = "`" + signature.name + "`";
      std::optional<ValueId> id = spec.kind == ArgumentKind::Tensor
                                      ? evaluator.real(value, span, who)
                                      : evaluator.tensor(value, span, who);
      good &= id.has_value();
      if (id)
        item.value = Tensor{*id};
    } else if (const int64_t *size = value.get<int64_t>();
               size && spec.kind == ArgumentKind::Size && *size > largestSize) {
      good = false;
      engine.report(Diag::DimensionRange, span, *size);
    } else if (!(spec.scheduled && value.get<Tensor>()) && !fits(spec.kind, value)) {
      good = false;
      engine.report(Diag::ArgumentKind, span, signature.name, spec.name, semantics::describe(spec),
                    shown(value, span));
    } else {
      item.value = std::move(value);
    }
    if (spec.rest)
      append(spec, std::move(item));
    else
      bound.items[spec.name] = std::move(item);
  }

  void append(const ArgumentSpec &spec, BoundArguments::Item item) {
    BoundArguments::Item &all = bound.items[spec.name];
    if (!all.value.get<List>())
      all.value = List{};
    List list = *all.value.get<List>();
    if (const List *more = item.value.get<List>())
      list.insert(list.end(), more->begin(), more->end());
    else
      list.push_back(item.value);
    all.value = std::move(list);
    all.span = all.given ? join(all.span, item.span) : item.span;
    all.given = true;
  }

  std::string shown(const Value &value, Span span) const {
    if (const double *real = value.get<double>())
      return *real == std::floor(*real) ? fmt::format("the real number {}", *real)
                                        : fmt::format("{}", *real);
    if (value.isNumber())
      return fmt::format("{}", value.number());
    if (value.get<List>())
      return fmt::format("`{}`", evaluator.session.text(span));
    return evaluator.describe(value);
  }

  void complete(const ArgumentSpec &spec) {
    if (bound.items.count(spec.name))
      return;
    if (spec.required() || (spec.rest && spec.kind == ArgumentKind::Tensors)) {
      if (good) // else it may be the one that was not understood
        engine.report(Diag::MissingArgument, bound.nameSpan, signature.name, spec.name)
            .help(fmt::format("it is `{}`", signature.usage()));
      good = false;
      return;
    }
    BoundArguments::Item item;
    item.span = bound.place;
    if (spec.hasDefault)
      item.value = parseDefault(spec.defaultText);
    else if (spec.rest)
      item.value = List{};
    bound.items[spec.name] = std::move(item);
  }

  Evaluator &evaluator;
  Engine &engine;
  const Signature &signature;
  BoundArguments bound;
  std::set<std::string> names; ///< given by name
  bool good = true;
  bool tooMany = false;
};

} // namespace

void Evaluator::unknownArgument(const Signature &signature, const Name &name) {
  auto report = session.engine.report(Diag::UnknownArgument, name.span, signature.name, name.text);
  std::string help = didYouMean(name.text, signature.names());
  report.help(help.empty() ? fmt::format("it is `{}`", signature.usage()) : help);
}

std::optional<BoundArguments> Evaluator::bind(const Signature &signature,
                                              const Arguments &arguments, Span nameSpan,
                                              Inputs inputs, size_t skip) {
  return Binder(*this, signature, nameSpan).run(arguments, std::move(inputs), skip);
}

} // namespace sinter::semantics
