//===- FuseEpilogues.cpp - let a contraction finish its sums ---------------------------------------===//
// A pointwise sweep over a contraction's result becomes part of its epilogue, where the sums are still in registers. What may
// move depends on where sums lie meanwhile: if every sum is one chain, it never leaves the registers, and the epilogue may have any
// outputs; else partial sums stand in the output, so there is one, of f32, at the very points of the sum. A convolution in Winograd's tiles
// finishes a tile of its only output at once.
#include "compiler/passes/FuseBody.h"
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Passes.h"
#include "dialects/kernel/Access.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using sinter::kernel::ContractOp;
using sinter::kernel::SweepOp;
using sinter::kernel::WinogradOp;

namespace sinter::passes {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "compiler/passes/Passes.h.inc"
namespace {

/// Whether a body draws random numbers. Four vectors share a counter's work (train.random); in a tile they would not stand side by side.
bool draws(Block &body) { return !body.getOps<arith::MulUIExtendedOp>().empty(); }

/// One sweep on its way into one contraction.
class Fusion {
public:
  Fusion(ContractOp contract, SweepOp sweep) : contract(contract), sweep(sweep) {}

  bool isAllowed();
  void apply();

private:
  bool tapsMoveSums();
  bool oneTapReachesAll();
  bool reads(Value input) const { return input.getDefiningOp() == contract; }
  bool isKept(Value result) const { return !isUsedByOnly(result, {sweep}); }

  ContractOp contract;
  SweepOp sweep;
  AffineMap toSweep; ///< from the contraction's domain to the sweep's
};

/// Whether the element that a product goes to depends on the tap, as in the gradient of a convolution's input.
bool Fusion::tapsMoveSums() {
  const AffineMap sums = contract.getOutputMap(0);
  for (unsigned tap = contract.getFirstTap(); tap < contract.getFirstSum(); ++tap)
    if (sums.isFunctionOfDim(tap))
      return contract.sumsTaps();
  return false;
}

/// The epilogue runs in one tap for all elements, so that must be one that reaches them all: the middle one of a convolution that
/// keeps the size. With a stride, or without padding, there is none.
bool Fusion::oneTapReachesAll() {
  const AffineMap sums = contract.getOutputMap(0);
  const ArrayRef<int64_t> shape = cast<ShapedType>(contract.getOutputs()[0].getType()).getShape();
  const SmallVector<int64_t> domain = contract.getDomain();
  MLIRContext *context = contract.getContext();
  SmallVector<AffineExpr> point;
  for (unsigned axis = 0; axis < domain.size(); ++axis)
    point.push_back(getAffineDimExpr(axis, context));
  SmallVector<int64_t> tap(contract.getTaps().size(), 0);
  while (true) {
    for (auto [i, value] : llvm::enumerate(tap))
      point[contract.getFirstTap() + i] = getAffineConstantExpr(value, context);
    const AffineMap fixed = sums.replaceDimsAndSymbols(point, {}, domain.size(), 0);
    if (kernel::coversAll(simplifyAffineMap(fixed), shape, domain))
      return true;
    size_t next = tap.size();
    while (next > 0 && ++tap[next - 1] == contract.getTaps()[next - 1])
      tap[--next] = 0;
    if (next == 0)
      return false;
  }
}

bool Fusion::isAllowed() {
  if (!sweep.isPointwise() || draws(sweep.getBody().front()))
    return false;
  // One read says where the sweep's points lie in the contraction's domain; all others must agree.
  for (auto [at, input] : llvm::enumerate(sweep.getInputs())) {
    if (!reads(input))
      continue;
    const AffineMap read = sweep.getMap(at);
    const AffineMap written = contract.getOutputMap(cast<OpResult>(input).getResultNumber());
    if (!toSweep) {
      if (read.getNumDims() != read.getNumResults() || !read.isPermutation())
        return false;
      // A slice that begins at 0 reads by a permutation too, but not every sum.
      if (!kernel::coversAll(read, cast<ShapedType>(input.getType()).getShape(), sweep.getDomain()))
        return false;
      toSweep = simplifyAffineMap(inversePermutation(read).compose(written));
    }
    if (simplifyAffineMap(read.compose(toSweep)) != written)
      return false;
  }

  const SmallVector<int64_t> domain = contract.getDomain();
  const AffineMap sums = contract.getOutputMap(0);
  if (!kernel::coversAll(sums, cast<ShapedType>(contract.getOutputs()[0].getType()).getShape(),
                         domain))
    return false;
  if (tapsMoveSums() && (!oneTapReachesAll() || !sweep.getBody().getOps<kernel::IndexOp>().empty()))
    return false;
  for (auto [at, operand] : llvm::enumerate(sweep.getOperands()))
    if (const bool isOutput = at >= sweep.getInputs().size(); isOutput || !reads(operand)) {
      const AffineMap map = simplifyAffineMap(sweep.getMap(at).compose(toSweep));
      const auto stride = kernel::strideAlong(map, cast<ShapedType>(operand.getType()).getShape(),
                                              contract.getColsAxis());
      if (!isOutput) { // a value read with the sums goes along the columns, or is the same for all of them
        if (contract.getCols() > 1 && stride != 0 && stride != 1)
          return false;
        continue;
      }
      // A single column may lie in an output that does not know of it.
      if (stride != 1 && (contract.getCols() > 1 || stride != 0))
        return false;
      if (!contract.sumsAtOnce() && map != sums)
        return false;
    }
  if (!contract.sumsAtOnce() &&
      (sweep.getNumResults() != 1 ||
       !cast<ShapedType>(sweep.getResult(0).getType()).getElementType().isF32() ||
       llvm::any_of(contract.getResults(), [&](Value result) { return isKept(result); })))
    return false;

  // The coordinates that the body asks for must be axes of the contraction, not sums of them.
  for (auto index : sweep.getBody().getOps<kernel::IndexOp>()) {
    auto axis = dyn_cast<AffineDimExpr>(toSweep.getResult(index.getAxis()));
    if (!axis || axis.getPosition() >= contract.getFirstSum())
      return false;
  }
  // The whole moves to where the sweep stands; nobody may need a result earlier.
  return llvm::all_of(contract->getUsers(), [&](Operation *user) {
    return user == sweep || sweep->isBeforeInBlock(user);
  });
}

void Fusion::apply() {
  OpBuilder builder(sweep);
  Region region;
  FusedBody body(region, builder.getContext());
  SmallVector<Value> arguments{body.argument(builder.getF32Type(), contract.getLoc())};
  for (auto [at, value] : llvm::enumerate(contract.getWith()))
    arguments.push_back(body.read(value, contract.getMap(2 + at)));
  SmallVector<Value> inputs;
  for (auto [at, input] : llvm::enumerate(sweep.getInputs()))
    inputs.push_back(reads(input)
                         ? Value()
                         : body.read(input, simplifyAffineMap(sweep.getMap(at).compose(toSweep))));

  SmallVector<Value> finished = {arguments[0]};
  if (!contract.getEpilogue().empty())
    finished = body.append(contract.getEpilogue().front(), arguments,
                           builder.getMultiDimIdentityMap(contract.getDomainRank()));
  for (auto [at, input] : llvm::enumerate(sweep.getInputs()))
    if (reads(input))
      inputs[at] = finished[cast<OpResult>(input).getResultNumber()];
  SmallVector<Value> swept = body.append(sweep.getBody().front(), inputs, toSweep);

  SmallVector<Value> yields, outputs, replaced;
  SmallVector<AffineMap> maps{contract.getMap(0), contract.getMap(1)};
  llvm::append_range(maps, body.maps);
  for (OpResult result : contract->getResults())
    if (isKept(result)) {
      yields.push_back(finished[result.getResultNumber()]);
      outputs.push_back(contract.getOutputs()[result.getResultNumber()]);
      maps.push_back(contract.getOutputMap(result.getResultNumber()));
      replaced.push_back(result);
    }
  for (OpResult result : sweep->getResults()) {
    yields.push_back(swept[result.getResultNumber()]);
    outputs.push_back(sweep.getOutputs()[result.getResultNumber()]);
    maps.push_back(simplifyAffineMap(
        sweep.getMap(sweep.getInputs().size() + result.getResultNumber()).compose(toSweep)));
    replaced.push_back(result);
  }
  body.yield(sweep.getLoc(), yields);

  // The first output's map is the sum's domain of points; where all agree it does not matter which it is.
  auto fused =
      ContractOp::create(builder, joinedLocation(contract.getLoc(), sweep.getLoc()),
                         ValueRange(outputs).getTypes(), contract.getA(), contract.getB(),
                         body.operands, outputs, contract.getRows(), contract.getCols(),
                         contract.getTaps(), contract.getSum(), builder.getAffineMapArrayAttr(maps),
                         contract.getBlock(), contract.getScheduleAttr(), contract.getBf16());
  fused.getEpilogue().takeBody(region);
  keepAgain(fused, {contract, sweep});
  for (auto [old, value] : llvm::zip_equal(replaced, fused.getResults()))
    old.replaceAllUsesWith(value);
  sweep.erase();
  contract.erase();
}

/// One sweep on its way into one convolution in Winograd's tiles.
class TileFusion {
public:
  TileFusion(WinogradOp tiles, SweepOp sweep) : tiles(tiles), sweep(sweep) {}

  bool isAllowed();
  void apply();

private:
  bool reads(Value input) const { return input.getDefiningOp() == tiles; }
  /// What belongs to a point of the convolution's result, of operand `at` of the sweep.
  AffineMap mapOf(unsigned at) { return simplifyAffineMap(sweep.getMap(at).compose(toSweep)); }

  WinogradOp tiles;
  SweepOp sweep;
  AffineMap toSweep; ///< from the convolution's result to the sweep's domain
};

bool TileFusion::isAllowed() {
  Block &body = sweep.getBody().front();
  if (tiles.getByWeight() || !sweep.isPointwise() || sweep.getNumResults() != 1 || draws(body) ||
      sweep.getResult(0).getType() != tiles.getResults()[0].getType() ||
      !isUsedByOnly(tiles.getResults()[0], {sweep}))
    return false;
  // The epilogue knows no coordinates and nothing from outside.
  for (Operation &op : body)
    if (isa<kernel::IndexOp>(op) || llvm::any_of(op.getOperands(), [&](Value operand) {
          return !sweep.getBody().isAncestor(operand.getParentRegion());
        }))
      return false;
  for (auto [at, input] : llvm::enumerate(sweep.getInputs())) {
    if (!reads(input))
      continue;
    const AffineMap read = sweep.getMap(at);
    if (toSweep && read != inversePermutation(toSweep))
      return false;
    if (read.getNumDims() != read.getNumResults() || !read.isPermutation() ||
        !kernel::coversAll(read, cast<ShapedType>(input.getType()).getShape(), sweep.getDomain()))
      return false;
    toSweep = inversePermutation(read);
  }
  for (auto [at, operand] : llvm::enumerate(sweep.getOperands())) {
    if (at < sweep.getInputs().size() ? reads(operand) : false)
      continue;
    const AffineMap map = mapOf(at);
    if (at >= sweep.getInputs().size() ? !map.isIdentity() : !WinogradOp::canRead(map))
      return false;
  }
  return true;
}

void TileFusion::apply() {
  OpBuilder builder(sweep);
  Region region;
  FusedBody body(region, builder.getContext());
  SmallVector<Value> finished{body.argument(builder.getF32Type(), tiles.getLoc())};
  for (auto [at, value] : llvm::enumerate(tiles.getWith()))
    finished.push_back(body.read(value, tiles.getRead(at)));
  SmallVector<Value> inputs;
  for (auto [at, input] : llvm::enumerate(sweep.getInputs()))
    inputs.push_back(reads(input) ? Value() : body.read(input, mapOf(at)));
  if (!tiles.getEpilogue().empty())
    finished = body.append(tiles.getEpilogue().front(), finished,
                           builder.getMultiDimIdentityMap(toSweep.getNumDims()));
  for (Value &input : inputs)
    if (!input)
      input = finished[0];
  body.yield(sweep.getLoc(), body.append(sweep.getBody().front(), inputs, toSweep));
  auto fused = WinogradOp::create(
      builder, joinedLocation(tiles.getLoc(), sweep.getLoc()), sweep.getResultTypes(), tiles.getX(),
      tiles.getOther(), body.operands, sweep.getOutputs()[0], /*byWeight=*/false, tiles.getTurned(),
      tiles.getPadding(), tiles.getBlock(), builder.getAffineMapArrayAttr(body.maps));
  fused.getEpilogue().takeBody(region);
  keepAgain(fused, {tiles, sweep});
  sweep.replaceAllUsesWith(fused.getResults());
  sweep.erase();
  tiles.erase();
}

struct FuseEpilogues : impl::FuseEpiloguesBase<FuseEpilogues> {
  void runOnOperation() override {
    bool changed = true;
    while (changed) {
      changed = false;
      for (Block *block : blocksOfLoops(getOperation()))
        for (ContractOp contract : llvm::to_vector(block->getOps<ContractOp>()))
          changed |= fuseOne(contract);
      for (Block *block : blocksOfLoops(getOperation()))
        for (WinogradOp tiles : llvm::to_vector(block->getOps<WinogradOp>()))
          changed |= fuseOne(tiles);
    }
  }

  bool fuseOne(WinogradOp tiles) {
    for (Operation *user : tiles->getUsers())
      if (auto sweep = dyn_cast<SweepOp>(user)) {
        TileFusion fusion(tiles, sweep);
        if (!fusion.isAllowed())
          continue;
        bytesSaved += bytesOf(tiles.getResults()[0].getType());
        fusion.apply();
        ++numFused;
        return true;
      }
    return false;
  }

  bool fuseOne(ContractOp contract) {
    for (Operation *user : contract->getUsers()) {
      auto sweep = dyn_cast<SweepOp>(user);
      if (!sweep)
        continue;
      Fusion fusion(contract, sweep);
      if (!fusion.isAllowed())
        continue;
      for (Value result : contract.getResults())
        if (isUsedByOnly(result, {user}))
          bytesSaved += bytesOf(result.getType());
      fusion.apply();
      ++numFused;
      return true;
    }
    return false;
  }
};

} // namespace
} // namespace sinter::passes
