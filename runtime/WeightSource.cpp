#include "runtime/WeightSource.h"

#include "runtime/Error.h"
#include "runtime/Layout.h"

#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace sinter::runtime {

namespace {

namespace fs = std::filesystem;

constexpr const char *indexEnding = ".index.json";

/// The file that a path means: itself, its index, or what a folder holds; "" where there is none of these.
std::string fileBehind(const std::string &path) {
  std::error_code ignored;
  std::vector<std::string> candidates;
  if (fs::is_directory(path, ignored)) {
    candidates.push_back((fs::path(path) / "model.safetensors").string());
    candidates.push_back((fs::path(path) / "model.safetensors.index.json").string());
  } else {
    candidates = {path, path + indexEnding};
  }
  for (const std::string &each : candidates)
    if (fs::exists(each, ignored))
      return each;
  return "";
}

/// The matrix [rows, columns] at `from` as [columns, rows].
void transposeInto(const float *from, int64_t rows, int64_t columns, float *to) {
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      to[column * rows + row] = from[row * columns + column];
}

/// A tensor with its last two axes swapped; `shape` follows.
std::vector<float> swapAxes(std::vector<float> values, Shape &shape) {
  if (shape.size() < 2)
    return values;
  const int64_t rows = shape[shape.size() - 2], columns = shape[shape.size() - 1];
  std::vector<float> result(values.size());
  const auto matrix = static_cast<size_t>(rows * columns);
  for (size_t at = 0; at + matrix <= values.size() && matrix > 0; at += matrix)
    transposeInto(values.data() + at, rows, columns, result.data() + at);
  shape = swapped(std::move(shape));
  return result;
}

class FileWeights : public WeightSource {
public:
  explicit FileWeights(const std::string &path) {
    const std::string file = fileBehind(path);
    shownName = file.empty() ? path : file;
    if (shownName.ends_with(indexEnding))
      openShards();
    else
      add(std::make_unique<SafeTensors>(shownName), nullptr);
  }

  std::vector<float> read(const std::string &tensor) const override {
    return homes.at(tensor)->read(tensor);
  }

private:
  /// Takes a file's tensors, all or those of these names.
  void add(std::unique_ptr<SafeTensors> file, const std::set<std::string> *wanted) {
    const bool isCheckpoint = file->metadata().contains("sinter.position");
    for (const auto &[name, entry] : file->entries()) {
      if ((isCheckpoint && name.starts_with("optimizer.")) || (wanted && !wanted->contains(name)))
        continue;
      table[name] = {entry.shape, entry.dtype, "", false};
      homes[name] = file.get();
    }
    if (wanted)
      for (const std::string &name : *wanted)
        if (!file->entries().contains(name))
          throw Error(fmt::format("cannot read {}: it says that {} holds {}, and it does not",
                                  shownName, file->path, name));
    addAliases(*file);
    files.push_back(std::move(file));
  }

  /// The further names of tied tensors, as a checkpoint of ours lists them.
  void addAliases(const SafeTensors &file) {
    const auto found = file.metadata().find("sinter.aliases");
    if (found == file.metadata().end())
      return;
    const nlohmann::json json =
        nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object())
      return;
    constexpr std::string_view opening = "transpose(";
    for (const auto &[alias, value] : json.items()) {
      if (!value.is_string() || table.contains(alias))
        continue;
      auto stored = value.get<std::string>();
      const bool transposed = stored.starts_with(opening) && stored.ends_with(')');
      if (transposed)
        stored = stored.substr(opening.size(), stored.size() - opening.size() - 1);
      const auto entry = table.find(stored);
      if (entry == table.end() || !entry->second.stored.empty())
        continue;
      const Shape shape = transposed ? swapped(entry->second.shape) : entry->second.shape;
      table[alias] = {shape, entry->second.dtype, stored, transposed};
    }
  }

  [[noreturn]] void failIndex(const std::string &what) const {
    throw Error(fmt::format("cannot read {}: {}", shownName, what));
  }

  void openShards() {
    std::ifstream stream(shownName, std::ios::binary);
    if (!stream)
      throw Error(fmt::format("cannot open {}: there is no such file", shownName));
    const nlohmann::json json = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
      failIndex("it is no JSON object with a `weight_map`");
    std::map<std::string, std::set<std::string>> shards;
    for (const auto &[name, file] : json["weight_map"].items()) {
      if (!file.is_string())
        failIndex(fmt::format("its `weight_map` does not say which file holds {}", name));
      shards[file.get<std::string>()].insert(name);
    }
    for (const auto &[file, names] : shards)
      add(std::make_unique<SafeTensors>((fs::path(shownName).parent_path() / file).string()),
          &names);
  }

  std::vector<std::unique_ptr<SafeTensors>> files;
  std::map<std::string, const SafeTensors *> homes;
};

class MemoryWeights : public WeightSource {
public:
  MemoryWeights(const std::string &name, StateList ofStates, const uint8_t *ofBlock)
      : block(ofBlock) {
    shownName = fmt::format("the end of `{}`", name);
    for (const State *state : ofStates) {
      if (state->kind == StateKind::Optimizer)
        continue;
      states[state->name] = state;
      table[state->name] = {state->shape, "F32", "", false};
      for (const Alias &alias : state->aliases)
        table[alias.name] = {alias.transposed ? swapped(state->shape) : state->shape, "F32",
                             state->name, alias.transposed};
    }
  }

  std::vector<float> read(const std::string &tensor) const override {
    const State &state = *states.at(tensor);
    std::vector<float> values(static_cast<size_t>(state.elements()));
    LayoutMap(state.elements(), state.layout)
        .toSaved(reinterpret_cast<const float *>(block + state.offset), values.data());
    return values;
  }

private:
  const uint8_t *block;
  std::map<std::string, const State *> states;
};

/// What a state is called behind a prefix: for a teacher's that is the trained model's too, by its further name. Nothing
/// where it is not beneath it.
std::optional<std::string> nameBeneath(const State &state, const std::string &prefix) {
  if (state.kind == StateKind::Optimizer || (state.kind == StateKind::Teacher && prefix.empty()))
    return std::nullopt;
  if (state.name.starts_with(prefix))
    return state.name.substr(prefix.size());
  for (const Alias &alias : state.aliases)
    if (!alias.transposed && alias.name.starts_with(prefix))
      return alias.name.substr(prefix.size());
  return std::nullopt;
}

/// The states that a load may go into, beside their targets.
std::vector<const State *> statesBeneath(const Load &load, StateList states) {
  std::vector<const State *> result;
  for (const State *state : states)
    if (nameBeneath(*state, load.prefix))
      result.push_back(state);
  return result;
}

[[noreturn]] void refuse(const Load &load, const WeightSource &source,
                         const std::vector<std::string> &problems, const std::string &help) {
  throw Error(fmt::format("{} does not fit:\n  {}{}", source.name(), fmt::join(problems, "\n  "),
                          help.empty() ? "" : "\n  help: " + help),
              load.place);
}

LoadPlan planned(const Load &load, const WeightSource &source, StateList states) {
  const std::vector<Target> targets = targetsOf(load, states);
  LoadPlan plan = planLoad(load.rules, source.tensors(), targets);
  if (plan.problems.empty())
    plan.problems = differences(plan, source, targets);
  if (!plan.problems.empty())
    refuse(load, source, plan.problems, plan.help);
  return plan;
}

/// Reads pieces in the order of a plan; a fused tensor, which is asked for once for each of its parts, only once.
class PieceReader {
public:
  explicit PieceReader(const WeightSource &from) : source(from) {}

  /// In the target's saved order.
  std::vector<float> read(const LoadPiece &piece) {
    if (piece.tensor != lastName) {
      last = source.read(piece.tensor);
      lastName = piece.tensor;
    }
    std::vector<float> values = last;
    Shape shape = source.tensors().at(piece.tensor).shape;
    if (piece.swapFirst)
      values = swapAxes(std::move(values), shape);
    if (piece.cut) {
      const auto row = static_cast<int64_t>(values.size()) / shape[0];
      values = std::vector<float>(values.begin() + piece.from * row,
                                  values.begin() + (piece.from + piece.rows) * row);
      shape[0] = piece.rows;
    }
    if (piece.swapLast)
      values = swapAxes(std::move(values), shape);
    return values;
  }

private:
  const WeightSource &source;
  std::string lastName;
  std::vector<float> last;
};

} // namespace

std::unique_ptr<WeightSource> openWeights(const std::string &path) {
  return std::make_unique<FileWeights>(path);
}

bool weightsExist(const std::string &path) { return !fileBehind(path).empty(); }

std::unique_ptr<WeightSource> weightsInMemory(const std::string &name, StateList states,
                                              const uint8_t *block) {
  return std::make_unique<MemoryWeights>(name, states, block);
}

std::vector<Target> targetsOf(const Load &load, StateList states) {
  std::vector<Target> targets;
  for (const State *state : statesBeneath(load, states)) {
    Target target{*nameBeneath(*state, load.prefix), state->shape, state->aliases};
    for (Alias &alias : target.aliases)
      if (alias.name.starts_with(load.prefix))
        alias.name.erase(0, load.prefix.size());
    targets.push_back(std::move(target));
  }
  return targets;
}

std::vector<std::string> checkLoad(const Load &load, const WeightSource &source, StateList states) {
  return planned(load, source, states).leftOver;
}

std::vector<std::string> differences(const LoadPlan &plan, const WeightSource &source,
                                     std::span<const Target> targets) {
  std::map<size_t, std::vector<const LoadPiece *>> byTarget;
  for (const LoadPiece &piece : plan.pieces)
    byTarget[piece.target].push_back(&piece);
  PieceReader reader(source);
  std::vector<std::string> problems;
  for (const auto &[target, pieces] : byTarget) {
    std::vector<float> first;
    for (const LoadPiece *piece : pieces) {
      if (pieces.size() < 2 || piece->tensor == pieces.front()->tensor) {
        if (pieces.size() > 1 && piece == pieces.front())
          first = reader.read(*piece);
        continue;
      }
      const std::vector<float> values = reader.read(*piece);
      if (std::memcmp(first.data(), values.data(), values.size() * sizeof(float)) != 0)
        problems.push_back(
            fmt::format("`{}` and `{}` are one parameter here, `{}`, and differ there",
                        pieces.front()->shown, piece->shown, targets[target].name));
    }
  }
  return problems;
}

void applyLoad(const Load &load, const WeightSource &source, StateList states, uint8_t *block) {
  const LoadPlan plan = planned(load, source, states);
  const std::vector<const State *> targets = statesBeneath(load, states);
  PieceReader reader(source);
  for (const LoadPiece &piece : plan.pieces) {
    const State &state = *targets[piece.target];
    LayoutMap(state.elements(), state.layout)
        .toMemory(reader.read(piece).data(), reinterpret_cast<float *>(block + state.offset));
  }
}

} // namespace sinter::runtime
