#include "runtime/SyntheticSteps.h"

#include "runtime/Initializers.h"

#include <algorithm>
#include <chrono>

namespace sinter::runtime {

static constexpr size_t batchesOfData = 4;

SyntheticSteps::SyntheticSteps(Session &ofSession, int64_t last)
    : session(ofSession), which(session.description.runs[session.options.block]),
      stage(which.stages[0]),
      part(syntheticPart(session.description.data[which.data], "bench",
                         batchesOfData * static_cast<size_t>(stage.batch), session.seedOf(which))),
      sampler(part.count(), static_cast<size_t>(stage.batch), true, true, session.seedOf(which)),
      feeder(session.feederOf(step(), part)) {
  initialize(session.statesOf(which), session.seedOf(which), session.options.threads,
             session.state());
  clock.last = last;
  clock.count = stage.batch;
  clock.seed = session.seedOf(which);
  clock.epoch = static_cast<int64_t>(batchesOfData);
}

uint64_t SyntheticSteps::dataBytes() const {
  uint64_t bytes = 0;
  for (const Column &column : part.columns) {
    bytes += column.tables.size() * sizeof(float);
    bytes += std::visit([](const auto &values) { return values.size() * sizeof(values[0]); },
                        column.values);
  }
  return bytes;
}

double SyntheticSteps::fill() {
  const auto start = std::chrono::steady_clock::now();
  feeder.fill(sampler.batch(static_cast<size_t>(clock.step) % batchesOfData), session.arena());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double SyntheticSteps::run() {
  const auto start = std::chrono::steady_clock::now();
  session.runStep(stage.trainStep, clock);
  if (stage.updateStep && (clock.step + 1) % stage.accumulate == 0)
    session.runStep(*stage.updateStep, clock);
  clock.draw = ++clock.step;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double quantile(const std::vector<double> &sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

} // namespace sinter::runtime
