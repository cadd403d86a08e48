//===- Optimizers.cpp - the tables of optimizers, schedules and regularizers ----------------------===//
#include "compiler/semantics/Optimizers.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

/// Defaults are PyTorch's, lion's its authors'. Every argument but the rate and betas is an attribute of the Optimizer.
const std::vector<Signature> &optimizers() {
  static const std::vector<Signature> table = [] {
    const std::string adaptive = "lr: rate, betas: reals = (0.9, 0.999), eps: nonnegative = 1e-8, ";
    return std::vector<Signature>{
        Signature::parse("sgd", "lr: rate, momentum: nonnegative = 0, nesterov: bool = false, "
                                "weight_decay: nonnegative = 0"),
        Signature::parse("adam", adaptive + "weight_decay: nonnegative = 0"),
        Signature::parse("adamw", adaptive + "weight_decay: nonnegative = 0.01"),
        Signature::parse("rmsprop", "lr: rate = 0.01, alpha: probability = 0.99, "
                                    "eps: nonnegative = 1e-8, weight_decay: nonnegative = 0, "
                                    "momentum: nonnegative = 0, centered: bool = false"),
        Signature::parse("adagrad", "lr: rate = 0.01, lr_decay: nonnegative = 0, "
                                    "weight_decay: nonnegative = 0, "
                                    "initial_accumulator_value: nonnegative = 0, "
                                    "eps: nonnegative = 1e-10"),
        Signature::parse("lion", "lr: rate = 1e-4, betas: reals = (0.9, 0.99), "
                                 "weight_decay: nonnegative = 0"),
    };
  }();
  return table;
}

/// What `constrain` projects onto.
const std::vector<Signature> &constraints() {
  static const std::vector<Signature> table = {
      Signature::parse("max_norm", "c: positive"),
      Signature::parse("nonnegative", ""),
  };
  return table;
}

struct ScheduleEntry {
  Schedule::Kind kind;
  Signature signature;
};

/// `number`: what each goes from and to, `nonnegative` or `real`.
std::vector<ScheduleEntry> makeSchedules(const std::string &number) {
  using Kind = Schedule::Kind;
  const std::string from = "lr: " + number, warmup = ", warmup: duration = 0";
  auto entry = [](Kind kind, const char *name, const std::string &text) {
    return ScheduleEntry{kind, Signature::parse(name, text)};
  };
  return {
      entry(Kind::Constant, "constant", from + warmup),
      entry(Kind::Step, "step", from + ", every: duration, by: positive" + warmup),
      entry(Kind::Exponential, "exponential", from + ", by: positive" + warmup),
      entry(Kind::Cosine, "cosine", from + warmup + ", floor: " + number + " = 0"),
      entry(Kind::Linear, "linear", from + ", to: " + number + " = 0" + warmup),
  };
}

/// Of learning rates.
const std::vector<ScheduleEntry> &schedules() {
  static const std::vector<ScheduleEntry> table = makeSchedules("nonnegative");
  return table;
}

/// Of any number.
const std::vector<ScheduleEntry> &numberSchedules() {
  static const std::vector<ScheduleEntry> table = makeSchedules("real");
  return table;
}

std::vector<Signature> makeRegularizers(const std::string &number) {
  return {
      Signature::parse("l1", "l1: " + number + ", proximal: bool = false"),
      Signature::parse("l2", "l2: " + number),
      Signature::parse("elastic", "l1: " + number + ", l2: " + number),
  };
}

/// Of a layer, which stands in no train block.
const std::vector<Signature> &regularizers() {
  static const std::vector<Signature> table = makeRegularizers("nonnegative");
  return table;
}

/// Of a line in a train block.
const std::vector<Signature> &penalties() {
  static const std::vector<Signature> table = makeRegularizers("scheduled nonnegative");
  return table;
}

/// The name and arguments of `adam(…)`; a bare name has no arguments. Null names for anything else.
struct Applied {
  const Name *name = nullptr;
  const Arguments *arguments = nullptr;
};

Applied applied(const Expr &expr) {
  static const Arguments none;
  if (const auto *path = dynCast<PathExpr>(expr); path && path->isName())
    return {&path->names.front(), &none};
  if (const auto *call = dynCast<CallExpr>(expr);
      call && call->callee.size() == 1 && !call->parameters.present)
    return {&call->callee.front(), &call->arguments};
  return {};
}

template <typename Table, typename NameOf>
auto *choose(Session &session, const Expr &expr, const Applied &call, const Table &table,
             NameOf nameOf, const char *what) {
  std::vector<std::string> names;
  for (const auto &each : table) {
    if (call.name && nameOf(each) == call.name->text)
      return &each;
    names.push_back(nameOf(each));
  }
  if (expr.kind() != Expr::Kind::Error) {
    std::string written = call.name ? call.name->text : session.text(expr.span);
    auto report = session.engine.report(Diag::UnknownOfKind,
                                        call.name ? call.name->span : expr.span, what, written);
    std::string help = didYouMean(written, names);
    report.help(help.empty() ? "it is one of " + alternatives(names) : help);
  }
  return static_cast<const typename Table::value_type *>(nullptr);
}

/// An entry of a table, and the arguments that an expression gives it.
struct Chosen {
  const Signature &signature;
  BoundArguments bound;
};

/// Null after an error. `what` the table holds: "optimizer".
std::optional<Chosen> chooseAndBind(Evaluator &evaluator, const Expr &expr,
                                    const std::vector<Signature> &table, const char *what) {
  Applied call = applied(expr);
  const Signature *signature = choose(
      evaluator.session, expr, call, table, [](const Signature &each) { return each.name; }, what);
  if (!signature)
    return std::nullopt;
  std::optional<BoundArguments> bound =
      evaluator.bind(*signature, *call.arguments, call.name->span);
  if (!bound)
    return std::nullopt;
  return Chosen{*signature, std::move(*bound)};
}

} // namespace

std::optional<Count> resolveCount(Evaluator &evaluator, const Expr &expr) {
  Count count;
  const Expr *number = &expr;
  if (const auto *written = dynCast<CountExpr>(expr)) {
    count.epochs = written->unit == TimeUnit::Epochs;
    number = written->number.get();
  }
  std::optional<int64_t> value = evaluator.atBuildTime().integer(*number, "a length");
  if (!value)
    return std::nullopt;
  if (*value < 0) {
    evaluator.session.engine.report(Diag::BelowLeast, number->span, "a length", 0, *value);
    return std::nullopt;
  }
  count.value = static_cast<double>(*value);
  return count;
}

bool isScheduleName(const std::string &name) {
  return std::any_of(schedules().begin(), schedules().end(),
                     [&](const ScheduleEntry &each) { return each.signature.name == name; });
}

/// A call of one of the table.
static std::optional<Schedule> resolveSchedule(Evaluator &evaluator, const Expr &expr,
                                               const std::vector<ScheduleEntry> &table) {
  Session &session = evaluator.session;
  Schedule schedule;
  Applied written = applied(expr);
  const ScheduleEntry *entry = choose(
      session, expr, written, table, [](const ScheduleEntry &each) { return each.signature.name; },
      "schedule");
  if (!entry)
    return std::nullopt;
  std::optional<BoundArguments> bound =
      evaluator.bind(entry->signature, *written.arguments, written.name->span);
  if (!bound)
    return std::nullopt;
  schedule.kind = entry->kind;
  schedule.rate = bound->number("lr");
  if (entry->signature.find("by"))
    schedule.by = bound->number("by");
  if (entry->signature.find("floor"))
    schedule.floor = bound->number("floor");
  if (entry->signature.find("to"))
    schedule.to = bound->number("to");
  for (const char *name : {"warmup", "every"}) {
    if (!entry->signature.find(name) || !bound->given(name))
      continue;
    std::optional<Count> count = resolveCount(evaluator, *bound->expr(name));
    if (!count)
      return std::nullopt;
    if (std::string(name) == "warmup") {
      schedule.warmup = *count;
    } else if (count->value < 1) {
      session.engine.report(Diag::BelowLeast, bound->span(name), "`every`", 1, count->value);
      return std::nullopt;
    } else {
      schedule.every = *count;
    }
  }
  return schedule;
}

Value scheduledNumber(Evaluator &evaluator, const Expr &expr) {
  static constexpr const char *names[] = {"constant", "step", "exponential", "cosine", "linear"};
  std::optional<Schedule> schedule = resolveSchedule(evaluator, expr, numberSchedules());
  if (!schedule)
    return Poison{};
  double to = schedule->kind == Schedule::Kind::Cosine ? schedule->floor : schedule->to;
  return evaluator.emit("schedule", {},
                        {{"schedule", std::string(names[static_cast<int>(schedule->kind)])},
                         {"value", schedule->rate},
                         {"to", to},
                         {"by", schedule->by},
                         {"every", static_cast<int64_t>(schedule->every.value)},
                         {"every_epochs", schedule->every.epochs},
                         {"warmup", static_cast<int64_t>(schedule->warmup.value)},
                         {"warmup_epochs", schedule->warmup.epochs}},
                        Type{}, expr.span);
}

std::optional<Schedule> resolveRate(Evaluator &evaluator, const Expr &expr) {
  Session &session = evaluator.session;
  const auto *call = dynCast<CallExpr>(expr);
  bool isSchedule = call && isScheduleName(call->callee.front().text);
  bool known = call && (evaluator.isCallableName(call->callee.front().text) ||
                        session.constants.count(call->callee.front().text));
  if (!isSchedule && (!call || known)) {
    std::optional<double> rate = evaluator.atBuildTime().number(expr, "a learning rate");
    if (!rate)
      return std::nullopt;
    if (*rate < 0) {
      session.engine.report(Diag::BelowLeast, expr.span, "a learning rate", 0, *rate);
      return std::nullopt;
    }
    Schedule schedule;
    schedule.rate = *rate;
    return schedule;
  }
  return resolveSchedule(evaluator, expr, schedules());
}

std::optional<Optimizer> resolveOptimizer(Evaluator &evaluator, const Expr &expr) {
  Session &session = evaluator.session;
  const std::optional<Chosen> chosen = chooseAndBind(evaluator, expr, optimizers(), "optimizer");
  if (!chosen)
    return std::nullopt;
  const auto &[signature, bound] = *chosen;
  Optimizer optimizer;
  optimizer.kind = signature.name;
  optimizer.place = expr.span;
  if (const Expr *written = bound.expr("lr")) {
    std::optional<Schedule> rate = resolveRate(evaluator, *written);
    if (!rate)
      return std::nullopt;
    optimizer.rate = *rate;
  } else {
    optimizer.rate.rate = bound.number("lr");
  }
  for (const ArgumentSpec &spec : signature.arguments) {
    std::string name = spec.name == "initial_accumulator_value" ? "initial" : spec.name;
    if (spec.kind == ArgumentKind::Boolean)
      optimizer.attributes[name] = bound.boolean(spec.name);
    else if (spec.kind != ArgumentKind::Rate && spec.kind != ArgumentKind::Reals)
      optimizer.attributes[name] = bound.number(spec.name);
  }
  if (signature.find("nesterov") && bound.boolean("nesterov") && bound.number("momentum") == 0) {
    session.engine.report(Diag::NesterovMomentum, bound.span("nesterov"))
        .help("`sgd(lr: …, momentum: 0.9, nesterov: true)`");
    return std::nullopt;
  }
  if (!signature.find("betas"))
    return optimizer;
  std::vector<double> betas = bound.reals("betas");
  bool inRange = betas.size() == 2 && std::all_of(betas.begin(), betas.end(), [](double beta) {
                   return beta >= 0 && beta < 1;
                 });
  if (!inRange) {
    session.engine.report(Diag::Betas, bound.span("betas"), signature.name);
    return std::nullopt;
  }
  optimizer.attributes["beta1"] = betas[0];
  optimizer.attributes["beta2"] = betas[1];
  return optimizer;
}

std::vector<const Expr *> termsOf(const Expr &expr) {
  const auto *chain = dynCast<BinaryExpr>(expr);
  if (!chain || std::any_of(chain->rest.begin(), chain->rest.end(),
                            [](const auto &link) { return link.op != BinaryOp::Add; }))
    return {&expr};
  std::vector<const Expr *> terms{chain->first.get()};
  for (const BinaryExpr::Link &link : chain->rest)
    terms.push_back(link.operand.get());
  return terms;
}

std::optional<Regularizer> resolveRegularizer(Evaluator &evaluator, const Expr &expr) {
  const std::optional<Chosen> chosen =
      chooseAndBind(evaluator, expr, regularizers(), "regularizer");
  if (!chosen)
    return std::nullopt;
  const auto &[signature, bound] = *chosen;
  Regularizer result;
  result.kind = signature.name;
  result.place = expr.span;
  if (signature.find("l1"))
    result.l1 = bound.number("l1");
  if (signature.find("l2"))
    result.l2 = bound.number("l2");
  if (signature.find("proximal"))
    result.proximal = bound.boolean("proximal");
  return result;
}

std::optional<Penalty> resolvePenalty(Evaluator &evaluator, const Expr &expr) {
  const std::optional<Chosen> chosen = chooseAndBind(evaluator, expr, penalties(), "regularizer");
  if (!chosen)
    return std::nullopt;
  const auto &[signature, bound] = *chosen;
  Penalty penalty;
  penalty.numbers.kind = signature.name;
  penalty.numbers.place = expr.span;
  penalty.numbers.proximal = signature.find("proximal") && bound.boolean("proximal");
  auto take = [&](const char *name, std::optional<ValueId> &value, double &number) {
    if (!signature.find(name))
      return;
    const Value &written = bound.item(name).value;
    if (const Tensor *scheduled = written.get<Tensor>()) {
      penalty.scheduled = true;
      value = scheduled->id;
      number = 1;
    } else {
      number = written.number();
      if (number != 0)
        value = evaluator.graph->constant(number, expr.span);
    }
  };
  take("l1", penalty.l1, penalty.numbers.l1);
  take("l2", penalty.l2, penalty.numbers.l2);
  if (penalty.scheduled && penalty.numbers.proximal) {
    evaluator.session.engine
        .report(Diag::ArgumentKind, bound.span("l1"), signature.name, "l1",
                "a number where it is proximal", "a schedule")
        .help("the step's shrinking goes with the learning rate: `sgd(lr: linear(0.1))`");
    return std::nullopt;
  }
  return penalty;
}

std::optional<Constraint> resolveConstraint(Evaluator &evaluator, const Expr &expr) {
  const std::optional<Chosen> chosen = chooseAndBind(evaluator, expr, constraints(), "constraint");
  if (!chosen)
    return std::nullopt;
  const auto &[signature, bound] = *chosen;
  Constraint result;
  result.kind = signature.name;
  result.limit = signature.find("c") ? bound.number("c") : 0;
  result.place = expr.span;
  return result;
}

} // namespace sinter::semantics
