//===- DataLoading.cpp - sources of data, and the arithmetic of loading -----------------------===//
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

static const std::vector<SourceEntry> &sourceTable() {
  static const std::vector<SourceEntry> table = {
      {Signature::parse("idx", "file: string"), false},
      {Signature::parse("csv", "file: string, column?: columns, columns?: columns, skip?: natural, "
                               "separator?: string"),
       false},
      {Signature::parse("npy", "file: string"), false},
      {Signature::parse("npz", ""), true},
      {Signature::parse("safetensors", ""), true},
      {Signature::parse("cifar", ""), true},
      {Signature::parse("images", ""), true},
      {Signature::parse("text", ""), true},
      {Signature::parse("synthetic", "count: count"), false},
  };
  return table;
}

const SourceEntry *findSource(const std::string &name) {
  for (const SourceEntry &each : sourceTable())
    if (each.signature.name == name)
      return &each;
  return nullptr;
}

static const Signature &normalizeSignature() {
  static const Signature signature = Signature::parse("normalize", "mean: reals, std: reals");
  return signature;
}

bool DataChecker::containsSource(const Expr &expr) const {
  switch (expr.kind()) {
  case Expr::Kind::Call: {
    // A function of numbers is a number; any other call is a source, or is meant as one.
    const FunctionEntry *function = findFunction(expr.as<CallExpr>().callee.front().text);
    return !function || !function->fold;
  }
  case Expr::Kind::Pipe:
    return true;
  case Expr::Kind::Unary:
    return containsSource(*expr.as<UnaryExpr>().operand);
  case Expr::Kind::Binary: {
    const auto &chain = expr.as<BinaryExpr>();
    return containsSource(*chain.first) ||
           std::any_of(chain.rest.begin(), chain.rest.end(),
                       [&](const BinaryExpr::Link &link) { return containsSource(*link.operand); });
  }
  default:
    return false;
  }
}

bool DataChecker::loadColumns(const BoundArguments &bound, Source &source) {
  std::string name = bound.given("columns") ? "columns" : "column";
  if (bound.given("columns") == bound.given("column")) {
    engine.report(Diag::CsvColumns, source.place)
        .help("`column: 0`, or `columns: 1..784` with both ends included");
    return false;
  }
  const Expr *expr = bound.expr(name);
  if (const auto *range = dynCast<RangeExpr>(expr)) {
    std::optional<int64_t> first = evaluator.integer(*range->first, "a column");
    std::optional<int64_t> last = evaluator.integer(*range->last, "a column");
    if (!first || !last)
      return false;
    if ((*first < 0) == (*last < 0) && *first > *last) {
      engine.report(Diag::EmptyRange, range->span, *first, *last);
      return false;
    }
    source.attributes["first"] = *first;
    source.attributes["last"] = *last;
    return true;
  }
  const Value &value = bound.item(name).value;
  std::vector<std::string> names;
  if (const std::string *one = value.get<std::string>())
    names = {*one};
  if (const List *list = value.get<List>(); list && list->front().get<std::string>())
    for (const Value &each : *list)
      names.push_back(*each.get<std::string>());
  if (!names.empty())
    source.attributes["names"] = names;
  else
    source.attributes["columns"] = bound.integers(name);
  return true;
}

bool DataChecker::loadSource(const CallExpr &call, Fill &fill) {
  const Name &name = call.callee.front();
  const SourceEntry *entry = findSource(name.text);
  if (!entry) {
    std::vector<std::string> names;
    for (const SourceEntry &each : sourceTable())
      names.push_back(each.signature.name);
    auto report = engine.report(Diag::UnknownOfKind, name.span, "source of data", name.text);
    std::string help = didYouMean(name.text, names);
    report.help(help.empty() ? "it is one of " + alternatives(names) : help);
    return false;
  }
  if (entry->planned) {
    engine.report(Diag::NotSupported, call.calleeSpan, fmt::format("`{}`", name.text));
    return false;
  }
  std::optional<BoundArguments> bound =
      evaluator.bind(entry->signature, call.arguments, call.calleeSpan);
  if (!bound)
    return false;
  Source &source = fill.source;
  source.kind = name.text;
  source.place = call.span;
  if (source.kind == "synthetic") {
    source.attributes["count"] = bound->integer("count");
    return true;
  }
  source.file = bound->string("file");
  source.filePlace = bound->span("file");
  source.resolved = session.sources.resolve(call.span.file, source.file).string();
  if (source.kind != "csv")
    return true;
  source.attributes["skip"] = bound->given("skip") ? bound->integer("skip") : int64_t{-1};
  std::string separator = bound->given("separator") ? bound->string("separator") : ",";
  if (separator.size() != 1) {
    engine.report(Diag::Separator, bound->span("separator"), separator);
    return false;
  }
  source.attributes["separator"] = separator;
  return loadColumns(*bound, source);
}

bool DataChecker::normalize(const Arguments &arguments, size_t skip, Span name, const Field &field,
                            Fill &fill) {
  Evaluator::Inputs none;
  std::optional<BoundArguments> bound =
      evaluator.bind(normalizeSignature(), arguments, name, none, skip);
  if (!bound)
    return false;
  LoadOp op{LoadOp::Kind::Normalize, 0, bound->reals("mean"), bound->reals("std"), bound->place};
  int64_t channels = field.type.dims.empty() ? 1 : field.type.dims.front();
  for (const char *argument : {"mean", "std"}) {
    auto count = static_cast<int64_t>(bound->reals(argument).size());
    if (bound->item(argument).value.get<List>() && count != channels) {
      engine.report(Diag::NormalizeCount, bound->span(argument), count, field.name, channels)
          .note(field.place, field.type.str());
      return false;
    }
  }
  for (double deviation : op.std)
    if (!(deviation > 0)) {
      engine.report(Diag::NotAboveZero, bound->span("std"), "`std`", deviation);
      return false;
    }
  fill.operations.push_back(std::move(op));
  return true;
}

/// What stands to the right of `|>`.
bool DataChecker::loadStep(const Expr &step, const Field &field, Fill &fill) {
  const auto *path = dynCast<PathExpr>(step);
  const auto *call = dynCast<CallExpr>(step);
  if (step.kind() == Expr::Kind::Error)
    return false;
  if ((path && path->isName("standardize")) ||
      (call && call->callee.front().text == "standardize" && call->arguments.list.empty())) {
    fill.operations.push_back({LoadOp::Kind::Standardize, 0, {}, {}, step.span});
    return true;
  }
  if (call && call->callee.front().text == "normalize")
    return normalize(call->arguments, 0, call->calleeSpan, field, fill);
  engine.report(Diag::LoadStep, step.span, session.text(step.span))
      .help("while loading there are `+ - * / **`, `normalize(mean: …, std: …)` and `standardize`");
  return false;
}

bool DataChecker::addOperation(BinaryOp op, double number, bool numberFirst, Span place,
                               const Field &field, Fill &fill) {
  LoadOp step;
  step.value = number;
  step.place = place;
  bool integers = field.type.scalar == Scalar::Class || field.type.scalar == Scalar::I32;
  if (integers && (number != std::floor(number) || op == BinaryOp::Power)) {
    engine.report(Diag::LabelArithmetic, place, field.name, field.type.str());
    return false;
  }
  switch (op) {
  case BinaryOp::Add:
    step.kind = LoadOp::Kind::Add;
    break;
  case BinaryOp::Subtract:
    step.kind = numberFirst ? LoadOp::Kind::SubtractFrom : LoadOp::Kind::Add;
    step.value = numberFirst ? number : -number;
    break;
  case BinaryOp::Multiply:
    step.kind = LoadOp::Kind::Multiply;
    break;
  case BinaryOp::Divide:
    step.kind = numberFirst ? LoadOp::Kind::DivideInto : LoadOp::Kind::Divide;
    if (!numberFirst && number == 0) {
      engine.report(Diag::DivisionByZero, place);
      return false;
    }
    break;
  case BinaryOp::Power:
    if (!numberFirst) {
      step.kind = LoadOp::Kind::Power;
      break;
    }
    [[fallthrough]];
  default:
    engine.report(Diag::LoadStep, place, session.text(place))
        .help(
            "while loading there are `+ - * / **`, `normalize(mean: …, std: …)` and `standardize`");
    return false;
  }
  fill.operations.push_back(std::move(step));
  return true;
}

bool DataChecker::loadChain(const BinaryExpr &chain, const Field &field, Fill &fill) {
  bool loaded = containsSource(*chain.first);
  std::optional<double> number;
  if (loaded) {
    if (!load(*chain.first, field, fill))
      return false;
  } else if (!(number = evaluator.number(*chain.first, "loading arithmetic"))) {
    return false;
  }
  Value left = number ? Value(*number) : Value();
  for (size_t i = 0; i < chain.rest.size(); ++i) {
    const BinaryExpr::Link &link = chain.rest[i];
    bool isSource = containsSource(*link.operand);
    if (isSource && loaded) {
      engine.report(Diag::LoadStep, link.operand->span, session.text(link.operand->span))
          .help("one field is filled from one source");
      return false;
    }
    if (isSource) {
      if (!load(*link.operand, field, fill) ||
          !addOperation(link.op, left.number(), true, chain.spanUpTo(i), field, fill))
        return false;
      loaded = true;
      continue;
    }
    std::optional<double> right = evaluator.number(*link.operand, "loading arithmetic");
    if (!right)
      return false;
    if (loaded) {
      if (!addOperation(link.op, *right, false, chain.spanUpTo(i), field, fill))
        return false;
      continue;
    }
    Span leftSpan = i ? chain.spanUpTo(i - 1) : chain.first->span;
    left = evaluator.binary(link.op, left, leftSpan, *right, link.operand->span, chain.spanUpTo(i));
    if (!left.isNumber())
      return false;
  }
  return true;
}

bool DataChecker::load(const Expr &expr, const Field &field, Fill &fill) {
  if (expr.kind() == Expr::Kind::Error)
    return false;
  if (const auto *chain = dynCast<BinaryExpr>(expr); chain && containsSource(expr))
    return loadChain(*chain, field, fill);
  if (const auto *unary = dynCast<UnaryExpr>(expr); unary && containsSource(expr))
    return load(*unary->operand, field, fill) &&
           addOperation(BinaryOp::Multiply, -1, false, expr.span, field, fill);
  if (const auto *pipe = dynCast<PipeExpr>(expr)) {
    if (!load(*pipe->input, field, fill))
      return false;
    for (const PipeExpr::Stage &stage : pipe->stages)
      if (!loadStep(*stage.function, field, fill))
        return false;
    return true;
  }
  if (const auto *call = dynCast<CallExpr>(expr)) {
    const std::string &name = call->callee.front().text;
    bool wraps = !call->arguments.list.empty() && !call->arguments.list.front().name;
    if (wraps && (name == "normalize" || name == "standardize")) {
      if (!load(*call->arguments.list.front().value, field, fill))
        return false;
      if (name == "normalize")
        return normalize(call->arguments, 1, call->calleeSpan, field, fill);
      fill.operations.push_back({LoadOp::Kind::Standardize, 0, {}, {}, call->span});
      return true;
    }
    return loadSource(*call, fill);
  }
  engine.report(Diag::NotASource, expr.span, field.name)
      .help(fmt::format("`{} = idx(\"file.gz\")`", field.name));
  return false;
}

} // namespace sinter::semantics
