//===- TrainToKernel.h - from a step's graph to loops -----------------------------------------===//
#pragma once

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace sinter::lower {

/// Appends everything between a differentiated train floor and planned kernel tasks: the lowering
/// itself, fusion of sweeps and epilogues, shares, and the memory plan. Runs on a module.
void buildTrainToKernelPipeline(mlir::OpPassManager &manager);

} // namespace sinter::lower
