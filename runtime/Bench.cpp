#include "runtime/Bench.h"

#include "runtime/MachinePeak.h"
#include "runtime/SyntheticSteps.h"
#include "runtime/Text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

namespace sinter::runtime {

void runBench(Session &session, int64_t steps) {
  constexpr int64_t warmUpSteps = 10;
  const unsigned threads = session.options.threads;
  SyntheticSteps synthetic(session, warmUpSteps + steps);
  const Step &step = synthetic.step();
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < warmUpSteps + steps; ++i)
    milliseconds.push_back((synthetic.fill() + synthetic.run()) * 1e3);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage); // before the machine is measured, which takes memory
  const double peak = measureGflops(threads, 15);
  const double first = milliseconds[0];
  milliseconds.erase(milliseconds.begin(), milliseconds.begin() + warmUpSteps);
  std::sort(milliseconds.begin(), milliseconds.end());
  const double gflop = step.flops() * 1e-9, median = quantile(milliseconds, 0.5);
  const double rate = median > 0 ? gflop / median * 1e3 : 0;
  constexpr double mib = 1 << 20;
  const double arena = static_cast<double>(session.description.arenaBytes) / mib,
               state = static_cast<double>(session.description.stateBytes) / mib,
               data = static_cast<double>(synthetic.dataBytes()) / mib;
  const auto text = [](const std::string &value) { return nlohmann::json(value).dump(); };
  printOut(fmt::format(
      R"({{"name": {}, "step": {}, "cpu": {}, "batch": {}, "threads": {}, "steps": {}, )"
      R"("median_ms": {:.4f}, "min_ms": {:.4f}, "p10_ms": {:.4f}, "p90_ms": {:.4f}, )"
      R"("first_step_ms": {:.4f}, "gflop": {:.6g}, "gflop_per_s": {:.4g}, "peak_gflop_per_s": {:.4g}, )"
      R"("share_of_peak": {}, "peak_rss_mib": {:.1f}, "arena_mib": {:.1f}, "state_mib": {:.1f}, )"
      R"("data_mib": {:.1f}, "plan_mib": {:.1f}}})"
      "\n",
      text(session.description.name), text(step.name), text(session.description.cpu),
      synthetic.batch(), threads, steps, median, milliseconds.front(), quantile(milliseconds, 0.1),
      quantile(milliseconds, 0.9), first, gflop, rate, peak,
      peak > 0 ? fmt::format("{:.4f}", rate / peak) : "null",
      static_cast<double>(usage.ru_maxrss) / 1024, arena, state, data, arena + state + data));
}

} // namespace sinter::runtime
