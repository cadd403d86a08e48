//===- StepBuilder.cpp - a step's arguments, and how tensors lie in it ------------------------===//
#include "compiler/lower/StepBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <utility>

using namespace mlir;

namespace sinter::lower {

Order inOrder(int64_t rank) { return llvm::to_vector<4>(llvm::seq<int64_t>(0, rank)); }

Order activationOrder(int64_t rank) { return rank == 3 ? Order{1, 2, 0} : inOrder(rank); }

SmallVector<int64_t> Tensor::shape() const {
  SmallVector<int64_t> shape(rank());
  for (int64_t i = 0; i < rank(); ++i)
    shape[order[i]] = type().getDimSize(i + batched);
  return shape;
}

int64_t Tensor::position(int64_t axis) const {
  return std::distance(order.begin(), llvm::find(order, axis)) + batched;
}

//===--- arguments ----------------------------------------------------------------------------===//

StepBuilder::StepBuilder(OpBuilder &outer, model::TrainOp train, model::DataOp data,
                         const States &states, model::StageOp stage, StringRef name, StringRef kind)
    : builder(stage.getLoc(), outer), data(data), train(train), states(states),
      batch(static_cast<int64_t>(stage.getBatch())), training(kind == "train") {
  if (auto layers = stage.getFrozenLayers())
    for (StringRef layer : layers->getAsValueRange<StringAttr>())
      frozenLayers[layer] = true;
  if (auto parts = stage.getRecompute(); parts && training)
    llvm::append_range(recompute, parts->getAsValueRange<StringAttr>());

  SmallVector<Type> types;
  SmallVector<Location> locations;
  SmallVector<Attribute> bindings;
  auto add = [&](Type type, Location location, ArrayRef<NamedAttribute> binding) {
    types.push_back(type);
    locations.push_back(location);
    bindings.push_back(builder.getDictionaryAttr(binding));
  };
  static constexpr StringRef clockNames[] = {"step", "last", "count", "seed", "draw", "epoch"};
  for (StringRef clock : clockNames)
    add(builder.getIndexType(), NameLoc::get(builder.getStringAttr(clock), stage.getLoc()),
        builder.getNamedAttr("train.clock", builder.getStringAttr(clock)));
  add(RankedTensorType::get({batch}, builder.getI32Type()),
      NameLoc::get(builder.getStringAttr("ids"), stage.getLoc()),
      builder.getNamedAttr("train.clock", builder.getStringAttr("ids")));

  SmallVector<std::pair<StringAttr, Order>> fieldOrders;
  for (auto field : data.getFields().getAsRange<DictionaryAttr>()) {
    auto fieldName = field.getAs<StringAttr>("name");
    const RankedTensorType perExample = data.getFieldType(fieldName.getValue());
    const Order order = activationOrder(perExample.getRank());
    SmallVector<NamedAttribute> binding{builder.getNamedAttr("train.data", fieldName)};
    if (order != inOrder(perExample.getRank()))
      binding.push_back(builder.getNamedAttr("train.perm", builder.getDenseI64ArrayAttr(order)));
    // Conditions lie in memory as numbers, 0 or 1.
    const Type element = perExample.getElementType().isInteger(1) ? builder.getF32Type()
                                                                  : perExample.getElementType();
    add(typeOf(perExample.getShape(), order, true, element), NameLoc::get(fieldName, data.getLoc()),
        binding);
    fieldOrders.emplace_back(fieldName, order);
  }
  for (const auto &[stateName, state] : states)
    add(state.type, state.location, builder.getNamedAttr("train.reads", state.symbol));

  step = train::StepOp::create(builder, name, builder.getFunctionType(types, {}), kind,
                               builder.getArrayAttr(bindings), ArrayAttr());
  if (stage.getBf16() && kind != "update")
    step->setAttr("bf16", builder.getUnitAttr());
  Block *block = builder.createBlock(&step.getBody(), {}, types, locations);
  unsigned next = 0;
  for (StringRef clock : clockNames)
    clocks[clock] = block->getArgument(next++);
  clocks["ids"] = block->getArgument(next++);
  for (const auto &[fieldName, order] : fieldOrders)
    fields[fieldName] = Tensor{block->getArgument(next++), order, true};
}

std::optional<Tensor> StepBuilder::field(StringRef name) {
  auto found = fields.find(name);
  if (found == fields.end())
    return std::nullopt;
  if (!data.getFieldType(name).getElementType().isInteger(1))
    return found->second;
  auto [condition, fresh] = conditions.try_emplace(name, found->second);
  if (fresh) {
    Value &value = condition->second.value;
    auto type = cast<RankedTensorType>(value.getType());
    value = train::CompareOp::create(builder, type.clone(builder.getI1Type()), "ne", value,
                                     constant(0));
  }
  return condition->second;
}

Tensor StepBuilder::state(StringRef name) const {
  const State &state = states.find(StringAttr::get(builder.getContext(), name))->second;
  train::StepOp readOnly = step;
  return Tensor{readOnly.getState(state.symbol.getValue()), state.order, false};
}

BlockArgument StepBuilder::read(FlatSymbolRefAttr symbol, Type type, Location location) {
  if (BlockArgument argument = step.getState(symbol.getValue()))
    return argument;
  const unsigned index = step.getNumArguments();
  // The new argument comes last, and nothing is read there: this cannot fail.
  (void)step.insertArgument(index, type, builder.getDictionaryAttr({}), location);
  step.setArgAttr(index, "train.reads", symbol);
  return step.getArgument(index);
}

BlockArgument StepBuilder::own(FlatSymbolRefAttr symbol, Type type, Location location) {
  const BlockArgument argument = read(symbol, type, location);
  step.removeArgAttr(argument.getArgNumber(), "train.reads");
  step.setArgAttr(argument.getArgNumber(), "train.owns", symbol);
  return argument;
}

train::StepOp StepBuilder::finish() {
  llvm::BitVector unread(step.getNumArguments());
  for (BlockArgument argument : step.getArguments())
    if (argument.use_empty() && !step.getArgAttr(argument.getArgNumber(), "train.owns"))
      unread.set(argument.getArgNumber());
  (void)step.eraseArguments(unread);
  return step;
}

//===--- layout -------------------------------------------------------------------------------===//

RankedTensorType StepBuilder::typeOf(ArrayRef<int64_t> shape, ArrayRef<int64_t> order, bool batched,
                                     Type element) {
  SmallVector<int64_t> extents;
  if (batched)
    extents.push_back(batch);
  for (int64_t axis : order)
    extents.push_back(shape[axis]);
  return RankedTensorType::get(extents, element);
}

ArrayRef<int64_t> StepBuilder::modelShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Value StepBuilder::reshaped(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return train::ReshapeOp::create(builder, type.clone(shape), value);
}

Value StepBuilder::transposed(Value value, ArrayRef<int64_t> perm) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape, moved; // moved: the axes whose order can be seen
  for (int64_t axis : perm) {
    shape.push_back(type.getDimSize(axis));
    if (shape.back() != 1)
      moved.push_back(axis);
  }
  if (llvm::is_sorted(moved))
    return reshaped(value, shape);
  return train::TransposeOp::create(builder, type.clone(shape), value, perm);
}

Value StepBuilder::broadcast(Value value, ArrayRef<int64_t> shape, ArrayRef<int64_t> dims) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return train::BroadcastOp::create(builder, type.clone(shape), value, dims);
}

Tensor StepBuilder::ordered(const Tensor &tensor, ArrayRef<int64_t> order) {
  SmallVector<int64_t> perm;
  if (tensor.batched)
    perm.push_back(0);
  for (int64_t axis : order)
    perm.push_back(tensor.position(axis));
  return Tensor{transposed(tensor.value, perm), Order(order), tensor.batched};
}

Tensor StepBuilder::withLast(const Tensor &tensor, int64_t axis) {
  Order order = tensor.order;
  llvm::erase(order, axis);
  order.push_back(axis);
  return ordered(tensor, order);
}

Tensor StepBuilder::withBatch(const Tensor &tensor) {
  if (tensor.batched)
    return tensor;
  SmallVector<int64_t> shape{batch};
  llvm::append_range(shape, tensor.type().getShape());
  const auto dims = llvm::to_vector(llvm::seq<int64_t>(1, tensor.rank() + 1));
  return Tensor{train::BroadcastOp::create(builder, tensor.type().clone(shape), tensor.value, dims),
                tensor.order, true};
}

Value StepBuilder::operandFor(const Tensor &tensor, ArrayRef<int64_t> shape,
                              ArrayRef<int64_t> order, bool batched) {
  if (!tensor.batched && tensor.type().getNumElements() == 1)
    return reshaped(tensor.value, {}); // rank 0 stands for every element

  // Extents that are repeated are dropped, the others brought to the result's order, then spread.
  const auto missing = static_cast<int64_t>(shape.size()) - tensor.rank();
  const SmallVector<int64_t> own = tensor.shape();
  SmallVector<int64_t> perm, kept, dims;
  if (tensor.batched) {
    perm.push_back(0);
    kept.push_back(batch);
    dims.push_back(0);
  }
  SmallVector<int64_t> dropped;
  for (auto [place, axis] : llvm::enumerate(order)) {
    if (axis < missing)
      continue;
    const int64_t ownAxis = axis - missing;
    if (own[ownAxis] != shape[axis]) {
      dropped.push_back(ownAxis);
      continue;
    }
    perm.push_back(tensor.position(ownAxis));
    kept.push_back(own[ownAxis]);
    dims.push_back(static_cast<int64_t>(place) + batched);
  }
  for (int64_t axis : dropped)
    perm.push_back(tensor.position(axis));
  const Value arranged = reshaped(transposed(tensor.value, perm), kept);
  return broadcast(arranged,
                   typeOf(shape, order, batched, tensor.type().getElementType()).getShape(), dims);
}

Order StepBuilder::commonOrder(ArrayRef<Tensor> operands, int64_t rank) {
  const Tensor *best = nullptr;
  for (const Tensor &operand : operands)
    if (operand.rank() == rank && (!best || (operand.batched && !best->batched)))
      best = &operand;
  return best ? best->order : activationOrder(rank);
}

StepBuilder::Pointwise StepBuilder::pointwise(ValueRange operands, Value result) {
  SmallVector<Tensor> tensors;
  for (Value operand : operands)
    tensors.push_back(get(operand));
  const ArrayRef<int64_t> shape = modelShape(result);
  Pointwise made;
  made.batched = llvm::any_of(tensors, [](const Tensor &tensor) { return tensor.batched; });
  made.order = commonOrder(tensors, static_cast<int64_t>(shape.size()));
  made.type = typeOf(shape, made.order, made.batched,
                     cast<RankedTensorType>(result.getType()).getElementType());
  for (const Tensor &tensor : tensors)
    made.operands.push_back(operandFor(tensor, shape, made.order, made.batched));
  // Operands of one element each became scalars: then one of them must say the result's shape.
  const bool anyFull = llvm::any_of(
      made.operands, [&](Value operand) { return modelShape(operand) == made.type.getShape(); });
  if (!anyFull)
    made.operands.front() = reshaped(made.operands.front(), made.type.getShape());
  return made;
}

//===--- small pieces -------------------------------------------------------------------------===//

Value StepBuilder::constant(double value) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return train::ConstantOp::create(builder, type,
                                   DenseElementsAttr::get(type, static_cast<float>(value)));
}

Value StepBuilder::sumOver(Value x, ArrayRef<int64_t> axes) {
  if (axes.empty())
    return x;
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (!llvm::is_contained(axes, axis))
      shape.push_back(type.getDimSize(axis));
  return train::SumOp::create(builder, type.clone(shape), x, axes);
}

Value StepBuilder::sumAll(Value x) {
  return sumOver(
      x, llvm::to_vector(llvm::seq<int64_t>(0, cast<RankedTensorType>(x.getType()).getRank())));
}

Tensor StepBuilder::meanPerExample(const Tensor &tensor) {
  const auto axes = llvm::to_vector(llvm::seq<int64_t>(tensor.batched, tensor.type().getRank()));
  const int64_t positions = llvm::product_of(tensor.shape());
  Value mean = sumOver(tensor.value, axes);
  if (positions != 1)
    mean = binary<train::DivOp>(mean, constant(static_cast<double>(positions)));
  return Tensor{mean, {}, tensor.batched};
}

Value StepBuilder::batchMean(const Tensor &perExample) {
  if (!perExample.batched)
    return perExample.value; // it is the same for every example
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return train::BatchMeanOp::create(builder, type, perExample.value, clock("count"));
}

Value StepBuilder::asResult(const Tensor &tensor) {
  Value value = ordered(withBatch(tensor), inOrder(tensor.rank())).value;
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.getElementType().isF32())
    value = train::CastOp::create(builder, type.clone(builder.getF32Type()), value);
  return value;
}

bool StepBuilder::trains(StringRef layer) const { return training && !frozenLayers.count(layer); }

//===--- sources and calls --------------------------------------------------------------------===//

LogicalResult StepBuilder::lower(model::FieldOp op) {
  set(op.getValue(), *field(op.getName()));
  return success();
}

LogicalResult StepBuilder::lower(model::ReadOp op) {
  set(op.getValue(), state(op.getParameter()));
  return success();
}

LogicalResult StepBuilder::lower(model::ConstantOp op) {
  set(op.getY(), Tensor{constant(op.getValue().convertToDouble()), {}, false});
  return success();
}

LogicalResult StepBuilder::lower(model::ScheduleOp op) {
  const bool epochs = op.getEveryEpochs() || op.getWarmupEpochs();
  const Value value = train::RateOp::create(
      builder, RankedTensorType::get({}, builder.getF32Type()), op.getSchedule(), clock("step"),
      clock("last"), epochs ? clock("epoch") : Value(), op.getValue(), op.getTo(), op.getBy(),
      op.getEvery(), op.getWarmup(), APFloat(1.0), op.getEveryEpochs(), op.getWarmupEpochs());
  set(op.getY(), Tensor{value, {}, false});
  return success();
}

LogicalResult StepBuilder::lower(model::IntegerOp op) {
  auto type = RankedTensorType::get({}, builder.getI32Type());
  const auto value = DenseElementsAttr::get(type, static_cast<int32_t>(op.getValue()));
  set(op.getY(), Tensor{train::ConstantOp::create(builder, type, value), {}, false});
  return success();
}

FailureOr<SmallVector<Tensor>> StepBuilder::callNet(model::NetOp net, ArrayRef<Tensor> inputs) {
  auto same = [](const Tensor &a, const Tensor &b) {
    return a.value == b.value && a.order == b.order;
  };
  for (const Call &call : calls)
    if (call.net == net && llvm::equal(call.inputs, inputs, same))
      return call.results;

  Block &body = net.getBody().front();
  for (auto [argument, input] : llvm::zip_equal(body.getArguments(), inputs))
    set(argument, input);
  ++netCalls;
  part.clear();
  const bool wasInNet = std::exchange(inNet, true);
  const LogicalResult lowered = lowerGraph(body);
  inNet = wasInNet;
  if (failed(lowered))
    return failure();
  Call call{net, SmallVector<Tensor>(inputs), {}};
  for (Value value : body.getTerminator()->getOperands())
    call.results.push_back(get(value));
  calls.push_back(call);
  return call.results;
}

LogicalResult StepBuilder::lower(model::CallOp op) {
  SmallVector<Tensor> inputs;
  for (Value input : op.getInputs())
    inputs.push_back(get(input));
  auto results = callNet(train.lookupSymbol<model::NetOp>(op.getNet()), inputs);
  if (failed(results))
    return failure();
  for (auto [value, tensor] : llvm::zip_equal(op.getOutputs(), *results))
    set(value, tensor);
  return success();
}

LogicalResult StepBuilder::lowerGraph(Block &block) {
  for (Operation &op : block) {
    builder.setLoc(op.getLoc());
    Block *built = builder.getInsertionBlock();
    Operation *before = built->empty() ? nullptr : &built->back();
    if (failed(lowerOp(op)))
      return failure();
    markAgain(op, before);
  }
  return success();
}

void StepBuilder::markAgain(Operation &from, Operation *before) {
  auto within = from.getAttrOfType<StringAttr>("within");
  if (recompute.empty() || !inNet || !within)
    return;
  const StringRef owner = within.getValue();
  auto *instance = llvm::find_if(recompute, [&](StringRef each) {
    return !each.empty() &&
           (owner == each || (owner.starts_with(each) && owner[each.size()] == '.'));
  });
  // What belongs to the model itself goes with the instance before it.
  const bool asBefore =
      instance == recompute.end() && owner.empty() && llvm::is_contained(recompute, StringRef());
  if (instance == recompute.end() && !asBefore)
    return;
  if (!asBefore)
    part = (*instance + "#" + Twine(netCalls)).str();
  else if (part.empty())
    part = "#" + std::to_string(netCalls);
  Block *block = builder.getInsertionBlock();
  if (block->empty())
    return;
  for (Operation *op = before ? before->getNextNode() : &block->front(); op; op = op->getNextNode())
    op->setAttr("train.part", builder.getStringAttr(part));
}

} // namespace sinter::lower
