//===- UseWinograd.cpp - fewer products for convolutions of 3 × 3 ---------------------------------===//
// A tile of 4 × 4 outputs takes 36 products a channel in place of 144, and sums to transform windows, filters and outputs (train.winograd). How
// many products are spared and what the sums cost depends on shapes, so each of the three convolutions of a layer is judged by itself:
// where there are few channels, transforms outweigh products; where images are small, what sticks out of them is
// wasted. Filters of 36 numbers are made once for all that read them where they fit near caches; else it is cheaper to make those of a block anew for
// each chunk of tiles than to read four times as much as the weights are.
#include "compiler/passes/Passes.h"

#include "dialects/Winograd.h"
#include "dialects/train/Emit.h"
#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_USEWINOGRAD
#include "compiler/passes/Passes.h.inc"
namespace {

/// One convolution, whichever of its tensors is the result: of x [B, H, W, C] to y [B, Ho, Wo, O].
struct Shapes {
  ArrayRef<int64_t> x, y;
  ArrayRef<int64_t> padding;
};

// What was measured of both ways on one core, in multiply-adds of one float at the peak: of each product, as kernels reach
// some eight tenths of the peak, and less where taps miss small images or the batch is summed; of a tile and channel that is
// transformed once, there or back; of a filter's 36 numbers, made once and, where all of them are too many for the second-level cache, read by
// each chunk of tiles, or made by each.
constexpr double directProduct = 1.2, directByWeight = 1.35, product = 1.25;
constexpr double transform = 600, filterMade = 1000, filterRead = 950, filterMadeAgain = 440;
constexpr double nearBytes = 1 << 20;
/// Nothing is changed for less than a tenth.
constexpr double leastGain = 1.1;
constexpr int64_t columnsTogether = 64, tilesTogether = 48, leastChannels = 16;

/// Taps of an axis that meet the image, over all outputs.
int64_t tapsWithin(int64_t outputs, int64_t extent, int64_t before) {
  int64_t count = 0;
  for (int64_t tap = 0; tap < winograd::taps; ++tap)
    for (int64_t output = 0; output < outputs; ++output)
      count += output + tap - before >= 0 && output + tap - before < extent;
  return count;
}

/// What all filters cost by channel and column, made before or by each chunk of tiles.
struct FilterCost {
  double before, inside;
};
FilterCost costOfFilters(const Shapes &s) {
  const auto tiles = static_cast<double>(s.x[0] * llvm::divideCeil(s.y[1], winograd::outputs) *
                                         llvm::divideCeil(s.y[2], winograd::outputs));
  const auto chunks = std::ceil(tiles / tilesTogether);
  const auto bytes = static_cast<double>(4 * winograd::products * s.x[3] * s.y[3]);
  return {filterMade + (bytes > nearBytes ? filterRead * chunks : 0), filterMadeAgain * chunks};
}
bool makesFiltersInside(const Shapes &s) {
  const FilterCost cost = costOfFilters(s);
  return cost.inside < cost.before;
}

bool pays(const Shapes &s, bool byWeight) {
  const auto channels = static_cast<double>(s.x[3]), columns = static_cast<double>(s.y[3]);
  if (s.x[3] < leastChannels || s.y[3] < leastChannels)
    return false;
  const auto inside = static_cast<double>(s.x[0] * tapsWithin(s.y[1], s.x[1], s.padding[0]) *
                                          tapsWithin(s.y[2], s.x[2], s.padding[1]));
  const double direct = inside * channels * columns * (byWeight ? directByWeight : directProduct);
  const auto tiles = static_cast<double>(s.x[0] * llvm::divideCeil(s.y[1], winograd::outputs) *
                                         llvm::divideCeil(s.y[2], winograd::outputs));
  // Windows are transformed anew for each block of columns; by weight, both sides for each of the other's.
  const auto blocksOf = [](int64_t extent) {
    return static_cast<double>(llvm::divideCeil(extent, columnsTogether));
  };
  double sums = tiles * channels * blocksOf(s.y[3]);
  sums += tiles * columns * (byWeight ? blocksOf(s.x[3]) : 1);
  double tiled = winograd::products * tiles * channels * columns * product + transform * sums;
  if (!byWeight) {
    const FilterCost cost = costOfFilters(s);
    tiled += channels * columns * std::min(cost.before, cost.inside);
  }
  return tiled * leastGain < direct;
}

/// Whether the op is what tiles can do: 3 × 3, every pixel, without groups, in f32.
template <typename Op> bool fits(Op op, ArrayRef<int64_t> filter) {
  const auto all = [](ArrayRef<int64_t> values, int64_t value) {
    return llvm::all_of(values, [&](int64_t each) { return each == value; });
  };
  // A gradient by input takes padding of 2 less its own.
  return filter.size() == 4 && filter[0] == winograd::taps && filter[1] == winograd::taps &&
         all(op.getStrides(), 1) && all(op.getDilations(), 1) &&
         llvm::all_of(op.getPadding(), [](int64_t value) { return value < winograd::taps; }) &&
         llvm::none_of(op->getOperands(),
                       [](Value operand) { return operand.getDefiningOp<train::Bf16Op>(); });
}

/// G ⊗ G: what each of the 36 products takes of each tap; turned by half a circle for a gradient by input.
Value filterTable(OpBuilder &builder, Location place, bool turned) {
  SmallVector<float> values;
  for (const auto &down : winograd::ofFilter)
    for (const auto &across : winograd::ofFilter)
      for (int64_t tap = 0; tap < winograd::taps * winograd::taps; ++tap) {
        const int64_t from = turned ? winograd::taps * winograd::taps - 1 - tap : tap;
        values.push_back(
            static_cast<float>(down[from / winograd::taps] * across[from % winograd::taps]));
      }
  auto type = RankedTensorType::get({winograd::products, winograd::taps * winograd::taps},
                                    builder.getF32Type());
  return train::ConstantOp::create(builder, place,
                                   DenseElementsAttr::get(type, ArrayRef<float>(values)));
}

struct UseWinograd : impl::UseWinogradBase<UseWinograd> {
  using UseWinogradBase::UseWinogradBase;

  void runOnOperation() override {
    for (auto &each : filters)
      each.clear();
    Block &block = getOperation().getBody().front();
    for (auto op : llvm::make_early_inc_range(block.getOps<train::Conv2dForwardOp>())) {
      const Shapes shapes{train::shapeOf(op.getX()), train::shapeOf(op.getY()), op.getPadding()};
      if (fits(op, train::shapeOf(op.getW())) && paysOff(shapes, false))
        tile(op, op.getX(), shapes, /*turned=*/false);
    }
    for (auto op : llvm::make_early_inc_range(block.getOps<train::Conv2dInputGradOp>())) {
      SmallVector<int64_t> padding;
      for (int64_t value : op.getPadding())
        padding.push_back(winograd::taps - 1 - value);
      const Shapes shapes{train::shapeOf(op.getDy()), train::shapeOf(op.getDx()), padding};
      if (fits(op, train::shapeOf(op.getW())) && paysOff(shapes, false))
        tile(op, op.getDy(), shapes, /*turned=*/true);
    }
    for (auto op : llvm::make_early_inc_range(block.getOps<train::Conv2dWeightGradOp>()))
      if (fits(op, train::shapeOf(op.getDw())) &&
          paysOff({train::shapeOf(op.getX()), train::shapeOf(op.getDy()), op.getPadding()}, true)) {
        OpBuilder builder(op);
        replace(op, train::WinogradWeightGradOp::create(builder, op.getLoc(), op.getDw().getType(),
                                                        op.getX(), op.getDy(), op.getPadding()));
      }
  }

private:
  bool paysOff(const Shapes &shapes, bool byWeight) { return all || pays(shapes, byWeight); }

  /// Of each weight its filters, as they are and turned.
  llvm::DenseMap<Value, Value> filters[2];

  /// A convolution of `image` with the op's weights, or, turned, a gradient by input.
  template <typename Op> void tile(Op op, Value image, const Shapes &shapes, bool turned) {
    OpBuilder builder(op);
    const bool inside = makesFiltersInside(shapes);
    Value made = inside ? op.getW() : transformed(builder, op, op.getW(), turned);
    replace(op, train::WinogradOp::create(builder, op.getLoc(), op->getResult(0).getType(), image,
                                          made, shapes.padding, turned && inside));
    numInside += inside;
  }

  template <typename Op> void replace(Op op, Operation *tiled) {
    for (StringRef mark : {"train.part", "train.again"})
      if (Attribute value = op->getAttr(mark))
        tiled->setAttr(mark, value);
    op->replaceAllUsesWith(tiled);
    op.erase();
    ++numTiled;
  }

  /// The weight w [3, 3, C, O] as filters [36, C, O], or, turned, [36, O, C].
  Value transformed(OpBuilder &builder, Operation *op, Value w, bool turned) {
    Value &known = filters[turned ? 1 : 0][w];
    if (known && known.getDefiningOp()->isBeforeInBlock(op))
      return known;
    const Location place = op->getLoc();
    train::Emit emit(builder, place);
    const ArrayRef<int64_t> shape = train::shapeOf(w);
    int64_t channels = shape[2], columns = shape[3];
    constexpr int64_t numTaps = winograd::taps * winograd::taps;
    const auto typeOf = [&](ArrayRef<int64_t> extents) {
      return RankedTensorType::get(extents, builder.getF32Type());
    };
    if (turned) {
      w = train::ReshapeOp::create(builder, place, typeOf({numTaps, channels, columns}), w);
      std::swap(channels, columns);
      w = train::TransposeOp::create(builder, place, typeOf({numTaps, channels, columns}), w,
                                     ArrayRef<int64_t>{0, 2, 1});
    }
    w = train::ReshapeOp::create(builder, place, typeOf({numTaps, channels * columns}), w);
    Value u = emit.contract("et,tn->en", filterTable(builder, place, turned), w,
                            typeOf({winograd::products, channels * columns}));
    known = train::ReshapeOp::create(builder, place,
                                     typeOf({winograd::products, channels, columns}), u);
    return known;
  }
};

} // namespace
} // namespace sinter::passes
