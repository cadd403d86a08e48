//===- KernelPipeline.cpp - the passes from a differentiated step to planned tasks -----------------===//
#include "compiler/lower/Passes.h"
#include "compiler/lower/TrainToKernel.h"
#include "compiler/passes/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace sinter::lower {

void buildTrainToKernelPipeline(OpPassManager &manager) {
  manager.addPass(createTrainToKernel());
  OpPassManager &steps = manager.nest<train::StepOp>();
  // What two ops share (a softmax's maximum, a padded image) is made once.
  steps.addPass(createCSEPass());
  steps.addPass(passes::createFuseSweeps());
  steps.addPass(passes::createFuseEpilogues());
  passes::FuseSweepsOptions rest;
  rest.afterEpilogues = true;
  steps.addPass(passes::createFuseSweeps(rest));
  steps.addPass(passes::createKeepSlopes());
  steps.addPass(createCSEPass());
  steps.addPass(passes::createMarkLate());
  steps.addPass(passes::createChooseShares());
  steps.addPass(passes::createPlaceScans());
  manager.addPass(passes::createPlanMemory());
}

} // namespace sinter::lower
