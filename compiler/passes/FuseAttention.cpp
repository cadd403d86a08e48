//===- FuseAttention.cpp - one op for an attention whose scores nobody else reads -----------------===//
// Composed, an attention writes its scores, their softmax and, with dropout, what is left of it: tensors of tokens × tokens for each head, and
// keeps them for the derivative. As one op it needs none of them: its kernel walks tiles of scores (kernel.attend). The pass follows the
// chain from the softmax, up to the product of queries and keys and down to the product with the values; what does not
// look so, or is read elsewhere, stays as it is.
#include "compiler/passes/KnownNumbers.h"
#include "compiler/passes/Passes.h"

#include "dialects/train/Emit.h"
#include "dialects/train/TrainOps.h"

#include <cmath>

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_FUSEATTENTION
#include "compiler/passes/Passes.h.inc"
namespace {

/// Columns of a head that the kernel's tiles have room for.
constexpr int64_t largestHead = 512;

/// The only reader of `value`, where it is an Op.
template <typename Op> Op readerOf(Value value) {
  return value.hasOneUse() ? dyn_cast<Op>(*value.user_begin()) : Op();
}

class Chain {
public:
  explicit Chain(train::SoftmaxOp softmax) : softmax(softmax) {}

  bool follow() { return findScores() && findValues(); }

  void fuse() {
    OpBuilder builder(values);
    Value query = scores.getLhs();
    double scale = 1;
    // Queries come scaled and then in heads, or the other way round.
    auto reshape = query.getDefiningOp<train::ReshapeOp>();
    if (const auto scaled = multipleOf(reshape ? reshape.getX() : query)) {
      scale = scaled->second;
      query = scaled->first;
      if (reshape)
        query = train::ReshapeOp::create(builder, reshape.getLoc(), reshape.getType(), query);
    }
    const SmallVector<int64_t> shape(train::shapeOf(query));
    auto type = cast<RankedTensorType>(query.getType());
    Value ids, draw, seed;
    StringAttr purpose;
    if (random) {
      ids = random.getIds().getDefiningOp<train::BroadcastOp>().getX();
      draw = random.getDraw();
      seed = random.getSeed();
      purpose = random.getPurposeAttr();
    }
    Location place = train::joinLocations(scores.getLoc(), softmax.getLoc());
    place = train::joinLocations(place, values.getLoc());
    auto fused = train::AttentionOp::create(
        builder, place, TypeRange{type, type.clone({shape[0], shape[2], shape[1]})}, query,
        scores.getRhs(), values.getRhs(), ids, draw, seed, builder.getF64FloatAttr(scale),
        mask ? builder.getUnitAttr() : UnitAttr(), builder.getF64FloatAttr(dropout), purpose);
    if (Attribute part = values->getAttr("train.part"))
      fused->setAttr("train.part", part);
    values.getY().replaceAllUsesWith(fused.getY());
    values.erase();
    for (Operation *op : llvm::reverse(between))
      op->erase();
    softmax.erase();
    if (mask)
      mask.erase();
    scores.erase();
  }

private:
  train::SoftmaxOp softmax;
  train::ContractOp scores, values;
  train::CausalMaskOp mask;
  train::RandomOp random;
  double dropout = 0;
  SmallVector<Operation *> between; ///< softmax and values, in their order

  bool findScores() {
    Value x = softmax.getX();
    if (!x.hasOneUse())
      return false;
    if ((mask = x.getDefiningOp<train::CausalMaskOp>())) {
      x = mask.getX();
      if (mask.getZero() || !x.hasOneUse())
        return false;
    }
    scores = x.getDefiningOp<train::ContractOp>();
    return scores && scores.getAxes() == "bthd,bshd->bhts" &&
           train::shapeOf(scores.getLhs())[3] <= largestHead;
  }

  bool findValues() {
    Value shares = softmax.getY();
    if (auto scaled = readerOf<train::MulOp>(shares)) {
      const auto factor = multipleOf(scaled.getY());
      if (!factor || factor->first != shares || !findDraws(scaled, factor->second))
        return false;
      shares = between.back()->getResult(0);
    }
    values = readerOf<train::ContractOp>(shares);
    return values && values.getAxes() == "bhts,bshd->bthd" && values.getLhs() == shares &&
           values.getRhs().getType() == scores.getRhs().getType();
  }

  /// where(random ≥ p, shares / (1 - p), 0)
  bool findDraws(train::MulOp scaled, double factor) {
    auto choice = readerOf<train::SelectOp>(scaled.getY());
    if (!choice || choice.getA() != scaled.getY() || numberOf(choice.getB()) != 0.0)
      return false;
    auto kept = choice.getC().getDefiningOp<train::CompareOp>();
    if (!kept || kept.getPredicate() != "ge")
      return false;
    const auto p = numberOf(kept.getB());
    random = kept.getA().getDefiningOp<train::RandomOp>();
    // Both numbers have been rounded to f32.
    if (!p || !random || !(*p > 0 && *p < 1) || std::abs(factor * (1 - *p) - 1) > 1e-5)
      return false;
    auto ids = random.getIds().getDefiningOp<train::BroadcastOp>();
    if (!ids || ids.getDims() != ArrayRef<int64_t>{0} || train::shapeOf(ids.getX()).size() != 1)
      return false;
    dropout = *p;
    between = {scaled, choice};
    return true;
  }
};

struct FuseAttention : impl::FuseAttentionBase<FuseAttention> {
  void runOnOperation() override {
    train::StepOp step = getOperation();
    if (step->hasAttr("bf16"))
      return;
    for (auto softmax : llvm::make_early_inc_range(step.getBody().getOps<train::SoftmaxOp>()))
      if (Chain chain(softmax); chain.follow()) {
        chain.fuse();
        ++numFused;
      }
  }
};

} // namespace
} // namespace sinter::passes
