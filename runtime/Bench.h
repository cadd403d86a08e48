//===- Bench.h - how long a step takes --------------------------------------------------------===//
#pragma once

#include "runtime/Session.h"

namespace sinter::runtime {

/// Times `steps` train steps of a run's first stage on synthetic data, after some to warm
/// up, filling the batch included, and prints one line of JSON on stdout: name, step, cpu, batch,
/// threads, steps, median_ms, min_ms, p10_ms, p90_ms, first_step_ms, gflop (of one step, as
/// compiled), gflop_per_s (at the median), peak_gflop_per_s (this machine's, with as many threads,
/// measured right after the steps), share_of_peak (null where there is no peak), peak_rss_mib, and
/// what the program itself asks for, which that is held against: arena_mib, state_mib, data_mib and
/// their sum, plan_mib.
void runBench(Session &session, int64_t steps);

} // namespace sinter::runtime
