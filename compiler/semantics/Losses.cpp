//===- Losses.cpp - losses and measures, each a scalar per example -----------------------------------===//
#include "compiler/semantics/Functions.h"

#include <fmt/format.h>

namespace sinter::semantics {
namespace {

/// Emits operations at one place.
struct Maker {
  Evaluator &evaluator;
  Span place;

  const Type &type(ValueId value) const { return evaluator.graph->type(value); }
  ValueId operator()(const char *kind, std::vector<ValueId> operands, Type result,
                     Attributes attributes = {}) const {
    return evaluator.graph->emit(kind, std::move(operands), std::move(attributes),
                                 std::move(result), place);
  }
  ValueId same(const char *kind, std::vector<ValueId> operands, Attributes attributes = {}) const {
    Type result = type(operands.front());
    return (*this)(kind, std::move(operands), std::move(result), std::move(attributes));
  }
  ValueId number(double value) const { return evaluator.graph->constant(value, place); }
  /// An argument that may go with the steps.
  ValueId number(const BoundArguments &arguments, const char *name) const {
    const Value &value = arguments.item(name).value;
    const Tensor *scheduled = value.get<Tensor>();
    return scheduled ? scheduled->id : number(value.number());
  }
  ValueId reduced(const char *kind, ValueId x, std::vector<int64_t> axes) const {
    return reduce(evaluator, kind, x, std::move(axes), false, place).get<Tensor>()->id;
  }
  /// The mean or sum of all elements.
  ValueId all(const char *kind, ValueId x) const {
    std::vector<int64_t> axes;
    for (int64_t axis = 0; axis < type(x).rank(); ++axis)
      axes.push_back(axis);
    return reduced(kind, x, axes);
  }
};

/// Losses never broadcast: two shapes must be one.
bool sameShape(Evaluator &evaluator, const BoundArguments &arguments, const char *a,
               const char *b) {
  const Type &left = evaluator.graph->type(arguments.tensor(a));
  const Type &right = evaluator.graph->type(arguments.tensor(b));
  if (left.dims == right.dims)
    return true;
  auto report = evaluator.session.engine.report(Diag::LossShapes, arguments.place,
                                                evaluator.session.text(arguments.nameSpan),
                                                left.str(), right.str());
  report.note(arguments.span(a), left.str()).note(arguments.span(b), right.str());
  if (left.elements() == right.elements()) {
    const char *larger = left.rank() > right.rank() ? a : b;
    report.help(fmt::format("`flatten({})`", evaluator.session.text(arguments.span(larger))));
  }
  return false;
}

/// Checks a label against logits: the axis of the classes, or nothing after an error. A label of f32 may be
/// probabilities where `soft` says so.
std::optional<int64_t> checkLabel(Evaluator &evaluator, const BoundArguments &arguments,
                                  bool soft) {
  syntax::Engine &engine = evaluator.session.engine;
  std::string who = evaluator.session.text(arguments.nameSpan);
  const Type logits = evaluator.graph->type(arguments.tensor("logits"));
  const Type label = evaluator.graph->type(arguments.tensor("label"));
  if (logits.rank() == 0) {
    engine.report(Diag::LogitsRank, arguments.span("logits"), who, logits.str());
    return std::nullopt;
  }
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), logits.rank(), arguments.span("axis"));
  if (!axis)
    return std::nullopt;
  if (soft && label.scalar == Scalar::F32) {
    if (sameShape(evaluator, arguments, "logits", "label"))
      return axis;
    return std::nullopt;
  }
  if (label.scalar != Scalar::Class && label.scalar != Scalar::I32) {
    engine.report(Diag::LabelType, arguments.span("label"), who, label.str());
    return std::nullopt;
  }
  int64_t count = logits.dims[static_cast<size_t>(*axis)];
  std::vector<int64_t> rest = logits.dims;
  rest.erase(rest.begin() + *axis);
  if (label.dims != rest) {
    engine.report(Diag::LabelShape, arguments.place, who, label.str(), logits.str())
        .note(arguments.span("logits"), logits.str())
        .note(arguments.span("label"), label.str());
    return std::nullopt;
  }
  if (label.scalar == Scalar::Class && label.classes != count) {
    auto report = engine.report(Diag::ClassCount, arguments.place, who, count, label.classes);
    report.note(arguments.span("logits"), logits.str()).note(arguments.span("label"), label.str());
    report.help(
        fmt::format("the last layer needs {} units: `dense({})`", label.classes, label.classes));
    return std::nullopt;
  }
  return axis;
}

/// The logits, without the examples that a smaller batch lacks where the classes are those of `pairwise`.
ValueId maskedAlong(Evaluator &evaluator, const BoundArguments &arguments, int64_t axis) {
  ValueId logits = arguments.tensor("logits");
  bool isLast = axis == evaluator.graph->type(logits).rank() - 1;
  return isLast ? maskColumns(*evaluator.graph, logits, -absent, arguments.place) : logits;
}

Value crossEntropy(Evaluator &evaluator, const BoundArguments &arguments) {
  std::optional<int64_t> axis = checkLabel(evaluator, arguments, true);
  if (!axis)
    return Poison{};
  const Value &smoothing = arguments.item("smoothing").value;
  ValueId logits = maskedAlong(evaluator, arguments, *axis), label = arguments.tensor("label");
  auto sharp = [&](double share) {
    return evaluator.emit("cross_entropy", {logits, label}, {{"axis", *axis}, {"smoothing", share}},
                          Type{}, arguments.place);
  };
  bool byParts = smoothing.get<Tensor>() || evaluator.graph->hasColumns(logits);
  if (!byParts)
    return sharp(smoothing.number());
  Value loss = sharp(0);
  if (loss.poisoned() || (smoothing.isNumber() && smoothing.number() == 0))
    return loss;
  // (1 - s) loss + s spread, where `spread` is the loss of a label that is all classes alike.
  Maker make{evaluator, arguments.place};
  ValueId sharpest = loss.get<Tensor>()->id;
  ValueId logs = make.same("log_softmax", {logits}, {{"axis", *axis}});
  ValueId spread = make.same("neg", {make.all("mean", make.reduced("mean", logs, {*axis}))});
  ValueId more =
      make.same("mul", {make.same("sub", {spread, sharpest}), make.number(arguments, "smoothing")});
  return Tensor{make.same("add", {sharpest, more})};
}

Value perplexity(Evaluator &evaluator, const BoundArguments &arguments) {
  std::optional<int64_t> axis = checkLabel(evaluator, arguments, true);
  if (!axis)
    return Poison{};
  return evaluator.emit("cross_entropy",
                        {maskedAlong(evaluator, arguments, *axis), arguments.tensor("label")},
                        {{"axis", *axis}, {"smoothing", 0.0}}, Type{}, arguments.place);
}

Value accuracy(Evaluator &evaluator, const BoundArguments &arguments) {
  std::optional<int64_t> axis = checkLabel(evaluator, arguments, false);
  if (!axis)
    return Poison{};
  return evaluator.emit("accuracy",
                        {maskedAlong(evaluator, arguments, *axis), arguments.tensor("label")},
                        {{"axis", *axis}}, Type{}, arguments.place);
}

Value topK(Evaluator &evaluator, const BoundArguments &arguments) {
  std::optional<int64_t> axis = checkLabel(evaluator, arguments, false);
  if (!axis)
    return Poison{};
  const Type &logits = evaluator.graph->type(arguments.tensor("logits"));
  int64_t classes = logits.dims[static_cast<size_t>(*axis)], k = arguments.integer("k");
  if (k > classes) {
    evaluator.session.engine.report(Diag::TopKOfFewer, arguments.span("k"), k, classes)
        .note(arguments.span("logits"), logits.str());
    return Poison{};
  }
  return evaluator.emit("top_k",
                        {maskedAlong(evaluator, arguments, *axis), arguments.tensor("label")},
                        {{"axis", *axis}, {"k", k}}, Type{}, arguments.place);
}

Value meanSquaredError(Evaluator &evaluator, const BoundArguments &arguments) {
  if (!sameShape(evaluator, arguments, "a", "b"))
    return Poison{};
  ValueId a = arguments.tensor("a"), b = arguments.tensor("b");
  if (evaluator.graph->hasColumns(a) || evaluator.graph->hasColumns(b)) {
    Maker make{evaluator, arguments.place}; // of the products that are there
    return Tensor{make.all("mean", make.same("square", {make.same("sub", {a, b})}))};
  }
  return evaluator.emit("mse", {a, b}, {}, Type{}, arguments.place);
}

Value meanAbsoluteError(Evaluator &evaluator, const BoundArguments &arguments) {
  if (!sameShape(evaluator, arguments, "a", "b"))
    return Poison{};
  Maker make{evaluator, arguments.place};
  ValueId difference = make.same("sub", {arguments.tensor("a"), arguments.tensor("b")});
  return Tensor{make.all("mean", make.same("abs", {difference}))};
}

/// d²/2 for |d| up to delta, delta (|d| - delta / 2) beyond.
Value huber(Evaluator &evaluator, const BoundArguments &arguments) {
  if (!sameShape(evaluator, arguments, "a", "b"))
    return Poison{};
  Maker make{evaluator, arguments.place};
  ValueId delta = make.number(arguments, "delta");
  ValueId difference = make.same("sub", {arguments.tensor("a"), arguments.tensor("b")});
  ValueId size = make.same("abs", {difference});
  Type type = make.type(size);
  ValueId near = make("less_equal", {size, delta}, {Scalar::Bool, 0, type.dims});
  ValueId inner = make.same("mul", {make.same("square", {difference}), make.number(0.5)});
  ValueId beyond = make.same("sub", {size, make.same("mul", {delta, make.number(0.5)})});
  ValueId outer = make.same("mul", {beyond, delta});
  return Tensor{make.all("mean", make("where", {near, inner, outer}, type))};
}

/// softplus(z) - z y, which neither overflows nor takes the log of 0.
Value binaryCrossEntropy(Evaluator &evaluator, const BoundArguments &arguments) {
  const Type target = evaluator.graph->type(arguments.tensor("y"));
  ValueId logits = arguments.tensor("logits"), y = arguments.tensor("y");
  const Type type = evaluator.graph->type(logits);
  Maker make{evaluator, arguments.place};
  if (target.scalar == Scalar::I32 || (target.scalar == Scalar::Class && target.classes != 2)) {
    evaluator.session.engine.report(Diag::BinaryTarget, arguments.span("y"), target.str())
        .help(target.scalar == Scalar::Class ? "`cross_entropy(logits, label)` is for more classes"
                                             : "`class[2]`, `bool` or `f32`");
    return Poison{};
  }
  // One label belongs to logits `f32` and `f32[1]` alike.
  bool oneLabel = target.scalar == Scalar::Class && target.rank() == 0 &&
                  (type.rank() == 0 || type.dims == std::vector<int64_t>{1});
  if (!oneLabel && !sameShape(evaluator, arguments, "logits", "y"))
    return Poison{};
  if (target.scalar == Scalar::Bool) {
    y = make("where", {y, make.number(1), make.number(0)}, type);
  } else if (target.scalar == Scalar::Class) {
    std::vector<int64_t> dims = target.dims;
    dims.push_back(2);
    int64_t last = target.rank();
    y = make("one_hot", {y}, {Scalar::F32, 0, dims}, {{"classes", int64_t{2}}});
    dims.back() = 1;
    y = make("slice", {y}, {Scalar::F32, 0, dims},
             {{"axis", last}, {"from", int64_t{1}}, {"to", int64_t{2}}, {"step", int64_t{1}}});
    y = make("reshape", {y}, type, {{"shape", type.dims}});
  }
  ValueId product = make.same("mul", {logits, y});
  ValueId loss = make.same("sub", {make.same("softplus", {logits}), product});
  return Tensor{make.all("mean", loss)};
}

/// Σ softmax(p) (log softmax(p) - log softmax(q)) over the axis, then the mean over every other one.
ValueId divergence(const Maker &make, ValueId p, ValueId q, int64_t axis) {
  Attributes along{{"axis", axis}};
  if (axis == make.type(p).rank() - 1) {
    p = maskColumns(*make.evaluator.graph, p, -absent, make.place);
    q = maskColumns(*make.evaluator.graph, q, -absent, make.place);
  }
  ValueId logP = make.same("log_softmax", {p}, along);
  ValueId logQ = make.same("log_softmax", {q}, along);
  ValueId difference = make.same("sub", {logP, logQ});
  ValueId terms = make.same("mul", {make.same("softmax", {p}, along), difference});
  return make.all("mean", make.reduced("sum", terms, {axis}));
}

Value klDivergence(Evaluator &evaluator, const BoundArguments &arguments) {
  if (!sameShape(evaluator, arguments, "p_logits", "q_logits"))
    return Poison{};
  ValueId p = arguments.tensor("p_logits");
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), evaluator.graph->type(p).rank(),
                  arguments.span("axis"));
  if (!axis)
    return Poison{};
  Maker make{evaluator, arguments.place};
  return Tensor{divergence(make, p, arguments.tensor("q_logits"), *axis)};
}

Value distill(Evaluator &evaluator, const BoundArguments &arguments) {
  if (!sameShape(evaluator, arguments, "student_logits", "teacher_logits"))
    return Poison{};
  ValueId student = arguments.tensor("student_logits");
  std::optional<int64_t> axis =
      resolveAxis(evaluator, arguments.integer("axis"), evaluator.graph->type(student).rank(),
                  arguments.span("axis"));
  if (!axis)
    return Poison{};
  Maker make{evaluator, arguments.place};
  const Value &temperature = arguments.item("temperature").value;
  ValueId divisor = make.number(arguments, "temperature");
  ValueId p = make.same("div", {arguments.tensor("teacher_logits"), divisor});
  ValueId q = make.same("div", {student, divisor});
  ValueId loss = divergence(make, p, q, *axis);
  if (arguments.string("scale") == "none")
    return Tensor{loss};
  ValueId scale = temperature.isNumber() ? make.number(temperature.number() * temperature.number())
                                         : make.same("square", {divisor});
  return Tensor{make.same("mul", {loss, scale})};
}

/// 1 - a·b / (|a| |b|) along the last axis, then the mean over every other one.
Value cosineDistance(Evaluator &evaluator, const BoundArguments &arguments) {
  if (!sameShape(evaluator, arguments, "a", "b"))
    return Poison{};
  ValueId a = arguments.tensor("a"), b = arguments.tensor("b");
  Maker make{evaluator, arguments.place};
  int64_t rank = make.type(a).rank();
  if (rank == 0) {
    evaluator.session.engine.report(Diag::LogitsRank, arguments.span("a"), "cosine_distance",
                                    make.type(a).str());
    return Poison{};
  }
  auto dot = [&](ValueId x, ValueId y) {
    return make.reduced("sum", make.same("mul", {x, y}), {rank - 1});
  };
  // As PyTorch's cosine_similarity: each squared length is at least eps².
  auto length = [&](ValueId x) {
    return make.same("sqrt", {make.same("maximum", {dot(x, x), make.number(1e-16)})});
  };
  ValueId lengths = make.same("mul", {length(a), length(b)});
  ValueId cosine = make.same("div", {dot(a, b), lengths});
  ValueId one = make.number(1);
  return Tensor{make.all("mean", make("sub", {one, cosine}, make.type(cosine)))};
}

} // namespace

std::vector<FunctionEntry> losses() {
  auto entry = [](const char *name, const char *text,
                  Value (*apply)(Evaluator &, const BoundArguments &), const char *finish = "",
                  bool upwards = false) {
    return FunctionEntry{Signature::parse(name, text), apply, nullptr, finish, upwards};
  };
  return {
      entry("cross_entropy",
            "logits: tensor, label: labels, smoothing: scheduled probability = 0, axis: int = -1",
            crossEntropy),
      entry("mse", "a: tensor, b: tensor", meanSquaredError),
      entry("mae", "a: tensor, b: tensor", meanAbsoluteError),
      entry("huber", "a: tensor, b: tensor, delta: scheduled positive = 1", huber),
      entry("binary_cross_entropy", "logits: tensor, y: labels", binaryCrossEntropy),
      entry("kl_div", "p_logits: tensor, q_logits: tensor, axis: int = -1", klDivergence),
      entry("distill",
            "student_logits: tensor, teacher_logits: tensor, temperature: scheduled positive, "
            "scale: squared|none = squared, axis: int = -1",
            distill),
      entry("cosine_distance", "a: tensor, b: tensor", cosineDistance),
      entry("accuracy", "logits: tensor, label: labels, axis: int = -1", accuracy, "", true),
      entry("perplexity", "logits: tensor, label: labels, axis: int = -1", perplexity, "exp"),
      entry("top_k", "logits: tensor, label: labels, k: count, axis: int = -1", topK, "", true),
  };
}

} // namespace sinter::semantics
