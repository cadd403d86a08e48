//===- LoadedTasks.cpp - tasks to an object, the object into this process -------------------------===//

#include "compiler/codegen/LoadedTasks.h"

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/StackUse.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "runtime/FlushToZero.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace sinter::codegen {

LoadedTasks::LoadedTasks() = default;
LoadedTasks::LoadedTasks(LoadedTasks &&) noexcept = default;
LoadedTasks::~LoadedTasks() = default;

llvm::Expected<LoadedTasks> LoadedTasks::load(ModuleOp module, const Target &target) {
  std::vector<std::string> names;
  for (auto task : module.getOps<kernel::TaskOp>())
    names.push_back(task.getSymName().str());
  PassManager manager(module.getContext());
  addTasksToLLVMPasses(manager, target);
  if (failed(manager.run(module)))
    return llvm::createStringError("the tasks could not be compiled");

  LoadedTasks loaded;
  const SymbolTable symbols(module);
  StackUse stack(symbols);
  for (const std::string &name : names) {
    auto function = symbols.lookup<LLVM::LLVMFuncOp>(name);
    loaded.stack = std::max(loaded.stack, stack.bytesOf(function));
    function.setLinkage(LLVM::Linkage::External);
    loaded.tasks.push_back(
        {nullptr, function->getAttrOfType<IntegerAttr>("kernel.shares").getInt()});
  }
  TimingScope untimed;
  auto objects = emitObjects(module, target, untimed);
  if (!objects)
    return objects.takeError();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  loaded.jit = std::move(*jit);
  for (const Object &object : *objects)
    if (llvm::Error error = loaded.jit->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), "tasks")))
      return std::move(error);
  for (auto [name, task] : llvm::zip_equal(names, loaded.tasks)) {
    auto address = loaded.jit->lookup(name);
    if (!address)
      return address.takeError();
    task.function = address->toPtr<void (*)(int64_t, uint8_t *, uint8_t *)>();
  }
  return std::move(loaded);
}

// Loaded code has none of the type words before a function that -fsanitize=function looks for, and may begin at a page that nothing
// stands before.
__attribute__((no_sanitize("function"))) void LoadedTasks::run(size_t task, uint8_t *arena,
                                                               uint8_t *state) const {
  const runtime::FlushToZero mode;
  for (int64_t share = 0; share < tasks[task].shares; ++share)
    tasks[task].function(share, arena, state);
}

} // namespace sinter::codegen
