#include "runtime/Options.h"

#include "runtime/Error.h"
#include "runtime/Text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
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

/// A check that stays out of the help text.
CLI::Validator silent(CLI::Validator check) {
  check.description("");
  return check;
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
  Options options;
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  options.out = "run/" + description.name;
  std::vector<std::string> folders, predictions;
  std::string block;
  bool version = false;

  CLI::App app(fmt::format("Trains what {} says.",
                           description.source.empty() ? description.name : description.source),
               description.name);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  app.set_help_flag("--help,-h", "Print this and end");
  app.add_flag("--version", version, "Print what this program was compiled from and end");
  app.add_option("--epochs", options.epochs, "Train each stage for N epochs")
      ->type_name("N")
      ->check(silent(CLI::NonNegativeNumber));
  app.add_option("--steps", options.steps, "Train each stage for N steps")
      ->type_name("N")
      ->check(silent(CLI::NonNegativeNumber));
  app.add_option("--seed", options.seed, "Seed of initial weights, order and dropout")
      ->type_name("N");
  app.add_option("--threads", options.threads, "Threads (as many as there are cores)")
      ->type_name("N")
      ->check(silent(CLI::Range(1, 1024)));
  app.add_option("--data", folders, "Read the files of data block NAME from FOLDER")
      ->type_name("NAME=FOLDER")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1)
      ->allow_extra_args(false);
  app.add_option("--out", options.out,
                 fmt::format("Folder for checkpoints and metrics ({})", options.out))
      ->type_name("FOLDER");
  app.add_option("--resume", options.resume, "Go on from a last.safetensors, to the same bits")
      ->type_name("FILE");
  app.add_option("--init", options.init, "Start from the weights of a safetensors file")
      ->type_name("FILE");
  app.add_option("--eval", options.eval, "Measure the weights of a file on the data; no training")
      ->type_name("FILE");
  app.add_option("--predict", predictions,
                 "Run the model on records as the data's files have them, a .npy file; the spec's "
                 "loading steps apply. Writes predictions.npy. Weights come from --init or --eval, "
                 "else from best.safetensors in --out")
      ->type_name("[FIELD=]FILE")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1)
      ->allow_extra_args(false);
  app.add_option("--bench", options.bench, "Time N steps on synthetic data; one line of JSON")
      ->type_name("N")
      ->check(silent(CLI::PositiveNumber));
  app.add_option("--profile", options.profile,
                 "Time each kernel over N steps on synthetic data: a table by line of the spec and "
                 "by kernel, and trace.json in --out")
      ->type_name("N")
      ->check(silent(CLI::PositiveNumber));
  app.add_option("--block", block, "Which train block --bench and --profile time (the first)")
      ->type_name("NAME");
  app.add_option("--checkpoint-every", options.checkpointEvery,
                 "Write last.safetensors every N steps too")
      ->type_name("N")
      ->check(silent(CLI::PositiveNumber));
  app.add_flag("--log-steps", options.logSteps, "Write the loss of each step to steps.jsonl");
  app.add_flag("--explain-frozen", options.explainFrozen,
               "Print why what each stage freezes stays as it is, and what that spares; end");
  app.add_flag("--quiet", options.quiet, "Print errors only");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    printOut(app.help());
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    throw UsageError(fmt::format("{} (--help lists the options)", error.what()));
  }
  if (version) {
    printOut(fmt::format("{}, compiled by Sinter {}{}{}\n", description.name, SINTER_VERSION,
                         description.source.empty() ? "" : " from " + description.source,
                         description.cpu.empty() ? "" : " for " + description.cpu));
    return std::nullopt;
  }
  for (const std::string &folder : folders)
    addFolder(options, description, folder);
  for (const std::string &text : predictions) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos)
      options.predictions.emplace_back("", text);
    else
      options.predictions.emplace_back(text.substr(0, equals), text.substr(equals + 1));
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
