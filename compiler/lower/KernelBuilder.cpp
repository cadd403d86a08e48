//===- KernelBuilder.cpp - building sweeps over values that may be views ----------------------===//
#include "compiler/lower/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::lower {

RankedTensorType memoryType(RankedTensorType type) {
  if (!type.getElementType().isInteger(1))
    return type;
  return type.clone(IntegerType::get(type.getContext(), 8));
}

int64_t numShards(int64_t extent) {
  for (int64_t shards = 8; shards > 1; --shards)
    if (extent % shards == 0)
      return shards;
  return 1;
}

Value sumShards(KernelBuilder &builder, Location place, Value shards, RankedTensorType type) {
  const unsigned rank = type.getRank();
  SweepDomain domain;
  domain.parallel.assign(type.getShape().begin(), type.getShape().end());
  domain.reduce.push_back(cast<RankedTensorType>(shards.getType()).getDimSize(0));
  domain.init.push_back(builder.builder.getF32FloatAttr(0));
  SmallVector<unsigned> read{rank}, written;
  for (unsigned axis = 0; axis < rank; ++axis) {
    read.push_back(axis);
    written.push_back(axis);
  }
  return builder.sweep(
      place, domain, SweepInput{builder.whole(shards), builder.axes(rank + 1, read)},
      SweepOutput{type, builder.axes(rank + 1, written)},
      [](OpBuilder &at, Location location, ValueRange inputs, ValueRange sums, ValueRange) {
        return SmallVector<Value>{arith::AddFOp::create(at, location, sums[0], inputs[0])};
      })[0];
}

Access KernelBuilder::whole(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return {tensor, identity(type.getRank()), {}, type.getElementType()};
}

Access KernelBuilder::access(Value value) {
  if (auto found = values.find(value); found != values.end())
    return found->second;
  return whole(value);
}

void KernelBuilder::set(Value value, Value tensor) {
  Access access = whole(tensor);
  access.element = cast<RankedTensorType>(value.getType()).getElementType();
  values[value] = access;
}

Value KernelBuilder::empty(Location location, RankedTensorType type) {
  return tensor::EmptyOp::create(builder, location, type.getShape(), type.getElementType());
}

Value KernelBuilder::inMemory(Value value) {
  Access source = access(value);
  Value tensor =
      inMemory(source, cast<RankedTensorType>(value.getType()).getShape(), value.getLoc());
  set(value, tensor);
  return tensor;
}

Value KernelBuilder::inMemory(const Access &source, ArrayRef<int64_t> shape, Location location) {
  if (source.tensor && source.map.isIdentity() &&
      cast<RankedTensorType>(source.tensor.getType()).getShape() == shape)
    return source.tensor;
  return pointwise(location, RankedTensorType::get(shape, source.element), source,
                   [](OpBuilder &, Location, ValueRange inputs, ValueRange) { return inputs[0]; });
}

SmallVector<Value> KernelBuilder::sweep(Location location, const SweepDomain &domain,
                                        ArrayRef<SweepInput> inputs, ArrayRef<SweepOutput> outputs,
                                        SweepBody body) {
  SmallVector<Value> inputTensors, outputTensors;
  SmallVector<AffineMap> maps;
  for (const SweepInput &input : inputs) {
    if (input.value.splat)
      continue;
    inputTensors.push_back(input.value.tensor);
    maps.push_back(simplifyAffineMap(input.value.map.compose(input.at)));
  }
  SmallVector<Type> resultTypes;
  for (const SweepOutput &output : outputs) {
    resultTypes.push_back(memoryType(output.type));
    outputTensors.push_back(empty(location, memoryType(output.type)));
    maps.push_back(output.at);
  }

  IntegerSet guard = domain.guard;
  ArrayAttr init;
  if (!domain.init.empty())
    init = builder.getArrayAttr(SmallVector<Attribute>(domain.init.begin(), domain.init.end()));
  auto op = kernel::SweepOp::create(
      builder, location, resultTypes, inputTensors, outputTensors, domain.parallel, domain.reduce,
      builder.getAffineMapArrayAttr(maps), init,
      guard ? IntegerSetAttr::get(guard) : IntegerSetAttr(), domain.zero);

  OpBuilder::InsertionGuard restore(builder);
  Block *block = builder.createBlock(&op.getBody());
  SmallVector<Value> scalars, accumulated, point;
  for (const SweepInput &input : inputs) {
    if (input.value.splat) {
      scalars.push_back(arith::ConstantOp::create(builder, location, input.value.splat));
      continue;
    }
    const Type stored = cast<RankedTensorType>(input.value.tensor.getType()).getElementType();
    Value scalar = block->addArgument(stored, location);
    if (stored != input.value.element)
      scalar = arith::CmpIOp::create(
          builder, location, arith::CmpIPredicate::ne, scalar,
          arith::ConstantOp::create(builder, location, builder.getIntegerAttr(stored, 0)));
    scalars.push_back(scalar);
  }
  if (!domain.reduce.empty())
    for (const SweepOutput &output : outputs)
      accumulated.push_back(block->addArgument(memoryType(output.type).getElementType(), location));
  for (unsigned axis = 0; axis < domain.rank(); ++axis)
    point.push_back(kernel::IndexOp::create(builder, location, builder.getIndexType(), axis));

  SmallVector<Value> yielded = body(builder, location, scalars, accumulated, point);
  for (auto [value, output] : llvm::zip_equal(yielded, outputs))
    if (value.getType() != memoryType(output.type).getElementType())
      value = arith::ExtUIOp::create(builder, location, memoryType(output.type).getElementType(),
                                     value);
  kernel::YieldOp::create(builder, location, yielded);
  // What the body does not use; backwards, so that users go first.
  for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&inner))
      inner.erase();
  return llvm::to_vector_of<Value>(op.getResults());
}

Value KernelBuilder::pointwise(
    Location location, RankedTensorType type, ArrayRef<Access> inputs,
    llvm::function_ref<Value(OpBuilder &, Location, ValueRange, ValueRange)> body) {
  const unsigned rank = type.getRank();
  SweepDomain domain;
  domain.parallel.assign(type.getShape().begin(), type.getShape().end());
  SmallVector<SweepInput> reads;
  for (const Access &input : inputs) {
    const bool isScalar = input.splat || input.map.getNumDims() == 0;
    reads.push_back({input, isScalar ? map(rank, {}) : identity(rank)});
  }
  return sweep(
      location, domain, reads, SweepOutput{type, identity(rank)},
      [&](OpBuilder &at, Location place, ValueRange scalars, ValueRange, ValueRange point) {
        return SmallVector<Value>{body(at, place, scalars, point)};
      })[0];
}

} // namespace sinter::lower
