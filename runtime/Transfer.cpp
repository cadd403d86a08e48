#include "runtime/Transfer.h"

#include "runtime/Error.h"

#include <filesystem>
#include <fmt/format.h>

namespace sinter::runtime {

std::vector<const State *> statesOf(const Description &description, const std::string &run) {
  std::vector<const State *> states;
  for (const State &candidate : description.states)
    if (candidate.run.empty() || candidate.run == run)
      states.push_back(&candidate);
  return states;
}

namespace {

/// An error of the file is one of the line that names it.
template <typename Call> auto atPlace(const std::string &place, const Call &call) {
  try {
    return call();
  } catch (const Error &error) {
    throw Error(error.what(), error.place.empty() ? place : error.place, error.exitCode);
  }
}

} // namespace

std::unique_ptr<WeightSource> Transfer::open(const Load &load) const {
  if (!load.file.empty())
    return openWeights(load.file);
  const auto folder = folders.find(load.run);
  if (folder ==
      folders.end()) // it runs before in this program, so its states are where it left them
    return weightsInMemory(load.run, statesOf(description, load.run), block);
  const std::string path = (std::filesystem::path(folder->second) / "last.safetensors").string();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw Error(
        fmt::format("this begins from the end of `{}`, and {} is not there", load.run, path));
  return openWeights(path);
}

void Transfer::check(const Run &run, size_t firstStage, bool begins) const {
  const std::vector<const State *> states = statesOf(description, run.name);
  const auto checkAll = [&](const std::vector<Load> &loads) {
    for (const Load &load : loads)
      atPlace(load.place, [&] { checkLoad(load, *open(load), states); });
  };
  if (begins)
    checkAll(run.loads);
  for (size_t i = firstStage; i < run.stages.size(); ++i)
    checkAll(run.stages[i].loads);
}

std::vector<std::string> Transfer::apply(const std::vector<Load> &loads, const Run &into) const {
  const std::vector<const State *> states = statesOf(description, into.name);
  std::vector<std::string> lines;
  for (const Load &load : loads)
    atPlace(load.place, [&] {
      const std::unique_ptr<WeightSource> source = open(load);
      const std::vector<std::string> leftOver = checkLoad(load, *source, states);
      applyLoad(load, *source, states, block);
      lines.push_back(fmt::format(
          "{} parameters and buffers are from {}{}", load.rules.parameters.size(), source->name(),
          leftOver.empty() ? "" : fmt::format("; not used: {}", fmt::join(leftOver, ", "))));
    });
  return lines;
}

} // namespace sinter::runtime
