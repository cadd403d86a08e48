//===- TrainToKernel.cpp - a step's graph becomes loops over tensors --------------------------===//
// Every op of a train.step becomes kernel ops on tensors, in the same step, whose arguments and
// commit stay. Ops are taken by what they say about themselves: pointwise ones by their scalar
// body, views by their access map, contractions by their maps; what is left has its own code
// (TrainToKernel*.cpp). Nothing is fused here.
#include "compiler/lower/TrainToKernel.h"

#include "compiler/lower/Passes.h"
#include "compiler/lower/TrainToKernelParts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sinter::lower {
#define GEN_PASS_DEF_TRAINTOKERNEL
#include "compiler/lower/Passes.h.inc"

LogicalResult lowerPointwise(KernelBuilder &builder, train::Pointwise op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  const unsigned rank = type.getRank();
  SweepDomain domain;
  domain.parallel.assign(type.getShape().begin(), type.getShape().end());
  SmallVector<SweepInput> inputs;
  for (Value operand : op->getOperands())
    if (auto tensor = dyn_cast<RankedTensorType>(operand.getType()))
      inputs.push_back({builder.access(operand),
                        tensor.getRank() == 0 ? builder.map(rank, {}) : builder.identity(rank)});
  SmallVector<SweepOutput> outputs;
  for (Type result : op->getResultTypes())
    outputs.push_back({cast<RankedTensorType>(result), builder.identity(rank)});

  SmallVector<Value> results = builder.sweep(
      op->getLoc(), domain, inputs, outputs,
      [&](OpBuilder &at, Location location, ValueRange scalars, ValueRange, ValueRange point) {
        // Index operands come from outside the body, the clock.
        SmallVector<Value> arguments;
        unsigned next = 0;
        for (Value operand : op->getOperands())
          arguments.push_back(isa<RankedTensorType>(operand.getType()) ? scalars[next++] : operand);
        return op.buildScalar(at, location, arguments, point);
      });
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results))
    builder.set(result, tensor);
  return success();
}

/// Elements of a table of numbers: Winograd's 36 × 9 are the largest that a pass makes.
constexpr int64_t mostChoices = 324;

/// One number for all elements needs no memory; a table of different ones becomes a chain of
/// choices, which only a few are worth.
static LogicalResult lowerConstant(KernelBuilder &builder, train::ConstantOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  auto values = dyn_cast<DenseElementsAttr>(op.getValue());
  if (values && values.isSplat()) {
    builder.set(op.getResult(), Access{{},
                                       builder.map(type.getRank(), {}),
                                       cast<TypedAttr>(values.getSplatValue<Attribute>()),
                                       type.getElementType()});
    return success();
  }
  if (!values || type.getNumElements() > mostChoices)
    return op.emitOpError("has no kernel: a constant of more than ")
           << mostChoices << " different numbers";
  const SmallVector<int64_t> shape(type.getShape());
  Value tensor = builder.pointwise(
      op.getLoc(), type, {}, [&](OpBuilder &at, Location location, ValueRange, ValueRange point) {
        auto index = [&](int64_t value) -> Value {
          return arith::ConstantIndexOp::create(at, location, value);
        };
        Value position = index(0);
        for (auto [coordinate, extent] : llvm::zip_equal(point, shape)) {
          position = arith::MulIOp::create(at, location, position, index(extent));
          position = arith::AddIOp::create(at, location, position, coordinate);
        }
        Value chosen;
        for (auto [place, value] : llvm::enumerate(values.getValues<Attribute>())) {
          Value number = arith::ConstantOp::create(at, location, cast<TypedAttr>(value));
          if (chosen) {
            Value isHere = arith::CmpIOp::create(at, location, arith::CmpIPredicate::eq, position,
                                                 index(place));
            chosen = arith::SelectOp::create(at, location, isHere, number, chosen);
          } else {
            chosen = number;
          }
        }
        return chosen;
      });
  builder.set(op.getResult(), tensor);
  return success();
}

namespace {
struct TrainToKernel : impl::TrainToKernelBase<TrainToKernel> {
  void runOnOperation() override {
    for (auto step : getOperation().getOps<train::StepOp>())
      if (failed(lowerStep(step)))
        return signalPassFailure();
  }

  LogicalResult lowerStep(train::StepOp step) {
    KernelBuilder builder(step);
    train::CommitOp commit = step.getCommit();
    SmallVector<Operation *> ops;
    for (Operation &op : step.getBody().front().without_terminator())
      ops.push_back(&op);
    for (Operation *op : ops) {
      builder.builder.setInsertionPoint(commit);
      Operation *before = commit->getPrevNode();
      if (failed(lower(builder, op)))
        return failure();
      // What is computed again is no copy of the first: nothing joins the two.
      if (op->hasAttr("train.again"))
        for (Operation *made = commit->getPrevNode(); made != before; made = made->getPrevNode())
          made->setAttr("kernel.again", builder.builder.getUnitAttr());
      ++numLowered;
    }
    builder.builder.setInsertionPoint(commit);
    for (OpOperand &operand : commit->getOpOperands())
      operand.set(builder.inMemory(operand.get()));
    for (Operation *op : llvm::reverse(ops)) {
      if (!op->use_empty())
        return op->emitOpError("is still used behind the lowering");
      op->erase();
    }
    return success();
  }

  static LogicalResult lower(KernelBuilder &builder, Operation *op) {
    if (isa<kernel::KernelDialect, tensor::TensorDialect>(op->getDialect()))
      return op->emitOpError("stands in a step that is not lowered yet");
    if (auto constant = dyn_cast<train::ConstantOp>(op))
      return lowerConstant(builder, constant);
    if (auto pointwise = dyn_cast<train::Pointwise>(op))
      return lowerPointwise(builder, pointwise);
    if (auto view = dyn_cast<train::View>(op))
      return lowerView(builder, view);
    if (auto contraction = dyn_cast<train::Contraction>(op))
      return lowerContraction(builder, contraction);
    if (auto scan = dyn_cast<train::ScanOp>(op))
      return lowerScan(builder, scan, lower);
    return TypeSwitch<Operation *, LogicalResult>(op)
        .Case<train::SumOp, train::ReduceMaxOp, train::ArgmaxOp, train::BatchMeanOp,
              train::MomentsOp>([&](auto) { return lowerReduction(builder, op); })
        .Case<train::SoftmaxOp, train::LogSoftmaxOp, train::CrossEntropyOp,
              train::CrossEntropyGradOp>([&](auto) { return lowerNormalization(builder, op); })
        .Case<train::AttentionOp, train::AttentionGradOp>(
            [&](auto) { return lowerAttention(builder, op); })
        .Case<train::WinogradOp, train::WinogradWeightGradOp>(
            [&](auto) { return lowerWinograd(builder, op); })
        .Case<train::GatherOp, train::GatherGradOp>([&](auto) { return lowerTable(builder, op); })
        .Case<train::MaxPool2dOp, train::MaxPool2dGradOp, train::AvgPool2dOp,
              train::AvgPool2dGradOp>([&](auto) { return lowerPool(builder, op); })
        .Default([&](auto) { return op->emitOpError("has no kernel"); });
  }
};
} // namespace
} // namespace sinter::lower
