//===- DataLoading.cpp - the arithmetic on what a source gives -------------------------------===//
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

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

bool DataChecker::normalize(const Arguments &arguments, size_t skip, Span name, const Field &field,
                            Fill &fill) {
  Evaluator::Inputs none;
  std::optional<BoundArguments> bound =
      evaluator.bind(normalizeSignature(), arguments, name, none, skip);
  if (!bound)
    return false;
  if (!realsOnly("normalize", name, field))
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

/// Whether a step that makes reals may act on this field.
bool DataChecker::realsOnly(const char *step, Span place, const Field &field) {
  if (field.type.scalar == Scalar::F32 || field.type.scalar == Scalar::BF16)
    return true;
  engine.report(Diag::RealStep, place, step, field.name, field.type.str())
      .note(field.place, "declared here")
      .help(fmt::format(
          "`{}: f32{}`", field.name,
          field.type.dims.empty() ? "" : fmt::format("[{}]", fmt::join(field.type.dims, ", "))));
  return false;
}

bool DataChecker::standardize(Span place, const Field &field, Fill &fill) {
  if (!realsOnly("standardize", place, field))
    return false;
  for (const LoadOp &earlier : fill.operations)
    if (earlier.kind == LoadOp::Kind::Standardize) {
      engine.report(Diag::StandardizeTwice, place, field.name)
          .note(earlier.place, "the first time");
      return false;
    }
  fill.operations.push_back({LoadOp::Kind::Standardize, 0, {}, {}, place});
  return true;
}

/// What stands to the right of `|>`.
bool DataChecker::loadStep(const Expr &step, const Field &field, Fill &fill) {
  const auto *path = dynCast<PathExpr>(step);
  const auto *call = dynCast<CallExpr>(step);
  if (step.kind() == Expr::Kind::Error)
    return false;
  if ((path && path->isName("standardize")) ||
      (call && call->callee.front().text == "standardize" && call->arguments.list.empty()))
    return standardize(step.span, field, fill);
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
  const bool integers = field.type.scalar == Scalar::Class || field.type.scalar == Scalar::I32 ||
                        field.type.scalar == Scalar::Bool;
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
      return name == "normalize" ? normalize(call->arguments, 1, call->calleeSpan, field, fill)
                                 : standardize(call->span, field, fill);
    }
    return loadSource(*call, &field, fill);
  }
  engine.report(Diag::NotASource, expr.span, field.name)
      .help(fmt::format("`{} = idx(\"file.gz\")`", field.name));
  return false;
}

} // namespace sinter::semantics
