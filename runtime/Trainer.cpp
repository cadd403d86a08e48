#include "runtime/Trainer.h"

#include "runtime/Error.h"
#include "runtime/Initializers.h"
#include "runtime/OutputFile.h"
#include "runtime/Signals.h"
#include "runtime/Text.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <future>
#include <iterator>
#include <utility>

namespace sinter::runtime {

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Whether `value` is strictly better than the best so far; what is no number never is.
static bool improves(double value, const std::optional<Best> &best, bool higherIsBetter) {
  if (std::isnan(value))
    return false;
  return !best || (higherIsBetter ? value > best->value : value < best->value);
}

Trainer::Trainer(Session &ofSession, Progress &shown, const Run &whichRun, std::string into,
                 const SafeTensors *from)
    : session(ofSession), progress(shown), run(whichRun), folder(std::move(into)), checkpoint(from),
      states(session.statesOf(run)) {
  Preprocessing saved;
  if (checkpoint)
    saved = readPreprocessing(*checkpoint);
  // What needs no data does not wait for them: reading seldom fills all threads. Without a second one it comes first.
  const unsigned threads = session.options.threads;
  std::future<void> memory =
      std::async(threads > 1 ? std::launch::async : std::launch::deferred, [&] {
        session.touchArena();
        if (!checkpoint)
          initialize(states, session.seedOf(run), threads, session.state());
      });
  if (threads == 1)
    memory.wait();
  data = &session.dataOf(run, checkpoint ? &saved : nullptr);
  memory.get();
  trainPart = data->part("train");
  makeFolder(folder);
  if (checkpoint)
    resume();
  else
    begin();
}

void Trainer::begin() {
  position.run = run.name;
  position.seed = session.seedOf(run);
  position.examples = static_cast<int64_t>(trainPart->count());
  // Teachers last: what is shared with one is the teacher's whatever is loaded.
  std::vector<Load> own, ofTeachers;
  for (const Load &each : run.loads)
    (each.prefix.empty() ? own : ofTeachers).push_back(each);
  load(own);
  if (!session.options.init.empty()) {
    std::vector<const State *> trained;
    std::ranges::copy_if(states, std::back_inserter(trained),
                         [](const State *each) { return each->kind != StateKind::Teacher; });
    loadStates(SafeTensors(session.options.init), trained, false, session.state());
  }
  load(ofTeachers);
  metrics.begin(file("metrics.jsonl"));
  if (session.options.logSteps)
    stepLog.begin(file("steps.jsonl"));
}

void Trainer::resume() {
  position = readPosition(*checkpoint);
  if (position.stage < 0 || position.stage > static_cast<int64_t>(run.stages.size()))
    throw Error(fmt::format("{} stands in stage {}, and there are {}", checkpoint->path,
                            position.stage + 1, run.stages.size()));
  if (session.options.seed && *session.options.seed != position.seed)
    throw UsageError(fmt::format("{} was trained with seed {}: leave --seed out to go on",
                                 checkpoint->path, position.seed));
  if (position.batch > 0 && position.examples != static_cast<int64_t>(trainPart->count()))
    throw Error(
        fmt::format("{} stands in the middle of an epoch of {} examples, and the train part "
                    "has {} now",
                    checkpoint->path, position.examples, trainPart->count()));
  session.completeTeachers(run, loadStates(*checkpoint, states, true, session.state()));
  metrics.resume(file("metrics.jsonl"), {{"epoch", position.epoch}, {"step", position.draw}});
  if (session.options.logSteps)
    stepLog.resume(file("steps.jsonl"), {{"step", position.draw}});
  // The best weights lie beside the checkpoint; they move with the run.
  const std::filesystem::path beside =
      std::filesystem::path(checkpoint->path).parent_path() / "best.safetensors";
  std::error_code ignored;
  if (position.best && std::filesystem::exists(beside, ignored) &&
      !std::filesystem::equivalent(beside, file("best.safetensors"), ignored))
    std::filesystem::copy_file(beside, file("best.safetensors"),
                               std::filesystem::copy_options::overwrite_existing, ignored);
}

int Trainer::train() {
  describe();
  const auto stageCount = static_cast<int64_t>(run.stages.size());
  if (position.stage == stageCount)
    progress.line("all stages have ended: there is nothing left to train");
  while (position.stage < stageCount) {
    if (!trainStage()) {
      saveLast();
      progress.line(fmt::format("stopped at step {}; go on with --resume {}", position.draw,
                                file("last.safetensors")));
      return 128 + SignalWatch::asked();
    }
    const bool restores = stage().keepBest && position.best;
    if (restores)
      restoreBest();
    // Where the last stage just ends, --resume with more epochs may still go on with it.
    if (!restores && position.stage + 1 == stageCount) {
      if (position.stageStep == 0)
        saveLast();
      return 0;
    }
    ++position.stage;
    position.stageStep = 0;
    position.best = position.stop = std::nullopt;
    saveLast();
  }
  return 0;
}

void Trainer::describe() {
  std::string parts;
  for (const PartData &part : data->parts)
    parts += fmt::format("{}{} {}", parts.empty() ? "" : " + ",
                         grouped(static_cast<int64_t>(part.count())), part.name);
  int64_t parameters = 0;
  for (const State *state : states)
    parameters += state->kind == StateKind::Parameter ? state->elements() : 0;
  progress.line(fmt::format("{}: {} examples, {} parameters, {} thread{}, seed {}", run.name, parts,
                            grouped(parameters), session.options.threads,
                            session.options.threads == 1 ? "" : "s", position.seed));
  if (checkpoint)
    progress.line(fmt::format("going on from {}: step {}, epoch {}", checkpoint->path,
                              position.draw, position.epoch + 1));
}

void Trainer::load(const std::vector<Load> &loads) {
  for (const std::string &line : session.transfer.apply(loads, run))
    progress.line(line);
}

/// Optimizer state, step count and schedules start anew with each stage.
void Trainer::startStage() {
  load(stage().loads);
  std::vector<const State *> optimizer;
  for (const State *state : states)
    if (state->kind == StateKind::Optimizer)
      optimizer.push_back(state);
  initialize(optimizer, position.seed, session.options.threads, session.state());
  // --init says what the trained weights begin with; what is shared stays the teacher's.
  const bool given = position.stage == 0 && !session.options.init.empty();
  for (const Copy &copy : stage().copies)
    if (!given || std::ranges::count(stage().frozen, copy.to) > 0)
      copyState(*session.stateOf(run, copy.from), *session.stateOf(run, copy.to), session.state());
  session.startAverages(run);
}

int64_t Trainer::stageSteps() const {
  const Options &options = session.options;
  if (options.steps)
    return *options.steps;
  if (options.epochs)
    return *options.epochs * stepsPerEpoch;
  return stage().steps ? *stage().steps : *stage().epochs * stepsPerEpoch;
}

/// Optimizer steps done of the epoch: groups of batches, a last, shorter one too.
int64_t Trainer::stepsOfEpoch() const {
  return position.batch == batchesPerEpoch ? stepsPerEpoch : position.batch / stage().accumulate;
}

bool Trainer::stopped() const {
  return stage().stop && position.stop &&
         position.epoch - position.stop->epoch >= stage().stop->patience;
}

/// False if a signal asked for an end.
bool Trainer::trainStage() {
  const Step &step = session.description.steps[stage().trainStep];
  Sampler sampler(trainPart->count(), static_cast<size_t>(stage().batch), stage().dropLast,
                  stage().sequential, position.seed);
  Feeder feeder(step, *trainPart, session.feedingOf(run, position.seed));
  batchesPerEpoch = static_cast<int64_t>(sampler.batches());
  if (batchesPerEpoch == 0)
    throw Error(fmt::format("`batch {} drop last` leaves no batch of {} examples", stage().batch,
                            trainPart->count()),
                run.place);
  const int64_t group = stage().accumulate;
  stepsPerEpoch = (batchesPerEpoch + group - 1) / group;
  stageLast = stageSteps();
  if (position.stageStep == 0)
    startStage();
  while (position.batch > 0 || (position.stageStep < stageLast && !stopped())) {
    const auto start = std::chrono::steady_clock::now();
    sampler.start(static_cast<uint32_t>(position.epoch));
    feeder.start(static_cast<uint32_t>(position.epoch));
    const int64_t before = position.stageStep - stepsOfEpoch();
    const int64_t left = std::min(stageLast - before, stepsPerEpoch);
    const int64_t batches = std::min(batchesPerEpoch, std::max(left * group, position.batch));
    progress.begin(epochLabel(), batches, position.batch);
    if (!trainEpoch(sampler, feeder, batches))
      return false;
    const std::optional<std::vector<SetMeans>> means = measureSets();
    if (!means)
      return false;
    finishEpoch(*means, secondsSince(start));
    if (SignalWatch::asked())
      return false;
  }
  return true;
}

/// Batches of one epoch from where it stands up to `batches`; false if a signal asked for an end.
bool Trainer::trainEpoch(Sampler &sampler, Feeder &feeder, int64_t batches) {
  Means means{position.sums, position.weight};
  const size_t step = stage().trainStep;
  const bool betweenSteps =
      position.batch % stage().accumulate == 0 || position.batch == batchesPerEpoch;
  if (position.batch > 0 && betweenSteps && !measureSteps())
    return false; // a signal may have come before they were measured
  while (position.batch < batches) {
    const std::span<const uint32_t> examples = sampler.batch(static_cast<size_t>(position.batch));
    Clock now = clock();
    now.count = static_cast<int64_t>(examples.size());
    feeder.fill(examples, session.arena());
    session.runStep(step, now);
    session.addOutputs(step, now.count, means);
    ++position.batch;
    float loss = 0;
    std::memcpy(&loss, session.arena() + session.description.steps[step].outputs[0].offset,
                sizeof(loss));
    if (!std::isfinite(loss)) {
      const std::string last = file("last.safetensors");
      std::error_code ignored;
      throw Error(fmt::format("the loss is {} at step {}, in epoch {}{}", loss, position.draw + 1,
                              position.epoch + 1,
                              std::filesystem::exists(last, ignored)
                                  ? fmt::format("; {} is from before", last)
                                  : ""),
                  run.place);
    }
    position.sums = means.sums;
    position.weight = means.examples;
    progress.step(means.sums[0] / static_cast<double>(means.examples), now.count);
    const int64_t group = stage().accumulate;
    if (position.batch % group == 0 || position.batch == batchesPerEpoch) {
      takeStep(sampler, loss);
      if (!measureSteps())
        return false;
      if (session.options.checkpointEvery > 0 &&
          position.draw % session.options.checkpointEvery == 0)
        saveLast();
    } else {
      position.groupLoss += static_cast<double>(loss) * static_cast<double>(now.count);
    }
    if (SignalWatch::asked())
      return false;
  }
  return true;
}

/// Ends an optimizer's step, whose last batch had this loss: with the update step where it has
/// several.
void Trainer::takeStep(const Sampler &sampler, float loss) {
  double mean = loss;
  if (stage().updateStep) {
    const int64_t group = stage().accumulate;
    const int64_t first = (position.batch - 1) / group * group;
    Clock now = clock();
    now.count = 0;
    for (int64_t batch = first; batch < position.batch; ++batch)
      now.count += static_cast<int64_t>(sampler.batch(static_cast<size_t>(batch)).size());
    session.runStep(*stage().updateStep, now);
    const auto last =
        static_cast<double>(sampler.batch(static_cast<size_t>(position.batch - 1)).size());
    if (position.batch - first > 1)
      mean = (position.groupLoss + loss * last) / static_cast<double>(now.count);
    position.groupLoss = 0;
  }
  ++position.stageStep;
  ++position.draw;
  if (session.options.logSteps)
    stepLog.add(fmt::format(R"({{"step": {}, "epoch": {}, "loss": {}}})", position.draw,
                            position.epoch + 1, jsonNumber(mean)));
}

/// Measures reports that are due after this step: in inference mode on each part but the train
/// part, of which the epoch's running means are told. False if a signal asked for an end.
bool Trainer::measureSteps() {
  std::vector<size_t> due; // places among the measures; the loss goes with each
  for (size_t i = 0; i < stage().reports.size(); ++i)
    if (const int64_t every = stage().reports[i].everySteps;
        every > 0 && position.stageStep > 0 && position.stageStep % every == 0)
      due.push_back(i + 1);
  if (due.empty() || position.measured == position.draw)
    return true;
  due.insert(due.begin(), 0);
  const std::optional<std::vector<SetMeans>> means = measureSets();
  if (!means)
    return false;
  const std::vector<std::string> names = measureNames(stage());
  std::string line = fmt::format("step {}", position.draw);
  for (const SetMeans &set : *means) {
    std::string record = setRecord(position.epoch, set.set);
    line += fmt::format("  {}", set.set);
    for (size_t i : due) {
      record += fmt::format(R"(, "{}": {})", names[i], jsonNumber(set.values[i]));
      line += fmt::format(" {} {:.4f}", names[i], set.values[i]);
    }
    metrics.add(record + "}");
  }
  position.measured = position.draw;
  progress.line(line);
  return true;
}

/// The train part's running means and those of each other part; none if a signal asked for an end.
std::optional<std::vector<Trainer::SetMeans>> Trainer::measureSets() {
  std::vector<SetMeans> all;
  all.push_back({"train", Means{position.sums, position.weight}.finish(stage())});
  for (const PartData &part : data->parts) {
    if (part.name == "train")
      continue;
    progress.evaluating(part.name);
    const std::optional<Means> means =
        session.evaluate(stage(), part, clock(), [] { return SignalWatch::asked() != 0; });
    if (!means)
      return std::nullopt;
    all.push_back({part.name, means->finish(stage())});
  }
  return all;
}

void Trainer::finishEpoch(const std::vector<SetMeans> &means, double seconds) {
  const std::string label = epochLabel();
  ++position.epoch;
  position.batch = 0;
  position.weight = 0;
  position.sums.clear();
  const std::vector<std::string> names = measureNames(stage());
  std::string line = label;
  for (const SetMeans &set : means) {
    std::string record = setRecord(position.epoch, set.set);
    for (size_t i = 0; i < names.size(); ++i)
      record += fmt::format(R"(, "{}": {})", names[i], jsonNumber(set.values[i]));
    line += fmt::format("  {} {}", set.set, measuresText(stage(), set.values));
    if (set.set == "train")
      record += sparsity(line);
    metrics.add(record + "}");
  }
  judge(means);
  saveLast();
  progress.line(fmt::format("{}  {:.1f} s", line, seconds));
}

/// The beginning of a record of metrics.jsonl.
std::string Trainer::setRecord(int64_t epoch, const std::string &set) const {
  std::string record =
      fmt::format(R"({{"epoch": {}, "step": {}, "set": "{}")", epoch, position.draw, set);
  if (run.stages.size() > 1)
    record += fmt::format(R"(, "stage": "{}")", stage().name);
  return record;
}

/// The share of exact zeros of the stage's sparse parameters, all together and each: for the
/// record, and added to `line`. Empty where there are none.
std::string Trainer::sparsity(std::string &line) const {
  int64_t zeros = 0, elements = 0;
  std::string each;
  for (const State *state : states) {
    if (std::find(stage().sparse.begin(), stage().sparse.end(), state->name) ==
        stage().sparse.end())
      continue;
    const std::span<const float> values(
        reinterpret_cast<const float *>(session.state() + state->offset),
        static_cast<size_t>(state->elements()));
    const auto own = static_cast<int64_t>(std::count(values.begin(), values.end(), 0.0f));
    zeros += own;
    elements += state->elements();
    each +=
        fmt::format(R"({}"{}": {})", each.empty() ? "" : ", ", state->name,
                    jsonNumber(static_cast<double>(own) / static_cast<double>(state->elements())));
  }
  if (elements == 0)
    return "";
  const double share = static_cast<double>(zeros) / static_cast<double>(elements);
  line += fmt::format("  sparsity {:.4f}", share);
  return fmt::format(R"(, "sparsity": {}, "sparsity_of": {{{}}})", jsonNumber(share), each);
}

Measure Trainer::bestMeasure() const {
  if (stage().keepBest)
    return *stage().keepBest;
  for (const char *set : {"valid", "test"})
    if (data->part(set))
      return {set, "loss", false};
  return {"train", "loss", false};
}

/// Compares the epoch with the best one so far, for best.safetensors and for the stop rule.
void Trainer::judge(const std::vector<SetMeans> &means) {
  const std::vector<std::string> names = measureNames(stage());
  const auto valueOf = [&](const Measure &measure) {
    for (const SetMeans &set : means)
      for (size_t i = 0; i < names.size(); ++i)
        if (set.set == measure.set && names[i] == measure.name)
          return set.values[i];
    return std::nan("");
  };
  if (stage().stop) {
    const Measure &measure = stage().stop->measure;
    const double value = valueOf(measure);
    // Patience counts from the first epoch even where no number was ever there.
    if (improves(value, position.stop, measure.higherIsBetter))
      position.stop = Best{value, position.epoch};
    else if (!position.stop)
      position.stop = Best{measure.higherIsBetter ? -INFINITY : INFINITY, position.epoch};
  }
  const Measure measure = bestMeasure();
  const double value = valueOf(measure);
  if (!improves(value, position.best, measure.higherIsBetter))
    return;
  position.best = Best{value, position.epoch};
  saveBest(measure, value);
}

void Trainer::restoreBest() {
  const SafeTensors best(file("best.safetensors"));
  const auto epoch = best.metadata().find("epoch");
  if (epoch == best.metadata().end() || epoch->second != std::to_string(position.best->epoch))
    throw Error(fmt::format("{} does not hold the best weights, those of epoch {}", best.path,
                            position.best->epoch));
  loadStates(best, states, false, session.state());
  progress.line(fmt::format("the best weights, those of epoch {}, are back", position.best->epoch));
}

Clock Trainer::clock() const {
  Clock now{};
  now.step = position.stageStep;
  now.last = stageLast;
  now.seed = position.seed;
  now.draw = position.draw;
  now.epoch = stepsPerEpoch;
  return now;
}

std::string Trainer::epochLabel() const {
  const int64_t inStage = (position.stageStep - stepsOfEpoch()) / stepsPerEpoch + 1;
  const int64_t count = (stageLast + stepsPerEpoch - 1) / stepsPerEpoch;
  return fmt::format("{}epoch {}/{}", run.stages.size() > 1 ? stage().name + " " : "", inStage,
                     std::max(count, inStage));
}

std::string Trainer::stageClock() const {
  if (position.stage >= static_cast<int64_t>(run.stages.size())) // restored at the end
    return toJson(StageClock{run.stages.back().name, stageLast, stageLast, batchesPerEpoch});
  return toJson(StageClock{stage().name, position.stageStep, stageLast, batchesPerEpoch});
}

void Trainer::saveLast() {
  const Metadata notes = {{"program", session.description.name},
                          {"run", run.name},
                          {"epoch", std::to_string(position.epoch)},
                          {"step", std::to_string(position.draw)},
                          {stageClockKey, stageClock()}};
  saveCheckpoint(file("last.safetensors"), states, session.state(), data->preprocessing, notes,
                 &position);
}

void Trainer::saveBest(const Measure &measure, double value) {
  const Metadata notes = {{"program", session.description.name},
                          {"run", run.name},
                          {"epoch", std::to_string(position.epoch)},
                          {"step", std::to_string(position.draw)},
                          {"measure", measure.set + "." + measure.name},
                          {"value", jsonNumber(value)},
                          {stageClockKey, stageClock()}};
  saveCheckpoint(file("best.safetensors"), states, session.state(), data->preprocessing, notes,
                 nullptr);
}

std::string Trainer::file(const char *name) const {
  return (std::filesystem::path(folder) / name).string();
}

} // namespace sinter::runtime
