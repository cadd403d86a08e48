//===- RegisterDialects.h - all dialects of Sinter --------------------------------------------===//
#pragma once

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace sinter {

/// Registers model, train and kernel, and the dialects of MLIR that their ops and bodies are made
/// of.
void registerAllDialects(mlir::DialectRegistry &registry);

} // namespace sinter
