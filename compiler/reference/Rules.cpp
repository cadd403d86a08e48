//===- Rules.cpp - reductions, losses, pools and the views that no map says ------------------------===//
#include "compiler/reference/Attention.h"
#include "compiler/reference/Evaluator.h"
#include "compiler/reference/Winograd.h"

#include "dialects/train/TrainOps.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;

namespace sinter::reference {
namespace {

using Operands = ArrayRef<const Tensor *>;
using Results = MutableArrayRef<Tensor>;

//===--- constants and views ----------------------------------------------------------------------===//

void constant(const Evaluator &, train::ConstantOp op, Operands, Results results) {
  Tensor &y = results[0];
  if (y.isFloat())
    for (auto [to, value] : llvm::zip(y.floats, op.getValue().getValues<APFloat>()))
      to = value.convertToDouble();
  else
    for (auto [to, value] : llvm::zip(y.integers, op.getValue().getValues<APInt>()))
      to = value.getBitWidth() == 1 ? value.getZExtValue() : value.getSExtValue();
}

void reshape(const Evaluator &, train::ReshapeOp, Operands operands, Results results) {
  results[0].floats = operands[0]->floats;
  results[0].integers = operands[0]->integers;
}

void pad(const Evaluator &evaluator, train::PadOp op, Operands operands, Results results) {
  Tensor &y = results[0];
  llvm::fill(y.floats, evaluator.round(op.getValue().convertToDouble()));
  const std::vector<int64_t> strides = y.strides();
  size_t from = 0;
  forEachPoint(operands[0]->shape, [&](const std::vector<int64_t> &point) {
    int64_t to = 0;
    for (size_t axis = 0; axis < point.size(); ++axis)
      to += (op.getLow()[axis] + point[axis] * op.getStrides()[axis]) * strides[axis];
    y.floats[to] = operands[0]->floats[from++];
  });
}

void concat(const Evaluator &, train::ConcatOp op, Operands operands, Results results) {
  Tensor &y = results[0];
  const std::vector<int64_t> strides = y.strides();
  int64_t offset = 0;
  for (const Tensor *x : operands) {
    size_t from = 0;
    forEachPoint(x->shape, [&](const std::vector<int64_t> &point) {
      int64_t to = offset * strides[op.getAxis()];
      for (size_t axis = 0; axis < point.size(); ++axis)
        to += point[axis] * strides[axis];
      if (y.isFloat())
        y.floats[to] = x->floats[from++];
      else
        y.integers[to] = x->integers[from++];
    });
    offset += x->shape[op.getAxis()];
  }
}

//===--- reductions -------------------------------------------------------------------------------===//

/// Folds x over `axes` into y, in x's order: y = step(y, x).
template <typename Step> void fold(const Tensor &x, ArrayRef<int64_t> axes, Tensor &y, Step step) {
  std::vector<int64_t> strides(x.shape.size(), 0);
  const std::vector<int64_t> kept = y.strides();
  for (size_t axis = 0, next = 0; axis < x.shape.size(); ++axis)
    if (!llvm::is_contained(axes, static_cast<int64_t>(axis)))
      strides[axis] = kept[next++];
  size_t from = 0;
  forEachPoint(x.shape, [&](const std::vector<int64_t> &point) {
    int64_t to = 0;
    for (size_t axis = 0; axis < point.size(); ++axis)
      to += point[axis] * strides[axis];
    y.floats[to] = step(y.floats[to], x.floats[from++]);
  });
}

void sum(const Evaluator &evaluator, train::SumOp op, Operands operands, Results results) {
  fold(*operands[0], op.getAxes(), results[0],
       [&](double total, double x) { return evaluator.round(total + x); });
}

void reduceMax(const Evaluator &, train::ReduceMaxOp op, Operands operands, Results results) {
  llvm::fill(results[0].floats, -HUGE_VAL);
  fold(*operands[0], op.getAxes(), results[0],
       [](double best, double x) { return x > best || std::isnan(x) ? x : best; });
}

void argmax(const Evaluator &, train::ArgmaxOp, Operands operands, Results results) {
  const Tensor &x = *operands[0];
  const auto classes = static_cast<size_t>(x.shape.back());
  for (size_t row = 0; row < results[0].integers.size(); ++row) {
    const double *values = &x.floats[row * classes];
    results[0].integers[row] =
        std::max_element(values, values + classes,
                         [](double best, double x) {
                           return x > best || (std::isnan(x) && !std::isnan(best));
                         }) -
        values;
  }
}

void batchMean(const Evaluator &evaluator, train::BatchMeanOp, Operands operands, Results results) {
  const Tensor &x = *operands[0];
  Tensor &y = results[0];
  const int64_t count = operands[1]->integers[0];
  const size_t width = y.floats.size();
  for (size_t i = 0; i < width; ++i) {
    double total = 0;
    for (int64_t row = 0; row < count; ++row)
      total = evaluator.round(total + x.floats[row * width + i]);
    y.floats[i] = evaluator.round(total / static_cast<double>(count));
  }
}

void moments(const Evaluator &evaluator, train::MomentsOp, Operands operands, Results results) {
  const Tensor &x = *operands[0];
  const size_t channels = results[0].floats.size();
  const size_t rows = operands[1]->integers[0] * (x.floats.size() / channels / x.shape[0]);
  const auto number = static_cast<double>(rows);
  for (size_t channel = 0; channel < channels; ++channel) {
    auto mean = [&](auto term) {
      double total = 0;
      for (size_t row = 0; row < rows; ++row)
        total = evaluator.round(total + term(x.floats[row * channels + channel]));
      return evaluator.round(total / number);
    };
    const double centre = mean([](double value) { return value; });
    results[0].floats[channel] = centre;
    results[1].floats[channel] = mean([&](double value) {
      const double distance = evaluator.round(value - centre);
      return evaluator.round(distance * distance);
    });
  }
}

//===--- softmax and cross entropy -----------------------------------------------------------------===//

/// x - max, and ln Σ e^(x - max), of one row.
struct Row {
  Row(const Evaluator &evaluator, const double *x, size_t classes) {
    const double largest = *std::max_element(x, x + classes);
    double total = 0;
    for (size_t i = 0; i < classes; ++i) {
      shifted.push_back(evaluator.round(x[i] - largest));
      total = evaluator.round(total + evaluator.round(std::exp(shifted.back())));
    }
    sum = total;
    logSum = evaluator.round(std::log(total));
  }
  std::vector<double> shifted;
  double sum = 0, logSum = 0;
};

/// Calls visit(row's number, Row, offset of its first element) for each row of x.
template <typename Visit>
void forEachRow(const Evaluator &evaluator, const Tensor &x, Visit visit) {
  const auto classes = static_cast<size_t>(x.shape.back());
  for (size_t row = 0; row * classes < x.floats.size(); ++row)
    visit(row, Row(evaluator, &x.floats[row * classes], classes), row * classes);
}

void softmax(const Evaluator &evaluator, train::SoftmaxOp, Operands operands, Results results) {
  forEachRow(evaluator, *operands[0], [&](size_t, const Row &row, size_t at) {
    for (double x : row.shifted)
      results[0].floats[at++] = evaluator.round(evaluator.round(std::exp(x)) / row.sum);
  });
}

void logSoftmax(const Evaluator &evaluator, train::LogSoftmaxOp, Operands operands,
                Results results) {
  forEachRow(evaluator, *operands[0], [&](size_t, const Row &row, size_t at) {
    for (double x : row.shifted)
      results[0].floats[at++] = evaluator.round(x - row.logSum);
  });
}

/// (1 - smoothing) one_hot(label) + smoothing / C
double target(size_t i, int64_t label, double smoothing, size_t classes) {
  const double even = smoothing / static_cast<double>(classes);
  return (static_cast<int64_t>(i) == label ? 1 - smoothing : 0) + even;
}

void crossEntropy(const Evaluator &evaluator, train::CrossEntropyOp op, Operands operands,
                  Results results) {
  const double smoothing = op.getSmoothing().convertToDouble();
  forEachRow(evaluator, *operands[0], [&](size_t number, const Row &row, size_t) {
    double e = 0;
    for (auto [i, x] : llvm::enumerate(row.shifted)) {
      const double t = target(i, operands[1]->integers[number], smoothing, row.shifted.size());
      if (t != 0)
        e = evaluator.round(e - evaluator.round(t * evaluator.round(x - row.logSum)));
    }
    results[0].floats[number] = e;
  });
}

void crossEntropyGrad(const Evaluator &evaluator, train::CrossEntropyGradOp op, Operands operands,
                      Results results) {
  const double smoothing = op.getSmoothing().convertToDouble();
  forEachRow(evaluator, *operands[1], [&](size_t number, const Row &row, size_t at) {
    for (auto [i, x] : llvm::enumerate(row.shifted)) {
      const double t = target(i, operands[2]->integers[number], smoothing, row.shifted.size());
      const double p = evaluator.round(evaluator.round(std::exp(x)) / row.sum);
      results[0].floats[at++] =
          evaluator.round(operands[0]->floats[number] * evaluator.round(p - t));
    }
  });
}

//===--- rows of a table ---------------------------------------------------------------------------===//

void gather(const Evaluator &, train::GatherOp, Operands operands, Results results) {
  const auto size = static_cast<size_t>(operands[0]->shape[1]);
  for (auto [at, id] : llvm::enumerate(operands[1]->integers))
    for (size_t i = 0; i < size; ++i)
      results[0].floats[at * size + i] = operands[0]->floats.at(id * size + i);
}

void gatherGrad(const Evaluator &evaluator, train::GatherGradOp, Operands operands,
                Results results) {
  const auto size = static_cast<size_t>(results[0].shape[1]);
  for (auto [at, id] : llvm::enumerate(operands[1]->integers))
    for (size_t i = 0; i < size; ++i) {
      double &sum = results[0].floats.at(id * size + i);
      sum = evaluator.round(sum + operands[0]->floats[at * size + i]);
    }
}

//===--- pools ------------------------------------------------------------------------------------===//

/// Calls visit(pooled element, position in the window, image element) for every position that lies in the image, windows
/// in order and positions row-major.
template <typename Op, typename Visit>
void forEachWindowPosition(Op op, const Tensor &image, const Tensor &pooled, Visit visit) {
  const std::vector<int64_t> strides = image.strides();
  int64_t window = 0;
  forEachPoint(pooled.shape, [&](const std::vector<int64_t> &point) {
    for (int64_t row = 0; row < op.getSize()[0]; ++row)
      for (int64_t column = 0; column < op.getSize()[1]; ++column) {
        const int64_t y = point[1] * op.getStrides()[0] + row - op.getPadding()[0];
        const int64_t x = point[2] * op.getStrides()[1] + column - op.getPadding()[1];
        if (y >= 0 && y < image.shape[1] && x >= 0 && x < image.shape[2])
          visit(window, row * op.getSize()[1] + column,
                point[0] * strides[0] + y * strides[1] + x * strides[2] + point[3]);
      }
    ++window;
  });
}

void maxPool(const Evaluator &, train::MaxPool2dOp op, Operands operands, Results results) {
  const Tensor &x = *operands[0];
  llvm::fill(results[1].integers, -1);
  forEachWindowPosition(op, x, results[0], [&](int64_t window, int64_t position, int64_t at) {
    double &best = results[0].floats[window];
    int64_t &index = results[1].integers[window];
    if (index < 0 || x.floats[at] > best || std::isnan(x.floats[at])) {
      best = x.floats[at];
      index = position;
    }
  });
}

void maxPoolGrad(const Evaluator &evaluator, train::MaxPool2dGradOp op, Operands operands,
                 Results results) {
  forEachWindowPosition(op, results[0], *operands[0],
                        [&](int64_t window, int64_t position, int64_t at) {
                          double &dx = results[0].floats[at];
                          if (operands[1]->integers[window] == position)
                            dx = evaluator.round(dx + operands[0]->floats[window]);
                        });
}

template <typename Op> double area(Op op) {
  return static_cast<double>(op.getSize()[0] * op.getSize()[1]);
}

void avgPool(const Evaluator &evaluator, train::AvgPool2dOp op, Operands operands,
             Results results) {
  Tensor &y = results[0];
  forEachWindowPosition(op, *operands[0], y, [&](int64_t window, int64_t, int64_t at) {
    y.floats[window] = evaluator.round(y.floats[window] + operands[0]->floats[at]);
  });
  for (double &value : y.floats)
    value = evaluator.round(value / area(op));
}

void avgPoolGrad(const Evaluator &evaluator, train::AvgPool2dGradOp op, Operands operands,
                 Results results) {
  forEachWindowPosition(op, results[0], *operands[0], [&](int64_t window, int64_t, int64_t at) {
    double &dx = results[0].floats[at];
    dx = evaluator.round(dx + evaluator.round(operands[0]->floats[window] / area(op)));
  });
}

//===--- convolutions in Winograd's tiles ---------------------------------------------------------===//

/// From x to y, by their shapes.
Winograd tilesOf(const Tensor &x, const Tensor &y, ArrayRef<int64_t> padding,
                 llvm::function_ref<double(double)> round) {
  return {x.shape[0], x.shape[1], x.shape[2], x.shape[3], y.shape[1],
          y.shape[2], y.shape[3], padding[0], padding[1], round};
}

void winogradForwards(const Evaluator &evaluator, train::WinogradOp op, Operands operands,
                      Results results) {
  const auto round = [&](double x) { return evaluator.round(x); };
  const Winograd tiles = tilesOf(*operands[0], results[0], op.getPadding(), round);
  const auto other = [&](int64_t at) { return operands[1]->floats[at]; };
  std::vector<double> made;
  if (operands[1]->shape.size() == 4)
    made = tiles.filters(other, op.getTurned());
  tiles.forwards([&](int64_t at) { return operands[0]->floats[at]; },
                 [&](int64_t at) { return made.empty() ? other(at) : made[at]; },
                 [&](int64_t at, double value) { results[0].floats[at] = value; });
}

void winogradByWeight(const Evaluator &evaluator, train::WinogradWeightGradOp op, Operands operands,
                      Results results) {
  const auto round = [&](double x) { return evaluator.round(x); };
  const Winograd tiles = tilesOf(*operands[0], *operands[1], op.getPadding(), round);
  tiles.byWeight([&](int64_t at) { return operands[0]->floats[at]; },
                 [&](int64_t at) { return operands[1]->floats[at]; }, 0, tiles.tiles(),
                 [&](int64_t at, double value) { results[0].floats[at] = value; });
}

//===--- the table --------------------------------------------------------------------------------===//

template <typename Op, void (*rule)(const Evaluator &, Op, Operands, Results)>
void add(llvm::StringMap<Rule> &rules) {
  rules[Op::getOperationName()] = [](const Evaluator &evaluator, Operation *op, Operands operands,
                                     Results results) {
    rule(evaluator, cast<Op>(op), operands, results);
  };
}

llvm::StringMap<Rule> allRules() {
  llvm::StringMap<Rule> rules;
  add<train::ConstantOp, constant>(rules);
  add<train::ReshapeOp, reshape>(rules);
  add<train::PadOp, pad>(rules);
  add<train::ConcatOp, concat>(rules);
  add<train::SumOp, sum>(rules);
  add<train::ReduceMaxOp, reduceMax>(rules);
  add<train::ArgmaxOp, argmax>(rules);
  add<train::BatchMeanOp, batchMean>(rules);
  add<train::MomentsOp, moments>(rules);
  add<train::SoftmaxOp, softmax>(rules);
  add<train::LogSoftmaxOp, logSoftmax>(rules);
  add<train::CrossEntropyOp, crossEntropy>(rules);
  add<train::CrossEntropyGradOp, crossEntropyGrad>(rules);
  add<train::AttentionOp, attention>(rules);
  add<train::AttentionGradOp, attentionGrad>(rules);
  add<train::WinogradOp, winogradForwards>(rules);
  add<train::WinogradWeightGradOp, winogradByWeight>(rules);
  add<train::GatherOp, gather>(rules);
  add<train::GatherGradOp, gatherGrad>(rules);
  add<train::MaxPool2dOp, maxPool>(rules);
  add<train::MaxPool2dGradOp, maxPoolGrad>(rules);
  add<train::AvgPool2dOp, avgPool>(rules);
  add<train::AvgPool2dGradOp, avgPoolGrad>(rules);
  return rules;
}

} // namespace

Rule ruleFor(Operation *op) {
  static const llvm::StringMap<Rule> rules = allRules();
  return rules.lookup(op->getName().getStringRef());
}

} // namespace sinter::reference
