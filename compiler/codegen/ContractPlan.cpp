//===- ContractPlan.cpp - resolve maps, find which points are present -----------------------------===//

#include "compiler/codegen/ContractPlan.h"

#include "dialects/kernel/KernelOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Lines of so many rows fill a register tile by themselves.
constexpr int64_t mostRowsOfTile = 14;
/// Among how many taps those that store are sought: each is held against all before it.
constexpr size_t mostTapsCompared = 256;

/// A coordinate that may fall outside its tensor: factor · axis + Σ taps + constant must lie in [0, extent).
struct Limit {
  int axis = -1; ///< in the op's domain; -1 where the coordinate has taps only
  int64_t factor = 0;
  SmallVector<int64_t> tapFactors;
  int64_t constant = 0;
  int64_t extent = 0;
};

class Planner {
public:
  explicit Planner(kernel::ContractOp op) : op(op) {}

  FailureOr<ContractPlan> run() {
    plan.rows.assign(op.getRows().begin(), op.getRows().end());
    plan.taps.assign(op.getTaps().begin(), op.getTaps().end());
    plan.sum.assign(op.getSum().begin(), op.getSum().end());
    plan.block.assign(op.getBlock().begin(), op.getBlock().end());
    plan.cols = op.getCols();
    plan.bf16 = op.getBf16();
    plan.numWith = op.getWith().size();
    plan.numOutputs = op.getOutputs().size();
    if (failed(resolveAccesses()) || failed(findLimits()))
      return failure();
    orderTaps();
    if (failed(checkEpilogue()))
      return failure();
    mergeRows();
    return std::move(plan);
  }

private:
  kernel::ContractOp op;
  ContractPlan plan;
  SmallVector<Limit> limits;

  bool tapsInOutput = false; // some output has an axis that is a tap and nothing else

  unsigned firstTap() const { return plan.rows.size() + 1; }
  unsigned firstSum() const { return firstTap() + plan.taps.size(); }
  int64_t extentOf(unsigned axis) const {
    if (axis < plan.rows.size())
      return plan.rows[axis];
    if (axis == plan.rows.size())
      return plan.cols;
    return axis < firstSum() ? plan.taps[axis - firstTap()] : plan.sum[axis - firstSum()];
  }

  LogicalResult resolveAccesses() {
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      auto shaped = dyn_cast<ShapedType>(operand.getType());
      if (!shaped)
        continue;
      auto access = composeAccess(op.getMap(index), shaped.getShape());
      if (!access)
        return op.emitOpError("map ") << index << " is not linear";
      plan.accesses.push_back(std::move(*access));
    }
    const unsigned cols = plan.colAxis();
    for (auto [index, access] : llvm::enumerate(plan.accesses)) {
      const int64_t stride = access.strides[cols];
      const bool mustBeOne = index == 1 || index >= plan.output(0);
      if (mustBeOne ? stride != 1 && plan.cols != 1 : (stride != 0 && stride != 1))
        return op.emitOpError("(C2) operand ")
               << index << " has stride " << stride << " along the columns";
    }
    return success();
  }

  LogicalResult findLimits() {
    // A and the first output: B is a weight or another whole tensor.
    for (unsigned operand : {0u, plan.output(0)}) {
      auto type = cast<ShapedType>(op->getOperand(operand).getType());
      AffineMap map = op.getMap(operand);
      for (auto [expr, extent] : llvm::zip_equal(map.getResults(), type.getShape()))
        if (auto linear = linearize(expr, map.getNumDims()); // as composeAccess has found already
            !linear || failed(addLimit(*linear, extent, operand != 0)))
          return failure();
    }
    return success();
  }

  LogicalResult addLimit(const LinearExpr &expr, int64_t extent, bool isOutput) {
    int64_t low = expr.constant, high = expr.constant;
    Limit limit;
    limit.constant = expr.constant;
    limit.extent = extent;
    limit.tapFactors.assign(plan.taps.size(), 0);
    bool usesTaps = false;
    unsigned others = 0;
    for (auto [axis, factor] : llvm::enumerate(expr.factors)) {
      if (factor == 0)
        continue;
      (factor > 0 ? high : low) += factor * (extentOf(axis) - 1);
      if (axis >= firstTap() && axis < firstSum()) {
        limit.tapFactors[axis - firstTap()] = factor;
        usesTaps = true;
      } else {
        ++others;
        limit.axis = axis;
        limit.factor = factor;
      }
    }
    if (isOutput && usesTaps && others == 0)
      tapsInOutput = true;
    if (low >= 0 && high < extent)
      return success();
    if (!usesTaps || others > 1 || limit.factor < 0)
      return op.emitOpError("a coordinate leaves its tensor in a way that no tap explains");
    limits.push_back(std::move(limit));
    return success();
  }

  /// The values of limit.axis for which the coordinate lies inside, at this tap.
  Range present(const Limit &limit, ArrayRef<int64_t> point) const {
    int64_t base = limit.constant;
    for (auto [factor, value] : llvm::zip_equal(limit.tapFactors, point))
      base += factor * value;
    if (limit.axis < 0)
      return base >= 0 && base < limit.extent ? Range{0, 1} : Range{0, 0};
    const int64_t low = base >= 0 ? 0 : llvm::divideCeil(-base, limit.factor);
    const int64_t last = limit.extent - 1 - base;
    const int64_t high = last < 0 ? 0 : last / limit.factor + 1;
    return {low, std::min(high, extentOf(limit.axis))};
  }

  void orderTaps() {
    // Taps are summed unless the output has axes of its own for them.
    plan.tapsAreSummed = !plan.taps.empty() && !tapsInOutput;
    SmallVector<int64_t> point(plan.taps.size(), 0);
    const int64_t numTaps = product(plan.taps);
    for (int64_t index = 0; index < numTaps; ++index) {
      int64_t rest = index;
      for (size_t i = plan.taps.size(); i-- > 0; rest /= plan.taps[i])
        point[i] = rest % plan.taps[i];
      addTap(point);
    }
    if (plan.tapsAreSummed)
      llvm::sort(plan.order, [](const Tap &a, const Tap &b) {
        return std::tuple(-a.numRows(), ArrayRef(a.point)) <
               std::tuple(-b.numRows(), ArrayRef(b.point));
      });
    if (!plan.tapsAreSummed) { // each has outputs of its own
      for (Tap &tap : plan.order)
        tap.isFirst = true;
      return;
    }
    // The rows of a tap that are present are distinct elements of the output, so counting them tells whether they are all.
    const int64_t elements = cast<ShapedType>(op.getOutputs()[0].getType()).getNumElements();
    plan.firstTapIsWhole =
        !plan.order.empty() && plan.order.front().numRows() * plan.cols == elements;
    plan.needsFinish = !op.getEpilogue().empty() &&
                       (!plan.firstTapIsWhole || plan.order.back().numRows() != product(plan.rows));
    const int64_t stored = markFirstTaps() * plan.cols;
    plan.needsZeroFill = stored != elements;
    // Zeros between what several taps store would be of many shapes; then all is zeroed and all taps add.
    if (plan.needsZeroFill && plan.order.size() > 1)
      for (Tap &tap : plan.order)
        tap.isFirst = false;
  }

  /// Finds the taps that no tap before shares an element with; how many rows they have together. By input with a stride they are one
  /// for each parity.
  int64_t markFirstTaps() {
    int64_t numRows = 0;
    SmallVector<SmallVector<Steps>> known;
    for (Tap &tap : plan.order) {
      SmallVector<Steps> own = elementsOf(tap);
      tap.isFirst =
          llvm::none_of(known, [&](ArrayRef<Steps> others) { return mayMeet(own, others); });
      if (tap.isFirst)
        numRows += tap.numRows();
      known.push_back(std::move(own));
      if (known.size() == mostTapsCompared)
        break;
    }
    return numRows;
  }

  /// Where a tap's rows lie in each dimension of the first output that one row axis moves along: start, start + step, …
  struct Steps {
    int64_t start = 0, step = 0, count = 0; ///< count 0: anywhere
  };
  SmallVector<Steps> elementsOf(const Tap &tap) {
    SmallVector<Steps> result;
    const AffineMap map = op.getMap(plan.output(0));
    for (AffineExpr expr : map.getResults()) {
      const auto linear = linearize(expr, map.getNumDims());
      Steps steps{linear->constant, 0, 1};
      for (auto [axis, factor] : llvm::enumerate(linear->factors)) {
        if (factor == 0)
          continue;
        if (axis >= firstTap() && axis < firstSum()) {
          steps.start += factor * tap.point[axis - firstTap()];
        } else if (axis < plan.rows.size() && steps.step == 0 && factor > 0) {
          steps = {steps.start + factor * tap.rows[axis].low, factor, tap.rows[axis].size()};
        } else {
          steps.count = 0;
          break;
        }
      }
      result.push_back(steps);
    }
    return result;
  }
  static bool mayMeet(ArrayRef<Steps> a, ArrayRef<Steps> b) {
    return llvm::all_of(llvm::zip_equal(a, b), [](const auto &pair) {
      const auto &[x, y] = pair;
      if (x.count == 0 || y.count == 0)
        return true;
      if (x.start > y.start + y.step * (y.count - 1) || y.start > x.start + x.step * (x.count - 1))
        return false;
      return x.step != y.step || x.step == 0 || (x.start - y.start) % x.step == 0;
    });
  }

  void addTap(ArrayRef<int64_t> point) {
    Tap tap;
    tap.point.assign(point.begin(), point.end());
    for (int64_t extent : plan.rows)
      tap.rows.push_back({0, extent});
    for (int64_t extent : plan.sum)
      tap.sum.push_back({0, extent});
    for (const Limit &limit : limits) {
      const Range range = present(limit, point);
      if (range.size() <= 0)
        return addAbsentTap(std::move(tap));
      if (limit.axis < 0)
        continue;
      const bool isRow = limit.axis < static_cast<int>(plan.rows.size());
      Range &mine = isRow ? tap.rows[limit.axis] : tap.sum[limit.axis - firstSum()];
      mine = {std::max(mine.low, range.low), std::min(mine.high, range.high)};
      if (mine.size() <= 0)
        return addAbsentTap(std::move(tap));
    }
    plan.order.push_back(std::move(tap));
  }

  /// A tap without any point adds nothing to a sum, but where it has an output of its own, that is zero.
  void addAbsentTap(Tap tap) {
    if (plan.tapsAreSummed)
      return;
    for (auto [range, extent] : llvm::zip_equal(tap.rows, plan.rows))
      range = {0, extent};
    for (Range &range : tap.sum)
      range = {0, 0};
    plan.order.push_back(std::move(tap));
  }

  /// An epilogue runs once for each output element; where elements are reached through taps, one tap must reach them all.
  LogicalResult checkEpilogue() {
    const bool outputUsesTaps =
        llvm::any_of(plan.accesses[plan.output(0)].strides, [&, axis = 0u](int64_t stride) mutable {
          const bool isTap = axis >= firstTap() && axis < firstSum();
          ++axis;
          return isTap && stride != 0;
        });
    if (op.getEpilogue().empty() || !plan.tapsAreSummed || !outputUsesTaps)
      return success();
    if (!plan.firstTapIsWhole)
      return op.emitOpError("an epilogue needs a tap that reaches every element of the output");
    if (!op.getEpilogue().getOps<kernel::IndexOp>().empty())
      return op.emitOpError("an epilogue over rows that taps move has no coordinates");
    return success();
  }

  /// Joins row axes that every operand walks as one, so that a tile may span them.
  void mergeRows() {
    for (unsigned i = 0; i < plan.rows.size(); ++i)
      plan.planAxis.push_back(i);
    SmallVector<bool> pinned(plan.rows.size(), false);
    op.getEpilogue().walk([&](kernel::IndexOp index) {
      if (index.getAxis() < pinned.size())
        pinned[index.getAxis()] = true;
    });
    for (unsigned axis = plan.rows.size(); axis-- > 1;) {
      if (pinned[axis - 1] || pinned[axis] || !mergeable(axis - 1))
        continue;
      // Images are walked one by one, and a tile lies over their two innermost axes: short lines leave it room for several.
      if (axis == 1 && plan.rows.size() > 2 && plan.rows.back() < mostRowsOfTile)
        continue;
      merge(axis - 1);
      pinned.erase(pinned.begin() + axis);
      for (unsigned &target : plan.planAxis)
        if (target >= axis)
          --target;
    }
  }

  bool mergeable(unsigned axis) const {
    const int64_t inner = plan.rows[axis + 1];
    for (const Access &access : plan.accesses)
      if (access.strides[axis] != access.strides[axis + 1] * inner)
        return false;
    return llvm::all_of(plan.order, [&](const Tap &tap) {
      return tap.rows[axis] == Range{0, plan.rows[axis]} && tap.rows[axis + 1] == Range{0, inner};
    });
  }

  void merge(unsigned axis) {
    plan.rows[axis] *= plan.rows[axis + 1];
    plan.rows.erase(plan.rows.begin() + axis + 1);
    for (Access &access : plan.accesses)
      access.strides.erase(access.strides.begin() + axis); // the inner stride stays
    for (Tap &tap : plan.order) {
      tap.rows.erase(tap.rows.begin() + axis + 1);
      tap.rows[axis] = {0, plan.rows[axis]};
    }
  }

  static int64_t product(ArrayRef<int64_t> extents) {
    int64_t result = 1;
    for (int64_t extent : extents)
      result *= extent;
    return result;
  }
};

} // namespace

int64_t Tap::numRows() const {
  int64_t result = 1;
  for (const Range &range : rows)
    result *= range.size();
  return result;
}

bool ContractPlan::isOneCall() const {
  if (tapsAreSummed && order.size() != 1)
    return false;
  for (const Tap &tap : order)
    for (auto [range, extent] : llvm::zip_equal(tap.sum, block))
      if (range.size() > extent)
        return false;
  return !needsFinish;
}

FailureOr<ContractPlan> ContractPlan::make(kernel::ContractOp op) { return Planner(op).run(); }

} // namespace sinter::codegen
