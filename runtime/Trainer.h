//===- Trainer.h - the loop over stages, epochs and batches -----------------------------------===//
#pragma once

#include "runtime/Metrics.h"
#include "runtime/Progress.h"
#include "runtime/Session.h"

namespace sinter::runtime {

/// Trains one run from its beginning or from a checkpoint. Writes metrics.jsonl, best.safetensors
/// and last.safetensors (after each epoch and where it stops) into a folder.
class Trainer {
public:
  /// `checkpoint` may be null. Throws Error if it does not fit.
  Trainer(Session &session, Progress &progress, const Run &run, std::string folder,
          const SafeTensors *checkpoint);

  /// Trains to the end or until a signal asks for one. Returns the exit code: 0, or 128 + the
  /// signal, with last.safetensors written. Throws Error, for data, disk or a loss that is no
  /// number.
  int train();

private:
  struct SetMeans {
    std::string set;
    std::vector<double> values;
  };

  void begin();
  void resume();
  void describe();
  bool trainStage();
  bool trainEpoch(Sampler &sampler, Feeder &feeder, int64_t batches);
  void takeStep(const Sampler &sampler, float loss);
  bool measureSteps();
  std::optional<std::vector<SetMeans>> measureSets();
  void finishEpoch(const std::vector<SetMeans> &means, double seconds);
  void judge(const std::vector<SetMeans> &means);
  void restoreBest();
  void load(const std::vector<Load> &loads);
  void startStage();

  int64_t stageSteps() const;
  int64_t stepsOfEpoch() const;
  bool stopped() const;
  const Stage &stage() const { return run.stages[static_cast<size_t>(position.stage)]; }
  Measure bestMeasure() const;
  Clock clock() const;
  std::string sparsity(std::string &line) const;
  std::string setRecord(int64_t epoch, const std::string &set) const;
  std::string epochLabel() const;
  void saveLast();
  void saveBest(const Measure &measure, double value);
  std::string stageClock() const;
  std::string file(const char *name) const;

  Session &session;
  Progress &progress;
  const Run &run;
  const std::string folder;
  const SafeTensors *checkpoint;
  const std::vector<const State *> states;
  const Dataset *data = nullptr;
  const PartData *trainPart = nullptr;
  Position position;
  int64_t stageLast = 0, batchesPerEpoch = 0, stepsPerEpoch = 0;
  JsonLines metrics, stepLog;
};

} // namespace sinter::runtime
