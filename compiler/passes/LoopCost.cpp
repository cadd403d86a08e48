//===- LoopCost.cpp - what a kernel loop op costs --------------------------------------------------===//
#include "compiler/passes/LoopCost.h"

#include "dialects/Winograd.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::passes {

int64_t bytesOf(Type type) {
  auto shaped = cast<ShapedType>(type);
  return shaped.getNumElements() * llvm::divideCeil(shaped.getElementTypeBitWidth(), 8);
}

static bool isFloatOp(Operation &op) {
  return op.getNumResults() == 1 && isa<FloatType>(op.getResult(0).getType()) &&
         op.getNumOperands() > 0 && !isa<arith::SelectOp>(op);
}

int64_t workOf(Block &body) {
  int64_t work = 0;
  for (Operation &op : body) {
    if (isa<arith::ConstantOp, kernel::YieldOp, kernel::IndexOp>(op))
      continue;
    if (isa<math::SqrtOp, arith::DivFOp>(op))
      work += 5;
    else if (isa<math::AbsFOp>(op))
      work += 1;
    else
      work += isa<math::MathDialect>(op.getDialect()) ? 15 : 1;
  }
  return work;
}

LoopCost costOf(Operation *op) {
  LoopCost cost;
  for (Type type : op->getOperandTypes())
    if (isa<ShapedType>(type))
      cost.bytes += bytesOf(type);
  const auto countFlops = [](Block &body) {
    return static_cast<int64_t>(llvm::count_if(body, isFloatOp));
  };
  if (auto sweep = dyn_cast<kernel::SweepOp>(op)) {
    const int64_t points = llvm::product_of(sweep.getDomain());
    cost.flops = points * countFlops(sweep.getBody().front());
    cost.work = points * workOf(sweep.getBody().front());
  } else if (auto contract = dyn_cast<kernel::ContractOp>(op)) {
    cost.flops = cost.work = 2 * llvm::product_of(contract.getDomain());
    if (!contract.getEpilogue().empty()) {
      const int64_t elements =
          cast<ShapedType>(contract.getOutputs()[0].getType()).getNumElements();
      cost.flops += elements * countFlops(contract.getEpilogue().front());
      cost.work += elements * workOf(contract.getEpilogue().front());
    }
  } else if (auto scan = dyn_cast<kernel::ScanOp>(op)) {
    for (Operation &inner : scan.getBody().front())
      if (isa<DestinationStyleOpInterface>(inner)) {
        const LoopCost once = costOf(&inner);
        cost.flops += once.flops * static_cast<int64_t>(scan.getSteps() * scan.getShares());
        cost.work += once.work * static_cast<int64_t>(scan.getSteps() * scan.getShares());
      }
  } else if (auto attend = dyn_cast<kernel::AttendOp>(op)) {
    // Each score, hidden or not, of two products or four, and what the softmax or its derivative does with it: as where the
    // scores are written out. That the way back computes them again is not counted.
    const int64_t scores =
        attend.getBatch() * attend.getHeads() * attend.getQueries() * attend.getKeys();
    const int64_t products = attend.getBackwards() ? 4 : 2, others = attend.getBackwards() ? 4 : 5;
    cost.flops = cost.work = scores * (2 * products * attend.getSize() + others);
    if (!attend.getKeep().empty())
      cost.work += scores * workOf(attend.getKeep().front());
  } else if (auto winograd = dyn_cast<kernel::WinogradOp>(op)) {
    // The products alone.
    cost.flops = cost.work = 2 * winograd::products * winograd.getTiles() * winograd.getChannels() *
                             winograd.getColumns();
  } else if (auto gather = dyn_cast<kernel::GatherOp>(op)) {
    // Of the table only the rows that are named.
    cost.bytes = bytesOf(gather.getIds().getType()) + 2 * bytesOf(gather.getOutput().getType());
  } else if (auto scatter = dyn_cast<kernel::ScatterAddOp>(op)) {
    cost.flops = cost.work = cast<ShapedType>(scatter.getX().getType()).getNumElements();
    cost.bytes += 2 * bytesOf(scatter.getX().getType());
  }
  return cost;
}

} // namespace sinter::passes
