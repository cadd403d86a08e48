//===- SyntheticSteps.h - training steps on made-up data, for those who time them --------------===//
#pragma once

#include "runtime/Session.h"

namespace sinter::runtime {

/// The train step of the first stage of the run that `--block` names, on a few batches of the fields' types that lie in memory; no file is read.
class SyntheticSteps {
public:
  /// Initializes the run's states. `last`: how many steps there will be, for schedules.
  SyntheticSteps(Session &session, int64_t last);

  const Step &step() const { return session.description.steps[stage.trainStep]; }
  int64_t batch() const { return stage.batch; }
  /// What the made-up data takes.
  uint64_t dataBytes() const;

  /// Fills the next batch; returns the seconds that took.
  double fill();
  /// Runs the step on it; returns the seconds that took.
  double run();

private:
  Session &session;
  const Run &which;
  const Stage &stage;
  PartData part;
  Sampler sampler;
  Feeder feeder;
  Clock clock{};
};

/// The value below which this share of a sorted, non-empty list lies, between neighbours in proportion.
double quantile(const std::vector<double> &sorted, double share);

} // namespace sinter::runtime
