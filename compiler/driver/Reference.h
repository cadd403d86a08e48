//===- Reference.h - a program run by the evaluator -------------------------------------------===//
#pragma once

#include "compiler/driver/Compilation.h"

namespace sinter::driver {

/// Runs a module on the train floor, differentiated, op by op under the runtime's program loop. `flags` are the training
/// program's. The exit code is the program's.
ExitCode runReference(mlir::ModuleOp module, bool inDouble, const std::vector<std::string> &flags);

} // namespace sinter::driver
