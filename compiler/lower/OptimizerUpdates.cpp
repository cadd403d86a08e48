//===- OptimizerUpdates.cpp - states and update ops of each optimizer -------------------------===//
// States are called as PyTorch calls them.
#include "compiler/lower/OptimizerUpdates.h"

using namespace mlir;

namespace sinter::lower {

void OptimizerUpdates::begin() {
  ImplicitLocOpBuilder &builder = step.builder;
  const auto scalar = RankedTensorType::get({}, builder.getF32Type());
  const bool epochs = op.getEveryEpochs() || op.getWarmupEpochs();
  const double to = (op.getSchedule() == "cosine" ? op.getFloor() : op.getTo()).convertToDouble();
  learningRate = train::RateOp::create(
      builder, scalar, op.getSchedule(), step.clock("step"), step.clock("last"),
      epochs ? Value(step.clock("epoch")) : Value(), op.getRate(), APFloat(to), op.getBy(),
      static_cast<uint64_t>(op.getEvery().convertToDouble()),
      static_cast<uint64_t>(op.getWarmup().convertToDouble()), op.getFactor(), op.getEveryEpochs(),
      op.getWarmupEpochs());
  if (op.getKind() == "adam" || op.getKind() == "adamw") {
    c1 = train::BiasCorrectionOp::create(builder, scalar, step.clock("step"), *op.getBeta1());
    c2 = train::BiasCorrectionOp::create(builder, scalar, step.clock("step"), *op.getBeta2());
  }
  if (const double decay = op.getLrDecay().convertToDouble(); decay != 0) {
    // rate / (1 + t decay), t counting from 0
    const Value t =
        train::CountOp::create(builder, scalar, step.clock("step"), llvm::APFloat(decay));
    learningRate =
        step.binary<train::DivOp>(learningRate, step.binary<train::AddOp>(step.constant(1), t));
  }
}

template <typename Op, typename... Args>
Updated OptimizerUpdates::make(const State &parameter, Value weight, Value gradient,
                               ArrayRef<StringRef> names, double initial, Args... args) {
  SmallVector<Value> operands{weight, gradient};
  SmallVector<FlatSymbolRefAttr> symbols;
  for (StringRef name : names) {
    symbols.push_back(states(parameter, name, initial));
    operands.push_back(step.own(symbols.back(), parameter.type, step.builder.getLoc()));
  }
  const SmallVector<Type> types(names.size() + 1, parameter.type);
  OperationState made(step.builder.getLoc(), Op::getOperationName());
  made.addOperands(operands);
  made.addOperands({learningRate, args...});
  made.addTypes(types);
  // The update op calls its numbers as the optimizer does.
  for (StringRef name : Op::getAttributeNames())
    if (Attribute value = op->getAttr(name))
      made.addAttribute(name, value);
  if (op.getKind() == "adamw")
    made.addAttribute("decoupled", step.builder.getUnitAttr());
  Operation *built = step.builder.create(made);
  Updated updated{built->getResult(0), {}};
  for (auto [symbol, value] : llvm::zip_equal(symbols, built->getResults().drop_front()))
    updated.states.emplace_back(symbol, value);
  return updated;
}

Updated OptimizerUpdates::update(const State &parameter, Value weight, Value gradient) {
  const StringRef kind = op.getKind();
  const bool hasMomentum = op.getMomentum().convertToDouble() != 0;
  SmallVector<StringRef> names;
  if (kind == "sgd") {
    if (hasMomentum)
      names.push_back("momentum");
    return make<train::SgdOp>(parameter, weight, gradient, names, 0);
  }
  if (kind == "rmsprop") {
    names.push_back("square_avg");
    if (hasMomentum)
      names.push_back("momentum_buffer");
    if (op.getCentered())
      names.push_back("grad_avg");
    return make<train::RmspropOp>(parameter, weight, gradient, names, 0);
  }
  if (kind == "adagrad")
    return make<train::AdagradOp>(parameter, weight, gradient, {"sum"},
                                  op.getInitial().convertToDouble());
  if (kind == "lion")
    return make<train::LionOp>(parameter, weight, gradient, {"exp_avg"}, 0);
  return make<train::AdamOp>(parameter, weight, gradient, {"exp_avg", "exp_avg_sq"}, 0, c1, c2);
}

} // namespace sinter::lower
