//===- Canonicalize.cpp - folders and rewrites: one canonical form, one direction each --------===//
// Values are kept (a zero's sign aside). What is written down here:
//   -(-x), x + 0, x - 0, x · 1, x / 1, a view that moves nothing, a mask over masked rows    become
//   x a reshape, transpose or broadcast of its own kind becomes one a pointwise operand that
//   repeats a scalar                                                becomes the scalar
//   a sum of parts padded with zeros that lie one behind the other  becomes one concat
// A rewrite that builds an op joins the places of those that it replaces.
#include "dialects/train/Emit.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace sinter::train;

/// `attribute` holds `number` everywhere.
static bool isFilledWith(Attribute attribute, double number) {
  auto elements = dyn_cast_if_present<DenseFPElementsAttr>(attribute);
  return elements && elements.isSplat() &&
         elements.getSplatValue<APFloat>().convertToDouble() == number;
}

/// a, where b holds `neutral` everywhere and a has the result's type.
template <typename Op> static OpFoldResult withoutNeutral(Op op, Attribute b, double neutral) {
  if (isFilledWith(b, neutral) && op.getA().getType() == op.getType())
    return op.getA();
  return {};
}

//===--- pointwise ----------------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

OpFoldResult NegOp::fold(FoldAdaptor) {
  if (auto inner = getX().getDefiningOp<NegOp>())
    return inner.getX();
  return {};
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) { return withoutNeutral(*this, adaptor.getB(), 0); }
OpFoldResult SubOp::fold(FoldAdaptor adaptor) { return withoutNeutral(*this, adaptor.getB(), 0); }
OpFoldResult MulOp::fold(FoldAdaptor adaptor) { return withoutNeutral(*this, adaptor.getB(), 1); }
OpFoldResult DivOp::fold(FoldAdaptor adaptor) { return withoutNeutral(*this, adaptor.getB(), 1); }

OpFoldResult MaskRowsOp::fold(FoldAdaptor) {
  if (auto inner = getX().getDefiningOp<MaskRowsOp>(); inner && inner.getCount() == getCount())
    return getX();
  if (auto inner = getX().getDefiningOp<BatchMeanGradOp>(); inner && inner.getCount() == getCount())
    return getX();
  return {};
}

namespace {
/// An operand that only repeats a scalar is read as the scalar.
template <typename Op> struct ReadScalar : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    for (OpOperand &operand : op->getOpOperands()) {
      auto repeat = operand.get().template getDefiningOp<BroadcastOp>();
      if (!repeat || !repeat.getDims().empty() || shapeOf(operand.get()).empty())
        continue;
      rewriter.modifyOpInPlace(op, [&] {
        operand.set(repeat.getX());
        op->setLoc(joinLocations(op->getLoc(), repeat.getLoc()));
      });
      return success();
    }
    return failure();
  }
};
} // namespace

#define READS_SCALARS(OP)                                                                          \
  void OP::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {        \
    patterns.add<ReadScalar<OP>>(context);                                                         \
  }
READS_SCALARS(SubOp)
READS_SCALARS(MulOp)
READS_SCALARS(DivOp)
READS_SCALARS(PowOp)
READS_SCALARS(MaxOp)
READS_SCALARS(MinOp)
READS_SCALARS(CompareOp)
READS_SCALARS(LogicOp)
READS_SCALARS(SelectOp)
READS_SCALARS(BatchMeanGradOp)

namespace {
/// Gradients of slices that together take a value apart, added up: the parts one behind the other.
struct ConcatOfPads : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    SmallVector<PadOp> parts;
    std::optional<int64_t> axis;
    if (!collect(op, op.getType(), parts, axis) || !axis)
      return failure();
    llvm::sort(parts, [&](PadOp a, PadOp b) { return a.getLow()[*axis] < b.getLow()[*axis]; });
    int64_t end = 0;
    SmallVector<Value> values;
    Location location = op.getLoc();
    for (PadOp part : parts) {
      if (part.getLow()[*axis] != end)
        return failure();
      end += shapeOf(part.getX())[*axis];
      values.push_back(part.getX());
      location = joinLocations(part.getLoc(), location);
    }
    if (end != shapeOf(op.getY())[*axis])
      return failure();
    auto joined = ConcatOp::create(rewriter, location, op.getType(), values, *axis);
    rewriter.replaceOp(op, joined);
    return success();
  }

  /// The pads that a tree of additions adds, none of which anything else reads.
  static bool collect(AddOp op, Type type, SmallVectorImpl<PadOp> &parts,
                      std::optional<int64_t> &axis) {
    for (Value operand : {op.getA(), op.getB()}) {
      if (operand.getType() != type || !operand.hasOneUse())
        return false;
      if (auto inner = operand.getDefiningOp<AddOp>()) {
        if (!collect(inner, type, parts, axis))
          return false;
        continue;
      }
      auto pad = operand.getDefiningOp<PadOp>();
      if (!pad || !pad.getValue().isZero() ||
          llvm::any_of(pad.getStrides(), [](int64_t stride) { return stride != 1; }))
        return false;
      for (auto [at, part, whole] : llvm::enumerate(shapeOf(pad.getX()), shapeOf(pad.getY())))
        if (part != whole) {
          if (axis && *axis != static_cast<int64_t>(at))
            return false;
          axis = at;
        }
      parts.push_back(pad);
    }
    return true;
  }
};
} // namespace

void AddOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ReadScalar<AddOp>, ConcatOfPads>(context);
}

//===--- reductions and views -----------------------------------------------------------------===//

OpFoldResult SumOp::fold(FoldAdaptor) {
  return getAxes().empty() ? OpFoldResult(getX()) : OpFoldResult();
}

/// x, where a view's result is x as it stands.
template <typename Op> static OpFoldResult withoutMove(Op op, bool movesNothing) {
  return movesNothing && op.getX().getType() == op.getType() ? OpFoldResult(op.getX())
                                                             : OpFoldResult();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) { return withoutMove(*this, true); }
OpFoldResult BroadcastOp::fold(FoldAdaptor) { return withoutMove(*this, true); }
OpFoldResult SliceOp::fold(FoldAdaptor) { return withoutMove(*this, true); }
OpFoldResult PadOp::fold(FoldAdaptor) { return withoutMove(*this, true); }
OpFoldResult TransposeOp::fold(FoldAdaptor) {
  return withoutMove(*this, llvm::equal(getPerm(), llvm::seq<int64_t>(0, getPerm().size())));
}
OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getXs().size() == 1 ? OpFoldResult(getXs().front()) : OpFoldResult();
}

namespace {
struct ReshapeOfReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<ReshapeOp>();
    if (!inner)
      return failure();
    auto joined = ReshapeOp::create(rewriter, joinLocations(inner.getLoc(), op.getLoc()),
                                    op.getType(), inner.getX());
    rewriter.replaceOp(op, joined);
    return success();
  }
};

struct TransposeOfTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<TransposeOp>();
    if (!inner)
      return failure();
    SmallVector<int64_t> perm;
    for (int64_t axis : op.getPerm())
      perm.push_back(inner.getPerm()[axis]);
    auto joined = TransposeOp::create(rewriter, joinLocations(inner.getLoc(), op.getLoc()),
                                      op.getType(), inner.getX(), perm);
    rewriter.replaceOp(op, joined);
    return success();
  }
};

struct BroadcastOfBroadcast : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<BroadcastOp>();
    if (!inner)
      return failure();
    SmallVector<int64_t> dims;
    for (int64_t axis : inner.getDims())
      dims.push_back(op.getDims()[axis]);
    auto joined = BroadcastOp::create(rewriter, joinLocations(inner.getLoc(), op.getLoc()),
                                      op.getType(), inner.getX(), dims);
    rewriter.replaceOp(op, joined);
    return success();
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ReshapeOfReshape>(context);
}
void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<TransposeOfTranspose>(context);
}
void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<BroadcastOfBroadcast>(context);
}
