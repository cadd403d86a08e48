//===- RegisterDialects.cpp -------------------------------------------------------------------===//
#include "dialects/RegisterDialects.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectRegistry.h"
#ifdef SINTER_HAS_TRAIN
#include "dialects/train/TrainDialect.h"
#endif
#ifdef SINTER_HAS_MODEL
#include "dialects/model/ModelDialect.h"
#endif
#ifdef SINTER_HAS_KERNEL
#include "dialects/kernel/KernelDialect.h"
#endif

void sinter::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::arith::ArithDialect, mlir::math::MathDialect>();
#ifdef SINTER_HAS_TRAIN
  registry.insert<train::TrainDialect>();
#endif
#ifdef SINTER_HAS_MODEL
  registry.insert<model::ModelDialect>();
#endif
#ifdef SINTER_HAS_KERNEL
  registry.insert<kernel::KernelDialect>();
#endif
}
