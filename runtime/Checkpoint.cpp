#include "runtime/Checkpoint.h"

#include "runtime/Error.h"
#include "runtime/Layout.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

namespace sinter::runtime {

namespace {

constexpr const char *positionKey = "sinter.position";
constexpr const char *preprocessingKey = "sinter.preprocessing";
constexpr const char *aliasesKey = "sinter.aliases";
constexpr const char *optimizerPrefix = "optimizer.";

/// Doubles as hexadecimal text, exact and at home in JSON even where they are not finite.
std::string exact(double value) { return fmt::format("{:a}", value); }

double fromExact(const nlohmann::json &json) {
  return std::strtod(json.get<std::string>().c_str(), nullptr);
}

nlohmann::json toJson(const std::optional<Best> &best) {
  if (!best)
    return nullptr;
  return {{"value", exact(best->value)}, {"epoch", best->epoch}};
}

std::optional<Best> bestFromJson(const nlohmann::json &json) {
  if (json.is_null())
    return std::nullopt;
  return Best{fromExact(json.at("value")), json.at("epoch").get<int64_t>()};
}

std::string positionText(const Position &position) {
  nlohmann::json sums = nlohmann::json::array();
  for (double sum : position.sums)
    sums.push_back(exact(sum));
  const nlohmann::json json = {{"run", position.run},
                               {"seed", position.seed},
                               {"stage", position.stage},
                               {"epoch", position.epoch},
                               {"draw", position.draw},
                               {"stage_step", position.stageStep},
                               {"batch", position.batch},
                               {"examples", position.examples},
                               {"weight", position.weight},
                               {"sums", sums},
                               {"best", toJson(position.best)},
                               {"stop", toJson(position.stop)},
                               {"group_loss", exact(position.groupLoss)},
                               {"measured", position.measured}};
  return json.dump();
}

std::string nameInFile(const State &state) {
  return state.kind == StateKind::Optimizer ? optimizerPrefix + state.name : state.name;
}

std::vector<float> transposed(const std::vector<float> &matrix, int64_t rows, int64_t columns) {
  std::vector<float> result(matrix.size());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      result[static_cast<size_t>(column * rows + row)] =
          matrix[static_cast<size_t>(row * columns + column)];
  return result;
}

/// Reads one state under any of its names. What is wrong is added to `problems`.
void loadState(const SafeTensors &file, const State &state, uint8_t *block,
               std::set<std::string> &used, std::vector<std::string> &problems) {
  std::vector<Alias> names = {{nameInFile(state), false}};
  names.insert(names.end(), state.aliases.begin(), state.aliases.end());
  std::vector<float> values;
  std::string source;
  for (const auto &[name, isTransposed] : names) {
    const auto found = file.entries().find(name);
    if (found == file.entries().end())
      continue;
    used.insert(name);
    Shape shape = state.shape;
    if (isTransposed)
      std::reverse(shape.begin(), shape.end());
    if (found->second.shape != shape) {
      problems.push_back(fmt::format("{} is [{}] there and [{}] here", name,
                                     fmt::join(found->second.shape, ", "), fmt::join(shape, ", ")));
      return;
    }
    std::vector<float> read = file.read(name);
    if (isTransposed)
      read = transposed(read, shape[0], shape[1]);
    if (!source.empty() &&
        std::memcmp(values.data(), read.data(), values.size() * sizeof(float)) != 0)
      problems.push_back(
          fmt::format("{} and {} are one tensor here and differ there", source, name));
    source = name;
    values = std::move(read);
  }
  if (source.empty()) {
    problems.push_back(fmt::format("{} is missing", names[0].name));
    return;
  }
  LayoutMap(state.elements(), state.layout)
      .toMemory(values.data(), reinterpret_cast<float *>(block + state.offset));
}

/// PyTorch counts the batches that a batch norm has seen; nothing here depends on it. A teacher beside
/// whom the weights were trained is not among them.
bool ignored(const std::string &name, bool withOptimizer) {
  return name.ends_with("num_batches_tracked") || name.find(':') != std::string::npos ||
         (!withOptimizer && name.starts_with(optimizerPrefix));
}

} // namespace

void saveCheckpoint(const std::string &path, StateList states, const uint8_t *block,
                    const Preprocessing &preprocessing, const Metadata &notes,
                    const Position *position) {
  Metadata metadata = notes;
  metadata["format"] = "pt";
  metadata[preprocessingKey] = preprocessing.toJson();
  if (position)
    metadata[positionKey] = positionText(*position);
  nlohmann::json aliases = nlohmann::json::object();
  std::vector<TensorToWrite> tensors;
  for (const State *state : states) {
    if (state->kind == StateKind::Optimizer && !position)
      continue;
    for (const auto &[alias, isTransposed] : state->aliases)
      aliases[alias] = isTransposed ? fmt::format("transpose({})", state->name) : state->name;
    tensors.push_back({nameInFile(*state), state->shape, [state, block](float *out) {
                         LayoutMap(state->elements(), state->layout)
                             .toSaved(reinterpret_cast<const float *>(block + state->offset), out);
                       }});
  }
  metadata[aliasesKey] = aliases.dump();
  writeSafeTensors(path, metadata, tensors);
}

std::vector<const State *> loadStates(const SafeTensors &file, StateList states, bool withOptimizer,
                                      uint8_t *block) {
  std::set<std::string> used;
  std::vector<std::string> problems;
  std::vector<const State *> absent;
  for (const State *state : states) {
    if (state->kind == StateKind::Teacher && !file.entries().contains(state->name))
      absent.push_back(state);
    else if (withOptimizer || state->kind != StateKind::Optimizer)
      loadState(file, *state, block, used, problems);
  }
  for (const auto &[name, entry] : file.entries())
    if (!used.contains(name) && !ignored(name, withOptimizer))
      problems.push_back(fmt::format("{} belongs to nothing here", name));
  if (!problems.empty())
    throw Error(
        fmt::format("{} does not fit this program:\n  {}", file.path, fmt::join(problems, "\n  ")));
  return absent;
}

void copyState(const State &from, const State &to, uint8_t *block) {
  std::vector<float> values(static_cast<size_t>(from.elements()));
  LayoutMap(from.elements(), from.layout)
      .toSaved(reinterpret_cast<const float *>(block + from.offset), values.data());
  LayoutMap(to.elements(), to.layout)
      .toMemory(values.data(), reinterpret_cast<float *>(block + to.offset));
}

std::string toJson(const StageClock &clock) {
  return nlohmann::json({{"stage", clock.stage},
                         {"step", clock.step},
                         {"last", clock.last},
                         {"epoch", clock.epoch}})
      .dump();
}

std::optional<StageClock> readStageClock(const SafeTensors &file) {
  const auto found = file.metadata().find(stageClockKey);
  if (found == file.metadata().end())
    return std::nullopt;
  const nlohmann::json json = nlohmann::json::parse(found->second, nullptr, false);
  StageClock clock;
  if (!json.is_object() || !json.contains("stage") || !json["stage"].is_string())
    return std::nullopt;
  clock.stage = json["stage"].get<std::string>();
  for (auto [key, number] :
       {std::pair("step", &clock.step), {"last", &clock.last}, {"epoch", &clock.epoch}}) {
    if (!json.contains(key) || !json[key].is_number_integer())
      return std::nullopt;
    *number = json[key].get<int64_t>();
  }
  return clock;
}

Position readPosition(const SafeTensors &file) {
  const auto found = file.metadata().find(positionKey);
  if (found == file.metadata().end())
    throw Error(fmt::format("{} holds weights, but not where training stood: start from them with "
                            "--init",
                            file.path));
  try {
    const nlohmann::json json = nlohmann::json::parse(found->second);
    Position position;
    position.run = json.at("run").get<std::string>();
    position.seed = json.at("seed").get<uint64_t>();
    position.stage = json.at("stage").get<int64_t>();
    position.epoch = json.at("epoch").get<int64_t>();
    position.draw = json.at("draw").get<int64_t>();
    position.stageStep = json.at("stage_step").get<int64_t>();
    position.batch = json.at("batch").get<int64_t>();
    position.examples = json.at("examples").get<int64_t>();
    position.weight = json.at("weight").get<int64_t>();
    for (const nlohmann::json &sum : json.at("sums"))
      position.sums.push_back(fromExact(sum));
    position.best = bestFromJson(json.at("best"));
    position.stop = bestFromJson(json.at("stop"));
    if (json.contains("group_loss"))
      position.groupLoss = fromExact(json.at("group_loss"));
    position.measured = json.value("measured", int64_t{0});
    return position;
  } catch (const nlohmann::json::exception &) {
    throw Error(
        fmt::format("{} does not say where training stood in a way that is known here", file.path));
  }
}

Preprocessing readPreprocessing(const SafeTensors &file) {
  const auto found = file.metadata().find(preprocessingKey);
  return found == file.metadata().end() ? Preprocessing() : Preprocessing::fromJson(found->second);
}

} // namespace sinter::runtime
