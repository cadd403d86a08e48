//===- Pipeline.cpp - from planned tasks to the LLVM dialect --------------------------------------===//

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sinter::codegen {

void addTasksToLLVMPasses(OpPassManager &manager, const Target &target) {
  manager.addPass(createKernelToFunctionsPass(target));
  OpPassManager &functions = manager.nest<func::FuncOp>();
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createApproximateMathPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createConvertMathToLibmPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void addKernelToLLVMPasses(OpPassManager &manager, const Target &target) {
  addTasksToLLVMPasses(manager, target);
  manager.addPass(createDescribeProgramPass(target));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void registerPasses() {
  registerChooseSchedulesPass();
  registerKernelToFunctionsPass();
  registerDescribeProgramPass();
  registerApproximateMathPass();
}

} // namespace sinter::codegen
