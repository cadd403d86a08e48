//===- Pipeline.cpp - from planned tasks to the LLVM dialect --------------------------------------===//

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sinter::codegen {

LogicalResult nameTarget(Target &target, StringRef cpu, ModuleOp module) {
  if (!target.cpu.empty())
    return success();
  auto named = Target::named(cpu);
  if (!named)
    return module.emitError(llvm::toString(named.takeError()));
  target = std::move(*named);
  return success();
}

void addTasksToLLVMPasses(OpPassManager &manager, const Target &target) {
  manager.addPass(createKernelToFunctionsPass(target));
  // Function by function as far as it goes: that runs on all cores. What LLVM has no intrinsic for calls libm, which is declared in the
  // module.
  OpPassManager &loops = manager.nest<func::FuncOp>();
  loops.addPass(createCanonicalizerPass());
  loops.addPass(createCSEPass());
  loops.addPass(createApproximateMathPass());
  loops.addPass(createWideProductsPass());
  loops.addPass(createInterleaveChainsPass());
  loops.addPass(createRefineRootsPass(target));
  loops.addPass(createConvertMathToLLVMPass());
  manager.addPass(createConvertMathToLibmPass());
  OpPassManager &functions = manager.nest<func::FuncOp>();
  functions.addPass(createSCFToControlFlowPass());
  ConvertToLLVMPassOptions options;
  options.filterDialects = {"arith", "cf", "vector"};
  functions.addPass(createConvertToLLVMPass(options));
  manager.addPass(createConvertFuncToLLVMPass());
  OpPassManager &converted = manager.nest<LLVM::LLVMFuncOp>();
  converted.addPass(createReconcileUnrealizedCastsPass());
}

void addKernelToLLVMPasses(OpPassManager &manager, const Target &target) {
  addTasksToLLVMPasses(manager, target);
  manager.addPass(createDescribeProgramPass(target));
}

void registerPasses() {
  registerChooseSchedulesPass();
  registerKernelToFunctionsPass();
  registerDescribeProgramPass();
  registerApproximateMathPass();
  registerWideProductsPass();
  registerInterleaveChainsPass();
  registerRefineRootsPass();
}

} // namespace sinter::codegen
