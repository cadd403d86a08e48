//===- ModelToTrain.cpp - model to train: states, steps and runs ------------------------------===//
// A train block becomes states (weights in the order that its first use wants), one run, and per
// stage a training, an evaluation and a prediction step. Steps are written plainly, one op after
// the other, images as [B, H, W, C]; what is then redundant or lies badly is left to the passes of
// the train floor.
#include "compiler/lower/Passes.h"
#include "compiler/lower/StepBuilder.h"
#include "compiler/lower/TrainingStep.h"

#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/STLExtras.h"

#include <functional>

using namespace mlir;

namespace sinter::lower {
#define GEN_PASS_DEF_MODELTOTRAIN
#include "compiler/lower/Passes.h.inc"
namespace {

/// How the first use of a weight wants it to lie, by following permutations to a layer;
/// as it is saved where there is none.
std::optional<Order> orderOfUse(Value value, Order axes) {
  SmallVector<OpOperand *> uses; // a use list runs backwards
  for (OpOperand &use : value.getUses())
    uses.push_back(&use);
  llvm::sort(uses, [](OpOperand *a, OpOperand *b) {
    return a->getOwner()->isBeforeInBlock(b->getOwner());
  });
  for (OpOperand *use : uses) {
    Operation *user = use->getOwner();
    Order wanted;
    const unsigned number = use->getOperandNumber();
    const bool isRecurrent = isa<model::RnnOp, model::LstmOp, model::GruOp>(user);
    if ((isa<model::DenseOp>(user) && number == 1) || (isRecurrent && (number == 1 || number == 2)))
      wanted = {1, 0};
    else if (isa<model::EmbeddingOp>(user))
      wanted = {0, 1};
    else if (isa<model::Conv2dOp, model::ConvTranspose2dOp>(user) && use->getOperandNumber() == 1)
      wanted = {2, 3, 1, 0};
    else if (isa<model::Conv1dOp>(user) && use->getOperandNumber() == 1)
      wanted = {2, 1, 0};
    if (!wanted.empty()) {
      for (int64_t &axis : wanted)
        axis = axes[axis];
      return wanted;
    }
    if (auto permute = dyn_cast<model::PermuteOp>(user)) {
      Order permuted;
      for (int64_t axis : permute.getAxes())
        permuted.push_back(axes[axis]);
      if (auto found = orderOfUse(permute.getY(), permuted))
        return found;
    }
  }
  return std::nullopt;
}

class TrainBlock {
public:
  /// `prefix`: whose names stand before those of the states, where names would clash; else "".
  TrainBlock(ModuleOp module, model::TrainOp train, StringRef prefix)
      : module(module), train(train), prefix(prefix), symbols(module), builder(train) {
    data = cast<model::DataOp>(symbols.lookup(train.getData()));
  }

  LogicalResult lower() {
    makeStates();
    for (model::StageOp stage : train.getBody().getOps<model::StageOp>())
      if (failed(lowerStage(stage)))
        return failure();
    makeRun();
    return success();
  }

private:
  //===--- states -----------------------------------------------------------------------------===//

  std::string symbolFor(StringRef name) const {
    return prefix.empty() ? name.str() : (prefix + "/" + name).str();
  }

  void makeStates() {
    for (Operation &op : train.getBody().getOps())
      if (isa<model::ParamOp, model::BufferOp>(op))
        makeState(&op);
  }

  void makeState(Operation *op) {
    const auto name = op->getAttrOfType<StringAttr>("sym_name");
    const auto saved = cast<RankedTensorType>(op->getAttrOfType<TypeAttr>("type").getValue());
    Order order = inOrder(saved.getRank());
    // An average lies as what it is of, which stands above it.
    const auto of = op->getAttrOfType<FlatSymbolRefAttr>("of");
    if (of)
      order = states.find(of.getAttr())->second.order;
    train.walk([&](model::ReadOp read) {
      if (of || read.getParameterAttr().getAttr() != name)
        return WalkResult::advance();
      auto found = orderOfUse(read.getValue(), inOrder(saved.getRank()));
      if (found)
        order = *found;
      return found ? WalkResult::interrupt() : WalkResult::advance();
    });

    SmallVector<int64_t> shape;
    for (int64_t axis : order)
      shape.push_back(saved.getDimSize(axis));
    const auto type = RankedTensorType::get(shape, saved.getElementType());
    train::LayoutAttr layout;
    if (order != inOrder(saved.getRank()))
      layout = train::LayoutAttr::get(op->getContext(), saved.getShape(), saved.getShape(), order);
    const bool trained = isa<model::ParamOp>(op);
    const StringRef kind = op->hasAttr("teacher") ? "teacher" : trained ? "parameter" : "buffer";
    auto state = train::StateOp::create(
        builder, op->getLoc(), builder.getStringAttr(symbolFor(name)), TypeAttr::get(type),
        builder.getStringAttr(kind), op->getAttrOfType<train::InitAttr>("init"), layout,
        op->getAttrOfType<ArrayAttr>("also"),
        of ? states.find(of.getAttr())->second.symbol : FlatSymbolRefAttr());
    markRun(state);
    symbols.insert(state);
    states.insert({name, State{FlatSymbolRefAttr::get(state.getSymNameAttr()), type, order, trained,
                               op->getLoc(), of}});
  }

  /// A state whose symbol begins with its run's name says so: its own name is what follows.
  void markRun(train::StateOp state) {
    if (!prefix.empty())
      state->setAttr("run", builder.getStringAttr(prefix));
  }

  /// Optimizer states lie as their parameters do.
  FlatSymbolRefAttr optimizerState(const State &parameter, StringRef what, double initial) {
    const auto name = builder.getStringAttr(parameter.symbol.getValue() + "." + what);
    if (auto known = symbols.lookup<train::StateOp>(name);
        known && known.getInit().getA() == initial)
      return FlatSymbolRefAttr::get(name);
    OpBuilder::InsertionGuard guard(builder);
    auto of = cast<train::StateOp>(SymbolTable::lookupSymbolIn(module, parameter.symbol.getAttr()));
    builder.setInsertionPoint(firstStep);
    auto state = train::StateOp::create(
        builder, parameter.location, name, TypeAttr::get(parameter.type),
        builder.getStringAttr("optimizer"),
        train::InitAttr::get(builder.getContext(), train::Distribution::Constant, initial, 0),
        of.getLayoutAttr(), ArrayAttr(), parameter.symbol);
    markRun(state);
    return FlatSymbolRefAttr::get(symbols.insert(state));
  }

  //===--- steps ------------------------------------------------------------------------------===//

  struct LoweredStage {
    model::StageOp stage;
    FlatSymbolRefAttr step, update, eval, predict;
  };

  LogicalResult lowerStage(model::StageOp stage) {
    LoweredStage lowered{stage, {}, {}, {}, {}};
    left = {};
    auto step = objectiveStep(stage, "train");
    auto eval = objectiveStep(stage, "eval");
    auto predict = predictStep(stage);
    if (failed(step) || failed(eval) || failed(predict))
      return failure();
    if (stage.getAccumulate() > 1)
      lowered.update = updateStep(stage);
    lowered.step = *step;
    lowered.eval = *eval;
    lowered.predict = *predict;
    stages.push_back(lowered);
    return success();
  }

  std::string stepName(model::StageOp stage, StringRef kind) {
    return (train.getSymName() + "." + stage.getSymName() + "." + kind).str();
  }

  FailureOr<FlatSymbolRefAttr> objectiveStep(model::StageOp stage, StringRef kind) {
    OpBuilder::InsertionGuard guard(builder);
    StepBuilder step(builder, train, data, states, stage, stepName(stage, kind), kind);
    if (!firstStep)
      firstStep = step.builder.getInsertionBlock()->getParentOp();
    if (failed(step.lowerGraph(stage.getBody().front())))
      return failure();

    auto objective = *stage.getBody().getOps<model::ObjectiveOp>().begin();
    step.builder.setLoc(objective.getLoc());
    Value loss = step.batchMean(step.get(objective.getValue()));
    if (kind == "train")
      for (model::PenaltyOp penalty : stage.getBody().getOps<model::PenaltyOp>())
        loss = step.binary<train::AddOp>(loss, step.batchMean(step.get(penalty.getValue())));
    SmallVector<std::pair<std::string, Value>> reports;
    for (model::ReportOp report : stage.getBody().getOps<model::ReportOp>()) {
      step.builder.setLoc(report.getLoc());
      reports.emplace_back(report.getName().str(), step.batchMean(step.get(report.getValue())));
    }

    if (kind == "train") {
      if (stage.getAccumulate() > 1)
        left = finishGradientStep(step, stage, states, loss, reports, makesStates());
      else
        finishTrainingStep(step, stage, states, loss, reports, makesStates());
      return keep(step.finish());
    }

    SmallVector<Attribute> names{builder.getStringAttr("loss")};
    SmallVector<Value> outputs{loss};
    for (const auto &[name, value] : reports) {
      names.push_back(builder.getStringAttr(name));
      outputs.push_back(value);
    }
    step.builder.setLoc(stage.getLoc());
    train::CommitOp::create(step.builder, builder.getArrayAttr({}), ValueRange(),
                            builder.getArrayAttr(names), outputs, builder.getArrayAttr({}),
                            ValueRange());
    return keep(step.finish());
  }

  std::function<FlatSymbolRefAttr(const State &, StringRef, double)> makesStates() {
    return [this](const State &parameter, StringRef what, double initial) {
      return optimizerState(parameter, what, initial);
    };
  }

  /// The optimizer's step where several batches make one.
  FlatSymbolRefAttr updateStep(model::StageOp stage) {
    OpBuilder::InsertionGuard guard(builder);
    StepBuilder step(builder, train, data, states, stage, stepName(stage, "update"), "update");
    finishUpdateStep(step, stage, states, left, makesStates());
    return keep(step.finish());
  }

  /// The model's results on fields named like its inputs; null where the data has no such fields.
  FailureOr<FlatSymbolRefAttr> predictStep(model::StageOp stage) {
    auto net = train.lookupSymbol<model::NetOp>(train.getModel());
    for (auto [i, type] : llvm::enumerate(net.getArgumentTypes())) {
      auto name = net.getArgAttrOfType<StringAttr>(i, "model.name");
      if (!name || data.getFieldType(name.getValue()) != type)
        return FlatSymbolRefAttr();
    }

    OpBuilder::InsertionGuard guard(builder);
    StepBuilder step(builder, train, data, states, stage, stepName(stage, "predict"), "predict");
    SmallVector<Tensor> inputs;
    for (unsigned i = 0; i < net.getNumArguments(); ++i)
      inputs.push_back(*step.field(net.getArgAttrOfType<StringAttr>(i, "model.name").getValue()));
    auto tensors = step.callNet(net, inputs);
    if (failed(tensors))
      return failure();
    SmallVector<Attribute> names;
    SmallVector<Value> results;
    for (auto [i, tensor] : llvm::enumerate(*tensors)) {
      auto name = net.getResultAttrOfType<StringAttr>(i, "model.name");
      names.push_back(name && !name.empty() ? name : builder.getStringAttr("output"));
      results.push_back(step.asResult(tensor));
    }
    step.builder.setLoc(net.getLoc());
    train::CommitOp::create(step.builder, builder.getArrayAttr({}), ValueRange(),
                            builder.getArrayAttr({}), ValueRange(), builder.getArrayAttr(names),
                            results);
    return keep(step.finish());
  }

  /// Names the step; one that does what an earlier one does is not kept, but that one's name.
  FlatSymbolRefAttr keep(train::StepOp step) {
    for (train::StepOp earlier : steps)
      if (earlier.getKind() == step.getKind() &&
          earlier.getFunctionType() == step.getFunctionType() &&
          earlier.getArgAttrsAttr() == step.getArgAttrsAttr() &&
          OperationEquivalence::isRegionEquivalentTo(&earlier.getBody(), &step.getBody(),
                                                     OperationEquivalence::IgnoreLocations)) {
        step.erase();
        return FlatSymbolRefAttr::get(earlier.getSymNameAttr());
      }
    steps.push_back(step);
    return FlatSymbolRefAttr::get(symbols.insert(step));
  }

  //===--- the run ----------------------------------------------------------------------------===//

  void makeRun() {
    const StringAttr name = train.getSymNameAttr();
    const Location location = train.getLoc();
    auto run = train::RunOp::create(builder, location, name, train.getDataAttr(),
                                    builder.getI64IntegerAttr(train.getSeed()));
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&run.getBody());
    for (model::LoadOp load : train.getBody().getOps<model::LoadOp>())
      builder.clone(*load);
    for (LoweredStage &lowered : stages) {
      for (model::LoadOp load : lowered.stage.getBody().getOps<model::LoadOp>())
        cast<model::LoadOp>(builder.clone(*load)).setStageAttr(lowered.stage.getSymNameAttr());
      makeStage(lowered);
    }
    train.erase();
  }

  void makeStage(const LoweredStage &lowered) {
    model::StageOp stage = lowered.stage;
    SmallVector<Attribute> reports, finish, sparse;
    SmallVector<bool> ascending;
    SmallVector<int64_t> every;
    for (model::ReportOp report : stage.getBody().getOps<model::ReportOp>()) {
      reports.push_back(report.getNameAttr());
      finish.push_back(builder.getStringAttr(report.getFinish()));
      ascending.push_back(report.getUpwards());
      every.push_back(static_cast<int64_t>(report.getEvery()));
    }
    for (model::RegularizeOp regularizer : stage.getBody().getOps<model::RegularizeOp>())
      if (regularizer.getProximal())
        for (auto symbol : regularizer.getParameters().getAsRange<FlatSymbolRefAttr>())
          if (auto name = builder.getStringAttr(symbol.getValue());
              !llvm::is_contained(sparse, name))
            sparse.push_back(name);
    const bool anyEvery = llvm::any_of(every, [](int64_t steps) { return steps > 0; });
    const bool any = !reports.empty();
    auto made = train::StageOp::create(
        builder, stage.getLoc(), stage.getSymNameAttr(), lowered.step, lowered.eval,
        lowered.predict, stage.getBatchAttr(), stage.getEpochsAttr(), stage.getStepsAttr(),
        stage.getDropLastAttr(), stage.getSequentialAttr(), stage.getAccumulateAttr(),
        lowered.update, any ? builder.getArrayAttr(reports) : ArrayAttr(),
        any ? builder.getArrayAttr(finish) : ArrayAttr(),
        any ? builder.getDenseBoolArrayAttr(ascending) : DenseBoolArrayAttr(),
        anyEvery ? builder.getDenseI64ArrayAttr(every) : DenseI64ArrayAttr(),
        sparse.empty() ? ArrayAttr() : builder.getArrayAttr(sparse), stage.getKeepBestAttr(),
        stage.getStopAttr(), stage.getPatienceAttr());
    // What the stage changes and what it does not, for whoever reads the program's description.
    SmallVector<Attribute> trained;
    for (model::OptimizeOp optimizer : stage.getBody().getOps<model::OptimizeOp>())
      for (StringRef parameter : optimizer.getParameters().getAsValueRange<FlatSymbolRefAttr>())
        trained.push_back(builder.getStringAttr(parameter));
    made->setAttr("trained", builder.getArrayAttr(trained));
    if (auto frozen = stage.getFrozenAttr())
      made->setAttr("frozen", frozen);
    SmallVector<Attribute> copies;
    for (model::CopyOp copy : stage.getBody().getOps<model::CopyOp>())
      for (auto [from, to] : llvm::zip_equal(copy.getFrom().getAsValueRange<FlatSymbolRefAttr>(),
                                             copy.getTo().getAsValueRange<FlatSymbolRefAttr>()))
        copies.push_back(
            builder.getDictionaryAttr({builder.getNamedAttr("from", builder.getStringAttr(from)),
                                       builder.getNamedAttr("to", builder.getStringAttr(to))}));
    if (!copies.empty())
      made->setAttr("copies", builder.getArrayAttr(copies));
    // Whose optimizer would train what is frozen: for the proof that says what that spares.
    SmallVector<Attribute> spared;
    for (model::OptimizeOp optimizer : stage.getBody().getOps<model::OptimizeOp>())
      if (auto names = optimizer->getAttrOfType<ArrayAttr>("spared"))
        spared.push_back(builder.getDictionaryAttr(
            {builder.getNamedAttr(
                 "like", builder.getStringAttr(
                             cast<FlatSymbolRefAttr>(optimizer.getParameters()[0]).getValue())),
             builder.getNamedAttr("parameters", names)}));
    if (!spared.empty())
      made->setAttr("spared", builder.getArrayAttr(spared));
  }

  ModuleOp module;
  model::TrainOp train;
  StringRef prefix;
  SymbolTable symbols;
  OpBuilder builder;
  model::DataOp data;
  States states;
  Operation *firstStep = nullptr;
  SmallVector<train::StepOp> steps;
  SmallVector<LoweredStage> stages;
  LeftForUpdate left; ///< by the batches of the stage's step for its update
};

struct ModelToTrain : impl::ModelToTrainBase<ModelToTrain> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    const SmallVector<model::TrainOp> blocks(module.getOps<model::TrainOp>());
    for (model::TrainOp train : blocks) {
      // Names of parameters are unique within their block only.
      const bool clashes = llvm::any_of(train.getBody().getOps(), [&](Operation &op) {
        return isa<model::ParamOp, model::BufferOp>(op) &&
               module.lookupSymbol(op.getAttrOfType<StringAttr>("sym_name"));
      });
      const std::string prefix =
          blocks.size() > 1 || clashes ? train.getSymName().str() : std::string();
      if (failed(TrainBlock(module, train, prefix).lower()))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace sinter::lower
