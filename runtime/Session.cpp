#include "runtime/Session.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace sinter::runtime {

std::vector<double> Means::finish(const Stage &stage) const {
  std::vector<double> means;
  for (size_t i = 0; i < sums.size(); ++i) {
    const double mean = examples > 0 ? sums[i] / static_cast<double>(examples) : 0;
    means.push_back(i > 0 && stage.reports[i - 1].exponential ? std::exp(mean) : mean);
  }
  return means;
}

Session::Session(const Description &what, const Options &how, const ExecutorFactory &factory)
    : description(what), options(how), arenaBlock(what.arenaBytes), stateBlock(what.stateBytes),
      transfer(what, stateBlock.data()), executor(factory(what, how.threads)) {}

std::vector<const State *> Session::statesOf(const Run &run) const {
  return runtime::statesOf(description, run.name);
}

const State *Session::stateOf(const Run &run, const std::string &name) const {
  for (const State *candidate : statesOf(run))
    if (candidate->name == name)
      return candidate;
  return nullptr;
}

void Session::completeTeachers(const Run &run, const std::vector<const State *> &absent) {
  std::vector<Load> loads;
  for (const Load &load : run.loads)
    if (!load.prefix.empty() && std::ranges::any_of(absent, [&](const State *each) {
          return each->name.starts_with(load.prefix);
        }))
      loads.push_back(load);
  transfer.apply(loads, run);
  for (const State *each : absent)
    if (!each->of.empty())
      copyState(*stateOf(run, each->of), *each, state());
}

void Session::startAverages(const Run &run) {
  for (const State *each : statesOf(run))
    if (each->kind == StateKind::Teacher && !each->of.empty())
      copyState(*stateOf(run, each->of), *each, state());
}

const Dataset &Session::dataOf(const Run &run, const Preprocessing *saved) {
  const auto found = datasets.find(run.data);
  if (found != datasets.end())
    return found->second;
  const Data &data = description.data[run.data];
  LoadOptions how;
  if (const auto folder = options.folders.find(data.name); folder != options.folders.end())
    how.folder = folder->second;
  how.threads = options.threads;
  how.saved = saved;
  return datasets.emplace(run.data, loadData(data, how)).first->second;
}

void Session::runStep(size_t step, const Clock &clock) {
  std::memcpy(arena(), &clock, sizeof(clock));
  executor->run(step, arena(), state());
}

void Session::addOutputs(size_t step, int64_t count, Means &means) const {
  const std::vector<Output> &outputs = description.steps[step].outputs;
  means.sums.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    float value = 0;
    std::memcpy(&value, arena() + outputs[i].offset, sizeof(value));
    means.sums[i] += static_cast<double>(value) * static_cast<double>(count);
  }
  means.examples += count;
}

std::optional<Means> Session::evaluate(const Stage &stage, const PartData &part, Clock clock,
                                       const std::function<bool()> &stop) {
  const Step &step = description.steps[stage.evalStep];
  Sampler sampler(part.count(), static_cast<size_t>(step.batch), false, true, 0);
  Feeder feeder = feederOf(step, part);
  Means means;
  for (size_t i = 0; i < sampler.batches(); ++i) {
    const std::span<const uint32_t> examples = sampler.batch(i);
    clock.count = static_cast<int64_t>(examples.size());
    feeder.fill(examples, arena());
    runStep(stage.evalStep, clock);
    addOutputs(stage.evalStep, clock.count, means);
    if (stop())
      return std::nullopt;
  }
  return means;
}

std::vector<std::string> measureNames(const Stage &stage) {
  std::vector<std::string> names = {"loss"};
  for (const Report &report : stage.reports)
    names.push_back(report.name);
  return names;
}

std::string measuresText(const Stage &stage, const std::vector<double> &values) {
  const std::vector<std::string> names = measureNames(stage);
  std::string text;
  for (size_t i = 0; i < values.size(); ++i)
    text += fmt::format("{}{} {:.4f}", i > 0 ? "  " : "", names[i], values[i]);
  return text;
}

} // namespace sinter::runtime
