//===- Parts.cpp - a module cut into some that can be compiled at the same time -------------------===//

#include "compiler/codegen/Parts.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// More parts spread better over cores; each costs a context and a code generator, some milliseconds.
constexpr int64_t mostParts = 16;
/// Ops that are worth a part.
constexpr int64_t leastOps = 4000;

int64_t opsIn(Operation &function) {
  int64_t ops = 0;
  function.walk([&](Operation *) { ++ops; });
  return ops;
}

/// A body-less copy that stands for a symbol of another part.
Operation *declare(Operation *symbol, OpBuilder &builder) {
  Operation *declaration = builder.cloneWithoutRegions(*symbol);
  if (auto global = dyn_cast<LLVM::GlobalOp>(declaration))
    global.removeValueAttr();
  return declaration;
}

void exportHidden(Operation *symbol) {
  if (auto function = dyn_cast<LLVM::LLVMFuncOp>(symbol)) {
    function.setLinkage(LLVM::Linkage::External);
    function.setVisibility_(LLVM::Visibility::Hidden);
  } else if (auto global = dyn_cast<LLVM::GlobalOp>(symbol)) {
    global.setLinkage(LLVM::Linkage::External);
    global.setVisibility_(LLVM::Visibility::Hidden);
  }
}

bool isLocal(Operation *symbol) {
  if (auto function = dyn_cast<LLVM::LLVMFuncOp>(symbol))
    return function.getLinkage() == LLVM::Linkage::Internal ||
           function.getLinkage() == LLVM::Linkage::Private;
  if (auto global = dyn_cast<LLVM::GlobalOp>(symbol))
    return global.getLinkage() == LLVM::Linkage::Internal ||
           global.getLinkage() == LLVM::Linkage::Private;
  return false;
}

} // namespace

SmallVector<OwningOpRef<ModuleOp>> cutIntoParts(ModuleOp module) {
  SmallVector<std::pair<Operation *, int64_t>> symbols; // with the ops of functions
  int64_t all = 0;
  for (Operation &op : module.getOps()) {
    const bool isDefinition = isa<LLVM::LLVMFuncOp>(op) && !cast<LLVM::LLVMFuncOp>(op).isExternal();
    symbols.emplace_back(&op, isDefinition ? opsIn(op) : 0);
    all += symbols.back().second;
  }
  const int64_t count = std::clamp<int64_t>(all / leastOps, 1, mostParts);
  SmallVector<OwningOpRef<ModuleOp>> parts;
  SmallVector<OpBuilder> ends;
  for (int64_t i = 0; i < count; ++i) {
    parts.push_back(cast<ModuleOp>(module->cloneWithoutRegions()));
    parts.back()->getBodyRegion().emplaceBlock();
    ends.push_back(OpBuilder::atBlockEnd(parts.back()->getBody()));
  }

  llvm::MapVector<StringAttr, std::pair<Operation *, int64_t>>
      homes; // symbol → definition and part
  int64_t before = 0;
  for (auto [op, ops] : symbols) {
    // The part in which the middle of the function falls.
    const int64_t part = all == 0 ? 0 : (2 * before + ops) * count / (2 * all + 1);
    before += ops;
    const int64_t home = ops > 0 ? part : 0;
    op->moveBefore(parts[home]->getBody(), parts[home]->getBody()->end());
    if (auto name = SymbolTable::getSymbolName(op))
      homes[name] = {op, home};
  }

  for (int64_t part = 0; part < count; ++part) {
    llvm::SetVector<StringAttr> foreign;
    if (auto uses = SymbolTable::getSymbolUses(&parts[part]->getBodyRegion()))
      for (const SymbolTable::SymbolUse &use : *uses)
        if (auto home = homes.find(use.getSymbolRef().getRootReference());
            home != homes.end() && home->second.second != part)
          foreign.insert(home->first);
    for (StringAttr name : foreign) {
      Operation *definition = homes[name].first;
      if (isLocal(definition))
        exportHidden(definition);
      declare(definition, ends[part]);
    }
  }
  return parts;
}

} // namespace sinter::codegen
