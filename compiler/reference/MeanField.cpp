//===- MeanField.cpp - how each kind of op carries distributions on and gradients back ------------------===//
#include "compiler/reference/MeanField.h"

#include "compiler/reference/ScalarProgram.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace mlir;

namespace sinter::reference {
namespace {

constexpr int pointCount = 241; // of a root
constexpr int gridCount = 61;   // of each of two roots that meet
constexpr int drawCount = 6000; // of three or more
constexpr double farthest = 6;  // deviations

int64_t elementsOf(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor ? tensor.getNumElements() : 1;
}
double share(Value of, Value to) {
  return static_cast<double>(elementsOf(of)) / static_cast<double>(elementsOf(to));
}

} // namespace

//===-- Distributions ---------------------------------------------------------------------------------===//

size_t MeanField::spread(std::vector<double> points, std::vector<double> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double &weight : weights)
    weight /= total;
  roots.push_back({std::move(points), std::move(weights), 0});
  return roots.size() - 1;
}

/// The trapezoid rule over ± 6 deviations: exact to many digits for what is smooth, to about 1e-3 where there is a kink.
size_t MeanField::normal(double mean, double variance) {
  if (!(variance > 0) || !std::isfinite(variance))
    return spread({mean}, {1});
  std::vector<double> points, weights;
  for (int i = 0; i < pointCount; ++i) {
    const double z = farthest * (2.0 * i / (pointCount - 1) - 1);
    points.push_back(mean + std::sqrt(variance) * z);
    weights.push_back(std::exp(-z * z / 2));
  }
  return spread(std::move(points), std::move(weights));
}

/// What cannot be below zero, such as a variance: log-normal with these moments. (A normal law would reach to where 1 / x has no mean.)
size_t MeanField::positive(double mean, double variance) {
  if (!(variance > 0) || !(mean > 0))
    return normal(mean, variance);
  const double spreadSquare = std::log1p(variance / (mean * mean));
  const size_t root = normal(std::log(mean) - spreadSquare / 2, spreadSquare);
  for (double &point : roots[root].points)
    point = std::exp(point);
  return root;
}

void MeanField::field(Value value, size_t root) {
  const size_t count = roots[root].points.size();
  fields[value] = {root, roots[root].points, std::vector<double>(count, 1.0), 1};
  isRoot[value] = true;
}

const MeanField::Field &MeanField::of(Value value) {
  auto found = fields.find(value);
  if (found != fields.end())
    return found->second;
  const Sample *sample = measured(value);
  if (!sample || sample->some.empty()) {
    field(value, spread({0}, {1}));
  } else {
    std::vector<double> points = sample->some;
    std::sort(points.begin(), points.end());
    if (points.front() == points.back())
      points.resize(1);
    if (points.size() > 1 && isa<FloatType>(getElementTypeOrSelf(value.getType()))) {
      // A few points, moved to the moments of all of them.
      const auto n = static_cast<double>(points.size());
      double m = 0, v = 0;
      for (double x : points)
        m += x / n;
      for (double x : points)
        v += (x - m) * (x - m) / n;
      const double scale =
          std::sqrt(std::max(sample->square - sample->mean * sample->mean, 0.0) / v);
      for (double &x : points)
        x = sample->mean + (x - m) * scale;
    }
    std::vector<double> weights(points.size(), 1);
    field(value, spread(std::move(points), std::move(weights)));
  }
  return fields.find(value)->second;
}

bool MeanField::isConstant(const Field &field) const {
  return roots[field.root].points.size() == 1;
}

double MeanField::mean(const Field &field) const {
  return std::inner_product(field.at.begin(), field.at.end(), roots[field.root].weights.begin(),
                            0.0);
}
double MeanField::square(const Field &field) const {
  double sum = 0;
  for (auto [x, weight] : llvm::zip_equal(field.at, roots[field.root].weights))
    sum += weight * x * x;
  return sum;
}
double MeanField::variance(const Field &field) const {
  const double m = mean(field);
  double sum = 0;
  for (auto [x, weight] : llvm::zip_equal(field.at, roots[field.root].weights))
    sum += weight * (x - m) * (x - m);
  return sum;
}
double MeanField::slopeSquare(const Field &field) const {
  double sum = 0;
  for (auto [slope, weight] : llvm::zip_equal(field.slope, roots[field.root].weights))
    sum += weight * slope * slope;
  return sum;
}

/// The largest of `count` independent draws: F becomes F to the power of count.
size_t MeanField::largest(const Field &field, int64_t count) {
  std::vector<size_t> order(field.at.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(field.at[a], a) < std::pair(field.at[b], b);
  });
  std::vector<double> points, weights;
  double below = 0;
  for (size_t i : order) {
    const double upTo = below + roots[field.root].weights[i];
    points.push_back(field.at[i]);
    weights.push_back(std::pow(std::min(upTo, 1.0), static_cast<double>(count)) -
                      std::pow(below, static_cast<double>(count)));
    below = std::min(upTo, 1.0);
  }
  return spread(std::move(points), std::move(weights));
}

//===-- Forward ---------------------------------------------------------------------------------------===//

void MeanField::asMeasured(Operation *op) {
  for (Value result : op->getResults())
    of(result);
}

/// A function of one root keeps its exact distribution. Where several meet, the result is a root of its own, normal with the moments that
/// independence gives; what goes back to each is the mean square of the derivative.
void MeanField::pointwise(train::Pointwise op) {
  FailureOr<ScalarProgram> program = ScalarProgram::of(op, Precision::Double);
  if (failed(program) || op->getNumResults() != 1) {
    unknownOps.push_back(op->getName().getStringRef().str());
    return asMeasured(op);
  }
  const Value result = op->getResult(0);
  auto shaped = cast<RankedTensorType>(result.getType());
  const std::vector<int64_t> point(static_cast<size_t>(shaped.getRank()), 0);
  std::vector<Field> operands;
  for (Value operand : op->getOperands())
    operands.push_back(of(operand));
  auto evaluate = [&](ArrayRef<double> values) {
    SmallVector<Scalar> arguments;
    for (double value : values)
      arguments.push_back(
          {value, static_cast<int64_t>(std::llround(std::isfinite(value) ? value : 0))});
    const Scalar scalar = program->run(arguments, point)[0];
    return isa<FloatType>(shaped.getElementType()) ? scalar.real
                                                   : static_cast<double>(scalar.integer & 1);
  };
  // The derivative along `slopes`: how the result moves as the root moves.
  auto derivative = [&](ArrayRef<double> values, ArrayRef<double> slopes) {
    if (op->hasTrait<train::StopsGradient>())
      return 0.0;
    double scale = 1e-12;
    for (double slope : slopes)
      scale = std::max(scale, std::abs(slope));
    double size = 1e-3;
    for (double value : values)
      size = std::max(size, std::min(std::abs(value), 1.0));
    const double step = 1e-5 * size / scale;
    SmallVector<double> up(values), down(values);
    for (auto [i, slope] : llvm::enumerate(slopes)) {
      up[i] += step * slope;
      down[i] -= step * slope;
    }
    const double slope = (evaluate(up) - evaluate(down)) / (2 * step);
    return std::isfinite(slope) ? slope : 0.0;
  };

  std::vector<size_t> distinct;
  for (const Field &operand : operands)
    if (!isConstant(operand) && !llvm::is_contained(distinct, operand.root))
      distinct.push_back(operand.root);
  const size_t count = operands.size();
  SmallVector<double> values(count), slopes(count);
  auto isReal = [&](size_t i) {
    return isa<FloatType>(getElementTypeOrSelf(op->getOperand(static_cast<unsigned>(i)).getType()));
  };

  if (distinct.size() <= 1) {
    Field made;
    made.root = distinct.empty() ? spread({0}, {1}) : distinct[0];
    const size_t points = roots[made.root].points.size();
    std::vector<double> through(count, 0.0);
    for (size_t p = 0; p < points; ++p) {
      for (size_t i = 0; i < count; ++i) {
        const bool constant = isConstant(operands[i]);
        values[i] = operands[i].at[constant ? 0 : p];
        slopes[i] = constant ? 0 : operands[i].slope[p];
      }
      made.at.push_back(evaluate(values));
      made.slope.push_back(derivative(values, slopes));
      for (size_t i = 0; i < count; ++i) {
        SmallVector<double> one(count, 0.0);
        one[i] = 1;
        if (isReal(i))
          through[i] += roots[made.root].weights[p] * std::pow(derivative(values, one), 2);
      }
    }
    // A normal law reaches where the function has no value (the root of a variance below zero): there it keeps its nearest.
    for (bool backwards : {false, true}) {
      double nearest = NAN;
      for (size_t n = 0; n < points; ++n) {
        const size_t p = backwards ? points - 1 - n : n;
        if (std::isfinite(made.at[p]))
          nearest = made.at[p];
        else if (std::isfinite(nearest)) {
          made.at[p] = nearest;
          made.slope[p] = 0;
        }
      }
    }
    for (size_t i = 0; i < count; ++i) {
      if (!isConstant(operands[i]))
        made.repeat = std::max(made.repeat, operands[i].repeat);
      passes(result, op->getOperand(static_cast<unsigned>(i)), through[i]);
    }
    isRoot[result] = distinct.empty();
    fields[result] = std::move(made);
    return;
  }

  double sum = 0, squares = 0, total = 0;
  std::vector<double> through(count, 0.0);
  auto visit = [&](ArrayRef<size_t> at, double weight) { // the point of each distinct root
    for (size_t i = 0; i < count; ++i) {
      const auto place = llvm::find(distinct, operands[i].root) - distinct.begin();
      values[i] = operands[i].at[isConstant(operands[i]) ? 0 : at[static_cast<size_t>(place)]];
    }
    const double y = evaluate(values);
    if (!std::isfinite(y))
      return;
    total += weight;
    sum += weight * y;
    squares += weight * y * y;
    for (size_t i = 0; i < count; ++i) {
      if (!isReal(i))
        continue;
      SmallVector<double> one(count, 0.0);
      one[i] = 1;
      through[i] += weight * std::pow(derivative(values, one), 2);
    }
  };
  if (distinct.size() == 2) {
    const Root a = roots[distinct[0]], b = roots[distinct[1]];
    const size_t stepA = std::max<size_t>(1, a.points.size() / gridCount);
    const size_t stepB = std::max<size_t>(1, b.points.size() / gridCount);
    for (size_t i = stepA / 2; i < a.points.size(); i += stepA)
      for (size_t j = stepB / 2; j < b.points.size(); j += stepB)
        visit({i, j}, a.weights[i] * b.weights[j]);
  } else {
    std::mt19937_64 generator(1);
    std::vector<std::discrete_distribution<size_t>> choices;
    for (size_t root : distinct)
      choices.emplace_back(roots[root].weights.begin(), roots[root].weights.end());
    for (int draw = 0; draw < drawCount; ++draw) {
      SmallVector<size_t> at;
      for (auto &choice : choices)
        at.push_back(choice(generator));
      visit(at, 1.0);
    }
  }
  const double m = total > 0 ? sum / total : 0;
  field(result, normal(m, total > 0 ? std::max(squares / total - m * m, 0.0) : 0));
  for (size_t i = 0; i < count; ++i)
    passes(result, op->getOperand(static_cast<unsigned>(i)), total > 0 ? through[i] / total : 0);
}

/// y = Σ a b over n terms, one of them zero in the mean or not: mean n E[a] E[b], and n E[a²] E[b²] less n E[a]² E[b]² beside it.
void MeanField::contraction(train::Contraction op) {
  const Value result = op->getResult(0), left = op->getOperand(0), right = op->getOperand(1);
  const Field a = of(left), b = of(right);
  double domain = 1;
  for (int64_t extent : op.getDomain())
    domain *= static_cast<double>(extent);
  const double terms = domain / static_cast<double>(elementsOf(result));
  const double ma = mean(a), mb = mean(b), sa = square(a), sb = square(b);
  // An operand whose mean is not zero adds the same to every term of one output, but another to each output.
  field(result, normal(terms * ma * mb, std::max(terms * (sa * sb - ma * ma * mb * mb), 0.0)));
  passes(result, left, domain / static_cast<double>(elementsOf(left)) * sb);
  passes(result, right, domain / static_cast<double>(elementsOf(right)) * sa);
}

/// By draws of whole rows; δx_j = Σ_i J_ij δy_i.
void MeanField::softmax(Operation *op, Value x, bool logarithm) {
  const Field from = of(x);
  const Value result = op->getResult(0);
  const auto classes = static_cast<size_t>(cast<RankedTensorType>(x.getType()).getShape().back());
  std::mt19937_64 generator(1);
  std::discrete_distribution<size_t> choice(roots[from.root].weights.begin(),
                                            roots[from.root].weights.end());
  double sum = 0, squares = 0, through = 0;
  const size_t rows = std::max<size_t>(8, 40000 / classes);
  std::vector<double> p(classes);
  for (size_t row = 0; row < rows; ++row) {
    double top = -INFINITY, total = 0, concentration = 0;
    for (double &each : p)
      top = std::max(top, each = from.at[isConstant(from) ? 0 : choice(generator)]);
    for (double &each : p)
      total += each = std::exp(each - top);
    for (double &each : p) {
      each /= total;
      concentration += each * each;
    }
    for (double each : p) {
      const double y = logarithm ? std::log(std::max(each, 1e-300)) : each;
      sum += y;
      squares += y * y;
      through += logarithm ? std::pow(1 - each, 2) + static_cast<double>(classes - 1) * each * each
                           : each * each * (std::pow(1 - each, 2) + concentration - each * each);
    }
  }
  const auto n = static_cast<double>(rows * classes);
  field(result, normal(sum / n, std::max(squares / n - std::pow(sum / n, 2), 0.0)));
  passes(result, x, through / n);
}

/// dlogits = softmax(logits) - t, the label independent of the logits.
void MeanField::crossEntropy(train::CrossEntropyOp op) {
  const Value logits = op->getOperand(0), result = op->getResult(0);
  const Field from = of(logits);
  const auto classes =
      static_cast<size_t>(cast<RankedTensorType>(logits.getType()).getShape().back());
  std::mt19937_64 generator(2);
  std::discrete_distribution<size_t> choice(roots[from.root].weights.begin(),
                                            roots[from.root].weights.end());
  double sum = 0, squares = 0, through = 0;
  const size_t rows = std::max<size_t>(8, 40000 / classes);
  std::vector<double> p(classes);
  for (size_t row = 0; row < rows; ++row) {
    double top = -INFINITY, total = 0;
    for (double &each : p)
      top = std::max(top, each = from.at[isConstant(from) ? 0 : choice(generator)]);
    for (double &each : p)
      total += each = std::exp(each - top);
    const double loss = -std::log(std::max(p[row % classes] / total, 1e-300));
    sum += loss;
    squares += loss * loss;
    for (auto [i, each] : llvm::enumerate(p))
      through += std::pow(each / total - (i == row % classes ? 1 : 0), 2);
  }
  const auto n = static_cast<double>(rows);
  field(result, normal(sum / n, std::max(squares / n - std::pow(sum / n, 2), 0.0)));
  passes(result, logits, through / (n * static_cast<double>(classes)));
}

void MeanField::forward(Operation *op) {
  const Value result = op->getNumResults() ? op->getResult(0) : Value();
  if (!result)
    return;
  if (isa<train::ConstantOp>(op) ||
      (op->hasTrait<train::StopsGradient>() &&
       !isa<train::CompareOp, train::LogicOp, train::SignOp, train::CastOp>(op)))
    return asMeasured(op);
  if (auto each = dyn_cast<train::Pointwise>(op))
    return pointwise(each);
  if (auto product = dyn_cast<train::Contraction>(op))
    return contraction(product);
  const Value x = op->getNumOperands() ? op->getOperand(0) : Value();
  auto root = [&](double m, double v, double factor) {
    field(result, normal(m, v));
    passes(result, x, factor);
  };
  if (isa<train::PadOp, train::ConcatOp>(op)) {
    double m = 0, s = 0;
    for (Value operand : op->getOperands()) {
      m += share(operand, result) * mean(of(operand));
      s += share(operand, result) * square(of(operand));
      passes(result, operand, 1);
    }
    return field(result, normal(m, std::max(s - m * m, 0.0)));
  }
  if (isa<train::View>(op)) {
    Field same = of(x);
    same.repeat *= share(result, x);
    passes(result, x, share(result, x));
    isRoot[result] = false;
    fields[result] = std::move(same);
    return;
  }
  const double terms = x ? share(x, result) : 1;
  if (isa<train::SumOp>(op)) {
    const Field from = of(x);
    const bool isPositive = *llvm::min_element(from.at) >= 0;
    const double m = terms * mean(from), v = terms * variance(from);
    field(result, isPositive ? positive(m, v) : normal(m, v));
    return passes(result, x, 1);
  }
  if (isa<train::BatchMeanOp>(op)) {
    const Field from = of(x);
    return root(mean(from), variance(from) / terms, 1 / (terms * terms));
  }
  if (isa<train::MomentsOp>(op)) {
    const Field from = of(x);
    const double v = variance(from);
    root(mean(from), v / terms, 1 / (terms * terms));
    field(op->getResult(1), positive(v, 2 * v * v / terms));
    return passes(op->getResult(1), x, 4 * v / (terms * terms));
  }
  if (isa<train::ReduceMaxOp>(op)) {
    field(result, largest(of(x), static_cast<int64_t>(terms)));
    return passes(result, x, 1 / terms);
  }
  if (isa<train::MaxPool2dOp, train::AvgPool2dOp>(op)) {
    const auto size = op->getAttrOfType<DenseI64ArrayAttr>("size").asArrayRef();
    const auto window = static_cast<double>(size[0] * size[1]);
    const Field from = of(x);
    if (isa<train::AvgPool2dOp>(op))
      return root(mean(from), variance(from) / window, share(result, x) / window);
    field(result, largest(from, size[0] * size[1]));
    return passes(result, x, share(result, x));
  }
  if (isa<train::SoftmaxOp, train::LogSoftmaxOp>(op))
    return softmax(op, x, isa<train::LogSoftmaxOp>(op));
  if (auto loss = dyn_cast<train::CrossEntropyOp>(op))
    return crossEntropy(loss);
  unknownOps.push_back(op->getName().getStringRef().str());
  asMeasured(op);
}

//===-- Back ------------------------------------------------------------------------------------------===//

void MeanField::push(Value to, double square) {
  auto found = fields.find(to);
  if (found == fields.end())
    return;
  const Field &field = found->second;
  gradients[to] += square;
  roots[field.root].gradient += square * slopeSquare(field) * field.repeat;
}

void MeanField::backward(Operation *op) {
  for (Value result : op->getResults()) {
    auto found = factors.find(result);
    if (found == factors.end())
      continue;
    if (isRoot.lookup(result)) {
      const double square = roots[fields.find(result)->second.root].gradient;
      for (auto [operand, factor] : found->second)
        if (square > 0)
          push(operand, square * factor);
    } else {
      // Its root has its share already: this is for the report alone. Another root, of a value that does not vary, has not.
      const double square = gradients.lookup(result);
      const size_t root = fields.find(result)->second.root;
      for (auto [operand, factor] : found->second)
        if (fields.find(operand)->second.root == root)
          gradients[operand] += square * factor;
        else
          push(operand, square * factor);
    }
  }
  // Behind an op that theory does not know, what was measured goes on.
  if (!factors.count(op->getNumResults() ? op->getResult(0) : Value()) && measuredGradient)
    for (Value operand : op->getOperands())
      if (!isa<train::StopGradientOp>(op))
        if (std::optional<double> square = measuredGradient(operand);
            square && fields.count(operand) && gradients.lookup(operand) == 0)
          push(operand, *square);
}

void MeanField::run(ArrayRef<Operation *> ops, Value loss) {
  for (Operation *op : ops)
    forward(op);
  push(loss, 1);
  for (Operation *op : llvm::reverse(ops))
    backward(op);
}

std::optional<double> MeanField::signal(Value value) const {
  auto found = fields.find(value);
  return found == fields.end() ? std::nullopt : std::optional(std::sqrt(variance(found->second)));
}

std::optional<double> MeanField::gradient(Value value) const {
  auto found = fields.find(value);
  if (found == fields.end())
    return std::nullopt;
  const double square =
      isRoot.lookup(value) ? roots[found->second.root].gradient : gradients.lookup(value);
  return square > 0 ? std::optional(std::sqrt(square)) : std::nullopt;
}

} // namespace sinter::reference
