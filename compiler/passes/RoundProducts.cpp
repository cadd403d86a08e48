//===- RoundProducts.cpp - products in bfloat16 -----------------------------------------------===//
// In a step with `bf16` each contraction reads its operands rounded to bfloat16 and sums in f32; an
// activation or a gradient of one that it makes is rounded, as it would be stored. A product that
// sums over the examples is the gradient of a parameter and stays as it is. Everything else is f32:
// parameters, sums, norms, losses, updates. Rounding is integer arithmetic on f32, so that every
// CPU gives the same bits; a product of two rounded operands becomes one in bfloat16 later.
#include "compiler/passes/Passes.h"

#include "dialects/train/TrainOps.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_ROUNDPRODUCTS
#include "compiler/passes/Passes.h.inc"
namespace {

/// Whether the first axis of both operands, the examples, is summed.
bool sumsOverExamples(train::Contraction contraction) {
  const SmallVector<AffineMap> maps = contraction.getAccessMaps();
  if (maps[0].getNumResults() == 0 || maps[1].getNumResults() == 0)
    return false;
  auto rows = dyn_cast<AffineDimExpr>(maps[0].getResult(0));
  return rows && maps[1].getResult(0) == rows && !maps[2].isFunctionOfDim(rows.getPosition());
}

struct RoundProducts : impl::RoundProductsBase<RoundProducts> {
  void runOnOperation() override {
    train::StepOp step = getOperation();
    if (!step->hasAttr("bf16"))
      return;
    SmallVector<train::Contraction> products;
    step.walk([&](train::Contraction each) { products.push_back(each); });
    llvm::DenseMap<Value, Value> rounded;
    OpBuilder builder(step.getContext());
    auto round = [&](Value value, Location location) {
      if (value.getDefiningOp<train::Bf16Op>())
        return value;
      Value &known = rounded[value];
      if (!known) {
        builder.setInsertionPointAfterValue(value);
        known = train::Bf16Op::create(builder, location, value.getType(), value);
        ++numRounded;
      }
      return known;
    };
    for (train::Contraction product : products) {
      for (OpOperand &operand : product->getOpOperands())
        operand.set(round(operand.get(), product.getLoc()));
      if (sumsOverExamples(product))
        continue;
      Value sum = product->getResult(0), stored = round(sum, product.getLoc());
      sum.replaceAllUsesExcept(stored, stored.getDefiningOp());
    }
    step->removeAttr("bf16");
  }
};

} // namespace
} // namespace sinter::passes
