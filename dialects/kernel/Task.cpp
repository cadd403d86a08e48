//===- Task.cpp - the verifiers of tasks and planned steps ------------------------------------===//
#include "dialects/kernel/KernelOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "runtime/Abi.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter::kernel;

LogicalResult TaskOp::verify() {
  Block &block = getBody().front();
  const auto isBlockOfBytes = [](Type type) {
    auto memory = dyn_cast<MemRefType>(type);
    return memory && memory.hasStaticShape() && memory.getRank() == 1 &&
           memory.getElementType().isInteger(8);
  };
  if (block.getNumArguments() != 2 || !llvm::all_of(block.getArgumentTypes(), isBlockOfBytes))
    return emitOpError("(C1) must take the arena and the state block, memref<Nxi8> each");
  const auto loops = llvm::count_if(block, [](Operation &op) {
    return isa<SweepOp, ContractOp, ScanOp, AttendOp, WinogradOp, GatherOp, ScatterAddOp>(op);
  });
  if (loops != 1)
    return emitOpError("(C2) must hold exactly one loop op, holds ") << loops;
  for (Operation &op : block)
    for (Type type : op.getOperandTypes())
      if (isa<TensorType>(type))
        return emitOpError("(C3) must hold no tensors");
  return success();
}

/// (C2): a dictionary with a name and an offset behind the clock.
static LogicalResult verifyPlaced(StepOp step, ArrayAttr entries, StringRef what) {
  for (Attribute entry : entries) {
    auto dictionary = dyn_cast<DictionaryAttr>(entry);
    auto name = dictionary ? dictionary.getAs<StringAttr>("name") : StringAttr();
    auto offset = dictionary ? dictionary.getAs<IntegerAttr>("offset") : IntegerAttr();
    if (!name || !offset)
      return step.emitOpError("(C2) an entry of ")
             << what << " must have name and offset, is " << entry;
    if (offset.getInt() < sinter::runtime::clockBytes ||
        offset.getInt() >= static_cast<int64_t>(step.getArena()))
      return step.emitOpError("(C2) ")
             << what << " '" << name.getValue() << "' lies at " << offset.getInt()
             << ", outside the arena's " << step.getArena() << " bytes behind the clock";
  }
  return success();
}

LogicalResult StepOp::verifySymbolUses(SymbolTableCollection &symbols) {
  for (auto name : getTasks().getAsRange<FlatSymbolRefAttr>())
    // A task's loops, once they are written out, are a function of the same name.
    if (!isa_and_nonnull<TaskOp, FunctionOpInterface>(symbols.lookupNearestSymbolFrom(*this, name)))
      return emitOpError("(C1) ") << name
                                  << " must be a kernel.task, or the function that it became";
  if (failed(verifyPlaced(*this, getFields(), "fields")) ||
      failed(verifyPlaced(*this, getOutputs(), "outputs")))
    return failure();
  return verifyPlaced(*this, getResults_(), "results");
}
