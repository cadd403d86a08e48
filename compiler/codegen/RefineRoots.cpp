//===- RefineRoots.cpp - square roots by multiply-adds --------------------------------------------===//
// A core has one divider, which takes the roots of sixteen floats in the time of some twenty-four multiply-adds and stands in the way of the
// quotients beside them: an optimizer that takes a root and a quotient for each weight waits for it. AVX-512 estimates 1 / √x to
// 14 bits at once; a step of Newton's for √x and 1 / √x together and one more for what the root's square lacks of x give the root as IEEE rounds it: for
// each of the 2^24 numbers in [1/2, 2), and whatever the estimate's error within 2^-14 is. Other numbers differ by powers of four, as long as
// nothing on the way is too small for f32. Where sixteen hold one that is not such a number, zero, say, all of them take the instruction.
// Keeps bits.

#include "compiler/codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// 2^-100 as bits: of this number and larger ones, what a root's square lacks is exact.
constexpr int64_t smallest = 0x0D800000;
/// The bits of infinity.
constexpr int64_t infinite = 0x7F800000;

class Refiner {
public:
  explicit Refiner(math::SqrtOp op) : op(op), builder(op), place(op.getLoc()), type(op.getType()) {}

  /// Sixteen times one number is one root, which is taken once.
  static bool fits(math::SqrtOp op) {
    auto type = dyn_cast<VectorType>(op.getType());
    return type && type.getElementType().isF32() && type.getShape() == ArrayRef(lanes) &&
           !op.getOperand().getDefiningOp<vector::BroadcastOp>();
  }

  void refine() {
    Value x = op.getOperand();
    auto choice = scf::IfOp::create(builder, place, op.getType(), areUsual(x), /*else=*/true);
    builder.setInsertionPointToStart(choice.thenBlock());
    scf::YieldOp::create(builder, place, root(x));
    builder.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(builder, place, math::SqrtOp::create(builder, place, x).getResult());
    op.replaceAllUsesWith(choice.getResult(0));
    op.erase();
  }

private:
  math::SqrtOp op;
  OpBuilder builder;
  Location place;
  Type type;

  Value constant(TypedAttr one, Type element) {
    return arith::ConstantOp::create(
        builder, place,
        DenseElementsAttr::get(VectorType::get({lanes}, element), static_cast<Attribute>(one)));
  }
  Value bits(int64_t value) {
    return constant(builder.getI32IntegerAttr(static_cast<int32_t>(value)), builder.getI32Type());
  }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, place, a, b, c); }
  /// c - a b
  Value lack(Value a, Value b, Value c) {
    return fma(arith::NegFOp::create(builder, place, a), b, c);
  }

  /// Whether each of the sixteen is in [2^-100, ∞). As numbers without a sign, those below 2^-100 come behind all others.
  Value areUsual(Value x) {
    Value shifted = arith::SubIOp::create(
        builder, place,
        arith::BitcastOp::create(builder, place, VectorType::get({lanes}, builder.getI32Type()), x),
        bits(smallest));
    Value others = arith::CmpIOp::create(builder, place, arith::CmpIPredicate::uge, shifted,
                                         bits(infinite - smallest));
    return arith::CmpIOp::create(
        builder, place, arith::CmpIPredicate::eq,
        LLVM::BitcastOp::create(builder, place, builder.getI16Type(), others),
        arith::ConstantOp::create(builder, place, builder.getI16IntegerAttr(0)));
  }

  Value root(Value x) {
    const Value half = constant(builder.getF32FloatAttr(0.5), builder.getF32Type());
    Value all = arith::ConstantOp::create(builder, place, builder.getI16IntegerAttr(-1));
    Value estimate =
        LLVM::CallIntrinsicOp::create(builder, place, type,
                                      builder.getStringAttr("llvm.x86.avx512.rsqrt14.ps.512"),
                                      ValueRange{x, x, all})
            .getResult(0);
    Value near = arith::MulFOp::create(builder, place, x, estimate);     // √x …
    Value slope = arith::MulFOp::create(builder, place, estimate, half); // … and 1 / 2√x
    const Value error = lack(near, slope, half);
    near = fma(near, error, near);
    slope = fma(slope, error, slope);
    return fma(lack(near, near, x), slope, near);
  }
};

struct RefineRoots : PassWrapper<RefineRoots, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RefineRoots)

  RefineRoots() = default;
  RefineRoots(const RefineRoots &other) : PassWrapper(other), avx512(other.avx512) {
    copyOptionValuesFrom(&other);
  }
  explicit RefineRoots(bool avx512) : avx512(avx512) {}

  StringRef getArgument() const override { return "refine-roots"; }
  StringRef getDescription() const override {
    return "Take square roots of sixteen floats by multiply-adds, for AVX-512";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect>();
  }

  bool avx512 = true;

  void runOnOperation() override {
    if (!avx512)
      return;
    SmallVector<math::SqrtOp> roots;
    getOperation()->walk([&](math::SqrtOp op) {
      if (Refiner::fits(op))
        roots.push_back(op);
    });
    for (math::SqrtOp op : roots)
      Refiner(op).refine();
  }
};

} // namespace

std::unique_ptr<Pass> createRefineRootsPass(const Target &target) {
  return std::make_unique<RefineRoots>(target.avx512);
}
void registerRefineRootsPass() { PassRegistration<RefineRoots>(); }

} // namespace sinter::codegen
