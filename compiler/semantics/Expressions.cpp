//===- Expressions.cpp - literals, operators, branches ----------------------------------------===//
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Functions.h"

#include <cmath>
#include <fmt/format.h>
#include <tuple>

namespace sinter::semantics {

using namespace syntax;

std::string Evaluator::describe(const Value &value) const {
  if (value.get<int64_t>())
    return "a whole number";
  if (value.get<double>())
    return "a real number";
  if (value.get<bool>())
    return "a boolean";
  if (value.get<std::string>())
    return "a string";
  if (value.get<List>())
    return "a list";
  if (value.get<Record>())
    return "a record";
  if (value.get<Callable>())
    return "a layer or function";
  if (const Tensor *tensor = value.get<Tensor>())
    return graph ? "`" + graph->type(tensor->id).str() + "`" : "a value";
  return "unknown";
}

std::optional<int64_t> Evaluator::integer(const Expr &expr, const std::string &what) {
  Value value = evaluate(expr);
  if (const int64_t *result = value.get<int64_t>())
    return *result;
  if (!value.poisoned())
    session.engine.report(Diag::ValueKind, expr.span, what, "a whole number", describe(value));
  return std::nullopt;
}

std::optional<double> Evaluator::number(const Expr &expr, const std::string &what) {
  Value value = evaluate(expr);
  if (value.isNumber())
    return value.number();
  if (!value.poisoned())
    session.engine.report(Diag::ValueKind, expr.span, what, "a number known at build time",
                          describe(value));
  return std::nullopt;
}

std::optional<bool> Evaluator::condition(const Expr &expr) {
  Value value = evaluate(expr);
  if (const bool *result = value.get<bool>())
    return *result;
  if (!value.poisoned()) {
    auto report = session.engine.report(Diag::ValueKind, expr.span, "a condition",
                                        "a boolean known at build time", describe(value));
    if (value.get<Tensor>())
      report.help("choose between values example by example with `where(condition, a, b)`");
  }
  return std::nullopt;
}

std::optional<std::string> Evaluator::string(const Expr &expr, const std::string &what) {
  Value value = evaluate(expr);
  if (const std::string *result = value.get<std::string>())
    return *result;
  if (!value.poisoned())
    session.engine.report(Diag::ValueKind, expr.span, what, "a string", describe(value));
  return std::nullopt;
}

std::optional<ValueId> Evaluator::tensor(const Value &value, Span place, const std::string &who) {
  if (const Tensor *tensor = value.get<Tensor>()) {
    if (graph)
      return tensor->id;
    session.engine.report(Diag::NotAtBuildTime, place, session.text(place));
    return std::nullopt;
  }
  if (value.isNumber() && graph)
    return graph->constant(value.number(), place);
  if (!value.poisoned()) {
    auto report = session.engine.report(Diag::OperandKind, place, who, describe(value));
    if (const Record *record = value.get<Record>(); record && !record->empty())
      report.help(fmt::format("read one of its values: `{}.{}`", session.text(place),
                              record->front().first));
  }
  return std::nullopt;
}

std::optional<ValueId> Evaluator::real(const Value &value, Span place, const std::string &who) {
  std::optional<ValueId> id = tensor(value, place, who);
  if (!id)
    return std::nullopt;
  const Type &type = graph->type(*id);
  if (type.scalar == Scalar::F32)
    return id;
  auto report = session.engine.report(Diag::ScalarKind, place, who, type.str());
  if (type.scalar == Scalar::Class)
    report.help(fmt::format("`one_hot({})` is `f32`", session.text(place)));
  if (type.scalar == Scalar::Bool)
    report.help(fmt::format("`where({}, 1, 0)` is `f32`", session.text(place)));
  return std::nullopt;
}

Value Evaluator::emit(std::string kind, std::vector<ValueId> operands, Attributes attributes,
                      Type result, Span place) {
  if (!checkSize(result, place))
    return Poison{};
  return Tensor{graph->emit(std::move(kind), std::move(operands), std::move(attributes),
                            std::move(result), place)};
}

/// numpy's rule; nothing where two sizes differ and neither is 1.
static std::optional<std::vector<int64_t>> joinShapes(const std::vector<int64_t> &a,
                                                      const std::vector<int64_t> &b) {
  size_t rank = std::max(a.size(), b.size());
  std::vector<int64_t> result(rank);
  for (size_t i = 0; i < rank; ++i) {
    int64_t left = i < rank - a.size() ? 1 : a[i - (rank - a.size())];
    int64_t right = i < rank - b.size() ? 1 : b[i - (rank - b.size())];
    if (left != right && left != 1 && right != 1)
      return std::nullopt;
    result[i] = left == 1 ? right : left;
  }
  return result;
}

static bool isComparisonKind(const std::string &kind) {
  return kind == "equal" || kind == "not_equal" || kind == "less" || kind == "less_equal" ||
         kind == "greater" || kind == "greater_equal";
}

Value Evaluator::broadcast(const std::string &kind, const std::string &shown, ValueId left,
                           Span leftSpan, ValueId right, Span rightSpan, Span place) {
  const Type &a = graph->type(left);
  const Type &b = graph->type(right);
  std::optional<std::vector<int64_t>> dims = joinShapes(a.dims, b.dims);
  if (!dims) {
    session.engine.report(Diag::BroadcastShapes, place, shown, a.str(), b.str())
        .note(leftSpan, a.str())
        .note(rightSpan, b.str());
    return Poison{};
  }
  Scalar scalar = isComparisonKind(kind) ? Scalar::Bool : Scalar::F32;
  return emit(kind, {left, right}, {}, Type{scalar, 0, *dims}, place);
}

namespace {

/// Arithmetic of integers that stays in range; nothing where it does not.
std::optional<int64_t> integerArithmetic(BinaryOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
  case BinaryOp::Add:
    return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Subtract:
    return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Multiply:
    return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  case BinaryOp::Power: {
    int64_t base = a;
    result = 1;
    for (; b > 0; b >>= 1) {
      if ((b & 1) && __builtin_mul_overflow(result, base, &result))
        return std::nullopt;
      if (b > 1 && __builtin_mul_overflow(base, base, &base))
        return std::nullopt;
    }
    return result;
  }
  default:
    return std::nullopt;
  }
}

double realArithmetic(BinaryOp op, double a, double b) {
  switch (op) {
  case BinaryOp::Add:
    return a + b;
  case BinaryOp::Subtract:
    return a - b;
  case BinaryOp::Multiply:
    return a * b;
  case BinaryOp::Divide:
    return a / b;
  default:
    return std::pow(a, b);
  }
}

template <typename Operand> bool compare(BinaryOp op, const Operand &a, const Operand &b) {
  switch (op) {
  case BinaryOp::Equal:
    return a == b;
  case BinaryOp::NotEqual:
    return a != b;
  case BinaryOp::Less:
    return a < b;
  case BinaryOp::LessEqual:
    return a <= b;
  case BinaryOp::Greater:
    return a > b;
  default:
    return a >= b;
  }
}

bool comparesOperands(BinaryOp op) { return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual; }

const char *operationOf(BinaryOp op) {
  switch (op) {
  case BinaryOp::Equal:
    return "equal";
  case BinaryOp::NotEqual:
    return "not_equal";
  case BinaryOp::Less:
    return "less";
  case BinaryOp::LessEqual:
    return "less_equal";
  case BinaryOp::Greater:
    return "greater";
  case BinaryOp::GreaterEqual:
    return "greater_equal";
  case BinaryOp::Add:
    return "add";
  case BinaryOp::Subtract:
    return "sub";
  case BinaryOp::Multiply:
    return "mul";
  case BinaryOp::Divide:
    return "div";
  default:
    return "pow";
  }
}

} // namespace

std::optional<Value> Evaluator::compareLabels(BinaryOp op, const std::string &shown,
                                              const Value &left, Span leftSpan, const Value &right,
                                              Span rightSpan, Span place) {
  const Tensor *a = left.get<Tensor>(), *b = right.get<Tensor>();
  auto isInteger = [&](const Tensor *each) {
    if (!each)
      return false;
    const Scalar scalar = graph->type(each->id).scalar;
    return scalar == Scalar::Class || scalar == Scalar::I32;
  };
  auto isBool = [&](const Tensor *each) {
    return each && graph->type(each->id).scalar == Scalar::Bool;
  };
  if (!isInteger(a) && !isInteger(b) && !isBool(a) && !isBool(b))
    return std::nullopt;
  if (isBool(a) && isBool(b)) {
    if (op == BinaryOp::Equal || op == BinaryOp::NotEqual)
      return broadcast(operationOf(op), shown, a->id, leftSpan, b->id, rightSpan, place);
    session.engine.report(Diag::BoolOrder, place, shown);
    return Poison{};
  }
  // A whole number stands for a label of that number.
  auto integer = [&](const Tensor *tensor, const Value &value,
                     Span span) -> std::optional<ValueId> {
    if (isInteger(tensor))
      return tensor->id;
    const int64_t *number = value.get<int64_t>();
    if (!number || *number != static_cast<int32_t>(*number))
      return std::nullopt;
    return graph->emit("integer", {}, {{"value", *number}}, Type{Scalar::I32, 0, {}}, span);
  };
  std::optional<ValueId> x = integer(a, left, leftSpan), y = integer(b, right, rightSpan);
  if (!x || !y) {
    session.engine.report(Diag::CompareKinds, place, shown, describe(left), describe(right));
    return Poison{};
  }
  for (auto [label, other, span] : {std::tuple(*x, &right, rightSpan), {*y, &left, leftSpan}}) {
    const Type &type = graph->type(label);
    const int64_t *number = other->get<int64_t>();
    if (number && type.scalar == Scalar::Class && (*number < 0 || *number >= type.classes)) {
      session.engine.report(Diag::LabelNever, span, type.str(), type.classes - 1, *number);
      return Poison{};
    }
  }
  return broadcast(operationOf(op), shown, *x, leftSpan, *y, rightSpan, place);
}

Value Evaluator::binary(BinaryOp op, const Value &left, Span leftSpan, const Value &right,
                        Span rightSpan, Span place) {
  if (left.poisoned() || right.poisoned())
    return Poison{};
  if (!graph && (left.get<Tensor>() || right.get<Tensor>())) {
    Span value = left.get<Tensor>() ? leftSpan : rightSpan;
    session.engine.report(Diag::NotAtBuildTime, value, session.text(value));
    return Poison{};
  }
  std::string shown = fmt::format("`{}`", spelling(op));
  if (op == BinaryOp::MatMul) {
    std::optional<ValueId> a = real(left, leftSpan, shown);
    std::optional<ValueId> b = real(right, rightSpan, shown);
    return a && b ? matrixProduct(*this, *a, leftSpan, *b, rightSpan, place) : Value(Poison{});
  }
  if (left.get<Tensor>() || right.get<Tensor>()) {
    if (comparesOperands(op))
      if (std::optional<Value> result =
              compareLabels(op, shown, left, leftSpan, right, rightSpan, place))
        return *result;
    std::optional<ValueId> x = real(left, leftSpan, shown);
    std::optional<ValueId> y = real(right, rightSpan, shown);
    return x && y ? broadcast(operationOf(op), shown, *x, leftSpan, *y, rightSpan, place)
                  : Value(Poison{});
  }
  if (comparesOperands(op)) {
    if (left.isNumber() && right.isNumber())
      return compare(op, left.number(), right.number());
    if (left.get<std::string>() && right.get<std::string>())
      return compare(op, *left.get<std::string>(), *right.get<std::string>());
    if (left.get<bool>() && right.get<bool>() &&
        (op == BinaryOp::Equal || op == BinaryOp::NotEqual))
      return compare(op, *left.get<bool>(), *right.get<bool>());
    session.engine.report(Diag::CompareKinds, place, shown, describe(left), describe(right));
    return Poison{};
  }
  if (!left.isNumber() || !right.isNumber()) {
    bool leftWrong = !left.isNumber();
    session.engine.report(Diag::OperandKind, leftWrong ? leftSpan : rightSpan, shown,
                          describe(leftWrong ? left : right));
    return Poison{};
  }
  const int64_t *a = left.get<int64_t>(), *b = right.get<int64_t>();
  if (op == BinaryOp::Divide && right.number() == 0) {
    session.engine.report(Diag::DivisionByZero, rightSpan);
    return Poison{};
  }
  if (a && b && op == BinaryOp::Divide && *b == -1)
    return binary(BinaryOp::Subtract, int64_t{0}, leftSpan, left, leftSpan, place);
  if (a && b && op == BinaryOp::Divide) {
    if (*a % *b == 0)
      return *a / *b;
    if (exactDivision) {
      session.engine.report(Diag::InexactDivision, place, *a, *b)
          .help(fmt::format("round down with `floor_div({0}, {1})` or up with `ceil_div({0}, {1})`",
                            session.text(leftSpan), session.text(rightSpan)));
      return Poison{};
    }
  }
  if (a && b && op != BinaryOp::Divide && (op != BinaryOp::Power || *b >= 0)) {
    if (std::optional<int64_t> result = integerArithmetic(op, *a, *b))
      return *result;
    session.engine.report(Diag::NumberRange, place);
    return Poison{};
  }
  double result = realArithmetic(op, left.number(), right.number());
  if (!std::isfinite(result)) {
    session.engine.report(Diag::NumberRange, place);
    return Poison{};
  }
  return result;
}

Value Evaluator::evaluate(const Expr &expr) {
  switch (expr.kind()) {
  case Expr::Kind::Error:
    return Poison{};
  case Expr::Kind::Integer:
    return expr.as<IntegerExpr>().value;
  case Expr::Kind::Real:
    return expr.as<RealExpr>().value;
  case Expr::Kind::String:
    return expr.as<StringExpr>().value;
  case Expr::Kind::Boolean:
    return expr.as<BooleanExpr>().value;
  case Expr::Kind::Path:
    return path(expr.as<PathExpr>());
  case Expr::Kind::Call:
    return call(expr.as<CallExpr>());
  case Expr::Kind::Pipe:
    return pipe(expr.as<PipeExpr>());
  case Expr::Kind::Stack:
    session.engine.report(Diag::LayerAsValue, expr.span, "stack")
        .help(fmt::format("apply it: `x |> {}`", session.text(expr.span)));
    return Poison{};
  case Expr::Kind::Member: {
    const auto &member = expr.as<MemberExpr>();
    return members(evaluate(*member.base), member.names, 0, member.base->span);
  }
  case Expr::Kind::List: {
    List list;
    for (const ExprPtr &element : expr.as<ListExpr>().elements) {
      list.push_back(evaluate(*element));
      if (list.back().poisoned())
        return Poison{};
    }
    return list;
  }
  case Expr::Kind::Record: {
    Record record;
    bool poisoned = false;
    for (const RecordExpr::Field &field : expr.as<RecordExpr>().fields) {
      for (const auto &[name, earlier] : record)
        if (name == field.name.text) {
          session.engine.report(Diag::DuplicateName, field.name.span, field.name.text);
          poisoned = true;
        }
      record.emplace_back(field.name.text, evaluate(*field.value));
    }
    return poisoned ? Value(Poison{}) : Value(std::move(record));
  }
  case Expr::Kind::Unary: {
    const auto &unary = expr.as<UnaryExpr>();
    Value operand = evaluate(*unary.operand);
    if (operand.poisoned())
      return operand;
    if (!graph && operand.get<Tensor>()) {
      session.engine.report(Diag::NotAtBuildTime, unary.operand->span,
                            session.text(unary.operand->span));
      return Poison{};
    }
    if (unary.op == UnaryOp::Not) {
      if (const bool *flag = operand.get<bool>())
        return !*flag;
      session.engine.report(Diag::ValueKind, unary.operand->span, "`not`",
                            "a boolean known at build time", describe(operand));
      return Poison{};
    }
    if (operand.get<int64_t>())
      return binary(BinaryOp::Subtract, int64_t{0}, expr.span, operand, expr.span, expr.span);
    if (const double *real = operand.get<double>())
      return -*real;
    std::optional<ValueId> id = real(operand, unary.operand->span, "`-`");
    return id ? emit("neg", {*id}, {}, graph->type(*id), expr.span) : Value(Poison{});
  }
  case Expr::Kind::Binary: {
    const auto &chain = expr.as<BinaryExpr>();
    if (chain.rest.front().op == BinaryOp::And || chain.rest.front().op == BinaryOp::Or) {
      bool stopsAt = chain.rest.front().op == BinaryOp::Or;
      std::optional<bool> value = condition(*chain.first);
      for (const BinaryExpr::Link &link : chain.rest) {
        if (!value)
          return Poison{};
        if (*value == stopsAt)
          checkNames(*link.operand);
        else
          value = condition(*link.operand);
      }
      return value ? Value(*value) : Value(Poison{});
    }
    Value value = evaluate(*chain.first);
    for (size_t i = 0; i < chain.rest.size(); ++i) {
      const BinaryExpr::Link &link = chain.rest[i];
      Span leftSpan = i == 0 ? chain.first->span : chain.spanUpTo(i - 1);
      Value right = evaluate(*link.operand);
      value = binary(link.op, value, leftSpan, right, link.operand->span, chain.spanUpTo(i));
    }
    return value;
  }
  case Expr::Kind::If: {
    const auto &choice = expr.as<IfExpr>();
    std::optional<bool> taken = condition(*choice.condition);
    if (!taken) {
      checkNames(*choice.thenBranch);
      checkNames(*choice.elseBranch);
      return Poison{};
    }
    checkNames(*taken ? *choice.elseBranch : *choice.thenBranch);
    return evaluate(*taken ? *choice.thenBranch : *choice.elseBranch);
  }
  case Expr::Kind::Open:
  case Expr::Kind::Map:
  case Expr::Kind::Range:
  case Expr::Kind::Count:
  case Expr::Kind::Selector:
    // Where it is no argument, the parser has told of it.
    for (const Diagnostic &earlier : session.engine.sorted())
      if (earlier.span.file == expr.span.file && earlier.span.begin == expr.span.begin)
        return Poison{};
    session.engine.report(Diag::NotAValue, expr.span, session.text(expr.span));
    return Poison{};
  }
  return Poison{};
}

} // namespace sinter::semantics
