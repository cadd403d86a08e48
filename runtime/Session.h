//===- Session.h - a program while it runs ----------------------------------------------------===//
#pragma once

#include "runtime/Abi.h"
#include "runtime/Block.h"
#include "runtime/Checkpoint.h"
#include "runtime/Executor.h"
#include "runtime/Loader.h"
#include "runtime/Options.h"
#include "runtime/Sampler.h"
#include "runtime/Transfer.h"

#include <functional>

namespace sinter::runtime {

/// Running means over a set: loss and reports, each weighted by a batch's examples and summed in
/// f64.
struct Means {
  std::vector<double> sums;
  int64_t examples = 0;

  /// The means, loss first, with each report's finish applied.
  std::vector<double> finish(const Stage &stage) const;
};

/// What all ways of running a program share: its memory, its executor and its data.
class Session {
public:
  Session(const Description &description, const Options &options, const ExecutorFactory &factory);

  const Description &description;
  const Options &options;

  uint8_t *arena() const { return arenaBlock.data(); }
  void touchArena() const { arenaBlock.touch(); }
  uint8_t *state() const { return stateBlock.data(); }

  /// The states that a run has, in the description's order.
  std::vector<const State *> statesOf(const Run &run) const;

  /// The state of this name; null where there is none.
  const State *stateOf(const Run &run, const std::string &name) const;

  /// States of teachers that a file of weights does not hold come from where they came from in training.
  void completeTeachers(const Run &run, const std::vector<const State *> &absent);

  /// Makes every average a copy of what it averages.
  void startAverages(const Run &run);

  uint64_t seedOf(const Run &run) const { return options.seed.value_or(run.seed); }

  /// The data of a run, read when first asked for. `saved` is a checkpoint's.
  const Dataset &dataOf(const Run &run, const Preprocessing *saved);

  /// Writes batches of a part to where a step wants them, as they are.
  Feeder feederOf(const Step &step, const PartData &part) const {
    return {step, part, executor.get()};
  }

  /// How training feeds a run's examples.
  Feeding feedingOf(const Run &run, uint64_t seed) const {
    return {description.data[run.data], seed, *executor};
  }

  /// Runs a step on what lies in the arena.
  void runStep(size_t step, const Clock &clock);

  /// Records what later steps do; see StepExecutor::record.
  bool record(Recorder *into) { return executor->record(into); }

  /// Adds a step's outputs to the means.
  void addOutputs(size_t step, int64_t count, Means &means) const;

  /// Measures a whole part with the stage's eval step, in order. `stop` is asked after each batch;
  /// none if it said yes.
  std::optional<Means> evaluate(const Stage &stage, const PartData &part, Clock clock,
                                const std::function<bool()> &stop);

private:
  Block arenaBlock, stateBlock;

public:
  /// Weights from files and from other runs.
  Transfer transfer;

private:
  std::unique_ptr<StepExecutor> executor;
  std::map<size_t, Dataset> datasets; ///< by index of Description::data
};

/// Names of the numbers that a stage measures: loss, then its reports.
std::vector<std::string> measureNames(const Stage &stage);

/// `loss 0.4321  accuracy 0.8512`.
std::string measuresText(const Stage &stage, const std::vector<double> &values);

} // namespace sinter::runtime
