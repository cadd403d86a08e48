//===- Emit.cpp -------------------------------------------------------------------------------===//
#include "dialects/train/Emit.h"

#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace sinter::train;

Location sinter::train::gradientLocation(Operation *op) {
  return NameLoc::get(StringAttr::get(op->getContext(), "gradient"), op->getLoc());
}

Location sinter::train::joinLocations(Location first, Location second) {
  if (first == second)
    return first;
  return FusedLoc::get(first.getContext(), {first, second});
}

Type Emit::wider(Value a, Value b) {
  return shapeOf(a).size() >= shapeOf(b).size() ? a.getType() : b.getType();
}

Value Emit::scalar(double value) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return ConstantOp::create(builder, location, type,
                            DenseElementsAttr::get(type, static_cast<float>(value)));
}

Value Emit::compare(StringRef predicate, Value a, Value b) {
  auto type = cast<RankedTensorType>(wider(a, b)).clone(builder.getI1Type());
  return CompareOp::create(builder, location, type, predicate, a, b);
}

Value Emit::select(Value c, Value a, Value b) {
  Type type = wider(a, b);
  if (cast<RankedTensorType>(type).getRank() == 0)
    type = cast<RankedTensorType>(c.getType()).clone(builder.getF32Type());
  return SelectOp::create(builder, location, type, c, a, b);
}

Value Emit::sum(Value x, ArrayRef<int64_t> axes) {
  if (axes.empty())
    return x;
  SmallVector<int64_t> shape;
  for (auto [axis, extent] : llvm::enumerate(shapeOf(x)))
    if (!llvm::is_contained(axes, static_cast<int64_t>(axis)))
      shape.push_back(extent);
  return SumOp::create(builder, location, RankedTensorType::get(shape, builder.getF32Type()), x,
                       axes);
}

Value Emit::broadcast(Value x, ArrayRef<int64_t> shape, ArrayRef<int64_t> dims) {
  auto type = cast<RankedTensorType>(x.getType()).clone(shape);
  if (type == x.getType())
    return x;
  return BroadcastOp::create(builder, location, type, x, dims);
}

Value Emit::contract(StringRef axes, Value a, Value b, Type result) {
  return ContractOp::create(builder, location, result, axes, a, b);
}

Value Emit::reduceTo(Value operand, Value gradient) {
  if (shapeOf(operand) == shapeOf(gradient))
    return gradient;
  return sum(gradient, llvm::to_vector(llvm::seq<int64_t>(0, shapeOf(gradient).size())));
}
