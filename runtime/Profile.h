//===- Profile.h - where a step's time goes -------------------------------------------------------===//
#pragma once

#include "runtime/Session.h"

namespace sinter::runtime {

/// Runs `steps` train steps of the first run's first stage on synthetic data with a clock at every share of every task, and
/// prints, for each line of the spec and for each kernel: thread time a step, its share, flops and bytes (as compiled), the
/// shares of this machine's peak and bandwidth that they come to, and which of the two would bound it. Writes the last step
/// as a trace that chrome://tracing and ui.perfetto.dev open, to `trace`. Throws Error where there are no kernels to time.
void runProfile(Session &session, int64_t steps, const std::string &trace);

} // namespace sinter::runtime
