//===- TrainingStep.cpp - gradients, clipping and updates of a training step ------------------===//
#include "compiler/lower/TrainingStep.h"

#include "compiler/lower/OptimizerUpdates.h"
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

  void finish(Value objective, Measures reports) {
    const Regularization terms = regularize();
    const Value loss = plus(objective, terms.differentiated);
    const Value shown = plus(loss, terms.proximal);
    differentiate(loss);
    clip();
    update();
    project();
    commitUnlessFrozen(step.newStatistics());
    commitUnlessFrozen(step.newBuffers());
    advanceAverages();
    commitStep(shown, reports);
  }

  LeftForUpdate finishGradients(Value objective, Measures reports) {
    // The sum over the examples, whose gradients may be added to those of other batches.
    const Regularization terms = regularize();
    const Value shown = plus(plus(objective, terms.differentiated), terms.proximal);
    const Value count =
        train::CountOp::create(builder, scalarType(), step.clock("count"), APFloat(1.0));
    differentiate(step.binary<train::MulOp>(objective, count));
    LeftForUpdate left;
    for (auto [name, gradient] : gradients) {
      const State &state = states.find(name)->second;
      const FlatSymbolRefAttr sum = optimizerState(state, "gradient", 0);
      const Value before = step.own(sum, state.type, state.location);
      commitAs(sum, step.binary<train::AddOp>(before, gradient));
      commit(state, read(state)); // owned, for its gradient, and as it was
      left.gradients.push_back(name);
    }
    commitUnlessFrozen(step.newStatistics());
    for (auto [name, value] : step.newBuffers())
      if (!isFrozen(name.getValue())) {
        const State &state = states.find(name)->second;
        const FlatSymbolRefAttr kept = optimizerState(state, "update", 0);
        step.own(kept, state.type, state.location);
        commitAs(kept, value);
        left.buffers.push_back(name);
      }
    commitStep(shown, reports);
    return left;
  }

  void finishUpdate(const LeftForUpdate &left) {
    updates = true;
    if (const Regularization terms = regularize(); terms.differentiated)
      differentiate(terms.differentiated);
    builder.setLoc(stage.getLoc());
    const Value count =
        train::CountOp::create(builder, scalarType(), step.clock("count"), APFloat(1.0));
    SmallVector<std::pair<FlatSymbolRefAttr, State>> sums;
    for (StringAttr name : left.gradients) {
      const State &state = states.find(name)->second;
      const FlatSymbolRefAttr symbol = optimizerState(state, "gradient", 0);
      const Value sum = step.own(symbol, state.type, state.location);
      Value &gradient = gradients[name];
      gradient = plus(step.binary<train::DivOp>(sum, count), gradient);
      sums.emplace_back(symbol, state);
    }
    clip();
    update();
    project();
    for (StringAttr name : left.buffers) {
      const State &state = states.find(name)->second;
      commit(state, step.read(optimizerState(state, "update", 0), state.type, state.location));
    }
    advanceAverages();
    for (const auto &[symbol, state] : sums)
      commitAs(symbol, train::ConstantOp::create(builder, state.type,
                                                 DenseElementsAttr::get(state.type, 0.0f)));
    builder.setLoc(stage.getLoc());
    train::CommitOp::create(builder, builder.getArrayAttr(committed), newValues,
                            builder.getArrayAttr({}), ValueRange(), builder.getArrayAttr({}),
                            ValueRange());
  }

private:
  /// What regularizers add to the loss; null where there is none.
  struct Regularization {
    Value differentiated;
    Value proximal; ///< in the loss that is shown, and not in what is differentiated
  };

  RankedTensorType scalarType() { return RankedTensorType::get({}, builder.getF32Type()); }
  Value plus(Value a, Value b) { return a && b ? step.binary<train::AddOp>(a, b) : a ? a : b; }
  Value read(const State &state) { return step.own(state.symbol, state.type, state.location); }

  const State &stateOf(FlatSymbolRefAttr symbol) { return states.find(symbol.getAttr())->second; }

  bool isFrozen(StringRef name) {
    return stage.getFrozen() &&
           llvm::is_contained(stage.getFrozen()->getAsValueRange<StringAttr>(), name);
  }

  /// Each regularizer once.
  Regularization regularize() {
    Regularization terms;
    for (model::RegularizeOp regularizer : stage.getBody().getOps<model::RegularizeOp>()) {
      builder.setLoc(regularizer.getLoc());
      const double l1 = regularizer.getL1().convertToDouble();
      const double l2 = regularizer.getL2().convertToDouble();
      Value sum;
      for (auto symbol : regularizer.getParameters().getAsRange<FlatSymbolRefAttr>()) {
        const Value w = step.state(symbol.getValue()).value;
        auto add = [&](double factor, Value total) {
          sum = plus(sum, step.binary<train::MulOp>(total, step.constant(factor)));
        };
        if (l1 != 0)
          add(l1, step.sumAll(step.unary<train::AbsOp>(w)));
        if (l2 != 0)
          add(l2, step.sumAll(step.unary<train::SquareOp>(w)));
        if (regularizer.getProximal())
          proximal[symbol.getAttr()] += l1;
      }
      Value &whole = regularizer.getProximal() ? terms.proximal : terms.differentiated;
      whole = plus(whole, sum);
    }
    return terms;
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
      for (auto &[name, gradient] : gradients)
        squares = plus(squares, step.sumAll(step.unary<train::SquareOp>(gradient)));
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

  void update() {
    for (model::OptimizeOp op : stage.getBody().getOps<model::OptimizeOp>()) {
      builder.setLoc(op.getLoc());
      OptimizerUpdates optimizer(step, op, optimizerState);
      optimizer.begin();
      for (auto symbol : op.getParameters().getAsRange<FlatSymbolRefAttr>()) {
        const State &state = states.find(symbol.getAttr())->second;
        const auto found = gradients.find(symbol.getAttr());
        if (found == gradients.end())
          continue;
        builder.setLoc(NameLoc::get(symbol.getAttr(), op.getLoc()));
        const Updated updated = optimizer.update(state, read(state), found->second);
        commit(state, shrink(symbol.getAttr(), updated.weight, optimizer.rate()));
        for (const auto &[name, value] : updated.states)
          commitAs(name, value);
      }
    }
  }

  /// Soft thresholding: sign(w) max(|w| - rate l1, 0).
  Value shrink(StringAttr name, Value w, Value rate) {
    const double l1 = proximal.lookup(name);
    if (l1 == 0)
      return w;
    const Value cut = step.binary<train::MulOp>(rate, step.constant(l1));
    const Value left = step.binary<train::MaxOp>(
        step.binary<train::SubOp>(step.unary<train::AbsOp>(w), cut), step.constant(0));
    return step.binary<train::MulOp>(step.unary<train::SignOp>(w), left);
  }

  /// Brings what the optimizers left back to where the constraints want it.
  void project() {
    for (model::ConstrainOp op : stage.getBody().getOps<model::ConstrainOp>())
      for (auto symbol : op.getParameters().getAsRange<FlatSymbolRefAttr>()) {
        const State &state = states.find(symbol.getAttr())->second;
        builder.setLoc(NameLoc::get(symbol.getAttr(), op.getLoc()));
        auto *place = llvm::find(committed, state.symbol);
        if (place == committed.end()) {
          commit(state, read(state));
          place = std::prev(committed.end());
        }
        Value &w = newValues[std::distance(committed.begin(), place)];
        w = op.getKind() == "nonnegative"
                ? step.binary<train::MaxOp>(w, step.constant(0))
                : toNorm(w, symbol.getAttr(), state, op.getLimit().convertToDouble());
      }
  }

  void advanceAverages() {
    for (model::AverageOp average : stage.getBody().getOps<model::AverageOp>())
      advance(average);
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
      const bool changed = found != committed.end();
      // Where several batches make a step, buffers have changed in the steps before.
      if (!changed && (!updates || source.trained))
        continue;
      builder.setLoc(NameLoc::get(symbol.getAttr(), op.getLoc()));
      const Value w = changed ? newValues[std::distance(committed.begin(), found)]
                              : step.state(average.of.getValue()).value;
      const Value t = read(average);
      Value next = w;
      if (source.trained)
        next = step.binary<train::AddOp>(
            t, step.binary<train::MulOp>(step.binary<train::SubOp>(w, t), share));
      if (now)
        next = train::SelectOp::create(builder, average.type, now, next, t);
      commit(average, next);
    }
  }

  /// The axis of a weight's units, and the groups that its axis 0 falls into.
  struct Units {
    int64_t axis = 0, groups = 1;
  };

  /// Units come first, but in what a transposed convolution reads: its filters are axis 1, each
  /// group's by itself.
  Units unitsOf(StringAttr name) {
    Units units;
    stage->getParentOfType<model::TrainOp>().walk([&](model::ConvTranspose2dOp op) {
      auto read = op.getWeight().getDefiningOp<model::ReadOp>();
      if (!read || read.getParameterAttr().getAttr() != name)
        return WalkResult::advance();
      units = {1, static_cast<int64_t>(op.getGroups())};
      return WalkResult::interrupt();
    });
    return units;
  }

  /// w · limit / max(limit, |w of one unit|): what is within the limit stays to the bit.
  Value toNorm(Value w, StringAttr name, const State &state, double limit) {
    if (state.type.getRank() < 2)
      return w;
    const Units units = unitsOf(name);
    SmallVector<int64_t> shape, kept, summed, extents; // kept: the axes that tell units apart
    for (auto [place, axis] : llvm::enumerate(state.order)) {
      int64_t extent = state.type.getDimSize(static_cast<unsigned>(place));
      if (axis == 0 && units.groups > 1) {
        kept.push_back(static_cast<int64_t>(shape.size()));
        extents.push_back(units.groups);
        shape.push_back(units.groups);
        extent /= units.groups;
      }
      (axis == units.axis ? kept : summed).push_back(static_cast<int64_t>(shape.size()));
      if (axis == units.axis)
        extents.push_back(extent);
      shape.push_back(extent);
    }
    auto whole = state.type.clone(shape);
    auto reshape = [&](Value value, RankedTensorType type) -> Value {
      return value.getType() == type ? value : train::ReshapeOp::create(builder, type, value);
    };
    const Value split = reshape(w, whole);
    const Value squares = train::SumOp::create(builder, state.type.clone(extents),
                                               step.unary<train::SquareOp>(split), summed);
    const Value bounded =
        step.binary<train::MaxOp>(step.unary<train::SqrtOp>(squares), step.constant(limit));
    const Value factor = step.binary<train::DivOp>(step.constant(limit), bounded);
    return reshape(
        step.binary<train::MulOp>(split, train::BroadcastOp::create(builder, whole, factor, kept)),
        state.type);
  }

  void commitUnlessFrozen(const llvm::MapVector<StringAttr, Value> &values) {
    for (auto [name, value] : values)
      if (!isFrozen(name.getValue()))
        commit(states.find(name)->second, value);
  }
  void commit(const State &state, Value value) {
    step.own(state.symbol, state.type, state.location);
    commitAs(state.symbol, value);
  }
  void commitAs(FlatSymbolRefAttr symbol, Value value) {
    committed.push_back(symbol);
    newValues.push_back(value);
  }

  void commitStep(Value loss, Measures reports) {
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
  bool updates = false; ///< the gradients were added up in steps before this one
  SmallVector<Attribute> committed;
  SmallVector<Value> newValues;
};

} // namespace

void finishTrainingStep(StepBuilder &step, model::StageOp stage, const States &states,
                        Value objective, Measures reports, OptimizerStates optimizerState) {
  TrainingStep(step, stage, states, optimizerState).finish(objective, reports);
}

LeftForUpdate finishGradientStep(StepBuilder &step, model::StageOp stage, const States &states,
                                 Value objective, Measures reports,
                                 OptimizerStates optimizerState) {
  return TrainingStep(step, stage, states, optimizerState).finishGradients(objective, reports);
}

void finishUpdateStep(StepBuilder &step, model::StageOp stage, const States &states,
                      const LeftForUpdate &left, OptimizerStates optimizerState) {
  TrainingStep(step, stage, states, optimizerState).finishUpdate(left);
}

} // namespace sinter::lower
