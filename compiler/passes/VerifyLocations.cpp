//===- VerifyLocations.cpp - every op leads to a line of the source --------------------------------===//
#include "compiler/passes/Passes.h"

#include "mlir/IR/Location.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_VERIFYLOCATIONS
#include "compiler/passes/Passes.h.inc"
namespace {

bool leadsToLine(Location location) {
  return location
      ->walk([](Location part) {
        return isa<FileLineColRange>(part) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

struct VerifyLocations : impl::VerifyLocationsBase<VerifyLocations> {
  void runOnOperation() override {
    const WalkResult result = getOperation()->walk([&](Operation *op) {
      // The module itself is nobody's line.
      if (op == getOperation() || op->hasTrait<OpTrait::ConstantLike>() ||
          leadsToLine(op->getLoc()))
        return WalkResult::advance();
      op->emitOpError("leads to no line of the source; its place is ") << op->getLoc();
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace sinter::passes
