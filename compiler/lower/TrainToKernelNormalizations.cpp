//===- TrainToKernelNormalizations.cpp - softmax and cross entropy along the last axis --------===//
// Three sweeps: the maximum of each row, the sum of exponentials about it, the result. What a loss
// and its gradient share is equal, and merged behind.
#include "compiler/lower/TrainToKernelParts.h"
#include "dialects/train/Scalar.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace sinter::lower {
namespace {

using train::Scalar;

/// The rows of a tensor and its last axis.
class Rows {
public:
  Rows(KernelBuilder &builder, Operation *op, Value x)
      : builder(builder), location(op->getLoc()), x(builder.access(x)),
        type(cast<RankedTensorType>(x.getType())), rank(type.getRank() - 1) {}

  RankedTensorType rowType() const { return type.clone(type.getShape().drop_back()); }
  AffineMap toRow() const { return builder.identity(rank + 1).dropResult(rank); }
  SweepInput at(Value perRow) const { return {builder.access(perRow), toRow()}; }
  SweepInput values() const { return {x, builder.identity(rank + 1)}; }

  /// One number a row: `body` takes each element into what is accumulated.
  Value reduce(
      double init, ArrayRef<SweepInput> inputs,
      llvm::function_ref<Value(Scalar &, ValueRange inputs, Value accumulated, Value index)> body) {
    SweepDomain domain;
    domain.parallel.assign(type.getShape().begin(), type.getShape().end() - 1);
    domain.reduce.push_back(type.getShape().back());
    domain.init.push_back(builder.builder.getF32FloatAttr(init));
    return builder.sweep(
        location, domain, inputs, SweepOutput{rowType(), toRow()},
        [&](OpBuilder &at, Location place, ValueRange scalars, ValueRange sums, ValueRange point) {
          Scalar s(at, place);
          return SmallVector<Value>{body(s, scalars, sums[0], point.back())};
        })[0];
  }

  /// One number an element.
  Value map(ArrayRef<SweepInput> inputs,
            llvm::function_ref<Value(Scalar &, ValueRange inputs, Value index)> body) {
    SweepDomain domain;
    domain.parallel.assign(type.getShape().begin(), type.getShape().end());
    return builder.sweep(
        location, domain, inputs, SweepOutput{type, builder.identity(rank + 1)},
        [&](OpBuilder &at, Location place, ValueRange scalars, ValueRange, ValueRange point) {
          Scalar s(at, place);
          return SmallVector<Value>{body(s, scalars, point.back())};
        })[0];
  }

  Value max() {
    return reduce(-std::numeric_limits<double>::infinity(), values(),
                  [](Scalar &s, ValueRange in, Value best, Value) {
                    return s.choose(s.greater(best, in[0]), best, in[0]);
                  });
  }
  /// Σ exp(x - max)
  Value sumOfExponentials(Value max) {
    return reduce(0, {values(), at(max)}, [](Scalar &s, ValueRange in, Value sum, Value) {
      return s.add(sum, s.make<math::ExpOp>(s.sub(in[0], in[1])));
    });
  }
  Value logarithm(Value perRow) {
    return builder.pointwise(location, rowType(), builder.access(perRow),
                             [](OpBuilder &at, Location place, ValueRange in, ValueRange) -> Value {
                               return math::LogOp::create(at, place, in[0]);
                             });
  }
  int64_t classes() const { return type.getShape().back(); }

private:
  KernelBuilder &builder;
  Location location;
  Access x;
  RankedTensorType type;
  unsigned rank;
};

/// What cross entropy aims at: 1 - smoothing + smoothing / C for the label, smoothing / C for the
/// other classes.
Value target(Scalar &s, Value label, Value index, double smoothing, int64_t classes) {
  Value at = s.make<arith::IndexCastOp>(label.getType(), index);
  Value isLabel = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, at, label);
  const double share = smoothing / static_cast<double>(classes);
  return s.choose(isLabel, s.number(1 - smoothing + share), s.number(share));
}

Value lower(KernelBuilder &builder, train::SoftmaxOp op) {
  Rows rows(builder, op, op.getX());
  Value max = rows.max(), sum = rows.sumOfExponentials(max);
  return rows.map({rows.values(), rows.at(max), rows.at(sum)}, [](Scalar &s, ValueRange in, Value) {
    return s.div(s.make<math::ExpOp>(s.sub(in[0], in[1])), in[2]);
  });
}

Value lower(KernelBuilder &builder, train::LogSoftmaxOp op) {
  Rows rows(builder, op, op.getX());
  Value max = rows.max(), log = rows.logarithm(rows.sumOfExponentials(max));
  return rows.map({rows.values(), rows.at(max), rows.at(log)}, [](Scalar &s, ValueRange in, Value) {
    return s.sub(s.sub(in[0], in[1]), in[2]);
  });
}

Value lower(KernelBuilder &builder, train::CrossEntropyOp op) {
  Rows rows(builder, op, op.getLogits());
  const double smoothing = op.getSmoothing().convertToDouble();
  Value max = rows.max(), log = rows.logarithm(rows.sumOfExponentials(max));
  return rows.reduce(0, {rows.values(), rows.at(max), rows.at(log), rows.at(op.getLabels())},
                     [&](Scalar &s, ValueRange in, Value sum, Value index) {
                       // log_softmax is negated by the order of the differences; an impossible
                       // class (-inf) only counts where it is aimed at.
                       Value cost = s.add(s.sub(in[1], in[0]), in[2]);
                       Value aim = target(s, in[3], index, smoothing, rows.classes());
                       Value isAimed = s.greater(aim, s.number(0));
                       return s.add(sum, s.choose(isAimed, s.mul(aim, cost), s.number(0)));
                     });
}

Value lower(KernelBuilder &builder, train::CrossEntropyGradOp op) {
  Rows rows(builder, op, op.getLogits());
  const double smoothing = op.getSmoothing().convertToDouble();
  Value max = rows.max(), sum = rows.sumOfExponentials(max);
  return rows.map(
      {rows.values(), rows.at(max), rows.at(sum), rows.at(op.getLabels()), rows.at(op.getDe())},
      [&](Scalar &s, ValueRange in, Value index) {
        Value softmax = s.div(s.make<math::ExpOp>(s.sub(in[0], in[1])), in[2]);
        return s.mul(in[4], s.sub(softmax, target(s, in[3], index, smoothing, rows.classes())));
      });
}

} // namespace

LogicalResult lowerNormalization(KernelBuilder &builder, Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<train::SoftmaxOp, train::LogSoftmaxOp, train::CrossEntropyOp,
            train::CrossEntropyGradOp>([&](auto known) {
        builder.set(known->getResult(0), lower(builder, known));
        return success();
      })
      .Default([](Operation *other) { return other->emitOpError("has no kernel"); });
}

} // namespace sinter::lower
