//===- LowerFunctions.cpp - views, pointwise functions, reductions, losses as train ops -------===//
#include "compiler/lower/StepBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;

namespace sinter::lower {

//===--- views --------------------------------------------------------------------------------===//

LogicalResult StepBuilder::lower(model::FlattenOp op) {
  const Tensor x = get(op.getX());
  const Tensor plain = ordered(x, inOrder(x.rank()));
  set(op.getY(),
      Tensor{
          reshaped(
              plain.value,
              typeOf(modelShape(op.getY()), {0}, x.batched, x.type().getElementType()).getShape()),
          {0},
          x.batched});
  return success();
}

LogicalResult StepBuilder::lower(model::ReshapeOp op) {
  const Tensor x = get(op.getX());
  const Tensor plain = ordered(x, inOrder(x.rank()));
  const auto shape = modelShape(op.getY());
  const Order order = inOrder(static_cast<int64_t>(shape.size()));
  set(op.getY(),
      Tensor{reshaped(plain.value,
                      typeOf(shape, order, x.batched, x.type().getElementType()).getShape()),
             order, x.batched});
  return success();
}

LogicalResult StepBuilder::lower(model::PermuteOp op) {
  Tensor tensor = get(op.getX());
  for (int64_t &axis : tensor.order) // the result's axis i is the operand's axes[i]
    axis = std::distance(op.getAxes().begin(), llvm::find(op.getAxes(), axis));
  set(op.getY(), tensor);
  return success();
}

LogicalResult StepBuilder::lower(model::ConcatOp op) {
  SmallVector<Tensor> tensors;
  for (Value x : op.getXs())
    tensors.push_back(get(x));
  const bool batched = llvm::any_of(tensors, [](const Tensor &tensor) { return tensor.batched; });
  const auto shape = modelShape(op.getY());
  const Order order = commonOrder(tensors, static_cast<int64_t>(shape.size()));
  SmallVector<Value> parts;
  for (const Tensor &tensor : tensors)
    parts.push_back(ordered(batched ? withBatch(tensor) : tensor, order).value);
  const auto type = typeOf(shape, order, batched, tensors.front().type().getElementType());
  Tensor y{{}, order, batched};
  y.value = train::ConcatOp::create(builder, type, parts, y.position(op.getAxis()));
  set(op.getY(), y);
  return success();
}

LogicalResult StepBuilder::lower(model::SliceOp op) {
  Tensor tensor = get(op.getX());
  const auto rank = tensor.type().getRank();
  const int64_t place = tensor.position(op.getAxis());
  SmallVector<int64_t> offsets(rank, 0), strides(rank, 1), shape(tensor.type().getShape());
  offsets[place] = static_cast<int64_t>(op.getFrom());
  strides[place] = static_cast<int64_t>(op.getStep());
  shape[place] = modelShape(op.getY())[op.getAxis()];
  tensor.value =
      train::SliceOp::create(builder, tensor.type().clone(shape), tensor.value, offsets, strides);
  set(op.getY(), tensor);
  return success();
}

LogicalResult StepBuilder::lower(model::PadOp op) {
  Tensor tensor = get(op.getX());
  const auto rank = tensor.type().getRank();
  const int64_t place = tensor.position(op.getAxis());
  SmallVector<int64_t> low(rank, 0), strides(rank, 1), shape(tensor.type().getShape());
  low[place] = static_cast<int64_t>(op.getBefore());
  shape[place] = modelShape(op.getY())[op.getAxis()];
  tensor.value = train::PadOp::create(builder, tensor.type().clone(shape), tensor.value, low,
                                      strides, op.getValue());
  set(op.getY(), tensor);
  return success();
}

//===--- pointwise ----------------------------------------------------------------------------===//

template <typename To> LogicalResult StepBuilder::lowerUnary(Operation *op) {
  const Tensor x = get(op->getOperand(0));
  set(op->getResult(0), Tensor{unary<To>(x.value), x.order, x.batched});
  return success();
}

template <typename To> LogicalResult StepBuilder::lowerBinary(Operation *op) {
  const Pointwise made = pointwise(op->getOperands(), op->getResult(0));
  set(op->getResult(0), made, To::create(builder, made.type, made.operands[0], made.operands[1]));
  return success();
}

LogicalResult StepBuilder::lowerComparison(Operation *op, StringRef predicate) {
  const Pointwise made = pointwise(op->getOperands(), op->getResult(0));
  set(op->getResult(0), made,
      train::CompareOp::create(builder, made.type, predicate, made.operands[0], made.operands[1]));
  return success();
}

LogicalResult StepBuilder::lower(model::WhereOp op) {
  const Pointwise made = pointwise(op->getOperands(), op.getY());
  set(op.getY(), made,
      train::SelectOp::create(builder, made.type, made.operands[0], made.operands[1],
                              made.operands[2]));
  return success();
}

LogicalResult StepBuilder::lower(model::LeakyReluOp op) {
  Tensor x = get(op.getX());
  x.value = train::LeakyReluOp::create(builder, x.type(), x.value, op.getSlope());
  set(op.getY(), x);
  return success();
}

LogicalResult StepBuilder::lower(model::EluOp op) {
  Tensor x = get(op.getX());
  x.value = train::EluOp::create(builder, x.type(), x.value, op.getAlpha());
  set(op.getY(), x);
  return success();
}

LogicalResult StepBuilder::lower(model::GeluOp op) {
  Tensor x = get(op.getX());
  x.value = train::GeluOp::create(builder, x.type(), x.value, op.getApproximate() == "tanh");
  set(op.getY(), x);
  return success();
}

LogicalResult StepBuilder::lower(model::ClampOp op) {
  Tensor x = get(op.getX());
  const double least = op.getMin().convertToDouble(), most = op.getMax().convertToDouble();
  if (!std::isinf(least))
    x.value = binary<train::MaxOp>(x.value, constant(least));
  if (!std::isinf(most))
    x.value = binary<train::MinOp>(x.value, constant(most));
  set(op.getY(), x);
  return success();
}

//===--- along axes ---------------------------------------------------------------------------===//

LogicalResult StepBuilder::lower(model::SoftmaxOp op) {
  Tensor x = withLast(get(op.getX()), op.getAxis());
  x.value = unary<train::SoftmaxOp>(x.value);
  set(op.getY(), x);
  return success();
}

LogicalResult StepBuilder::lower(model::LogSoftmaxOp op) {
  Tensor x = withLast(get(op.getX()), op.getAxis());
  x.value = unary<train::LogSoftmaxOp>(x.value);
  set(op.getY(), x);
  return success();
}

LogicalResult
StepBuilder::lowerReduction(Value operand, ArrayRef<int64_t> axes, bool keep, Value result,
                            function_ref<Value(Value, ArrayRef<int64_t>, Type)> reduce) {
  const Tensor x = get(operand);
  Tensor y{x.value, {}, x.batched};
  SmallVector<int64_t> places, shape;
  if (x.batched)
    shape.push_back(batch);
  Order left; // axes that stay, in memory order
  for (int64_t axis : x.order) {
    if (llvm::is_contained(axes, axis)) {
      places.push_back(x.position(axis));
      continue;
    }
    left.push_back(axis);
    shape.push_back(x.shape()[axis]);
  }
  llvm::sort(places);
  if (!places.empty())
    y.value = reduce(x.value, places, x.type().clone(shape));
  if (keep) { // reduced axes come back behind the others, with extent 1
    y.order = left;
    llvm::append_range(y.order, axes);
    shape.append(axes.size(), 1);
    y.value = reshaped(y.value, shape);
  } else {
    for (int64_t axis : left)
      y.order.push_back(axis - llvm::count_if(axes, [&](int64_t gone) { return gone < axis; }));
  }
  set(result, y);
  return success();
}

LogicalResult StepBuilder::lower(model::SumOp op) {
  return lowerReduction(op.getX(), op.getAxes(), op.getKeep(), op.getY(),
                        [&](Value x, ArrayRef<int64_t> axes, Type type) -> Value {
                          return train::SumOp::create(builder, type, x, axes);
                        });
}

LogicalResult StepBuilder::lower(model::MeanOp op) {
  const double count =
      static_cast<double>(cast<RankedTensorType>(op.getX().getType()).getNumElements() /
                          cast<RankedTensorType>(op.getY().getType()).getNumElements());
  return lowerReduction(op.getX(), op.getAxes(), op.getKeep(), op.getY(),
                        [&](Value x, ArrayRef<int64_t> axes, Type type) -> Value {
                          return binary<train::DivOp>(train::SumOp::create(builder, type, x, axes),
                                                      constant(count));
                        });
}

LogicalResult StepBuilder::lower(model::MaxOp op) {
  return lowerReduction(op.getX(), op.getAxes(), op.getKeep(), op.getY(),
                        [&](Value x, ArrayRef<int64_t> axes, Type type) -> Value {
                          return train::ReduceMaxOp::create(builder, type, x, axes);
                        });
}

LogicalResult StepBuilder::lower(model::MinOp op) {
  return lowerReduction(op.getX(), op.getAxes(), op.getKeep(), op.getY(),
                        [&](Value x, ArrayRef<int64_t> axes, Type type) -> Value {
                          return unary<train::NegOp>(train::ReduceMaxOp::create(
                              builder, type, unary<train::NegOp>(x), axes));
                        });
}

LogicalResult StepBuilder::lower(model::MatmulOp op) {
  // Letters by the result's axes, n and m the last two, k what is summed, b the batch. A leading
  // axis of extent 1 that is repeated is dropped from its operand.
  const auto shape = modelShape(op.getY());
  const auto rank = static_cast<int64_t>(shape.size());
  auto letter = [&](int64_t axis) {
    return axis == rank - 2 ? 'n' : axis == rank - 1 ? 'm' : static_cast<char>('A' + axis);
  };
  auto spell = [&](const Tensor &tensor, int64_t summed) {
    const SmallVector<int64_t> own = tensor.shape();
    const int64_t missing = rank - tensor.rank();
    std::string axes = tensor.batched ? "b" : "";
    SmallVector<int64_t> extents;
    if (tensor.batched)
      extents.push_back(batch);
    for (int64_t axis : tensor.order) {
      const bool leading = axis < tensor.rank() - 2;
      if (leading && own[axis] != shape[axis + missing])
        continue;
      axes += axis == summed ? 'k' : letter(axis + missing);
      extents.push_back(own[axis]);
    }
    return std::pair(axes, reshaped(tensor.value, extents));
  };
  const Tensor a = get(op.getA()), b = get(op.getB());
  const auto [aAxes, aValue] = spell(a, a.rank() - 1);
  const auto [bAxes, bValue] = spell(b, b.rank() - 2);
  const bool batched = a.batched || b.batched;
  std::string yAxes = batched ? "b" : "";
  for (int64_t axis = 0; axis < rank; ++axis)
    yAxes += letter(axis);
  const auto type = typeOf(shape, inOrder(rank), batched, a.type().getElementType());
  const Value y =
      train::ContractOp::create(builder, type, aAxes + "," + bAxes + "->" + yAxes, aValue, bValue);
  set(op.getY(), Tensor{y, inOrder(rank), batched});
  return success();
}

LogicalResult StepBuilder::lower(model::OneHotOp op) {
  const Tensor label = get(op.getLabel());
  const auto shape = modelShape(op.getY());
  Order order = label.order;
  order.push_back(label.rank());
  const auto type = typeOf(shape, order, label.batched, builder.getF32Type());
  const auto dims = llvm::to_vector(llvm::seq<int64_t>(0, label.type().getRank()));
  const Value spread = broadcast(label.value, type.getShape(), dims);
  set(op.getY(), Tensor{train::OneHotOp::create(builder, type, spread), order, label.batched});
  return success();
}

LogicalResult StepBuilder::lower(model::ArgmaxOp op) {
  const auto axis = static_cast<int64_t>(op.getAxis());
  const Tensor x = withLast(get(op.getX()), axis);
  Order order; // without `axis`
  for (int64_t each : ArrayRef(x.order).drop_back())
    order.push_back(each - (each > axis));
  const auto type = RankedTensorType::get(x.type().getShape().drop_back(), builder.getI32Type());
  set(op.getY(), Tensor{train::ArgmaxOp::create(builder, type, x.value), order, x.batched});
  return success();
}

//===--- losses and measures ------------------------------------------------------------------===//

LogicalResult StepBuilder::lower(model::CrossEntropyOp op) {
  const int64_t axis = op.getAxis();
  const Tensor logits = withLast(withBatch(get(op.getLogits())), axis);
  const double smoothing = op.getSmoothing().convertToDouble();
  Order positions; // logits' order without `axis`, as the label counts its axes
  for (int64_t each : ArrayRef(logits.order).drop_back())
    positions.push_back(each - (each > axis));
  const auto eType = logits.type().clone(logits.type().getShape().drop_back());

  const Tensor given = get(op.getLabel());
  if (given.type().getElementType().isInteger(32)) {
    const Tensor label = ordered(withBatch(given), positions);
    const Value e =
        train::CrossEntropyOp::create(builder, eType, logits.value, label.value, op.getSmoothing());
    set(op.getE(), meanPerExample(Tensor{e, positions, true}));
    return success();
  }

  Value target = ordered(withBatch(given), logits.order).value;
  if (smoothing > 0) {
    const double classes = static_cast<double>(logits.type().getShape().back());
    target = binary<train::AddOp>(binary<train::MulOp>(target, constant(1 - smoothing)),
                                  constant(smoothing / classes));
  }
  const Value products = binary<train::MulOp>(target, unary<train::LogSoftmaxOp>(logits.value));
  const Value e = unary<train::NegOp>(sumOver(products, {logits.rank()}));
  set(op.getE(), meanPerExample(Tensor{e, positions, true}));
  return success();
}

LogicalResult StepBuilder::lower(model::MseOp op) {
  const Tensor a = get(op.getA()), b = get(op.getB());
  const bool batched = a.batched || b.batched;
  const Order order = commonOrder({a, b}, a.rank());
  const Value left = ordered(batched ? withBatch(a) : a, order).value;
  const Value right = ordered(batched ? withBatch(b) : b, order).value;
  const Value squares = unary<train::SquareOp>(binary<train::SubOp>(left, right));
  set(op.getE(), meanPerExample(Tensor{squares, order, batched}));
  return success();
}

LogicalResult StepBuilder::lower(model::AccuracyOp op) {
  const int64_t axis = op.getAxis();
  const Tensor logits = withLast(withBatch(get(op.getLogits())), axis);
  Order positions;
  for (int64_t each : ArrayRef(logits.order).drop_back())
    positions.push_back(each - (each > axis));
  const auto shape = logits.type().getShape().drop_back();
  auto intType = RankedTensorType::get(shape, builder.getI32Type());
  const Value best = train::ArgmaxOp::create(builder, intType, logits.value);
  const Value label = ordered(withBatch(get(op.getLabel())), positions).value;
  const Value right =
      train::CompareOp::create(builder, intType.clone(builder.getI1Type()), "eq", best, label);
  const Value share = train::CastOp::create(builder, intType.clone(builder.getF32Type()), right);
  set(op.getShare(), meanPerExample(Tensor{share, positions, true}));
  return success();
}

LogicalResult StepBuilder::lower(model::TopKOp op) {
  const int64_t axis = op.getAxis();
  const Tensor logits = withLast(withBatch(get(op.getLogits())), axis);
  Order positions;
  for (int64_t each : ArrayRef(logits.order).drop_back())
    positions.push_back(each - (each > axis));
  auto type = logits.type();
  const auto shape = type.getShape().drop_back();
  auto bools = type.clone(builder.getI1Type());
  const auto everyAxis = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank() - 1));
  const Value label = ordered(withBatch(get(op.getLabel())), positions).value;
  const Value labels =
      broadcast(label, type.getShape(), everyAxis); // each position's label beside each class
  const auto labelsType = cast<RankedTensorType>(labels.getType());
  const Value isLabel = train::CompareOp::create(
      builder, bools, "gt", train::OneHotOp::create(builder, type, labels), constant(0));
  // The label's logit, beside each class.
  const Value zero = constant(0);
  const Value own = sumOver(train::SelectOp::create(builder, type, isLabel, logits.value, zero),
                            {type.getRank() - 1});
  const Value against = broadcast(own, type.getShape(), everyAxis);
  // Who stands before the label: the larger ones (and what is no number), and equal ones of a lower
  // number.
  const Value number =
      train::NumberOp::create(builder, labelsType, static_cast<uint64_t>(type.getRank() - 1));
  auto compare = [&](StringRef predicate, Value a, Value b) -> Value {
    return train::CompareOp::create(builder, bools, predicate, a, b);
  };
  auto logic = [&](StringRef kind, Value a, Value b) -> Value {
    return train::LogicOp::create(builder, bools, kind, a, b);
  };
  const Value equalBefore =
      logic("and", compare("eq", logits.value, against), compare("lt", number, labels));
  const Value yes = compare("eq", labels, labels);
  const Value larger = logic("xor", compare("le", logits.value, against), yes);
  const Value before = train::CastOp::create(
      builder, type, logic("or", equalBefore, logic("and", larger, logic("xor", isLabel, yes))));
  const Value rank = sumOver(before, {type.getRank() - 1});
  auto perPosition = RankedTensorType::get(shape, builder.getF32Type());
  Value right = train::CompareOp::create(builder, perPosition.clone(builder.getI1Type()), "lt",
                                         rank, constant(static_cast<double>(op.getK())));
  // A label whose own logit is no number is never among them.
  right =
      train::LogicOp::create(builder, right.getType(), "and", right,
                             train::CompareOp::create(builder, right.getType(), "eq", own, own));
  const Value share = train::CastOp::create(builder, perPosition, right);
  set(op.getShare(), meanPerExample(Tensor{share, positions, true}));
  return success();
}

//===--- which op goes where ------------------------------------------------------------------===//

LogicalResult StepBuilder::lowerOp(Operation &operation) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(&operation)
      .Case<model::CallOp, model::FieldOp, model::ReadOp, model::ConstantOp, model::ScheduleOp,
            model::IntegerOp, model::RandomNormalOp, model::RandomUniformOp, model::UpdateOp>(
          [&](auto op) { return lower(op); })
      .Case<model::DenseOp, model::Conv2dOp, model::Conv1dOp, model::ConvTranspose2dOp,
            model::MaxPool2dOp, model::AvgPool2dOp, model::GlobalAvgPoolOp, model::BatchNormOp,
            model::GroupNormOp, model::DropoutOp, model::GaussianNoiseOp, model::Upsample2dOp,
            model::PixelShuffleOp>([&](auto op) { return lower(op); })
      .Case<model::FlattenOp, model::ReshapeOp, model::PermuteOp, model::ConcatOp, model::SliceOp,
            model::PadOp, model::LeakyReluOp, model::EluOp, model::GeluOp, model::ClampOp,
            model::WhereOp>([&](auto op) { return lower(op); })
      .Case<model::SoftmaxOp, model::LogSoftmaxOp, model::SumOp, model::MeanOp, model::MaxOp,
            model::MinOp, model::MatmulOp, model::OneHotOp, model::ArgmaxOp, model::BatchMeanOp,
            model::PairwiseOp, model::MaskColumnsOp, model::BatchCountOp>(
          [&](auto op) { return lower(op); })
      .Case<model::CrossEntropyOp, model::MseOp, model::AccuracyOp, model::TopKOp>(
          [&](auto op) { return lower(op); })
      .Case<model::RnnOp, model::LstmOp, model::GruOp>([&](auto op) { return lower(op); })
      .Case<model::EmbeddingOp, model::SinusoidOp, model::AttentionOp>(
          [&](auto op) { return lower(op); })
#define UNARY(Op) .Case<model::Op>([&](Operation *op) { return lowerUnary<train::Op>(op); })
      // clang-format off
      UNARY(ReluOp) UNARY(SiluOp) UNARY(TanhOp) UNARY(SigmoidOp) UNARY(SoftplusOp) UNARY(ExpOp)
      UNARY(LogOp) UNARY(SqrtOp) UNARY(AbsOp) UNARY(SquareOp) UNARY(SinOp) UNARY(CosOp)
      UNARY(NegOp) UNARY(StopGradientOp) UNARY(Bf16Op)
// clang-format on
#undef UNARY
#define BINARY(From, To)                                                                           \
  .Case<model::From>([&](Operation *op) { return lowerBinary<train::To>(op); })
      // clang-format off
      BINARY(AddOp, AddOp) BINARY(SubOp, SubOp) BINARY(MulOp, MulOp) BINARY(DivOp, DivOp)
      BINARY(PowOp, PowOp) BINARY(MaximumOp, MaxOp) BINARY(MinimumOp, MinOp)
// clang-format on
#undef BINARY
#define COMPARE(From, predicate)                                                                   \
  .Case<model::From>([&](Operation *op) { return lowerComparison(op, predicate); })
      // clang-format off
      COMPARE(EqualOp, "eq") COMPARE(NotEqualOp, "ne") COMPARE(LessOp, "lt")
      COMPARE(LessEqualOp, "le") COMPARE(GreaterOp, "gt") COMPARE(GreaterEqualOp, "ge")
  // clang-format on
#undef COMPARE
      // What a stage says beside its graph is read by whoever builds the step.
      .Case<model::ObjectiveOp, model::PenaltyOp, model::ReportOp, model::RegularizeOp,
            model::ConstrainOp, model::OptimizeOp, model::ClipOp, model::LoadOp, model::CopyOp,
            model::AverageOp, model::ReturnOp>([](Operation *) { return success(); })
      .Default(
          [](Operation *op) { return op->emitOpError("has no lowering to the train dialect"); });
}

} // namespace sinter::lower
