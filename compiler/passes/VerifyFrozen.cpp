//===- VerifyFrozen.cpp - no gradient is computed that no owned state needs -------------------------===//
// A frozen state is bound by `reads`, and nothing may compute its gradient. Such a gradient would have no reader, for
// only owned states are committed: so every op that differentiation built must reach the commit.
#include "compiler/passes/Passes.h"
#include "compiler/passes/Provenance.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_VERIFYFROZEN
#include "compiler/passes/Passes.h.inc"
namespace {

struct VerifyFrozen : impl::VerifyFrozenBase<VerifyFrozen> {
  using VerifyFrozenBase::VerifyFrozenBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    Block &block = getOperation().getBody().front();
    llvm::DenseSet<Operation *> needed;
    unsigned gradients = 0;
    for (Operation &op : llvm::reverse(block)) {
      const bool isNeeded =
          op.hasTrait<OpTrait::IsTerminator>() ||
          llvm::any_of(op.getUsers(), [&](Operation *user) { return needed.contains(user); });
      if (isNeeded) {
        needed.insert(&op);
        gradients += isGradient(&op);
      } else if (isGradient(&op)) {
        op.emitOpError("computes a gradient that no owned state needs");
        return signalPassFailure();
      }
    }
    count(gradients);
  }

  void count(unsigned gradients) {
    SmallVector<StringRef> owned, read;
    for (unsigned i = 0; i < getOperation().getNumArguments(); ++i) {
      if (auto name = getOperation().getArgAttrOfType<FlatSymbolRefAttr>(i, "train.owns"))
        owned.push_back(name.getValue());
      if (auto name = getOperation().getArgAttrOfType<FlatSymbolRefAttr>(i, "train.reads"))
        read.push_back(name.getValue());
    }
    numOwned += owned.size();
    numRead += read.size();
    if (printStates)
      llvm::outs() << "step @" << getOperation().getSymName() << ": owns ["
                   << llvm::join(owned, ", ") << "], reads [" << llvm::join(read, ", ")
                   << "], computes gradients in " << gradients << " ops\n";
  }
};

} // namespace
} // namespace sinter::passes
