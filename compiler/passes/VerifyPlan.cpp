//===- VerifyPlan.cpp - play a plan and see whether each task reads what it means ------------------===//
// Independent of PlanMemory.cpp on purpose: the only thing taken from it is the number of the value on each view.
#include "compiler/passes/Passes.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "runtime/Abi.h"
#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_VERIFYPLAN
#include "compiler/passes/Passes.h.inc"
namespace {

/// A stretch of the arena or of the state block that one task touches.
struct Stretch {
  bool inState;
  int64_t begin, end, value;
  bool isWrite;
};

/// Which value each byte of a block holds: stretches by their beginning; where there is none, nothing was written yet.
class Contents {
public:
  void write(int64_t begin, int64_t end, int64_t value) {
    cutAt(begin);
    cutAt(end);
    stretches.erase(stretches.lower_bound(begin), stretches.lower_bound(end));
    stretches[begin] = {end, value};
  }
  /// A value other than `value` in these bytes.
  std::optional<int64_t> other(int64_t begin, int64_t end, int64_t value) const {
    auto at = stretches.upper_bound(begin);
    if (at != stretches.begin())
      --at;
    for (; at != stretches.end() && at->first < end; ++at)
      if (at->second.first > begin && at->second.second != value)
        return at->second.second;
    return std::nullopt;
  }
  /// Whether the bytes hold one value throughout, or nothing at all.
  bool isWhole(int64_t begin, int64_t end) const {
    auto at = stretches.upper_bound(begin);
    if (at == stretches.begin())
      return at == stretches.end() || at->first >= end;
    --at;
    return at->second.first >= end || at->second.first <= begin;
  }

private:
  void cutAt(int64_t place) {
    auto at = stretches.lower_bound(place);
    if (at == stretches.begin())
      return;
    --at;
    if (at->second.first > place) {
      stretches[place] = at->second;
      at->second.first = place;
    }
  }
  std::map<int64_t, std::pair<int64_t, int64_t>> stretches; ///< begin → (end, value)
};

struct VerifyPlan : impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override {
    for (auto step : getOperation().getOps<kernel::StepOp>())
      if (failed(play(step)))
        return signalPassFailure();
  }

  /// What the task's loop touches; (P1).
  FailureOr<SmallVector<Stretch>> touchedBy(kernel::TaskOp task) {
    SmallVector<Stretch> touched;
    for (Operation &op : task.getBody().front()) {
      auto loop = dyn_cast<DestinationStyleOpInterface>(op);
      if (!loop)
        continue;
      for (OpOperand &operand : op.getOpOperands()) {
        auto view = operand.get().getDefiningOp<memref::ViewOp>();
        IntegerAttr offset, number;
        if (!view || !matchPattern(view.getByteShift(), m_Constant(&offset)) ||
            !(number = view->getAttrOfType<IntegerAttr>("kernel.value")))
          return task.emitOpError("(P1) operand ")
                 << operand.getOperandNumber()
                 << " must be a view at a constant offset that names its value";
        const bool inState = view.getSource() == task.getBody().getArgument(1);
        auto type = view.getType();
        const int64_t bytes =
            type.getNumElements() *
            static_cast<int64_t>(llvm::divideCeil(type.getElementTypeBitWidth(), 8));
        const Stretch stretch{inState, offset.getInt(), offset.getInt() + bytes, number.getInt(),
                              loop.isDpsInit(&operand)};
        if (stretch.begin < (inState ? 0 : runtime::clockBytes) ||
            stretch.end > view.getSource().getType().getDimSize(0))
          return task.emitOpError("(P1) a view leaves its block: bytes ")
                 << stretch.begin << " to " << stretch.end;
        touched.push_back(stretch);
      }
    }
    return touched;
  }

  LogicalResult play(kernel::StepOp step) {
    Contents contents[2];
    SmallVector<std::pair<kernel::TaskOp, Stretch>> sinceWait;
    for (auto name : step.getTasks().getAsRange<FlatSymbolRefAttr>()) {
      auto task = SymbolTable::lookupNearestSymbolFrom<kernel::TaskOp>(step, name);
      if (task.getWait())
        sinceWait.clear();
      FailureOr<SmallVector<Stretch>> touched = touchedBy(task);
      if (failed(touched))
        return failure();
      for (const Stretch &mine : *touched)
        for (auto &[other, theirs] : sinceWait)
          if (mine.inState == theirs.inState && mine.begin < theirs.end &&
              theirs.begin < mine.end && (mine.isWrite || theirs.isWrite))
            return task.emitOpError("(P3) must wait for @")
                   << other.getSymName() << ": both touch byte "
                   << std::max(mine.begin, theirs.begin);
      for (const Stretch &mine : *touched)
        if (auto other = mine.isWrite
                             ? std::nullopt
                             : contents[mine.inState].other(mine.begin, mine.end, mine.value))
          return task.emitOpError("(P2) reads value ")
                 << mine.value << " where value " << *other << " lies";
      for (const Stretch &mine : *touched) {
        if (mine.isWrite)
          contents[mine.inState].write(mine.begin, mine.end, mine.value);
        sinceWait.emplace_back(task, mine);
      }
    }
    for (ArrayAttr entries : {step.getOutputs(), step.getResults_()})
      for (auto entry : entries.getAsRange<DictionaryAttr>()) {
        const int64_t begin = entry.getAs<IntegerAttr>("offset").getInt();
        int64_t elements = 1;
        if (auto shape = entry.getAs<DenseI64ArrayAttr>("shape"))
          elements = llvm::product_of(shape.asArrayRef());
        if (!contents[false].isWhole(begin, begin + elements))
          return step.emitOpError("(P4) ") << entry.get("name") << " is not one value at the end";
      }
    return success();
  }
};

} // namespace
} // namespace sinter::passes
