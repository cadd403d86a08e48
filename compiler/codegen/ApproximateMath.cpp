//===- ApproximateMath.cpp - exp, log, tanh … as polynomials --------------------------------------===//
// MLIR's approximations, which no pass of its own holds in 22; sine and cosine are our own, as MLIR's lose a digit where x gains one
// and end in infinities; so are exp and erf, which take half as many instructions as MLIR's. Only f32 is touched: the few f64 scalars of schedules go to libm.

#include "compiler/codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <limits>
#include <numbers>

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

/// e^x = 2^k e^r, k whole and |r| ≤ ln 2 / 2; then a polynomial in r that lies within 3.1e-9 of e^r, as a part of it. Below -87.3, where results are
/// smaller than the smallest normal number, they are 0. NaN stays NaN.
struct Exponential : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    const Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    const Location place = op.getLoc();
    auto vector = dyn_cast<VectorType>(type);
    const Type i32 = rewriter.getI32Type(), bitsType = vector ? Type(vector.clone(i32)) : i32;
    auto constant = [&](TypedAttr one, Type like) -> Value {
      if (vector)
        one = DenseElementsAttr::get(cast<VectorType>(like), static_cast<Attribute>(one));
      return arith::ConstantOp::create(rewriter, place, one);
    };
    auto number = [&](double value) {
      return constant(rewriter.getF32FloatAttr(static_cast<float>(value)), type);
    };
    auto fma = [&](Value a, Value b, Value c) -> Value {
      return math::FmaOp::create(rewriter, place, a, b, c);
    };
    auto is = [&](arith::CmpFPredicate predicate, Value a, Value b) -> Value {
      return arith::CmpFOp::create(rewriter, place, predicate, a, b);
    };

    const Value x = op.getOperand();
    // Of a number beyond 2^23 the last bit counts ones: the sum is rounded to them, and its lowest bits are k.
    const Value magic = number(0x1.8p23);
    const Value shifted = fma(x, number(std::numbers::log2e), magic);
    const Value k = arith::SubFOp::create(rewriter, place, shifted, magic);
    // ln 2 in two parts; the first has few digits, so that its products with k are exact.
    Value r = fma(k, number(-0x1.63p-1), x);
    r = fma(k, number(0x1.bd0106p-13), r);
    Value y = number(0x1.6a2256p-10);
    for (double factor : {0x1.123b02p-7, 0x1.5558f8p-5, 0x1.55549p-3, 0x1.fffffcp-2, 1.0, 1.0})
      y = fma(y, r, number(factor));
    // Times 2^k, by the exponent's bits, which hold all results that are neither 0 nor infinite.
    auto bitsOf = [&](Value value) {
      return arith::BitcastOp::create(rewriter, place, bitsType, value).getResult();
    };
    const Value exponent = arith::ShLIOp::create(
        rewriter, place, bitsOf(shifted), constant(rewriter.getI32IntegerAttr(23), bitsType));
    const Value scaled = arith::BitcastOp::create(
        rewriter, place, type,
        arith::AddIOp::create(rewriter, place, bitsOf(y), exponent).getResult());
    // Where x is too large, or NaN.
    const Value beyond =
        arith::MulFOp::create(rewriter, place, x, number(std::numeric_limits<double>::infinity()));
    const Value known = arith::SelectOp::create(
        rewriter, place, is(arith::CmpFPredicate::OLE, x, number(0x1.62e42ep6)), scaled, beyond);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(
        op, is(arith::CmpFPredicate::OLT, x, number(-0x1.5d589ep6)), number(0), known);
    return success();
  }
};

/// erf x = x / 4 + x p(x²), with x held within ±3.92, where the result is ±1 to the last place; p is a polynomial in
/// u = 2 x² / 3.92² - 1, which goes from -1 to 1: so its factors are small and terms do not cancel. The quarter stands apart because p
/// then nearly ends at 0 where erf x nears 1, and with it its rounding. No division, and no choice between ranges. NaN stays NaN.
struct ErrorFunction : OpRewritePattern<math::ErfOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ErfOp op, PatternRewriter &rewriter) const override {
    const Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    const Location place = op.getLoc();
    auto number = [&](double value) -> Value {
      const FloatAttr one = rewriter.getF32FloatAttr(static_cast<float>(value));
      if (auto vector = dyn_cast<VectorType>(type))
        return arith::ConstantOp::create(
            rewriter, place, DenseElementsAttr::get(vector, static_cast<Attribute>(one)));
      return arith::ConstantOp::create(rewriter, place, one);
    };
    auto fma = [&](Value a, Value b, Value c) -> Value {
      return math::FmaOp::create(rewriter, place, a, b, c);
    };
    auto bounded = [&](Value x, arith::CmpFPredicate predicate, double bound) -> Value {
      Value limit = number(bound);
      Value isBeyond = arith::CmpFOp::create(rewriter, place, predicate, limit, x);
      return arith::SelectOp::create(rewriter, place, isBeyond, limit, x);
    };
    Value x = bounded(op.getOperand(), arith::CmpFPredicate::OLT, 0x1.f5c29p+1);
    x = bounded(x, arith::CmpFPredicate::OGT, -0x1.f5c29p+1);
    const Value square = arith::MulFOp::create(rewriter, place, x, x);
    const Value u = fma(square, number(0x1.0a8e3cp-3), number(-1));
    Value p = number(-0x1.ba76cp-11);
    for (double factor :
         {0x1.1316a4p-9, -0x1.6d90ap-10, 0x1.f74f54p-10, -0x1.f60aep-8, 0x1.d1a1b4p-7,
          -0x1.479922p-6, 0x1.e690a4p-6, -0x1.63d5b8p-5, 0x1.de6148p-5, -0x1.2f2f68p-4,
          0x1.7315d4p-4, -0x1.bf32b6p-4, 0x1.129aecp-3, -0x1.70dcccp-3, 0x1.c593f8p-4})
      p = fma(p, u, number(factor));
    const Value quarter = arith::MulFOp::create(rewriter, place, x, number(0.25));
    rewriter.replaceOp(op, fma(x, p, quarter));
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
    patterns.add<SineOrCosine<math::SinOp>, SineOrCosine<math::CosOp>, Exponential, ErrorFunction>(
        &getContext(), PatternBenefit(2));
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createApproximateMathPass() { return std::make_unique<ApproximateMath>(); }
void registerApproximateMathPass() { PassRegistration<ApproximateMath>(); }

} // namespace sinter::codegen
