//===- ModelDialect.h - the model dialect -----------------------------------------------------===//
#pragma once

#include "mlir/IR/Dialect.h"

#include "dialects/model/ModelDialect.h.inc"
