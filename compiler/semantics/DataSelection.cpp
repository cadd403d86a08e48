//===- DataSelection.cpp - split, keep, take and augment --------------------------------------===//
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

void DataChecker::checkSplit(const SplitStatement &written) {
  if (checked.data.split) {
    engine.report(Diag::StatementTwice, written.span, "split")
        .note(checked.data.split->place, "the first one");
    return;
  }
  static const Signature options = Signature::parse("split", "seed: natural = 0, stratify?: field");
  std::vector<double> shares;
  double sum = 0;
  for (const ExprPtr &each : written.shares) {
    std::optional<double> share = evaluator.number(*each, "a share of a split");
    if (!share)
      return;
    if (*share < 0 || *share > 1) {
      engine.report(Diag::SplitSum, each->span);
      return;
    }
    shares.push_back(*share);
    sum += *share;
  }
  constexpr double rounding = 1e-9;
  if (shares.size() == 3 && std::fabs(sum - 1) > rounding) {
    engine.report(Diag::SplitSum, written.span).help("for instance `split 0.8, 0.1, 0.1`");
    return;
  }
  std::optional<BoundArguments> bound = evaluator.bind(options, written.options, written.span);
  if (!bound)
    return;
  Split split;
  split.place = written.span;
  split.seed = static_cast<uint64_t>(bound->integer("seed"));
  if (const Expr *stratify = bound->expr("stratify")) {
    const auto *name = dynCast<PathExpr>(stratify);
    const Field *by = name && name->isName() ? field(name->names.front().text) : nullptr;
    if (!by || by->type.scalar != Scalar::Class || by->type.rank() != 0) {
      engine.report(Diag::StratifyField, stratify->span, session.text(stratify->span));
      return;
    }
    split.stratify = by->name;
  }
  // Beside `test { … }` it is the valid set that is cut off.
  bool hasTest = checked.data.parts.count("test") != 0;
  split.train = shares[0];
  if (shares.size() == 3) {
    split.valid = shares[1];
    split.test = shares[2];
  } else if (hasTest) {
    split.valid = 1 - shares[0];
  } else {
    split.test = 1 - shares[0];
  }
  for (const char *part : {"valid", "test"}) {
    double share = part == std::string("valid") ? split.valid : split.test;
    if (share > 0 && checked.data.parts.count(part)) {
      engine.report(Diag::SplitOfFilled, written.span, part);
      return;
    }
  }
  if (!(split.train > 0)) {
    engine.report(Diag::SplitLeavesNothing, written.shares.front()->span)
        .help("for instance `split 0.8`");
    return;
  }
  checked.data.seed = split.seed;
  checked.data.split = split;
}

void DataChecker::checkTake(const TakeStatement &written) {
  if (take.valid()) {
    engine.report(Diag::StatementTwice, written.span, "take").note(take, "the first one");
    return;
  }
  take = written.span;
  std::optional<int64_t> count = evaluator.integer(*written.count, "`take`");
  if (count && *count < 1)
    engine.report(Diag::BelowLeast, written.count->span, "`take`", 1, *count);
  checked.data.take = count;
}

//===----------------------------------------------------------------------------------------===//
// keep where
//===----------------------------------------------------------------------------------------===//

/// Whether a field stands in an expression; everything else is known at build time.
bool DataChecker::namesField(const Expr &expr) const {
  switch (expr.kind()) {
  case Expr::Kind::Path:
    return field(expr.as<PathExpr>().names.front().text) != nullptr;
  case Expr::Kind::Unary:
    return namesField(*expr.as<UnaryExpr>().operand);
  case Expr::Kind::Binary: {
    const auto &chain = expr.as<BinaryExpr>();
    return namesField(*chain.first) ||
           std::any_of(chain.rest.begin(), chain.rest.end(),
                       [&](const BinaryExpr::Link &link) { return namesField(*link.operand); });
  }
  case Expr::Kind::Call: {
    const auto &call = expr.as<CallExpr>();
    const auto &arguments = call.arguments.list;
    return field(call.callee.front().text) ||
           std::any_of(arguments.begin(), arguments.end(),
                       [&](const Argument &each) { return namesField(*each.value); });
  }
  default:
    return false;
  }
}

static bool isLogic(BinaryOp op) { return op == BinaryOp::And || op == BinaryOp::Or; }
static bool isComparison(BinaryOp op) {
  return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual;
}

std::optional<Keep> DataChecker::keepOperand(const Expr &expr, bool condition,
                                             const std::string &who) {
  bool isCondition = false;
  std::optional<Keep> operand = keepExpression(expr, isCondition);
  if (!operand || isCondition == condition)
    return operand;
  const char *kinds[] = {"a number", "a condition"};
  auto report = engine.report(Diag::KeepKind, expr.span, who, kinds[condition], kinds[isCondition]);
  if (condition)
    report.help(fmt::format("`{} == 1`", session.text(expr.span)));
  return std::nullopt;
}

std::optional<Keep> DataChecker::keepExpression(const Expr &expr, bool &condition) {
  condition = false;
  if (expr.kind() == Expr::Kind::Error)
    return std::nullopt;
  const auto *path = dynCast<PathExpr>(expr);
  if (const Field *named = path && path->isName() ? field(path->names.front().text) : nullptr) {
    if (checked.poisoned.count(named->name))
      return std::nullopt;
    if (named->type.elements() != 1) {
      engine.report(Diag::KeepField, expr.span, named->name, named->type.str())
          .note(named->place, "declared here");
      return std::nullopt;
    }
    condition = named->type.scalar == Scalar::Bool;
    return Keep{"field", 0, named->name, {}};
  }
  if (const auto *unary = dynCast<UnaryExpr>(expr)) {
    condition = unary->op == UnaryOp::Not;
    std::optional<Keep> operand =
        keepOperand(*unary->operand, condition, condition ? "`not`" : "`-`");
    if (!operand)
      return std::nullopt;
    return Keep{condition ? "not" : "neg", 0, "", {std::move(*operand)}};
  }
  if (const auto *chain = dynCast<BinaryExpr>(expr)) {
    std::optional<Keep> left;
    bool leftCondition = false;
    for (size_t i = 0; i < chain->rest.size(); ++i) {
      const BinaryExpr::Link &link = chain->rest[i];
      const std::string op(spelling(link.op)), who = "`" + op + "`";
      const Expr &rightExpr = *link.operand;
      if (link.op == BinaryOp::MatMul) {
        engine.report(Diag::KeepExpression, chain->spanUpTo(i), session.text(chain->spanUpTo(i)));
        return std::nullopt;
      }
      std::optional<Keep> right;
      if (link.op == BinaryOp::Equal || link.op == BinaryOp::NotEqual) {
        // Two numbers or two conditions: `flag == true`.
        left = keepExpression(*chain->first, leftCondition);
        right = left ? keepOperand(rightExpr, leftCondition, who) : std::nullopt;
      } else {
        if (i == 0)
          left = keepOperand(*chain->first, isLogic(link.op), who);
        right = keepOperand(rightExpr, isLogic(link.op), who);
      }
      if (!left || !right)
        return std::nullopt;
      left = Keep{op, 0, "", {std::move(*left), std::move(*right)}};
      condition = isLogic(link.op) || isComparison(link.op);
    }
    return left;
  }
  if (namesField(expr)) {
    engine.report(Diag::KeepExpression, expr.span, session.text(expr.span))
        .help("it may hold fields, numbers, `+ - * / **`, comparisons, `and`, `or` and `not`");
    return std::nullopt;
  }
  if (path && path->isName() && !session.constants.count(path->names.front().text) &&
      !session.mayBeLost(path->names.front().text)) {
    std::vector<std::string> known;
    for (const Field &each : checked.data.fields)
      known.push_back(each.name);
    auto report = engine.report(Diag::UnknownField, expr.span, declaration.name.text,
                                path->names.front().text);
    if (std::string help = didYouMean(path->names.front().text, known); !help.empty())
      report.help(help);
    return std::nullopt;
  }
  const Value value = evaluator.evaluate(expr);
  if (value.poisoned())
    return std::nullopt;
  if (const bool *truth = value.get<bool>()) {
    condition = true;
    return Keep{"number", *truth ? 1.0 : 0.0, "", {}};
  }
  if (!value.isNumber()) {
    engine.report(Diag::KeepKind, expr.span, "`keep where`", "fields and numbers",
                  evaluator.describe(value));
    return std::nullopt;
  }
  return Keep{"number", value.number(), "", {}};
}

void DataChecker::checkKeep(const KeepStatement &written) {
  std::optional<Keep> keep = keepOperand(*written.condition, true, "`keep where`");
  if (!keep)
    return;
  if (!namesField(*written.condition)) {
    engine.report(Diag::KeepWithoutField, written.condition->span)
        .help(checked.data.fields.empty()
                  ? "`keep where label < 5`"
                  : fmt::format("`keep where {} < 5`", checked.data.fields.back().name));
    return;
  }
  // A further line asks for more.
  if (checked.data.keep)
    keep = Keep{"and", 0, "", {std::move(*checked.data.keep), std::move(*keep)}};
  checked.data.keep = std::move(keep);
}

//===----------------------------------------------------------------------------------------===//
// augment
//===----------------------------------------------------------------------------------------===//

static const std::vector<Signature> &augmentations() {
  static const std::vector<Signature> table = {
      Signature::parse("random_crop", "padding: natural"),
      Signature::parse("flip_horizontal", "p: real = 0.5"),
      Signature::parse("flip_vertical", "p: real = 0.5"),
      Signature::parse("random_rotation", "degrees: nonnegative"),
      Signature::parse("random_erase", "p: real = 0.5"),
      Signature::parse("noise", "std: nonnegative"),
  };
  return table;
}

std::optional<Augment::Step> DataChecker::augmentStep(const Expr &expr) {
  if (expr.kind() == Expr::Kind::Error)
    return std::nullopt;
  const auto *path = dynCast<PathExpr>(expr);
  const auto *call = dynCast<CallExpr>(expr);
  static const Arguments none;
  const Name &name = path ? path->names.front() : call->callee.front();
  const Signature *signature = nullptr;
  std::vector<std::string> names;
  for (const Signature &each : augmentations()) {
    names.push_back(each.name);
    if (each.name == name.text)
      signature = &each;
  }
  if (!signature) {
    auto report = engine.report(Diag::UnknownOfKind, name.span, "augmentation", name.text);
    std::string help = didYouMean(name.text, names);
    report.help(help.empty() ? "it is one of " + alternatives(names) : help);
    return std::nullopt;
  }
  std::optional<BoundArguments> bound =
      evaluator.bind(*signature, call ? call->arguments : none, name.span);
  if (!bound)
    return std::nullopt;
  const std::string &argument = signature->arguments.front().name;
  Augment::Step step{signature->name, bound->number(argument), expr.span};
  if (argument == "p" && (step.value < 0 || step.value > 1)) {
    engine.report(Diag::ProbabilityRange, bound->span(argument), step.value)
        .help(fmt::format("`{}(0.5)`", step.kind));
    return std::nullopt;
  }
  return step;
}

bool DataChecker::fitsAugment(const Augment::Step &step, const Field &target) {
  const Type &type = target.type;
  const bool noise = step.kind == "noise";
  const bool reals = type.scalar == Scalar::F32 || type.scalar == Scalar::BF16;
  if (noise ? reals : type.rank() >= 2)
    return true;
  engine
      .report(Diag::AugmentField, step.place, step.kind,
              noise ? "real numbers" : "images, `[C, H, W]` or `[H, W]`", target.name, type.str())
      .note(target.place, "declared here");
  return false;
}

void DataChecker::checkAugment(const AugmentStatement &written) {
  Augment augment;
  augment.place = written.span;
  std::vector<const Field *> targets;
  if (written.fields.empty()) {
    if (const Field *image = field("image"))
      targets.push_back(image);
    else if (!session.mayBeLost("image"))
      engine.report(Diag::AugmentUnread, written.span, "image", declaration.name.text)
          .help(checked.data.fields.empty()
                    ? "`augment x { … }` names the field"
                    : fmt::format("`augment {} {{ … }}`", checked.data.fields.front().name));
  }
  std::map<std::string, Span> named;
  for (const Name &name : written.fields) {
    if (auto [earlier, fresh] = named.emplace(name.text, name.span); !fresh)
      engine.report(Diag::DuplicateName, name.span, name.text)
          .note(earlier->second, "the first time");
    else if (const Field *target = field(name.text))
      targets.push_back(target);
    else if (!session.mayBeLost(name.text)) {
      std::vector<std::string> known;
      for (const Field &each : checked.data.fields)
        known.push_back(each.name);
      auto report = engine.report(Diag::AugmentUnread, name.span, name.text, declaration.name.text);
      if (std::string help = didYouMean(name.text, known); !help.empty())
        report.help(help);
    }
  }
  bool good = !targets.empty();
  for (const ExprPtr &each : written.steps) {
    std::optional<Augment::Step> step = augmentStep(*each);
    good &= step.has_value();
    for (const Field *target : targets)
      if (step && !checked.poisoned.count(target->name))
        good &= fitsAugment(*step, *target);
    if (step)
      augment.steps.push_back(std::move(*step));
  }
  for (const Field *target : targets)
    augment.fields.push_back(target->name);
  const auto moves = [](const Augment::Step &step) { return step.kind != "noise"; };
  if (good && std::any_of(augment.steps.begin(), augment.steps.end(), moves))
    for (const Field *target : targets) {
      const std::vector<int64_t> &first = targets.front()->type.dims, &dims = target->type.dims;
      if (checked.poisoned.count(target->name) ||
          std::equal(dims.end() - 2, dims.end(), first.end() - 2))
        continue;
      engine
          .report(Diag::AugmentSizes, written.span, target->name, target->type.str(),
                  targets.front()->name, targets.front()->type.str())
          .note(target->place, "declared here");
      good = false;
    }
  if (good)
    checked.data.augments.push_back(std::move(augment));
}

} // namespace sinter::semantics
