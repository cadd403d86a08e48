//===- RedrawMasks.cpp - keep no dropout mask for the backward pass --------------------------------===//
// A mask is drawn from a counter, so the backward pass can have it without anyone keeping it. Two ways:
//   By sign. Of y = where(kept, relu(x) · s, 0) with s ≥ 1, y > 0 says exactly that x > 0 and that the element was kept: a product
//   with s does not underflow. The gradient where(relu(x) > 0, where(kept, dy, 0) · s, 0) becomes where(y > 0, dy · s, 0), and
//   y is what the next layer keeps anyway. A reshape may stand between the two.
//   By drawing. Elsewhere the draw and its comparison are cloned beside the first op that reads the mask late. Only pointwise readers
//   have it so: their loop takes the draw in, and no mask is stored there either.
// Keeps bits: both give the numbers that the mask gave, zeros included.
#include "compiler/passes/ForwardPass.h"
#include "compiler/passes/KnownNumbers.h"
#include "compiler/passes/Passes.h"

#include "dialects/train/Emit.h"
#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseMap.h"

#include <cmath>

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_REDRAWMASKS
#include "compiler/passes/Passes.h.inc"
namespace {

/// where(kept, value, 0)
struct Dropped {
  Value kept, value;
};

std::optional<Dropped> droppedOf(Value value) {
  auto choice = value.getDefiningOp<train::SelectOp>();
  if (!choice || numberOf(choice.getB()) != 0.0 || choice.getA().getType() != choice.getType())
    return std::nullopt;
  return Dropped{choice.getC(), choice.getA()};
}

Value withoutReshape(Value value) {
  auto reshape = value.getDefiningOp<train::ReshapeOp>();
  return reshape ? reshape.getX() : value;
}

/// The gradient of a ReLU that dropout stands behind.
class ReluGradient {
public:
  explicit ReluGradient(train::SelectOp choice) : choice(choice) {}

  bool match() {
    const auto late = droppedOf(choice.getY());
    if (!late)
      return false;
    positive = late->kept.getDefiningOp<train::CompareOp>();
    if (!positive || positive.getPredicate() != "gt" || numberOf(positive.getB()) != 0.0 ||
        !positive.getA().getDefiningOp<train::ReluOp>())
      return false;
    Value inner = withoutReshape(late->value);
    if (const auto multiple = multipleOf(inner))
      std::tie(inner, scale) = *multiple;
    const auto masked = droppedOf(inner);
    if (!masked || !(scale > 0 && std::isfinite(scale)))
      return false;
    gradient = masked->value;
    for (Operation *reader : masked->kept.getUsers())
      if (auto forward = dyn_cast<train::SelectOp>(reader);
          forward && isDroppedRelu(forward, masked->kept)) {
        output = forward.getY();
        return true;
      }
    return false;
  }

  void rewrite() {
    OpBuilder builder(choice);
    train::Emit emit(builder, train::joinLocations(gradient.getLoc(), choice.getLoc()));
    Value scaled = scale == 1 ? gradient : emit.mul(gradient, scale);
    Value zero = emit.scalar(0);
    Value result = emit.select(emit.compare("gt", output, zero), scaled, zero);
    if (result.getType() != choice.getType())
      result = train::ReshapeOp::create(builder, emit.location, choice.getType(), result);
    choice.getY().replaceAllUsesWith(result);
    choice.erase();
  }

private:
  train::SelectOp choice;
  train::CompareOp positive; ///< that the ReLU gave more than 0
  Value gradient, output;    ///< of what dropout gave, and that
  double scale = 1;

  bool isDroppedRelu(train::SelectOp forward, Value kept) {
    const auto dropped = droppedOf(forward.getY());
    if (!dropped || dropped->kept != kept || forward.getType() != gradient.getType() ||
        !forward->isBeforeInBlock(choice))
      return false;
    Value value = dropped->value;
    if (const auto multiple = multipleOf(value)) {
      if (!(multiple->second >= 1))
        return false;
      value = multiple->first;
    }
    return withoutReshape(value) == positive.getA();
  }
};

/// Masks, and which ops are the forward pass.
class Masks {
public:
  explicit Masks(train::StepOp step) : forward(step) {}

  bool isForward(Operation *op) const { return forward.contains(op); }

  /// The mask that `value` is, drawn again; null where it is none of the forward pass. `builder` stands at its first late reader.
  Value again(Value value, OpBuilder &builder) {
    auto compare = value.getDefiningOp<train::CompareOp>();
    if (!compare || !isForward(compare))
      return {};
    auto random = compare.getA().getDefiningOp<train::RandomOp>();
    if (!random || !numberOf(compare.getB()))
      return {};
    Operation *&clone = clones[compare];
    if (!clone) {
      Operation *drawn = builder.clone(*random);
      clone = builder.clone(*compare);
      clone->setOperand(0, drawn->getResult(0));
      for (Operation *op : {drawn, clone}) {
        op->removeAttr("train.part");
        op->setAttr("train.again", builder.getUnitAttr());
      }
    }
    return clone->getResult(0);
  }

  size_t numClones() const { return clones.size(); }

private:
  const ForwardPass forward;
  llvm::DenseMap<Operation *, Operation *> clones;
};

struct RedrawMasks : impl::RedrawMasksBase<RedrawMasks> {
  void runOnOperation() override {
    Block &block = getOperation().getBody().front();
    if (block.getOps<train::RandomOp>().empty())
      return;
    for (auto choice : llvm::make_early_inc_range(block.getOps<train::SelectOp>()))
      if (ReluGradient gradient(choice); gradient.match()) {
        gradient.rewrite();
        ++numSigns;
      }
    // What the gradients no longer read must not be drawn for.
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();

    Masks masks(getOperation());
    SmallVector<Operation *> late;
    for (Operation &op : block.without_terminator())
      if (isa<train::Pointwise>(op) && !masks.isForward(&op))
        late.push_back(&op);
    for (Operation *op : late) {
      OpBuilder builder(op);
      for (OpOperand &operand : op->getOpOperands())
        if (Value mask = masks.again(operand.get(), builder))
          operand.set(mask);
    }
    numRedrawn += masks.numClones();
  }
};

} // namespace
} // namespace sinter::passes
