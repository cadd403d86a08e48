//===- WideProducts.cpp - both halves of products of 32-bit numbers, lane by lane ------------------===//
// Random numbers are rounds of 32 × 32-bit products whose upper and lower halves go on into the next round (train.random). CPUs multiply the lower
// halves of 64-bit lanes: of sixteen numbers the even ones, and the odd ones moved down, give two vectors of eight products each. Widened
// and narrowed around each product, as the op by itself asks, most of the work would be to move halves about. Here a chain of products and
// exclusive ors stays in the two vectors from its first product to its last: what stands in the upper halves is of no matter to the next
// product, so a lower half costs nothing and an upper half one shift. Only what leaves the chain is put together again. Whether a number in
// [0, 1) that is made of the upper 24 bits reaches a constant, as dropout asks, is asked of the bits.

#include "compiler/codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/DenseMap.h"

#include <cmath>

using namespace mlir;

namespace sinter::codegen {
namespace {

/// The numbers of even lanes and those of odd ones, each in the lower half of a 64-bit lane. Upper halves hold anything.
struct Halves {
  Value even, odd;
};

class Chains {
public:
  explicit Chains(MLIRContext *context) : builder(context) {}

  static bool fits(arith::MulUIExtendedOp op) {
    auto type = dyn_cast<VectorType>(op.getLow().getType());
    return type && type.getRank() == 1 && !type.isScalable() &&
           type.getElementType().isInteger(32) && type.getDimSize(0) % 2 == 0;
  }

  void multiply(arith::MulUIExtendedOp op) {
    const Halves a = of(op.getLhs()), b = of(op.getRhs());
    builder.setInsertionPoint(op);
    place = op.getLoc();
    const auto product = [&](Value x, Value y) -> Value {
      return arith::MulIOp::create(builder, place, lowerOf(x), lowerOf(y));
    };
    const Halves low{product(a.even, b.even), product(a.odd, b.odd)};
    known[op.getLow()] = low;
    known[op.getHigh()] = {shifted<arith::ShRUIOp>(low.even), shifted<arith::ShRUIOp>(low.odd)};
  }

  /// Gives readers outside the chains what they ask for. Later products are finished before, so that of the chain nobody reads on.
  void finish(arith::MulUIExtendedOp op) {
    for (Value result : op->getResults()) {
      if (result.use_empty())
        continue;
      builder.setInsertionPointAfter(op);
      place = op.getLoc();
      // The halves were made in front of the op. They are joined by moving lanes: shifts and masks of a product LLVM would draw into it,
      // and make it one of 64-bit numbers, which is three instructions.
      const Halves products = known[op.getLow()];
      const auto type = cast<VectorType>(result.getType());
      const auto lanesOf = [&](Value half) -> Value {
        return vector::BitCastOp::create(builder, place, type, half);
      };
      const int64_t number = type.getDimSize(0), first = result == op.getHigh() ? 1 : 0;
      SmallVector<int64_t> order;
      for (int64_t lane = 0; lane < number; lane += 2)
        order.append({lane + first, number + lane + first});
      result.replaceAllUsesWith(vector::ShuffleOp::create(builder, place, lanesOf(products.even),
                                                          lanesOf(products.odd), order));
    }
    const SmallVector<Value> operands(op->getOperands());
    op.erase();
    for (Value operand : operands)
      eraseUnread(operand);
  }

private:
  OpBuilder builder;
  Location place = builder.getUnknownLoc();
  llvm::DenseMap<Value, Halves> known;

  Halves of(Value value) {
    if (auto found = known.find(value); found != known.end())
      return found->second;
    Halves halves;
    if (auto both = value.getDefiningOp<arith::XOrIOp>()) {
      const Halves a = of(both.getLhs()), b = of(both.getRhs());
      builder.setInsertionPoint(both);
      place = both.getLoc();
      halves = {arith::XOrIOp::create(builder, place, a.even, b.even),
                arith::XOrIOp::create(builder, place, a.odd, b.odd)};
    } else {
      builder.setInsertionPointAfterValue(value);
      place = value.getLoc();
      auto type = cast<VectorType>(value.getType());
      halves.even = vector::BitCastOp::create(
          builder, place, VectorType::get({type.getDimSize(0) / 2}, builder.getI64Type()), value);
      halves.odd = isAlike(value) ? halves.even : shifted<arith::ShRUIOp>(halves.even);
    }
    return known[value] = halves;
  }

  static void eraseUnread(Value value) {
    auto both = value.getDefiningOp<arith::XOrIOp>();
    if (!both || !both->use_empty())
      return;
    const SmallVector<Value> operands(both->getOperands());
    both.erase();
    for (Value operand : operands)
      eraseUnread(operand);
  }
  /// Whether all lanes hold one number: a generator's keys.
  static bool isAlike(Value value) {
    DenseElementsAttr elements;
    if (matchPattern(value, m_Constant(&elements)))
      return elements.isSplat();
    Operation *op = value.getDefiningOp();
    if (!op)
      return false;
    if (isa<vector::BroadcastOp>(op))
      return !isa<VectorType>(op->getOperand(0).getType());
    return op->hasTrait<OpTrait::Elementwise>() && isPure(op) &&
           llvm::all_of(op->getOperands(), isAlike);
  }
  Value number(int64_t number, Value like) {
    auto type = cast<VectorType>(like.getType());
    return arith::ConstantOp::create(
        builder, place, DenseElementsAttr::get(type, builder.getI64IntegerAttr(number)));
  }
  Value lowerOf(Value x) { return arith::AndIOp::create(builder, place, x, number(0xFFFFFFFF, x)); }
  template <typename Shift> Value shifted(Value x) {
    return Shift::create(builder, place, x, number(32, x));
  }
};

/// u ≥ c or u < c, where u is x / 2^8 rounded down, as a number, times 2^-24: the same of x and the bits that stand for c.
void compareBits(arith::CmpFOp op) {
  const bool reaches = op.getPredicate() == arith::CmpFPredicate::OGE;
  if (!reaches && op.getPredicate() != arith::CmpFPredicate::OLT)
    return;
  const auto splat = [](Value value) -> Attribute {
    DenseElementsAttr elements;
    if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
      return {};
    return elements.getSplatValue<Attribute>();
  };
  const auto number = [&](Value value) {
    auto one = dyn_cast_or_null<FloatAttr>(splat(value));
    return one ? one.getValueAsDouble() : -1;
  };
  auto scaled = op.getLhs().getDefiningOp<arith::MulFOp>();
  if (!scaled || number(scaled.getRhs()) != 0x1p-24)
    return;
  auto whole = scaled.getLhs().getDefiningOp<arith::SIToFPOp>();
  auto upper = whole ? whole.getIn().getDefiningOp<arith::ShRUIOp>() : arith::ShRUIOp();
  auto shift = upper ? dyn_cast_or_null<IntegerAttr>(splat(upper.getRhs())) : IntegerAttr();
  const double least = std::ceil(number(op.getRhs()) * 0x1p24);
  if (!shift || !shift.getType().isInteger(32) || shift.getInt() != 8 || !(least >= 0) ||
      !(least < 0x1p24))
    return;
  OpBuilder builder(op);
  Value x = upper.getLhs();
  const APInt bits(32, static_cast<uint64_t>(least) << 8);
  Value bound = arith::ConstantOp::create(
      builder, op.getLoc(), DenseElementsAttr::get(cast<VectorType>(x.getType()), bits));
  op.replaceAllUsesWith(
      arith::CmpIOp::create(builder, op.getLoc(),
                            reaches ? arith::CmpIPredicate::uge : arith::CmpIPredicate::ult, x,
                            bound)
          .getResult());
}

struct WideProducts : PassWrapper<WideProducts, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WideProducts)
  StringRef getArgument() const override { return "wide-products"; }
  StringRef getDescription() const override {
    return "Multiply 32-bit lanes as even and odd ones, and keep chains of such products so";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    SmallVector<arith::MulUIExtendedOp> products;
    getOperation()->walk([&](arith::MulUIExtendedOp op) {
      if (Chains::fits(op))
        products.push_back(op);
    });
    if (products.empty())
      return;
    getOperation()->walk(compareBits);
    Chains chains(&getContext());
    for (arith::MulUIExtendedOp op : products)
      chains.multiply(op);
    for (arith::MulUIExtendedOp op : llvm::reverse(products))
      chains.finish(op);
    IRRewriter rewriter(&getContext());
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};

} // namespace

std::unique_ptr<Pass> createWideProductsPass() { return std::make_unique<WideProducts>(); }
void registerWideProductsPass() { PassRegistration<WideProducts>(); }

} // namespace sinter::codegen
