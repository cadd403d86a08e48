//===- ApproximateMath.cpp - exp, log, tanh … as polynomials --------------------------------------===//
// MLIR's approximations, which no pass of its own holds in 22; sine and cosine are our own, as MLIR's lose a digit where x gains one
// and end in infinities. Only f32 is touched: the few f64 scalars of schedules go to libm.

#include "compiler/codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// sin x or cos x. x = k π/2 + r with |r| ≤ π/4, in f64 and with π/2 in two parts, so that r is exact to f32 for |x| < 2^45;
/// then a polynomial in r (Cephes, sinf and cosf) and the quadrant's sign. Above 2^45 neighbours are 2^22 apart
/// and no angle is meant: r is held within one, so that the result still lies in [-1, 1]. NaN and infinities give NaN.
template <typename Op> struct SineOrCosine : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    const Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    const Location place = op.getLoc();
    const Type f64 = rewriter.getF64Type();
    auto vector = dyn_cast<VectorType>(type);
    const Type wideType = vector ? Type(vector.clone(f64)) : f64;
    auto number = [&](double value, Type like) -> Value {
      const FloatAttr one = rewriter.getFloatAttr(getElementTypeOrSelf(like), value);
      if (!vector)
        return arith::ConstantOp::create(rewriter, place, one);
      return arith::ConstantOp::create(rewriter, place,
                                       DenseElementsAttr::get(cast<VectorType>(like), one));
    };
    auto narrow = [&](double value) { return number(value, type); };
    auto wide = [&](double value) { return number(value, wideType); };
    auto fma = [&](Value a, Value b, Value c) -> Value {
      return math::FmaOp::create(rewriter, place, a, b, c);
    };
    auto mul = [&](Value a, Value b) -> Value {
      return arith::MulFOp::create(rewriter, place, a, b);
    };
    auto nearest = [&](Value a) -> Value {
      return math::FloorOp::create(rewriter, place,
                                   arith::AddFOp::create(rewriter, place, a, wide(0.5)));
    };

    const Value x = arith::ExtFOp::create(rewriter, place, wideType, op.getOperand());
    const Value turns = nearest(mul(x, wide(0x1.45f306dc9c883p-1)));
    Value rest = fma(turns, wide(-0x1.921fb54442d18p+0), x);
    rest = fma(turns, wide(-0x1.1a62633145c07p-54), rest);
    // The maximum and minimum that keep a NaN.
    rest = arith::MaximumFOp::create(rewriter, place, rest, wide(-1));
    rest = arith::MinimumFOp::create(rewriter, place, rest, wide(1));
    const Value r = arith::TruncFOp::create(rewriter, place, type, rest), z = mul(r, r);

    Value sine = fma(z, narrow(-1.9515295891e-4), narrow(8.3321608736e-3));
    sine = fma(sine, z, narrow(-1.6666654611e-1));
    sine = fma(mul(sine, z), r, r);
    Value cosine = fma(z, narrow(2.443315711809948e-5), narrow(-1.388731625493765e-3));
    cosine = fma(cosine, z, narrow(4.166664568298827e-2));
    cosine = fma(mul(cosine, z), z, fma(z, narrow(-0.5), narrow(1)));

    // Which quarter of the circle, 0 … 3; cosine is sine a quarter on.
    const Value shifted = std::is_same_v<Op, math::CosOp>
                              ? arith::AddFOp::create(rewriter, place, turns, wide(1)).getResult()
                              : turns;
    const Value circles = math::FloorOp::create(rewriter, place, mul(shifted, wide(0.25)));
    const Value quarter =
        arith::TruncFOp::create(rewriter, place, type, fma(circles, wide(-4), shifted));
    auto is = [&](arith::CmpFPredicate predicate, double value) -> Value {
      return arith::CmpFOp::create(rewriter, place, predicate, quarter, narrow(value));
    };
    const Value odd = arith::OrIOp::create(rewriter, place, is(arith::CmpFPredicate::OEQ, 1),
                                           is(arith::CmpFPredicate::OEQ, 3));
    const Value size = arith::SelectOp::create(rewriter, place, odd, cosine, sine);
    const Value negative = arith::NegFOp::create(rewriter, place, size);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, is(arith::CmpFPredicate::OGE, 2), negative,
                                                 size);
    return success();
  }
};

struct ApproximateMath : PassWrapper<ApproximateMath, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApproximateMath)
  StringRef getArgument() const override { return "approximate-math"; }
  StringRef getDescription() const override { return "Replace f32 math functions by polynomials"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, math::MathDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    patterns.add<SineOrCosine<math::SinOp>, SineOrCosine<math::CosOp>>(&getContext(),
                                                                       PatternBenefit(2));
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createApproximateMathPass() { return std::make_unique<ApproximateMath>(); }
void registerApproximateMathPass() { PassRegistration<ApproximateMath>(); }

} // namespace sinter::codegen
