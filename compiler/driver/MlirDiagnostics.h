//===- MlirDiagnostics.h - MLIR's errors in our manner ----------------------------------------===//
#pragma once

#include "compiler/syntax/Source.h"
#include "mlir/IR/Diagnostics.h"

namespace sinter::driver {

/// While it lives, errors and warnings of the context are printed on stderr with the line of the source that they lead to:
/// a spec's or an MLIR file's, whichever `sources` holds.
class MlirDiagnostics {
public:
  MlirDiagnostics(mlir::MLIRContext &context, const syntax::SourceManager &sources);

  size_t errorCount() const { return errors; }

private:
  void print(mlir::Diagnostic &diagnostic);

  const syntax::SourceManager &sources;
  size_t errors = 0;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace sinter::driver
