//===- MarkLate.cpp - tell what a contraction writes long before it is read -------------------------===//
// A line that is written is fetched first and leaves the caches later: where a large output is read only when much else has passed
// through, as what the forward pass keeps for the backward pass, it is better written past them. A contraction's code knows nothing of
// readers, so its op says which of its outputs these are. Keeps bits.
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Passes.h"
#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using sinter::kernel::ContractOp;

namespace sinter::passes {
#define GEN_PASS_DEF_MARKLATE
#include "compiler/passes/Passes.h.inc"
namespace {

/// What is smaller may stay in the second-level cache, which other outputs then share.
constexpr int64_t leastBytes = int64_t{2} << 20;
/// No cache holds a value over so many bytes of others.
constexpr int64_t farBytes = int64_t{32} << 20;

/// Whether loops read and write that many bytes before the first of them reads `value`. What only the commit reads is no such value: a
/// state lies in its old value's place, whose lines have just been read.
bool isReadLate(OpResult value) {
  llvm::DenseSet<Value> names{value};
  int64_t passed = 0;
  for (Operation *op = value.getOwner()->getNextNode(); op; op = op->getNextNode()) {
    const bool isLoop = isa<DestinationStyleOpInterface>(op);
    if (llvm::any_of(op->getOperands(), [&](Value v) { return names.contains(v); })) {
      auto alias = dyn_cast<kernel::AliasOp>(op);
      if (!alias)
        return isLoop && passed >= farBytes;
      names.insert(alias.getResult());
    } else if (isLoop) {
      passed += costOf(op).bytes;
    }
  }
  return false;
}

struct MarkLate : impl::MarkLateBase<MarkLate> {
  void runOnOperation() override {
    for (ContractOp contract : getOperation().getBody().front().getOps<ContractOp>()) {
      // Partial sums are read at once.
      if (contract.getEpilogue().empty() || !contract.sumsAtOnce())
        continue;
      SmallVector<int64_t> late;
      for (OpResult result : contract->getResults())
        if (cast<ShapedType>(result.getType()).getElementType().isF32() &&
            bytesOf(result.getType()) >= leastBytes && isReadLate(result))
          late.push_back(result.getResultNumber());
      if (late.empty())
        continue;
      contract->setAttr("kernel.late", Builder(&getContext()).getDenseI64ArrayAttr(late));
      numLate += late.size();
    }
  }
};

} // namespace
} // namespace sinter::passes
