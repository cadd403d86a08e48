//===- TrainDialect.cpp - registration, attributes, how a step's arguments are bound ----------===//
#include "dialects/train/TrainDialect.h"

#include "dialects/train/TrainOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter::train;

#include "dialects/train/TrainDialect.cpp.inc"
#include "dialects/train/TrainEnums.cpp.inc"
#include "dialects/train/TrainInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/train/TrainAttributes.cpp.inc"

void TrainDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/train/TrainAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/train/TrainOps.cpp.inc"
      >();
}

Operation *TrainDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                             Location location) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, location, type, elements);
}

static bool isPermutation(ArrayRef<int64_t> perm, size_t rank) {
  SmallVector<int64_t> sorted(perm);
  llvm::sort(sorted);
  return sorted.size() == rank && llvm::equal(sorted, llvm::seq<int64_t>(0, rank));
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, ArrayRef<int64_t> view,
                                 ArrayRef<int64_t> perm) {
  if (llvm::product_of(shape) != llvm::product_of(view))
    return emitError() << "(C1) shape and view must have equally many elements, have "
                       << llvm::product_of(shape) << " and " << llvm::product_of(view);
  if (!isPermutation(perm, view.size()))
    return emitError() << "(C2) perm must be a permutation of view's " << view.size() << " axes";
  return success();
}

/// A step's argument bindings, each alone; that they fit together is the step's to verify.
LogicalResult TrainDialect::verifyRegionArgAttribute(Operation *op, unsigned regionIndex,
                                                     unsigned argIndex, NamedAttribute attribute) {
  auto step = dyn_cast<StepOp>(op);
  if (!step)
    return op->emitOpError() << "'" << attribute.getName()
                             << "' binds the argument of a train.step";
  const StringRef name = attribute.getName().strref();
  auto tensor = dyn_cast<RankedTensorType>(step.getArgumentTypes()[argIndex]);
  auto wrong = [&](const Twine &what) {
    return op->emitOpError() << "(S6) argument " << argIndex << ": " << name << " " << what;
  };

  if (name == "train.reads" || name == "train.owns") {
    if (!isa<FlatSymbolRefAttr>(attribute.getValue()))
      return wrong("must name a state");
    if (!tensor || !tensor.getElementType().isF32())
      return wrong("binds a tensor of f32");
    return success();
  }
  if (name == "train.data") {
    if (!isa<StringAttr>(attribute.getValue()))
      return wrong("must be the name of a field");
    if (!tensor || tensor.getRank() < 1)
      return wrong("binds a tensor whose axis 0 is the batch");
    return success();
  }
  if (name == "train.perm") {
    auto perm = dyn_cast<DenseI64ArrayAttr>(attribute.getValue());
    if (!perm || !tensor || !isPermutation(perm.asArrayRef(), tensor.getRank() - 1))
      return wrong("must be a permutation of the axes of one example");
    return success();
  }
  if (name == "train.clock") {
    auto clock = dyn_cast<StringAttr>(attribute.getValue());
    if (clock && clock.getValue() == "ids") {
      if (!tensor || tensor.getRank() != 1 || !tensor.getElementType().isInteger(32))
        return wrong("\"ids\" binds a tensor<Bxi32>");
      return success();
    }
    if (!clock ||
        !llvm::is_contained({"step", "last", "count", "seed", "draw", "epoch"}, clock.getValue()))
      return wrong(
          "must be \"step\", \"last\", \"count\", \"seed\", \"draw\", \"epoch\" or \"ids\"");
    if (!step.getArgumentTypes()[argIndex].isIndex())
      return wrong("\"" + clock.getValue() + "\" binds an index");
    return success();
  }
  return wrong("is no binding");
}

int64_t sinter::train::bytesTouched(Operation *op) {
  int64_t bytes = 0;
  auto touch = [&](Type type) {
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      bytes += tensor.getNumElements() * llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
  };
  llvm::for_each(op->getOperandTypes(), touch);
  llvm::for_each(op->getResultTypes(), touch);
  return bytes;
}
