//===- LowerRecurrent.cpp - rnn, lstm and gru as a scan ---------------------------------------===//
// What a step takes from its input alone needs no order: one product over all steps stands in front of
// the scan. Within it are the product with the state and the gates.
#include "compiler/lower/StepBuilder.h"

#include "dialects/train/Emit.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::lower {
namespace {

/// The body of a scan on its way.
class Cell {
public:
  Cell(OpBuilder &builder, Location location, Block &step, int64_t size)
      : emit(builder, location), step(step), size(size) {}

  /// h · W of the step before, W as it lies.
  Value recurrent(Value h, Value weight, StringRef weightAxes) {
    auto type = cast<RankedTensorType>(h.getType());
    const int64_t columns = cast<RankedTensorType>(weight.getType()).getNumElements() / size;
    return emit.contract(("bk," + weightAxes + "->bn").str(), h, weight,
                         type.clone(ArrayRef<int64_t>{type.getDimSize(0), columns}));
  }
  Value gate(Value gates, int64_t number) {
    auto type = cast<RankedTensorType>(gates.getType());
    return train::SliceOp::create(emit.builder, emit.location,
                                  type.clone(ArrayRef<int64_t>{type.getDimSize(0), size}), gates,
                                  ArrayRef<int64_t>{0, number * size}, ArrayRef<int64_t>{1, 1});
  }
  Value sigmoid(Value x) { return emit.unary<train::SigmoidOp>(x); }
  Value tanh(Value x) { return emit.unary<train::TanhOp>(x); }

  train::Emit emit;
  Block &step;
  const int64_t size;
};

/// Gates of a model op, in PyTorch's order.
int64_t gatesOf(Operation *op) {
  return isa<model::LstmOp>(op) ? 4 : isa<model::GruOp>(op) ? 3 : 1;
}

/// What is carried on, the state h first.
SmallVector<Value> stepOf(model::RnnOp, Cell &cell, StringRef weightAxes) {
  const Value x = cell.step.getArgument(0), h = cell.step.getArgument(1);
  return {cell.tanh(cell.emit.add(x, cell.recurrent(h, cell.step.getArgument(2), weightAxes)))};
}

SmallVector<Value> stepOf(model::LstmOp, Cell &cell, StringRef weightAxes) {
  train::Emit &emit = cell.emit;
  const Value x = cell.step.getArgument(0), h = cell.step.getArgument(1),
              c = cell.step.getArgument(2);
  const Value gates = emit.add(x, cell.recurrent(h, cell.step.getArgument(3), weightAxes));
  const Value in = cell.sigmoid(cell.gate(gates, 0)), forget = cell.sigmoid(cell.gate(gates, 1)),
              fresh = cell.tanh(cell.gate(gates, 2)), out = cell.sigmoid(cell.gate(gates, 3));
  const Value c1 = emit.add(emit.mul(forget, c), emit.mul(in, fresh));
  return {emit.mul(out, cell.tanh(c1)), c1};
}

/// The reset gate acts behind the product with the state, bias and all, as in PyTorch and cuDNN.
SmallVector<Value> stepOf(model::GruOp, Cell &cell, StringRef weightAxes) {
  train::Emit &emit = cell.emit;
  const Value x = cell.step.getArgument(0), h = cell.step.getArgument(1);
  Value recurrent = cell.recurrent(h, cell.step.getArgument(2), weightAxes);
  if (cell.step.getNumArguments() > 3)
    recurrent = emit.add(recurrent,
                         emit.broadcast(cell.step.getArgument(3), train::shapeOf(recurrent), {1}));
  const Value reset = cell.sigmoid(emit.add(cell.gate(x, 0), cell.gate(recurrent, 0))),
              update = cell.sigmoid(emit.add(cell.gate(x, 1), cell.gate(recurrent, 1)));
  const Value fresh =
      cell.tanh(emit.add(cell.gate(x, 2), emit.mul(reset, cell.gate(recurrent, 2))));
  return {emit.add(emit.mul(emit.sub(emit.scalar(1), update), fresh), emit.mul(update, h))};
}

} // namespace

template <typename Op> LogicalResult StepBuilder::lowerRecurrent(Op op) {
  const Tensor x = ordered(withBatch(get(op.getX())), {0, 1});
  const Tensor weightIn = get(op.getWeightIh()), weight = get(op.getWeightHh());
  const auto varies = [&](Value value) { return get(value).batched; };
  if (weightIn.batched || weight.batched || llvm::any_of(op.getBiases(), varies))
    return op.emitOpError("takes weights that are the same for every example");
  const int64_t gates = gatesOf(op.getOperation()), size = weight.shape()[1], steps = x.shape()[0];
  const bool isGru = isa<model::GruOp>(op.getOperation());
  const auto axesOf = [](const Tensor &tensor) {
    std::string axes;
    for (int64_t axis : tensor.order)
      axes += axis == 0 ? 'n' : 'k';
    return axes;
  };

  Value projected = train::ContractOp::create(
      builder, x.type().clone(ArrayRef<int64_t>{batch, steps, gates * size}),
      "btk," + axesOf(weightIn) + "->btn", x.value, weightIn.value);
  SmallVector<Value> constants{weight.value};
  if (!op.getBiases().empty()) {
    Value bias = get(op.getBiases()[0]).value;
    const Value other = get(op.getBiases()[1]).value;
    if (isGru)
      constants.push_back(other);
    else
      bias = binary<train::AddOp>(bias, other);
    auto type = cast<RankedTensorType>(projected.getType());
    projected = binary<train::AddOp>(projected, broadcast(bias, type.getShape(), {2}));
  }

  const auto stateType = x.type().clone(ArrayRef<int64_t>{batch, size});
  const Value zero =
      train::ConstantOp::create(builder, stateType, DenseElementsAttr::get(stateType, 0.0f));
  const SmallVector<Value> initial(isa<model::LstmOp>(op.getOperation()) ? 2 : 1, zero);
  SmallVector<Type> types(initial.size(), stateType);
  if (!op.getLast())
    types.push_back(train::ScanOp::overTime(stateType, steps));
  auto scan = train::ScanOp::create(builder, types, projected, initial, constants, steps,
                                    /*backwards=*/false);
  {
    OpBuilder::InsertionGuard guard(builder);
    Block *block = builder.createBlock(&scan.getBody());
    block->addArgument(x.type().clone(ArrayRef<int64_t>{batch, gates * size}), op.getLoc());
    for (Value value : initial)
      block->addArgument(value.getType(), op.getLoc());
    for (Value value : constants)
      block->addArgument(value.getType(), op.getLoc());
    Cell cell(builder, op.getLoc(), *block, size);
    const SmallVector<Value> carried = stepOf(op, cell, axesOf(weight));
    train::NextOp::create(builder, carried, op.getLast() ? ValueRange() : ValueRange(carried[0]));
  }
  if (op.getLast())
    set(op.getY(), Tensor{scan.getResult(0), {0}, true});
  else
    set(op.getY(), Tensor{scan.getResults().back(), {0, 1}, true});
  return success();
}

LogicalResult StepBuilder::lower(model::RnnOp op) { return lowerRecurrent(op); }
LogicalResult StepBuilder::lower(model::LstmOp op) { return lowerRecurrent(op); }
LogicalResult StepBuilder::lower(model::GruOp op) { return lowerRecurrent(op); }

} // namespace sinter::lower
