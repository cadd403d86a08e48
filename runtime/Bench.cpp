#include "runtime/Bench.h"

#include "runtime/Initializers.h"
#include "runtime/Text.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

namespace sinter::runtime {

void runBench(Session &session, int64_t steps) {
  constexpr int64_t warmUpSteps = 10;
  constexpr size_t batchesOfData = 4;
  const Run &run = session.description.runs[0];
  const Stage &stage = run.stages[0];
  const Step &step = session.description.steps[stage.trainStep];
  const uint64_t seed = session.seedOf(run);
  initialize(session.statesOf(run), seed, session.options.threads, session.state());
  const PartData part = syntheticPart(session.description.data[run.data], "bench",
                                      batchesOfData * static_cast<size_t>(stage.batch), seed);
  Sampler sampler(part.count(), static_cast<size_t>(stage.batch), true, true, seed);
  Feeder feeder(step, part);
  Clock clock{};
  clock.last = warmUpSteps + steps;
  clock.count = stage.batch;
  clock.seed = seed;
  clock.epoch = static_cast<int64_t>(batchesOfData);
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < warmUpSteps + steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    clock.step = clock.draw = i;
    feeder.fill(sampler.batch(static_cast<size_t>(i) % batchesOfData), session.arena());
    session.runStep(stage.trainStep, clock);
    const auto end = std::chrono::steady_clock::now();
    milliseconds.push_back(std::chrono::duration<double, std::milli>(end - start).count());
  }
  const double first = milliseconds[0];
  milliseconds.erase(milliseconds.begin(), milliseconds.begin() + warmUpSteps);
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto quantile = [&](double share) {
    const double at = share * static_cast<double>(milliseconds.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, milliseconds.size() - 1);
    return milliseconds[below] +
           (at - static_cast<double>(below)) * (milliseconds[above] - milliseconds[below]);
  };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double gflop = step.flops() * 1e-9, median = quantile(0.5);
  const auto text = [](const std::string &value) { return nlohmann::json(value).dump(); };
  printOut(fmt::format(
      R"({{"name": {}, "step": {}, "cpu": {}, "batch": {}, "threads": {}, "steps": {}, )"
      R"("median_ms": {:.4f}, "min_ms": {:.4f}, "p10_ms": {:.4f}, "p90_ms": {:.4f}, )"
      R"("first_step_ms": {:.4f}, "gflop": {:.6g}, "gflop_per_s": {:.4g}, "peak_rss_mib": {:.1f}}})"
      "\n",
      text(session.description.name), text(step.name), text(session.description.cpu), stage.batch,
      session.options.threads, steps, median, milliseconds.front(), quantile(0.1), quantile(0.9),
      first, gflop, median > 0 ? gflop / median * 1e3 : 0,
      static_cast<double>(usage.ru_maxrss) / 1024));
}

} // namespace sinter::runtime
