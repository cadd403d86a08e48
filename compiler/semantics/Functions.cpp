//===- Functions.cpp - finds functions, and what several of them need -----------------------------===//
#include "compiler/semantics/Functions.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

static const std::vector<FunctionEntry> &functions() {
  static const std::vector<FunctionEntry> table = [] {
    std::vector<FunctionEntry> all = pointwiseFunctions();
    for (std::vector<FunctionEntry> more : {shapeFunctions(), losses()})
      std::move(more.begin(), more.end(), std::back_inserter(all));
    return all;
  }();
  return table;
}

const FunctionEntry *findFunction(const std::string &name) {
  for (const FunctionEntry &each : functions())
    if (each.signature.name == name)
      return &each;
  return nullptr;
}

std::vector<std::string> functionNames() {
  std::vector<std::string> names;
  for (const FunctionEntry &each : functions())
    names.push_back(each.signature.name);
  return names;
}

std::optional<int64_t> resolveAxis(Evaluator &evaluator, int64_t axis, int64_t rank, Span place) {
  int64_t fromStart = axis < 0 ? axis + rank : axis;
  if (fromStart >= 0 && fromStart < rank)
    return fromStart;
  auto report = evaluator.session.engine.report(Diag::NoSuchAxis, place, axis, rank);
  if (rank > 0)
    report.help(fmt::format(
        "axes count within the example, from 0 to {}; the batch is none of them", rank - 1));
  return std::nullopt;
}

ValueId maskColumns(GraphBuilder &graph, ValueId x, double value, Span place) {
  if (!graph.hasColumns(x))
    return x;
  return graph.emit("mask_columns", {x}, {{"value", value}}, graph.type(x), place);
}

bool checkColumns(Session &session, const GraphBuilder &graph) {
  const Operation *operation = graph.misusesColumns();
  if (!operation)
    return true;
  session.engine.report(Diag::ColumnsOf, operation->place, session.text(operation->place))
      .help("take their `sum`, `mean`, `max` or `softmax` along the last axis first");
  return false;
}

Value reduce(Evaluator &evaluator, const std::string &kind, ValueId x, std::vector<int64_t> axes,
             bool keep, Span place) {
  GraphBuilder &graph = *evaluator.graph;
  const Type type = graph.type(x);
  if (type.rank() == 0)
    return Tensor{x};
  std::sort(axes.begin(), axes.end());
  if (auto twice = std::adjacent_find(axes.begin(), axes.end()); twice != axes.end()) {
    evaluator.session.engine.report(Diag::AxisTwice, place, kind, *twice);
    return Poison{};
  }
  std::vector<int64_t> dims;
  for (int64_t axis = 0; axis < type.rank(); ++axis) {
    bool gone = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (!gone || keep)
      dims.push_back(gone ? 1 : type.dims[static_cast<size_t>(axis)]);
  }
  Attributes attributes{{"axes", axes}, {"keep", keep}};
  Type result{Scalar::F32, 0, dims};
  if (axes.empty() || axes.back() != type.rank() - 1 || !graph.hasColumns(x))
    return evaluator.emit(kind, {x}, std::move(attributes), std::move(result), place);

  // The examples that a smaller batch lacks are no elements of the axis.
  double neutral = kind == "max" ? -absent : kind == "min" ? absent : 0;
  ValueId masked = maskColumns(graph, x, neutral, place);
  if (kind != "mean")
    return evaluator.emit(kind, {masked}, std::move(attributes), std::move(result), place);
  int64_t others = 1;
  for (int64_t axis : axes)
    others *= axis == type.rank() - 1 ? 1 : type.dims[static_cast<size_t>(axis)];
  ValueId sum = graph.emit("sum", {masked}, std::move(attributes), result, place);
  ValueId count = graph.emit("batch_count", {}, {}, Type{}, place);
  if (others > 1)
    count = graph.emit("mul", {count, graph.constant(static_cast<double>(others), place)}, {},
                       Type{}, place);
  return Tensor{graph.emit("div", {sum, count}, {}, result, place)};
}

Value matrixProduct(Evaluator &evaluator, ValueId a, Span aSpan, ValueId b, Span bSpan,
                    Span place) {
  GraphBuilder &graph = *evaluator.graph;
  const Type left = graph.type(a), right = graph.type(b);
  auto mismatch = [&] {
    evaluator.session.engine.report(Diag::MatMulShapes, place, left.str(), right.str())
        .note(aSpan, left.str())
        .note(bSpan, right.str());
    return Value(Poison{});
  };
  if (left.rank() == 0 || right.rank() == 0)
    return mismatch();
  // A vector is a row on the left and a column on the right, and gone from the result.
  std::vector<int64_t> x = left.dims, y = right.dims;
  bool row = x.size() == 1, column = y.size() == 1;
  if (row)
    x.insert(x.begin(), 1);
  if (column)
    y.push_back(1);
  if (x.back() != y[y.size() - 2])
    return mismatch();
  std::vector<int64_t> dims;
  size_t leading = std::max(x.size(), y.size()) - 2;
  for (size_t i = 0; i < leading; ++i) {
    size_t fromEnd = leading - i + 2;
    int64_t p = fromEnd <= x.size() ? x[x.size() - fromEnd] : 1;
    int64_t q = fromEnd <= y.size() ? y[y.size() - fromEnd] : 1;
    if (p != q && p != 1 && q != 1)
      return mismatch();
    dims.push_back(p == 1 ? q : p);
  }
  auto reshaped = [&](ValueId value, const std::vector<int64_t> &shape) {
    return graph.emit("reshape", {value}, {{"shape", shape}}, Type{Scalar::F32, 0, shape}, place);
  };
  if (row)
    a = reshaped(a, x);
  if (column)
    b = reshaped(b, y);
  std::vector<int64_t> result = dims, squeezed = dims;
  result.push_back(x[x.size() - 2]);
  result.push_back(y.back());
  if (!row)
    squeezed.push_back(x[x.size() - 2]);
  if (!column)
    squeezed.push_back(y.back());
  Value product = evaluator.emit("matmul", {a, b}, {}, Type{Scalar::F32, 0, result}, place);
  const Tensor *tensor = product.get<Tensor>();
  if (!tensor || (!row && !column))
    return product;
  return Tensor{reshaped(tensor->id, squeezed)};
}

} // namespace sinter::semantics
