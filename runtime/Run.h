//===- Run.h - a whole training program, as a function ----------------------------------------===//
#pragma once

#include "runtime/Executor.h"

namespace sinter::runtime {

/// Does what the command line says with a program: trains, measures, predicts or times. Exit codes:
/// 0 fine, 1 an error while running (said on stderr), 2 a wrong command line, 128 + n after signal
/// n with the checkpoint written.
int runProgram(const Description &description, const ExecutorFactory &factory, int argc,
               const char *const *argv);

} // namespace sinter::runtime
