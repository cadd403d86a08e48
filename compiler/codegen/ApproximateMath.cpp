//===- ApproximateMath.cpp - exp, log, tanh … as polynomials --------------------------------------===//
// MLIR's approximations, which no pass of its own holds in 22; sine and cosine are our own, as MLIR's lose a digit where x gains one
// and end in infinities; so are exp and erf, which take half as many instructions as MLIR's, GELU's slope, which is made of both, and tanh,
// a shorter chain. Only f32 is touched: the few f64 scalars of schedules go to libm.

#include "compiler/codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <limits>
#include <numbers>

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Writes arithmetic on one type, a float or a vector of them, at one place.
class Writer {
public:
  Writer(OpBuilder &builder, Location place, Type type)
      : builder(builder), place(place), type(type) {}

  Value number(double value) {
    const FloatAttr one = builder.getFloatAttr(getElementTypeOrSelf(type), value);
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(builder, place,
                                       DenseElementsAttr::get(vector, static_cast<Attribute>(one)));
    return arith::ConstantOp::create(builder, place, one);
  }
  Value mul(Value a, Value b) { return arith::MulFOp::create(builder, place, a, b); }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, place, a, b, c); }

  /// x held within ±bound. NaN stays NaN.
  Value within(Value x, double bound) {
    x = choose(arith::CmpFPredicate::OLT, number(bound), x);
    return choose(arith::CmpFPredicate::OGT, number(-bound), x);
  }
  /// By Horner's rule, the factor of the highest power first.
  Value polynomial(Value u, ArrayRef<double> factors) {
    Value sum = number(factors.front());
    for (double factor : factors.drop_front())
      sum = fma(sum, u, number(factor));
    return sum;
  }

private:
  OpBuilder &builder;
  Location place;
  Type type;

  /// `a` where the predicate holds between it and `b`, else `b`.
  Value choose(arith::CmpFPredicate predicate, Value a, Value b) {
    Value holds = arith::CmpFOp::create(builder, place, predicate, a, b);
    return arith::SelectOp::create(builder, place, holds, a, b);
  }
};

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
    Writer write(rewriter, place, type), writeWide(rewriter, place, wideType);
    auto narrow = [&](double value) { return write.number(value); };
    auto wide = [&](double value) { return writeWide.number(value); };
    auto fma = [&](Value a, Value b, Value c) { return write.fma(a, b, c); };
    auto mul = [&](Value a, Value b) { return write.mul(a, b); };
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
    Writer write(rewriter, place, type);
    auto number = [&](double value) { return write.number(value); };
    auto is = [&](arith::CmpFPredicate predicate, Value a, Value b) -> Value {
      return arith::CmpFOp::create(rewriter, place, predicate, a, b);
    };

    const Value x = op.getOperand();
    // Of a number beyond 2^23 the last bit counts ones: the sum is rounded to them, and its lowest bits are k.
    const Value magic = number(0x1.8p23);
    const Value shifted = write.fma(x, number(std::numbers::log2e), magic);
    const Value k = arith::SubFOp::create(rewriter, place, shifted, magic);
    // ln 2 in two parts; the first has few digits, so that its products with k are exact.
    Value r = write.fma(k, number(-0x1.63p-1), x);
    r = write.fma(k, number(0x1.bd0106p-13), r);
    const Value y = write.polynomial(
        r, {0x1.6a2256p-10, 0x1.123b02p-7, 0x1.5558f8p-5, 0x1.55549p-3, 0x1.fffffcp-2, 1.0, 1.0});
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
    Writer write(rewriter, op.getLoc(), type);
    const Value x = write.within(op.getOperand(), 0x1.f5c29p+1);
    const Value u = write.fma(write.mul(x, x), write.number(0x1.0a8e3cp-3), write.number(-1));
    const Value p =
        write.polynomial(u, {-0x1.ba76cp-11, 0x1.1316a4p-9, -0x1.6d90ap-10, 0x1.f74f54p-10,
                             -0x1.f60aep-8, 0x1.d1a1b4p-7, -0x1.479922p-6, 0x1.e690a4p-6,
                             -0x1.63d5b8p-5, 0x1.de6148p-5, -0x1.2f2f68p-4, 0x1.7315d4p-4,
                             -0x1.bf32b6p-4, 0x1.129aecp-3, -0x1.70dcccp-3, 0x1.c593f8p-4});
    rewriter.replaceOp(op, write.fma(x, p, write.mul(x, write.number(0.25))));
    return success();
  }
};

/// tanh x = x p(x²) / q(x²), with x held where the quotient, rounded as it is here, first is 1 exactly (Eigen's coefficients, as MLIR has
/// them; both polynomials times 256, so that no product of a small x is denormal). Both are summed in pairs: a long epilogue waits for this
/// chain, not for the CPU's units. NaN stays NaN.
struct HyperbolicTangent : OpRewritePattern<math::TanhOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::TanhOp op, PatternRewriter &rewriter) const override {
    const Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    Writer write(rewriter, op.getLoc(), type);
    const Value x = write.within(op.getOperand(), 8.03365707);
    const Value u = write.mul(x, x), u2 = write.mul(u, u), u4 = write.mul(u2, u2);
    // Rounded first: the scale changes no bit.
    auto scaled = [&](double value) {
      return write.number(256 * static_cast<double>(static_cast<float>(value)));
    };
    auto pair = [&](double constant, double factor) {
      return write.fma(u, scaled(factor), scaled(constant));
    };
    const Value low = write.fma(u2, pair(1.48572235717979e-05, 5.12229709037114e-08),
                                pair(4.89352455891786e-03, 6.37261928875436e-04));
    const Value high = write.fma(u2, scaled(-2.76076847742355e-16),
                                 pair(-8.60467152213735e-11, 2.00018790482477e-13));
    const Value q = write.fma(u2, pair(1.18534705686654e-04, 1.19825839466702e-06),
                              pair(4.89352518554385e-03, 2.26843463243900e-03));
    rewriter.replaceOpWithNewOp<arith::DivFOp>(op, write.mul(x, write.fma(u4, high, low)), q);
    return success();
  }
};

/// The slope of x Φ(x), as train.gelu_slope writes it: (erf(x/√2) + 1)/2 + x e^(-x²/2)/√(2π). It is 1/2 + x p(x²), with x held within ±6, where
/// the slope is 0 or 1 to the last place of 1; p is a polynomial in u = 2 x²/36 - 1. That is half of what erf and exp take, for the same error.
/// It is so wherever it stands, beside a GELU that computes the same erf as well: bits do not depend on what loops were joined. NaN stays NaN.
class GeluSlope {
public:
  /// Replaces `sum` where it is such a slope.
  static void replace(arith::AddFOp sum, OpBuilder &builder) {
    if (!getElementTypeOrSelf(sum.getType()).isF32())
      return;
    for (const auto &[share, tilt] :
         {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
      if (Value x = argumentOfErf(share); x && isTilt(tilt, x)) {
        builder.setInsertionPoint(sum);
        sum.replaceAllUsesWith(slopeOf(x, Writer(builder, sum.getLoc(), sum.getType())));
        return;
      }
  }

private:
  /// What `value` adds the f32 number nearest to `number` to, or multiplies by it.
  template <typename Op> static Value besides(Value value, double number) {
    auto op = value ? value.getDefiningOp<Op>() : Op();
    APFloat constant(0.0F);
    if (!op)
      return {};
    for (const auto &[other, known] :
         {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())})
      if (matchPattern(known, m_ConstantFloat(&constant)) &&
          constant.convertToFloat() == static_cast<float>(number))
        return other;
    return {};
  }
  /// What `value` is a function of.
  template <typename Op> static Value argument(Value value) {
    auto op = value ? value.getDefiningOp<Op>() : Op();
    return op ? op.getOperand() : Value();
  }

  /// x of (erf(x/√2) + 1)/2.
  static Value argumentOfErf(Value share) {
    Value scaled =
        argument<math::ErfOp>(besides<arith::AddFOp>(besides<arith::MulFOp>(share, 0.5), 1));
    auto product = scaled ? scaled.getDefiningOp<arith::MulFOp>() : arith::MulFOp();
    APFloat factor(0.0F);
    if (!product || !matchPattern(product.getRhs(), m_ConstantFloat(&factor)) ||
        factor.convertToFloat() != static_cast<float>(1 / std::numbers::sqrt2))
      return {};
    return product.getLhs();
  }

  /// Whether this is x e^(-x²/2)/√(2π).
  static bool isTilt(Value tilt, Value x) {
    auto product = tilt.getDefiningOp<arith::MulFOp>();
    if (!product || (product.getLhs() != x && product.getRhs() != x))
      return false;
    Value density = product.getLhs() == x ? product.getRhs() : product.getLhs();
    Value power = argument<math::ExpOp>(
        besides<arith::MulFOp>(density, std::numbers::inv_sqrtpi / std::numbers::sqrt2));
    Value square = besides<arith::MulFOp>(power, -0.5);
    auto factors = square ? square.getDefiningOp<arith::MulFOp>() : arith::MulFOp();
    return factors && factors.getLhs() == x && factors.getRhs() == x;
  }

  static Value slopeOf(Value of, Writer write) {
    const Value x = write.within(of, 6);
    const Value u = write.fma(write.mul(x, x), write.number(0x1.c71c72p-5), write.number(-1));
    const Value p = write.polynomial(
        u, {0x1.6d9c2ep-9, -0x1.c56964p-8, 0x1.e0d4bep-10, 0x1.c4e308p-10, 0x1.0783acp-6,
            -0x1.0f2db4p-5, 0x1.0123fap-5, -0x1.28e324p-5, 0x1.bdefdap-5, -0x1.0d7b98p-4,
            0x1.11e952p-4, -0x1.076334p-4, 0x1.e0cf9ep-5, -0x1.a146e6p-5, 0x1.6dp-5, -0x1.5b0ee4p-5,
            0x1.794e06p-5, -0x1.e622e4p-5, 0x1.e2e8c4p-4});
    return write.fma(x, p, write.number(0.5));
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
    // Before erf and exp are polynomials themselves; what made them dies below.
    OpBuilder builder(&getContext());
    getOperation()->walk([&](arith::AddFOp sum) { GeluSlope::replace(sum, builder); });
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    patterns.add<SineOrCosine<math::SinOp>, SineOrCosine<math::CosOp>, Exponential, ErrorFunction,
                 HyperbolicTangent>(&getContext(), PatternBenefit(2));
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createApproximateMathPass() { return std::make_unique<ApproximateMath>(); }
void registerApproximateMathPass() { PassRegistration<ApproximateMath>(); }

} // namespace sinter::codegen
