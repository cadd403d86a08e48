#include "runtime/Run.h"

#include "runtime/Bench.h"
#include "runtime/Error.h"
#include "runtime/Predict.h"
#include "runtime/Profile.h"
#include "runtime/Signals.h"
#include "runtime/Text.h"
#include "runtime/Trainer.h"

#include <filesystem>
#include <new>

namespace sinter::runtime {

namespace {

/// Trains the runs in order; with --resume, from the one that the checkpoint is of.
int trainRuns(Session &session, Progress &progress) {
  const Options &options = session.options;
  const std::vector<Run> &runs = session.description.runs;
  std::unique_ptr<SafeTensors> checkpoint;
  size_t first = 0, firstStage = 0;
  if (!options.resume.empty()) {
    checkpoint = std::make_unique<SafeTensors>(options.resume);
    const Position position = readPosition(*checkpoint);
    const std::string &name = position.run;
    // A stage that has begun has loaded what it loads.
    firstStage = static_cast<size_t>(std::max<int64_t>(position.stage, 0)) +
                 (position.stageStep > 0 ? 1 : 0);
    while (first < runs.size() && runs[first].name != name)
      ++first;
    if (first == runs.size())
      throw Error(fmt::format("{} is of a run `{}`, which this program does not have",
                              checkpoint->path, name));
  }
  // Earlier runs ended before this program began; each has a folder beside that of the checkpoint.
  for (size_t i = 0; i < first; ++i) {
    const auto beside = std::filesystem::absolute(checkpoint->path).parent_path().parent_path();
    session.transfer.endedIn(runs[i].name, (beside / runs[i].name).string());
  }
  for (size_t i = first; i < runs.size(); ++i) {
    const bool resumed = i == first && checkpoint;
    session.transfer.check(runs[i], resumed ? firstStage : 0, !resumed);
  }
  for (size_t i = first; i < runs.size(); ++i) {
    const std::string folder = runs.size() == 1
                                   ? options.out
                                   : (std::filesystem::path(options.out) / runs[i].name).string();
    Trainer trainer(session, progress, runs[i], folder, i == first ? checkpoint.get() : nullptr);
    const SignalWatch watch;
    if (const int code = trainer.train(); code != 0)
      return code;
  }
  return 0;
}

/// The weights to predict with: those named, else the best ones of --out, else the last ones.
std::string weightsToUse(const Options &options) {
  for (const std::string &named : {options.eval, options.init, options.resume})
    if (!named.empty())
      return named;
  for (const char *name : {"best.safetensors", "last.safetensors"}) {
    const std::filesystem::path path = std::filesystem::path(options.out) / name;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored))
      return path.string();
  }
  throw UsageError(
      fmt::format("--predict needs weights: there is no best.safetensors in {}, and no "
                  "--init names a file",
                  options.out));
}

/// The proof that the compiler made for each stage.
void explainFrozen(const Description &description) {
  for (const Run &run : description.runs)
    for (const Stage &stage : run.stages) {
      printOut(fmt::format("{}, stage {}:{}\n", run.name, stage.name,
                           stage.frozenProof.empty() ? " nothing is frozen" : ""));
      for (const std::string &line : stage.frozenProof)
        printOut(fmt::format("  {}\n", line));
    }
}

int runWith(const Description &description, const Options &options,
            const ExecutorFactory &factory) {
  Session session(description, options, factory);
  if (options.bench) {
    runBench(session, *options.bench);
    return 0;
  }
  if (options.profile) {
    runProfile(session, *options.profile,
               (std::filesystem::path(options.out) / "trace.json").string());
    return 0;
  }
  if (options.eval.empty() && options.predictions.empty()) {
    Progress progress(options.quiet);
    return trainRuns(session, progress);
  }
  Progress results(/*quiet=*/false); // a result is what was asked for
  if (!options.eval.empty())
    evaluateFile(session, results);
  if (!options.predictions.empty())
    predictFiles(session, results, weightsToUse(options));
  return 0;
}

} // namespace

int runProgram(const Description &description, const ExecutorFactory &factory, int argc,
               const char *const *argv) {
  try {
    if (description.runs.empty())
      throw Error("the program has no `train` block, so there is nothing to run");
    const std::optional<Options> options = readOptions(description, argc, argv);
    if (options && options->explainFrozen) {
      explainFrozen(description);
      return 0;
    }
    return options ? runWith(description, *options, factory) : 0;
  } catch (const Error &error) {
    printError(fmt::format("{}: error: {}\n", error.place.empty() ? description.name : error.place,
                           error.what()));
    return error.exitCode;
  } catch (const std::bad_alloc &) {
    printError(fmt::format("{}: error: there is not enough memory\n", description.name));
  } catch (const std::exception &error) {
    printError(fmt::format("{}: error: {}\n", description.name, error.what()));
  }
  return 1;
}

} // namespace sinter::runtime
