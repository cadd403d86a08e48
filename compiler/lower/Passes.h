//===- Passes.h - conversions between floors --------------------------------------------------===//
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace sinter::train {
class TrainDialect;
}

namespace sinter::lower {

#define GEN_PASS_DECL
#include "compiler/lower/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/lower/Passes.h.inc"

/// Registers these passes by name.
inline void registerPasses() { registerLowerPasses(); }

} // namespace sinter::lower
