//===- Passes.h - optimisations and checks ---------------------------------------------------------===//
#pragma once

#include "dialects/train/TrainOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace sinter::passes {

#define GEN_PASS_DECL
#include "compiler/passes/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/passes/Passes.h.inc"

/// Registers these passes by name.
inline void registerPasses() { registerSinterPasses(); }

} // namespace sinter::passes
