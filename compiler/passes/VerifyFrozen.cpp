//===- VerifyFrozen.cpp - no gradient is computed that no owned state needs -------------------------===//
// A frozen state is bound by `reads`, and nothing may compute its gradient. Such a gradient would have no reader, for
// only owned states are committed: so every op that differentiation built must reach the commit.
#include "compiler/passes/Passes.h"
#include "compiler/passes/Provenance.h"

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
    if (Operation *stray = strayGradient(block)) {
      stray->emitOpError("computes a gradient that no owned state needs");
      return signalPassFailure();
    }
    count(static_cast<unsigned>(
        llvm::count_if(block, [](Operation &op) { return isGradient(&op); })));
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
