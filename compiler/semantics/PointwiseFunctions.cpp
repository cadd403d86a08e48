//===- PointwiseFunctions.cpp - functions of each element ----------------------------------------===//
#include "compiler/semantics/Functions.h"

#include <cmath>
#include <limits>

namespace sinter::semantics {
namespace {

/// Of one value, named as its operation; further arguments are attributes.
Value unary(Evaluator &evaluator, const BoundArguments &arguments, const char *kind,
            Attributes attributes = {}) {
  ValueId x = arguments.tensor("x");
  return evaluator.emit(kind, {x}, std::move(attributes), evaluator.graph->type(x),
                        arguments.place);
}

template <size_t size> struct Text {
  char text[size]; // NOLINT: a template argument cannot be a string
  constexpr Text(const char (&from)[size]) {
    for (size_t i = 0; i < size; ++i)
      text[i] = from[i];
  }
};

template <Text kind> Value plain(Evaluator &evaluator, const BoundArguments &arguments) {
  return unary(evaluator, arguments, kind.text);
}

Value leakyRelu(Evaluator &evaluator, const BoundArguments &arguments) {
  return unary(evaluator, arguments, "leaky_relu", {{"slope", arguments.number("slope")}});
}

Value elu(Evaluator &evaluator, const BoundArguments &arguments) {
  return unary(evaluator, arguments, "elu", {{"alpha", arguments.number("alpha")}});
}

Value gelu(Evaluator &evaluator, const BoundArguments &arguments) {
  return unary(evaluator, arguments, "gelu", {{"approximate", arguments.string("approximate")}});
}

Value clamp(Evaluator &evaluator, const BoundArguments &arguments) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double low = arguments.given("min") ? arguments.number("min") : -infinity;
  double high = arguments.given("max") ? arguments.number("max") : infinity;
  if (low > high) {
    evaluator.session.engine.report(Diag::EmptyRange, arguments.place, low, high);
    return Poison{};
  }
  return unary(evaluator, arguments, "clamp", {{"min", low}, {"max", high}});
}

Value stopGradient(Evaluator &evaluator, const BoundArguments &arguments) {
  return unary(evaluator, arguments, "stop_gradient");
}

Value where(Evaluator &evaluator, const BoundArguments &arguments) {
  GraphBuilder &graph = *evaluator.graph;
  ValueId condition = arguments.tensor("c");
  if (graph.type(condition).scalar != Scalar::Bool) {
    evaluator.session.engine.report(Diag::ConditionType, arguments.span("c"),
                                    graph.type(condition).str());
    return Poison{};
  }
  ValueId a = arguments.tensor("a"), b = arguments.tensor("b");
  std::vector<int64_t> dims;
  for (ValueId each : {condition, a, b}) {
    const std::vector<int64_t> &more = graph.type(each).dims;
    if (more.size() > dims.size())
      dims.insert(dims.begin(), more.size() - dims.size(), 1);
    for (size_t i = 0; i < more.size(); ++i) {
      int64_t &dim = dims[dims.size() - more.size() + i];
      if (dim != more[i] && dim != 1 && more[i] != 1) {
        evaluator.session.engine
            .report(Diag::BroadcastShapes, arguments.place, "`where`", graph.type(a).str(),
                    graph.type(b).str())
            .note(arguments.span("c"), graph.type(condition).str());
        return Poison{};
      }
      dim = std::max(dim, more[i]);
    }
  }
  return evaluator.emit("where", {condition, a, b}, {}, Type{Scalar::F32, 0, dims},
                        arguments.place);
}

/// max and min: of two values element by element, or of one along axes.
Value extreme(Evaluator &evaluator, const BoundArguments &arguments, const char *ofTwo,
              const char *alongAxes) {
  if (arguments.given("b")) {
    if (arguments.given("axis") || arguments.given("keep")) {
      evaluator.session.engine.report(Diag::AxisOfTwo, arguments.place, alongAxes);
      return Poison{};
    }
    return evaluator.broadcast(ofTwo, std::string("`") + alongAxes + "`", arguments.tensor("x"),
                               arguments.span("x"), arguments.tensor("b"), arguments.span("b"),
                               arguments.place);
  }
  ValueId x = arguments.tensor("x");
  int64_t rank = evaluator.graph->type(x).rank();
  std::vector<int64_t> axes;
  if (arguments.item("axis").value.get<std::string>()) {
    for (int64_t axis = 0; axis < rank; ++axis)
      axes.push_back(axis);
  } else {
    for (int64_t axis : arguments.integers("axis")) {
      std::optional<int64_t> resolved = resolveAxis(evaluator, axis, rank, arguments.span("axis"));
      if (!resolved)
        return Poison{};
      axes.push_back(*resolved);
    }
  }
  return reduce(evaluator, alongAxes, x, axes, arguments.boolean("keep"), arguments.place);
}

Value maximum(Evaluator &evaluator, const BoundArguments &arguments) {
  return extreme(evaluator, arguments, "maximum", "max");
}

Value minimum(Evaluator &evaluator, const BoundArguments &arguments) {
  return extreme(evaluator, arguments, "minimum", "min");
}

/// Numbers of x's shape; x is asked for nothing else.
template <Text kind> Value draw(Evaluator &evaluator, const BoundArguments &arguments) {
  ValueId like = arguments.tensor("like");
  const Type type = evaluator.graph->type(like);
  std::string path = evaluator.frame ? evaluator.frame->instance->path : "";
  return Tensor{evaluator.graph->emit(kind.text, {like}, {}, type, arguments.place, path)};
}

//===-- Of numbers known at build time -------------------------------------------------------------===//

using Numbers = std::vector<Value>;

std::optional<Value> realOf(double value) {
  return std::isfinite(value) ? std::optional<Value>(value) : std::nullopt;
}

template <double (*function)(double)> std::optional<Value> foldOne(const Numbers &numbers) {
  return numbers.size() == 1 ? realOf(function(numbers[0].number())) : std::nullopt;
}

double squareOf(double x) { return x * x; }

std::optional<Value> foldAbs(const Numbers &numbers) {
  if (numbers.size() != 1)
    return std::nullopt;
  if (const int64_t *integer = numbers[0].get<int64_t>())
    return *integer == std::numeric_limits<int64_t>::min()
               ? std::nullopt
               : std::optional<Value>(std::abs(*integer));
  return std::fabs(numbers[0].number());
}

/// An integer where it is exact.
std::optional<Value> foldLog2(const Numbers &numbers) {
  if (numbers.size() != 1 || numbers[0].number() <= 0)
    return std::nullopt;
  double result = std::log2(numbers[0].number());
  if (numbers[0].get<int64_t>() && result == std::floor(result))
    return static_cast<int64_t>(result);
  return result;
}

std::optional<Value> foldMax(const Numbers &numbers) {
  if (numbers.size() != 2)
    return std::nullopt;
  return numbers[0].number() < numbers[1].number() ? numbers[1] : numbers[0];
}

std::optional<Value> foldMin(const Numbers &numbers) {
  if (numbers.size() != 2)
    return std::nullopt;
  return numbers[1].number() < numbers[0].number() ? numbers[1] : numbers[0];
}

enum class Rounding { Down, Up, Rest };

template <Rounding rounding> std::optional<Value> foldDivision(const Numbers &numbers) {
  if (numbers.size() != 2 || !numbers[0].get<int64_t>() || !numbers[1].get<int64_t>())
    return std::nullopt;
  int64_t a = *numbers[0].get<int64_t>(), b = *numbers[1].get<int64_t>();
  if (b == 0 || a == std::numeric_limits<int64_t>::min())
    return std::nullopt;
  int64_t quotient = a / b, rest = a % b;
  bool below = rest != 0 && (rest < 0) != (b < 0);
  if (rounding == Rounding::Down)
    return below ? quotient - 1 : quotient;
  if (rounding == Rounding::Up)
    return rest != 0 && !below ? quotient + 1 : quotient;
  return below ? rest + b : rest;
}

} // namespace

std::vector<FunctionEntry> pointwiseFunctions() {
  auto entry = [](const char *name, const char *text,
                  Value (*apply)(Evaluator &, const BoundArguments &),
                  std::optional<Value> (*fold)(const Numbers &) = nullptr) {
    return FunctionEntry{Signature::parse(name, text), apply, fold, "", false};
  };
  const char *extremes = "x: tensor, b?: tensor, axis: axes = all, keep: bool = false";
  return {
      entry("relu", "x: tensor", plain<"relu">),
      entry("leaky_relu", "x: tensor, slope: real = 0.01", leakyRelu),
      entry("elu", "x: tensor, alpha: positive = 1", elu),
      entry("gelu", "x: tensor, approximate: none|tanh = none", gelu),
      entry("silu", "x: tensor", plain<"silu">),
      entry("tanh", "x: tensor", plain<"tanh">),
      entry("sigmoid", "x: tensor", plain<"sigmoid">),
      entry("softplus", "x: tensor", plain<"softplus">),
      entry("exp", "x: tensor", plain<"exp">, foldOne<std::exp>),
      entry("log", "x: tensor", plain<"log">, foldOne<std::log>),
      entry("sqrt", "x: tensor", plain<"sqrt">, foldOne<std::sqrt>),
      entry("abs", "x: tensor", plain<"abs">, foldAbs),
      entry("square", "x: tensor", plain<"square">, foldOne<squareOf>),
      entry("sin", "x: tensor", plain<"sin">, foldOne<std::sin>),
      entry("cos", "x: tensor", plain<"cos">, foldOne<std::cos>),
      entry("clamp", "x: tensor, min?: real, max?: real", clamp),
      entry("where", "c: labels, a: tensor, b: tensor", where),
      entry("stop_gradient", "x: tensor", stopGradient),
      entry("max", extremes, maximum, foldMax),
      entry("min", extremes, minimum, foldMin),
      entry("floor_div", "a: int, b: int", nullptr, foldDivision<Rounding::Down>),
      entry("ceil_div", "a: int, b: int", nullptr, foldDivision<Rounding::Up>),
      entry("mod", "a: int, b: int", nullptr, foldDivision<Rounding::Rest>),
      entry("log2", "a: real", nullptr, foldLog2),
      entry("random_normal", "like: tensor", draw<"random_normal">),
      entry("random_uniform", "like: tensor", draw<"random_uniform">),
  };
}

} // namespace sinter::semantics
