//===- TrainingStep.cpp - gradients, clipping and updates of a training step ------------------===//
#include "compiler/lower/TrainingStep.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sinter::lower {
namespace {

class TrainingStep {
public:
  TrainingStep(StepBuilder &step, model::StageOp stage, const States &states,
               OptimizerStates optimizerState)
      : step(step), builder(step.builder), stage(stage), states(states),
        optimizerState(optimizerState) {}

  LogicalResult finish(Value objective, ArrayRef<std::pair<std::string, Value>> reports) {
    Value loss = objective, shown = objective;
    regularize(loss, shown);
    differentiate(loss);
    clip();
    for (model::OptimizeOp optimizer : stage.getBody().getOps<model::OptimizeOp>())
      if (failed(update(optimizer)))
        return failure();
    for (auto [name, value] : step.newStatistics())
      if (!isFrozen(name.getValue()))
        commit(states.find(name)->second, value);
    for (model::AverageOp average : stage.getBody().getOps<model::AverageOp>())
      advance(average);
    commitStep(shown, reports);
    return success();
  }

private:
  const State &stateOf(Attribute symbol) {
    return states.find(cast<FlatSymbolRefAttr>(symbol).getAttr())->second;
  }
  Value read(const State &state) { return step.own(state.symbol, state.type, state.location); }

  bool isFrozen(StringRef name) {
    return stage.getFrozen() &&
           llvm::is_contained(stage.getFrozen()->getAsValueRange<StringAttr>(), name);
  }

  /// Adds each regularizer once. A proximal one is in the loss that is shown, and not in what is
  /// differentiated.
  void regularize(Value &loss, Value &shown) {
    for (model::RegularizeOp regularizer : stage.getBody().getOps<model::RegularizeOp>()) {
      builder.setLoc(regularizer.getLoc());
      const double l1 = regularizer.getL1().convertToDouble();
      const double l2 = regularizer.getL2().convertToDouble();
      Value sum;
      auto add = [&](double factor, Value total) {
        const Value term = step.binary<train::MulOp>(total, step.constant(factor));
        sum = sum ? step.binary<train::AddOp>(sum, term) : term;
      };
      for (auto symbol : regularizer.getParameters().getAsRange<FlatSymbolRefAttr>()) {
        const Value w = step.state(symbol.getValue()).value;
        if (l1 != 0)
          add(l1, step.sumAll(step.unary<train::AbsOp>(w)));
        if (l2 != 0)
          add(l2, step.sumAll(step.unary<train::SquareOp>(w)));
        if (regularizer.getProximal())
          proximal[symbol.getAttr()] += l1;
      }
      if (!sum)
        continue;
      const bool both = loss == shown;
      shown = step.binary<train::AddOp>(shown, sum);
      if (!regularizer.getProximal())
        loss = both ? shown : step.binary<train::AddOp>(loss, sum);
    }
  }

  /// Gradients of all parameters with an optimizer that the loss depends on.
  void differentiate(Value loss) {
    llvm::SetVector<Value> reached;
    reached.insert(loss);
    for (size_t i = 0; i < reached.size(); ++i)
      if (Operation *op = reached[i].getDefiningOp())
        reached.insert(op->operand_begin(), op->operand_end());

    SmallVector<StringAttr> names;
    SmallVector<Value> of;
    for (const auto &[name, state] : states) {
      const bool optimized = llvm::any_of(
          stage.getBody().getOps<model::OptimizeOp>(), [&](model::OptimizeOp optimizer) {
            return llvm::is_contained(
                optimizer.getParameters().getAsValueRange<FlatSymbolRefAttr>(), name.getValue());
          });
      if (!optimized || !reached.contains(step.state(name.getValue()).value))
        continue;
      names.push_back(name);
      of.push_back(read(state));
    }
    if (of.empty())
      return;
    builder.setLoc(NameLoc::get(builder.getStringAttr("gradient"), loss.getLoc()));
    auto gradient = train::GradientOp::create(builder, TypeRange(ValueRange(of)), loss, of);
    for (auto [name, value] : llvm::zip_equal(names, gradient.getGradients()))
      gradients[name] = value;
  }

  /// norm: all gradients times min(1, limit / (norm + 1e-6)), as PyTorch's clip_grad_norm_.
  void clip() {
    for (model::ClipOp op : stage.getBody().getOps<model::ClipOp>()) {
      builder.setLoc(op.getLoc());
      const double limit = op.getLimit().convertToDouble();
      if (op.getKind() == "value") {
        for (auto &[name, gradient] : gradients)
          gradient = step.binary<train::MinOp>(
              step.binary<train::MaxOp>(gradient, step.constant(-limit)), step.constant(limit));
        continue;
      }
      Value squares;
      for (auto &[name, gradient] : gradients) {
        const Value sum = step.sumAll(step.unary<train::SquareOp>(gradient));
        squares = squares ? step.binary<train::AddOp>(squares, sum) : sum;
      }
      if (!squares)
        continue;
      const Value norm =
          step.binary<train::AddOp>(step.unary<train::SqrtOp>(squares), step.constant(1e-6));
      const Value factor = step.binary<train::MinOp>(
          step.binary<train::DivOp>(step.constant(limit), norm), step.constant(1));
      for (auto &[name, gradient] : gradients)
        gradient = step.binary<train::MulOp>(gradient, factor);
    }
  }

  FailureOr<Value> rate(model::OptimizeOp op) {
    const bool epochs = op.getEveryEpochs() || op.getWarmupEpochs();
    const double to = (op.getSchedule() == "cosine" ? op.getFloor() : op.getTo()).convertToDouble();
    const Value value = train::RateOp::create(
        builder, RankedTensorType::get({}, builder.getF32Type()), op.getSchedule(),
        step.clock("step"), step.clock("last"), epochs ? Value(step.clock("epoch")) : Value(),
        op.getRate(), APFloat(to), op.getBy(),
        static_cast<uint64_t>(op.getEvery().convertToDouble()),
        static_cast<uint64_t>(op.getWarmup().convertToDouble()), op.getFactor(),
        op.getEveryEpochs(), op.getWarmupEpochs());
    return value;
  }

  LogicalResult update(model::OptimizeOp op) {
    builder.setLoc(op.getLoc());
    auto learningRate = rate(op);
    if (failed(learningRate))
      return failure();
    Value c1, c2;
    const auto scalar = RankedTensorType::get({}, builder.getF32Type());
    if (op.getKind() != "sgd") {
      c1 = train::BiasCorrectionOp::create(builder, scalar, step.clock("step"), *op.getBeta1());
      c2 = train::BiasCorrectionOp::create(builder, scalar, step.clock("step"), *op.getBeta2());
    }
    for (auto symbol : op.getParameters().getAsRange<FlatSymbolRefAttr>()) {
      const State &state = stateOf(symbol);
      const auto found = gradients.find(symbol.getAttr());
      if (found == gradients.end())
        continue;
      builder.setLoc(NameLoc::get(symbol.getAttr(), op.getLoc()));
      if (op.getKind() == "sgd")
        sgd(op, symbol.getAttr(), state, found->second, *learningRate);
      else
        adam(op, state, found->second, *learningRate, c1, c2);
    }
    return success();
  }

  void sgd(model::OptimizeOp op, StringAttr name, const State &state, Value gradient,
           Value learningRate) {
    const bool hasMomentum = op.getMomentum().convertToDouble() != 0;
    FlatSymbolRefAttr momentumState;
    Value momentum;
    if (hasMomentum) {
      momentumState = optimizerState(state, "momentum");
      momentum = step.own(momentumState, state.type, builder.getLoc());
    }
    auto updated = train::SgdOp::create(
        builder, state.type, hasMomentum ? Type(state.type) : Type(), read(state), gradient,
        momentum, learningRate, op.getMomentum(), op.getWeightDecay(), op.getNesterov());
    Value w = updated.getW1();
    if (const double l1 = proximal.lookup(name); l1 != 0) {
      // Soft thresholding: sign(w) max(|w| - rate l1, 0).
      const Value cut = step.binary<train::MulOp>(learningRate, step.constant(l1));
      const Value left = step.binary<train::MaxOp>(
          step.binary<train::SubOp>(step.unary<train::AbsOp>(w), cut), step.constant(0));
      w = step.binary<train::MulOp>(step.unary<train::SignOp>(w), left);
    }
    commit(state, w);
    if (hasMomentum)
      commitAs(momentumState, updated.getM1());
  }

  void adam(model::OptimizeOp op, const State &state, Value gradient, Value learningRate, Value c1,
            Value c2) {
    const FlatSymbolRefAttr first = optimizerState(state, "exp_avg");
    const FlatSymbolRefAttr second = optimizerState(state, "exp_avg_sq");
    const Value m = step.own(first, state.type, builder.getLoc());
    const Value v = step.own(second, state.type, builder.getLoc());
    auto updated =
        train::AdamOp::create(builder, TypeRange{state.type, state.type, state.type}, read(state),
                              gradient, m, v, learningRate, c1, c2, *op.getBeta1(), *op.getBeta2(),
                              *op.getEps(), op.getWeightDecay(), op.getKind() == "adamw");
    commit(state, updated.getW1());
    commitAs(first, updated.getM1());
    commitAs(second, updated.getV1());
  }

  /// A teacher's parameters go the (1 - decay)th part of the way to what the model's have become, its
  /// buffers become the model's. What the stage does not change has not moved since it was copied.
  void advance(model::AverageOp op) {
    builder.setLoc(op.getLoc());
    const auto every = static_cast<int64_t>(op.getEvery());
    Value now;
    if (every > 1) {
      auto scalar = RankedTensorType::get({}, builder.getF32Type());
      const Value pulse =
          train::PulseOp::create(builder, scalar, step.clock("step"), op.getEveryAttr());
      now = train::CompareOp::create(builder, scalar.clone(builder.getI1Type()), "gt", pulse,
                                     step.constant(0));
    }
    const Value share = step.constant(1 - op.getDecay().convertToDouble());
    for (auto symbol : op.getStates().getAsRange<FlatSymbolRefAttr>()) {
      const State &average = stateOf(symbol), &source = stateOf(average.of);
      auto *found = llvm::find(committed, Attribute(source.symbol));
      if (found == committed.end())
        continue;
      builder.setLoc(NameLoc::get(symbol.getAttr(), op.getLoc()));
      const Value w = newValues[std::distance(committed.begin(), found)], t = read(average);
      Value next = w;
      if (source.trained)
        next = step.binary<train::AddOp>(
            t, step.binary<train::MulOp>(step.binary<train::SubOp>(w, t), share));
      if (now)
        next = train::SelectOp::create(builder, average.type, now, next, t);
      commit(average, next);
    }
  }

  void commit(const State &state, Value value) {
    step.own(state.symbol, state.type, state.location);
    commitAs(state.symbol, value);
  }
  void commitAs(FlatSymbolRefAttr symbol, Value value) {
    committed.push_back(symbol);
    newValues.push_back(value);
  }

  void commitStep(Value loss, ArrayRef<std::pair<std::string, Value>> reports) {
    SmallVector<Attribute> names{builder.getStringAttr("loss")};
    SmallVector<Value> outputs{loss};
    for (const auto &[name, value] : reports) {
      names.push_back(builder.getStringAttr(name));
      outputs.push_back(value);
    }
    builder.setLoc(stage.getLoc());
    train::CommitOp::create(builder, builder.getArrayAttr(committed), newValues,
                            builder.getArrayAttr(names), outputs, builder.getArrayAttr({}),
                            ValueRange());
  }

  StepBuilder &step;
  ImplicitLocOpBuilder &builder;
  model::StageOp stage;
  const States &states;
  OptimizerStates optimizerState;
  llvm::MapVector<StringAttr, Value> gradients;
  llvm::DenseMap<StringAttr, double> proximal; ///< λ of soft thresholding
  SmallVector<Attribute> committed;
  SmallVector<Value> newValues;
};

} // namespace

LogicalResult finishTrainingStep(StepBuilder &step, model::StageOp stage, const States &states,
                                 Value objective, ArrayRef<std::pair<std::string, Value>> reports,
                                 OptimizerStates optimizerState) {
  return TrainingStep(step, stage, states, optimizerState).finish(objective, reports);
}

} // namespace sinter::lower
