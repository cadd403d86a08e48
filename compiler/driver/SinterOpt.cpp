//===- SinterOpt.cpp - sinter-opt: any pass, any floor ----------------------------------------===//
#include "dialects/RegisterDialects.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#ifdef SINTER_HAS_PASSES
#include "compiler/passes/Passes.h"
#endif
#ifdef SINTER_HAS_LOWER
#include "compiler/lower/Passes.h"
#endif
#ifdef SINTER_HAS_CODEGEN
#include "compiler/codegen/Passes.h"
#endif

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  sinter::registerAllDialects(registry);

  mlir::registerAllPasses();
#ifdef SINTER_HAS_PASSES
  sinter::passes::registerPasses();
#endif
#ifdef SINTER_HAS_LOWER
  sinter::lower::registerPasses();
#endif
#ifdef SINTER_HAS_CODEGEN
  sinter::codegen::registerPasses();
#endif
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Sinter's optimizer driver\n", registry));
}
