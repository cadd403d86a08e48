//===- Passes.h - the passes between the kernel floor and LLVM -----------------------------===//
#pragma once

#include "compiler/codegen/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace sinter::codegen {

class ScheduleFile;

/// Makes `target` the CPU that a pass's option names, where whoever made the pass gave none. An unknown one is an error on the module.
mlir::LogicalResult nameTarget(Target &target, llvm::StringRef cpu, mlir::ModuleOp module);

/// A schedule on each kernel.contract: what `tuned` says, else what stands there, else the cost model's choice.
std::unique_ptr<mlir::Pass> createChooseSchedulesPass(const Target &target,
                                                      std::shared_ptr<const ScheduleFile> tuned);
void registerChooseSchedulesPass();

/// kernel.task → func.func with its loops; the shares, wait, flops and bytes stay as attributes `kernel.…`.
std::unique_ptr<mlir::Pass> createKernelToFunctionsPass(const Target &target);
void registerKernelToFunctionsPass();

/// kernel.step, train.run, train.state, model.data → the constant `sinter_program`.
std::unique_ptr<mlir::Pass> createDescribeProgramPass(const Target &target);
void registerDescribeProgramPass();

/// math on vectors of f32 → polynomials.
std::unique_ptr<mlir::Pass> createApproximateMathPass();
void registerApproximateMathPass();

/// Products of 32-bit lanes and what is done between them → 64-bit lanes, the even numbers and the odd ones.
std::unique_ptr<mlir::Pass> createWideProductsPass();
void registerWideProductsPass();

/// Square roots of sixteen floats by multiply-adds, where the target has AVX-512; the same bits.
std::unique_ptr<mlir::Pass> createRefineRootsPass(const Target &target);
void registerRefineRootsPass();

/// Marks a loop whose turn holds independent chains, and no store that one of its loads should see.
inline constexpr llvm::StringLiteral interleavedAttribute = "sinter.interleaved";
/// Sorts marked loops' ops so that neighbours do not wait for each other.
std::unique_ptr<mlir::Pass> createInterleaveChainsPass();
void registerInterleaveChainsPass();

/// Registers all of these by name, for sinter-opt.
void registerPasses();

} // namespace sinter::codegen
