//===- ShapeFunctions.cpp - views, and functions along axes ----------------------------------------===//
#include "compiler/semantics/Functions.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <set>

namespace sinter::semantics {
namespace {

const Type &typeOf(Evaluator &evaluator, const BoundArguments &arguments) {
  return evaluator.graph->type(arguments.tensor("x"));
}

/// A view's result: of x's kind of number.
Type viewed(const Type &x, std::vector<int64_t> dims) {
  return Type{x.scalar, x.classes, std::move(dims)};
}

Value flatten(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  return evaluator.emit("flatten", {arguments.tensor("x")}, {}, viewed(type, {type.elements()}),
                        arguments.place);
}

Value reshape(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  std::vector<int64_t> shape = arguments.integers("shape");
  int64_t known = 1;
  int64_t open = -1;
  bool good = true;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1 && open < 0)
      open = static_cast<int64_t>(i);
    else
      good &= shape[i] >= 1 && !__builtin_mul_overflow(known, shape[i], &known);
  }
  if (good && open >= 0 && type.elements() % known == 0)
    shape[static_cast<size_t>(open)] = type.elements() / known;
  else
    good &= open < 0 && known == type.elements();
  if (!good) {
    auto report = evaluator.session.engine.report(Diag::ReshapeElements, arguments.span("shape"),
                                                  type.str(), type.elements(),
                                                  fmt::format("[{}]", fmt::join(shape, ", ")));
    report.note(arguments.span("x"), type.str());
    if (std::count(shape.begin(), shape.end(), -1) > 1)
      report.help("one `-1` is inferred, and no more");
    return Poison{};
  }
  return evaluator.emit("reshape", {arguments.tensor("x")}, {{"shape", shape}}, viewed(type, shape),
                        arguments.place);
}

Value permuted(Evaluator &evaluator, const BoundArguments &arguments,
               const std::vector<int64_t> &axes) {
  const Type type = typeOf(evaluator, arguments);
  std::vector<int64_t> dims;
  for (int64_t axis : axes)
    dims.push_back(type.dims[static_cast<size_t>(axis)]);
  return evaluator.emit("permute", {arguments.tensor("x")}, {{"axes", axes}}, viewed(type, dims),
                        arguments.place);
}

Value permute(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  std::vector<int64_t> axes;
  for (int64_t axis : arguments.integers("axes")) {
    std::optional<int64_t> resolved =
        resolveAxis(evaluator, axis, type.rank(), arguments.span("axes"));
    if (!resolved)
      return Poison{};
    axes.push_back(*resolved);
  }
  if (std::set<int64_t>(axes.begin(), axes.end()).size() != type.dims.size() ||
      axes.size() != type.dims.size()) {
    evaluator.session.engine.report(Diag::PermuteAxes, arguments.span("axes"), type.rank(),
                                    type.str());
    return Poison{};
  }
  return permuted(evaluator, arguments, axes);
}

Value transpose(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  if (type.rank() < 2) {
    evaluator.session.engine.report(Diag::TransposeRank, arguments.place, type.str());
    return Poison{};
  }
  std::optional<int64_t> a =
      resolveAxis(evaluator, arguments.integer("a"), type.rank(), arguments.span("a"));
  std::optional<int64_t> b =
      resolveAxis(evaluator, arguments.integer("b"), type.rank(), arguments.span("b"));
  if (!a || !b)
    return Poison{};
  std::vector<int64_t> axes(type.dims.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[static_cast<size_t>(*a)], axes[static_cast<size_t>(*b)]);
  return permuted(evaluator, arguments, axes);
}

Value concat(Evaluator &evaluator, const BoundArguments &arguments) {
  std::vector<ValueId> operands;
  for (const Value &each : *arguments.item("x").value.get<List>())
    operands.push_back(each.get<Tensor>()->id);
  const Type first = evaluator.graph->type(operands.front());
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), first.rank(), arguments.span("axis"));
  if (!axis)
    return Poison{};
  auto at = static_cast<size_t>(*axis);
  std::vector<int64_t> dims = first.dims;
  for (size_t i = 1; i < operands.size(); ++i) {
    const Type next = evaluator.graph->type(operands[i]);
    std::vector<int64_t> other = next.dims;
    if (next.scalar != first.scalar || next.classes != first.classes) {
      evaluator.session.engine.report(Diag::ConcatKinds, arguments.place, first.str(), next.str())
          .note(evaluator.graph->place(operands.front()), first.str())
          .note(evaluator.graph->place(operands[i]), next.str());
      return Poison{};
    }
    bool same = other.size() == dims.size();
    for (size_t k = 0; same && k < dims.size(); ++k)
      same = k == at || other[k] == dims[k];
    if (!same) {
      evaluator.session.engine
          .report(Diag::ConcatShapes, arguments.place, first.str(),
                  evaluator.graph->type(operands[i]).str(), *axis)
          .note(evaluator.graph->place(operands.front()), first.str())
          .note(evaluator.graph->place(operands[i]), evaluator.graph->type(operands[i]).str());
      return Poison{};
    }
    dims[at] += other[at];
  }
  return evaluator.emit("concat", operands, {{"axis", *axis}}, viewed(first, dims),
                        arguments.place);
}

Value slice(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), type.rank(), arguments.span("axis"));
  if (!axis)
    return Poison{};
  int64_t size = type.dims[static_cast<size_t>(*axis)];
  int64_t from = arguments.given("from") ? arguments.integer("from") : 0;
  int64_t to = arguments.given("to") ? arguments.integer("to") : size;
  from = from < 0 ? from + size : from;
  to = to < 0 ? to + size : to;
  if (from < 0 || to > size || from >= to) {
    evaluator.session.engine.report(Diag::SliceRange, arguments.place, from, to, *axis, size)
        .note(arguments.span("x"), type.str());
    return Poison{};
  }
  int64_t step = arguments.integer("step");
  std::vector<int64_t> dims = type.dims;
  dims[static_cast<size_t>(*axis)] = (to - from - 1) / step + 1;
  return evaluator.emit("slice", {arguments.tensor("x")},
                        {{"axis", *axis}, {"from", from}, {"to", to}, {"step", step}},
                        viewed(type, dims), arguments.place);
}

Value pad(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), type.rank(), arguments.span("axis"));
  if (!axis)
    return Poison{};
  int64_t before = arguments.integer("before"), after = arguments.integer("after");
  constexpr int64_t most = int64_t{1} << 31;
  std::vector<int64_t> dims = type.dims;
  dims[static_cast<size_t>(*axis)] += std::min(before, most) + std::min(after, most);
  return evaluator.emit(
      "pad", {arguments.tensor("x")},
      {{"axis", *axis}, {"before", before}, {"after", after}, {"value", arguments.number("value")}},
      Type{Scalar::F32, 0, dims}, arguments.place);
}

/// x and one axis of it, for what looks for the largest along it: x then without the examples that a smaller batch lacks.
struct AlongAxis {
  ValueId x;
  int64_t axis;
};

std::optional<AlongAxis> alongAxis(Evaluator &evaluator, const BoundArguments &arguments) {
  const int64_t rank = typeOf(evaluator, arguments).rank();
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), rank, arguments.span("axis"));
  if (!axis)
    return std::nullopt;
  ValueId x = arguments.tensor("x");
  if (*axis == rank - 1)
    x = maskColumns(*evaluator.graph, x, -absent, arguments.place);
  return AlongAxis{x, *axis};
}

template <bool logarithm> Value softmax(Evaluator &evaluator, const BoundArguments &arguments) {
  const std::optional<AlongAxis> along = alongAxis(evaluator, arguments);
  if (!along)
    return Poison{};
  return evaluator.emit(logarithm ? "log_softmax" : "softmax", {along->x}, {{"axis", along->axis}},
                        typeOf(evaluator, arguments), arguments.place);
}

template <bool average> Value total(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  std::vector<int64_t> axes;
  if (arguments.item("axis").value.get<std::string>()) {
    axes.resize(type.dims.size());
    std::iota(axes.begin(), axes.end(), 0);
  } else {
    for (int64_t axis : arguments.integers("axis")) {
      std::optional<int64_t> resolved =
          resolveAxis(evaluator, axis, type.rank(), arguments.span("axis"));
      if (!resolved)
        return Poison{};
      axes.push_back(*resolved);
    }
  }
  return reduce(evaluator, average ? "mean" : "sum", arguments.tensor("x"), axes,
                arguments.boolean("keep"), arguments.place);
}

Value matmul(Evaluator &evaluator, const BoundArguments &arguments) {
  return matrixProduct(evaluator, arguments.tensor("a"), arguments.span("a"), arguments.tensor("b"),
                       arguments.span("b"), arguments.place);
}

Value oneHot(Evaluator &evaluator, const BoundArguments &arguments) {
  ValueId label = arguments.tensor("label");
  const Type type = evaluator.graph->type(label);
  if (type.scalar != Scalar::Class) {
    evaluator.session.engine.report(Diag::OneHotType, arguments.span("label"), type.str());
    return Poison{};
  }
  std::vector<int64_t> dims = type.dims;
  dims.push_back(type.classes);
  return evaluator.emit("one_hot", {label}, {{"classes", type.classes}}, Type{Scalar::F32, 0, dims},
                        arguments.place);
}

/// A label of as many classes as the axis is long.
Value argmax(Evaluator &evaluator, const BoundArguments &arguments) {
  const std::optional<AlongAxis> along = alongAxis(evaluator, arguments);
  if (!along)
    return Poison{};
  std::vector<int64_t> dims = typeOf(evaluator, arguments).dims;
  const int64_t classes = dims[static_cast<size_t>(along->axis)];
  dims.erase(dims.begin() + along->axis);
  return evaluator.emit("argmax", {along->x}, {{"axis", along->axis}},
                        Type{Scalar::Class, classes, dims}, arguments.place);
}

Value batchMean(Evaluator &evaluator, const BoundArguments &arguments) {
  ValueId e = arguments.tensor("e");
  return evaluator.emit("batch_mean", {e}, {}, evaluator.graph->type(e), arguments.place);
}

Value pairwise(Evaluator &evaluator, const BoundArguments &arguments) {
  ValueId a = arguments.tensor("a"), b = arguments.tensor("b");
  GraphBuilder &graph = *evaluator.graph;
  const Type left = graph.type(a), right = graph.type(b);
  if (left.dims != right.dims) {
    evaluator.session.engine
        .report(Diag::LossShapes, arguments.place, "pairwise", left.str(), right.str())
        .note(arguments.span("a"), left.str())
        .note(arguments.span("b"), right.str());
    return Poison{};
  }
  return evaluator.emit("pairwise", {a, b}, {}, Type{Scalar::F32, 0, {graph.batch}},
                        arguments.place);
}

/// x / max(|x|, eps) along an axis; the root is taken of what is at least eps², so that its derivative is finite.
Value normalize(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type type = typeOf(evaluator, arguments);
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), type.rank(), arguments.span("axis"));
  if (!axis)
    return Poison{};
  ValueId x = arguments.tensor("x");
  double eps = arguments.number("eps");
  Span place = arguments.place;
  GraphBuilder &graph = *evaluator.graph;
  ValueId squares = graph.emit("square", {x}, {}, type, place);
  Value sum = reduce(evaluator, "sum", squares, {*axis}, true, place);
  if (sum.poisoned())
    return sum;
  ValueId sums = sum.get<Tensor>()->id;
  Type kept = graph.type(sums);
  ValueId least = graph.emit("maximum", {sums, graph.constant(eps * eps, place)}, {}, kept, place);
  ValueId norm = graph.emit("sqrt", {least}, {}, kept, place);
  return Tensor{graph.emit("div", {x, norm}, {}, type, place)};
}

} // namespace

std::vector<FunctionEntry> shapeFunctions() {
  auto entry = [](const char *name, const char *text,
                  Value (*apply)(Evaluator &, const BoundArguments &)) {
    return FunctionEntry{Signature::parse(name, text), apply, nullptr, "", false};
  };
  return {
      entry("flatten", "x: any", flatten),
      entry("reshape", "x: any, shape...: ints", reshape),
      entry("permute", "x: any, axes...: ints", permute),
      entry("transpose", "x: any, a: int = -2, b: int = -1", transpose),
      entry("concat", "x...: tensors, axis: int = 0", concat),
      entry("slice", "x: any, axis: int, from?: int, to?: int, step: count = 1", slice),
      entry("pad", "x: tensor, axis: int, before: natural = 0, after: natural = 0, value: real = 0",
            pad),
      entry("softmax", "x: tensor, axis: int = -1", softmax<false>),
      entry("log_softmax", "x: tensor, axis: int = -1", softmax<true>),
      entry("sum", "x: tensor, axis: axes = all, keep: bool = false", total<false>),
      entry("mean", "x: tensor, axis: axes = all, keep: bool = false", total<true>),
      entry("matmul", "a: tensor, b: tensor", matmul),
      entry("one_hot", "label: labels", oneHot),
      entry("normalize", "x: tensor, axis: int = -1, eps: positive = 1e-12", normalize),
      entry("argmax", "x: tensor, axis: int = -1", argmax),
      entry("batch_mean", "e: tensor", batchMean),
      entry("pairwise", "a: tensor, b: tensor", pairwise),
  };
}

} // namespace sinter::semantics
