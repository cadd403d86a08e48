//===- InterleaveChains.cpp - several vectors' long functions side by side --------------------------===//
// A polynomial is a chain in which each step waits four cycles for the one before. A core looks for other work only as far as its
// schedulers reach, which is two or three such chains; written one behind the other they run at the pace of their latency. Blocks that
// an emitter has marked hold the same chain for several vectors: here their ops are sorted by how many stand before them, so that
// neighbours do not wait for each other. Keeps bits: no op changes, only the order of those that know nothing of each other.

#include "compiler/codegen/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Loads and requests for lines first, pure ops by depth, stores last, as the mark allows. A block with anything else stays as it is.
void interleave(Block &block) {
  SmallVector<std::tuple<int64_t, size_t, Operation *>> order; // depth, then place
  llvm::DenseMap<Operation *, int64_t> depths;
  for (Operation &op : block.without_terminator()) {
    int64_t depth = 0;
    for (Value operand : op.getOperands())
      if (auto known = depths.find(operand.getDefiningOp()); known != depths.end())
        depth = std::max(depth, known->second + 1);
    const bool stores = isa<LLVM::StoreOp, LLVM::MaskedStoreOp>(op);
    if (!stores && !isa<LLVM::LoadOp, LLVM::MaskedLoadOp, LLVM::Prefetch>(op) && !isPure(&op))
      return;
    depths[&op] = depth;
    order.emplace_back(stores ? std::numeric_limits<int64_t>::max() : depth, order.size(), &op);
  }
  llvm::sort(order);
  for (auto [depth, place, op] : order)
    op->moveBefore(block.getTerminator());
}

struct InterleaveChains : PassWrapper<InterleaveChains, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InterleaveChains)
  StringRef getArgument() const override { return "interleave-chains"; }
  StringRef getDescription() const override {
    return "Sort the ops of marked loops so that neighbours do not wait for each other";
  }
  void runOnOperation() override {
    getOperation()->walk([](scf::ForOp loop) {
      if (loop->removeAttr(interleavedAttribute))
        interleave(*loop.getBody());
    });
  }
};

} // namespace

std::unique_ptr<Pass> createInterleaveChainsPass() { return std::make_unique<InterleaveChains>(); }
void registerInterleaveChainsPass() { PassRegistration<InterleaveChains>(); }

} // namespace sinter::codegen
