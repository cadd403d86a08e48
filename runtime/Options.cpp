#include "runtime/Options.h"

#include "runtime/CommandLine.h"
#include "runtime/Error.h"
#include "runtime/Text.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <thread>

namespace sinter::runtime {

namespace {

std::string dataNames(const Description &description) {
  std::vector<std::string> names;
  for (const Data &data : description.data)
    names.push_back(data.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// `NAME=FOLDER`, or FOLDER alone where there is one data block.
void addFolder(Options &options, const Description &description, const std::string &text) {
  const size_t equals = text.find('=');
  std::string name = text.substr(0, equals);
  if (equals == std::string::npos && description.data.size() == 1)
    name = description.data[0].name;
  const auto known = [&](const Data &data) { return data.name == name; };
  if (std::none_of(description.data.begin(), description.data.end(), known))
    throw UsageError(fmt::format("--data {}: no data is called `{}`; there is {}", text, name,
                                 dataNames(description)));
  options.folders[name] = equals == std::string::npos ? text : text.substr(equals + 1);
}

/// `FIELD=FILE`, or FILE alone.
void addPrediction(Options &options, std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos)
    options.predictions.emplace_back("", text);
  else
    options.predictions.emplace_back(text.substr(0, equals), text.substr(equals + 1));
}

/// Which run a train block's name means.
size_t blockNamed(const Description &description, const std::string &name) {
  std::vector<std::string> names;
  for (const Run &run : description.runs)
    names.push_back(run.name);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw UsageError(fmt::format("--block {}: no train block is called `{}`; there is {}", name,
                                 name, fmt::join(names, ", ")));
  return static_cast<size_t>(found - names.begin());
}

void checkTogether(const Options &options) {
  if (options.epochs && options.steps)
    throw UsageError("--epochs and --steps exclude each other");
  if (!options.resume.empty() && !options.init.empty())
    throw UsageError("--resume and --init exclude each other: a checkpoint has its own weights");
  if (options.bench && (!options.eval.empty() || !options.predictions.empty()))
    throw UsageError("--bench runs alone");
  if (options.profile && (options.bench || !options.eval.empty() || !options.predictions.empty()))
    throw UsageError("--profile runs alone");
}

} // namespace

std::optional<Options> readOptions(const Description &description, int argc,
                                   const char *const *argv) {
  constexpr int64_t any = std::numeric_limits<int64_t>::max();
  Options options;
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  options.out = "run/" + description.name;
  std::string block;
  bool version = false, help = false;

  const std::vector<Flag> flags{
      switchFlag("help", "Print this and end", help, 'h'),
      switchFlag("version", "Print what this program was compiled from and end", version),
      numberFlag("epochs", "Train each stage for N epochs", options.epochs, int64_t{0}, any),
      numberFlag("steps", "Train each stage for N steps", options.steps, int64_t{0}, any),
      numberFlag("seed", "Seed of initial weights, order and dropout", options.seed, uint64_t{0},
                 std::numeric_limits<uint64_t>::max()),
      numberFlag("threads", "Threads (as many as there are cores)", options.threads, uint64_t{1},
                 uint64_t{1024}),
      {"data", "NAME=FOLDER", "Read the files of data block NAME from FOLDER",
       [&](std::string_view text) { addFolder(options, description, std::string(text)); }, true},
      textFlag("out", "FOLDER", fmt::format("Folder for checkpoints and metrics ({})", options.out),
               options.out),
      textFlag("resume", "FILE", "Go on from a last.safetensors, to the same bits", options.resume),
      textFlag("init", "FILE", "Start from the weights of a safetensors file", options.init),
      textFlag("eval", "FILE", "Measure the weights of a file on the data; no training",
               options.eval),
      {"predict", "[FIELD=]FILE",
       "Run the model on records as the data's files have them: a .npy file, or pictures; the "
       "spec's loading steps apply. Writes predictions.npy. Weights come from --init or --eval, "
       "else from best.safetensors in --out",
       [&](std::string_view text) { addPrediction(options, text); }, true},
      numberFlag("bench", "Time N steps on synthetic data; one line of JSON", options.bench,
                 int64_t{1}, any),
      numberFlag("profile",
                 "Time each kernel over N steps on synthetic data: a table by line of the spec and "
                 "by kernel, and trace.json in --out",
                 options.profile, int64_t{1}, any),
      textFlag("block", "NAME", "Which train block --bench and --profile time (the first)", block),
      numberFlag("checkpoint-every", "Write last.safetensors every N steps too",
                 options.checkpointEvery, int64_t{1}, any),
      switchFlag("log-steps", "Write the loss of each step to steps.jsonl", options.logSteps),
      switchFlag("explain-frozen",
                 "Print why what each stage freezes stays as it is, and what that spares; end",
                 options.explainFrozen),
      switchFlag("quiet", "Print errors only", options.quiet)};
  readFlags(flags, argc, argv);
  if (help) {
    printOut(fmt::format("Trains what {} says.\nUsage: {} [FLAGS]\n\n{}",
                         description.source.empty() ? description.name : description.source,
                         description.name, helpText(flags)));
    return std::nullopt;
  }
  if (version) {
    printOut(fmt::format("{}, compiled by Sinter {}{}{}\n", description.name, SINTER_VERSION,
                         description.source.empty() ? "" : " from " + description.source,
                         description.cpu.empty() ? "" : " for " + description.cpu));
    return std::nullopt;
  }
  checkTogether(options);
  if (!block.empty()) {
    if (!options.bench && !options.profile)
      throw UsageError("--block names what --bench and --profile time, and there is neither");
    options.block = blockNamed(description, block);
  }
  return options;
}

} // namespace sinter::runtime
