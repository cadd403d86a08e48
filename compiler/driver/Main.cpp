//===- Main.cpp - the `sinter` command --------------------------------------------------------===//
#include "compiler/driver/Compilation.h"
#include "compiler/driver/Forecast.h"
#include "compiler/driver/Reference.h"
#include "compiler/driver/Terminal.h"
#include "compiler/driver/Tune.h"
#include "dialects/train/TrainOps.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

using namespace sinter::driver;

namespace {

/// What all verbs take, and what single ones do.
struct CommandLine {
  CompilationOptions compilation;
  std::vector<std::string> defines;
  std::string output, floor, reference;
  TuneOptions tune;
  std::string budget = "60s";
  bool json = false, plain = false, frozen = false, forecast = false;
  std::vector<std::string> programFlags;
};

/// Fills in `-D`; an error's text, or "".
std::string splitDefines(CommandLine &line) {
  for (const std::string &define : line.defines) {
    const size_t equals = define.find('=');
    if (equals == std::string::npos || equals == 0)
      return fmt::format("`-D {}` is not of the form name=value", define);
    line.compilation.defines.emplace_back(define.substr(0, equals), define.substr(equals + 1));
  }
  return "";
}

ExitCode buildTo(Compilation &compilation, const std::string &output) {
  if (ExitCode code = compilation.lowerTo(Floor::LLVM); code != Fine)
    return code;
  if (ExitCode code = compilation.emitProgram(output); code != Fine)
    return code;
  compilation.printTiming();
  return Fine;
}

ExitCode build(const CommandLine &line) {
  Compilation compilation(line.compilation);
  if (ExitCode code = compilation.loadToTrain(); code != Fine)
    return code;
  const std::string output = line.output.empty() ? compilation.name() : line.output;
  llvm::StringRef folder = llvm::sys::path::parent_path(output);
  if (!folder.empty() && !llvm::sys::fs::is_directory(folder)) {
    printError(
        fmt::format("`{}` cannot be written: there is no folder `{}`", output, folder.str()));
    return Wrong;
  }
  if (llvm::sys::fs::is_directory(output)) {
    printError(fmt::format("`{}` is a folder; `-o` takes the program's file name", output));
    return Wrong;
  }
  return buildTo(compilation, output);
}

/// $XDG_CACHE_HOME/sinter, or ~/.cache/sinter; the folder for temporary files where there is no home.
std::string cacheFolder() {
  llvm::SmallString<128> folder;
  if (const char *cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    folder = cache;
  else if (const char *home = std::getenv("HOME"); home && *home)
    llvm::sys::path::append(folder, home, ".cache");
  else
    llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, folder);
  llvm::sys::path::append(folder, "sinter");
  return folder.str().str();
}

ExitCode runProgram(const std::string &program, const std::vector<std::string> &flags) {
  std::vector<char *> words{const_cast<char *>(program.c_str())};
  for (const std::string &flag : flags)
    words.push_back(const_cast<char *>(flag.c_str()));
  words.push_back(nullptr);
  execv(program.c_str(), words.data());
  printError(fmt::format("`{}` cannot be run: {}", program, std::strerror(errno)));
  return Wrong;
}

ExitCode run(const CommandLine &line) {
  Compilation compilation(line.compilation);
  if (ExitCode code = compilation.loadToTrain(); code != Fine)
    return code;
#ifdef SINTER_HAS_REFERENCE
  if (!line.reference.empty()) {
    if (ExitCode code = compilation.lowerTo(Floor::Train); code != Fine)
      return code;
    return runReference(compilation.module(), line.reference == "f64", line.programFlags);
  }
#endif
  llvm::SmallString<128> program(cacheFolder());
  llvm::sys::path::append(program, compilation.contentHash());
  if (std::error_code error = llvm::sys::fs::create_directories(program)) {
    printError(fmt::format("`{}` cannot be made: {}", program.str().str(), error.message()),
               "set XDG_CACHE_HOME to a folder that can be written");
    return Wrong;
  }
  llvm::sys::path::append(program, compilation.name());
  if (!llvm::sys::fs::can_execute(program))
    if (ExitCode code = buildTo(compilation, program.str().str()); code != Fine)
      return code;
  return runProgram(program.str().str(), line.programFlags);
}

ExitCode show(const CommandLine &line) {
  Compilation compilation(line.compilation);
  if (ExitCode code = compilation.load(); code != Fine)
    return code;
  if (ExitCode code = compilation.lowerTo(*floorNamed(line.floor)); code != Fine)
    return code;
  compilation.printTiming();
  mlir::OpPrintingFlags flags;
  if (!line.plain)
    flags.enableDebugInfo(true, /*prettyForm=*/false);
  flags.printNameLocAsPrefix();
  compilation.module().print(llvm::outs(), flags);
  llvm::outs() << "\n";
  llvm::outs().flush();
  if (llvm::outs().has_error()) {
    const std::string problem = llvm::outs().error().message();
    llvm::outs().clear_error();
    printError(fmt::format("standard output cannot be written: {}", problem));
    return Wrong;
  }
  return Fine;
}

/// The proof that stands in each stage once the program is a step per stage.
ExitCode explain(const CommandLine &line) {
  Compilation compilation(line.compilation);
  if (ExitCode code = compilation.loadToTrain(); code != Fine)
    return code;
  if (ExitCode code = compilation.lowerTo(Floor::Train); code != Fine)
    return code;
  compilation.printTiming();
  for (auto run : compilation.module().getOps<sinter::train::RunOp>())
    for (auto stage : run.getBody().getOps<sinter::train::StageOp>()) {
      auto proof = stage->getAttrOfType<mlir::ArrayAttr>("frozen_proof");
      fmt::print("{}, stage {}:{}\n", run.getSymName().str(), stage.getSymName().str(),
                 proof ? "" : " nothing is frozen");
      if (proof)
        for (llvm::StringRef said : proof.getAsValueRange<mlir::StringAttr>())
          fmt::print("  {}\n", said.str());
    }
  return Fine;
}

ExitCode check(const CommandLine &line) {
  Compilation compilation(line.compilation);
#ifdef SINTER_HAS_REFERENCE
  if (line.forecast) {
    if (ExitCode code = compilation.loadToTrain(); code != Fine)
      return code;
    if (compilation.floor() != Floor::Model) {
      printError("a forecast needs a spec, or its model floor");
      return Usage;
    }
    return runForecast(compilation.module());
  }
#endif
  return compilation.check(line.json);
}

ExitCode tuneSchedules(CommandLine &line) {
  const auto seconds = secondsOf(line.budget);
  if (!seconds) {
    printError(fmt::format("`--budget {}` is no time; 90s, 5m and 500ms are", line.budget));
    return Usage;
  }
  line.tune.seconds = *seconds;
  Compilation compilation(line.compilation);
  line.tune.output = line.output.empty() ? compilation.name() + ".schedules" : line.output;
  const ExitCode code = tune(compilation, line.tune);
  compilation.printTiming();
  return code;
}

/// Flags of every verb that compiles.
void addCompilation(CLI::App &verb, CommandLine &line) {
  verb.add_option("spec", line.compilation.input, "a .sinter file, or what `sinter show` printed")
      ->required()
      ->type_name("SPEC");
  verb.add_option("-D", line.defines, "set a constant of the spec")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}
void addSchedules(CLI::App &verb, CommandLine &line) {
  verb.add_option("--schedules", line.compilation.schedules,
                  "run contractions as this file says, which `sinter tune` writes")
      ->type_name("FILE");
}
void addLowering(CLI::App &verb, CommandLine &line) {
  verb.add_option(
          "--cpu", line.compilation.cpu,
          "CPU to compile for: host, x86-64-v3 (AVX2), x86-64-v4 (AVX-512) or a name of LLVM's")
      ->type_name("NAME");
  CLI::Option *winograd = verb.add_flag("--winograd", line.compilation.pipeline.winograd,
                                        "let convolutions of 3 × 3 run in Winograd's tiles: fewer "
                                        "operations, errors some times larger");
  verb.add_option("--pipeline", line.compilation.pipeline.train,
                  "passes of the train floor, in place of those that run")
      ->type_name("TEXT")
      ->excludes(winograd)
      ->group("For research");
  verb.add_option("--without", line.compilation.pipeline.without, "leave a pass out")
      ->type_name("PASS")
      ->allow_extra_args(false)
      ->group("For research");
  verb.add_flag("--timing", line.compilation.timing,
                "say on stderr how long each phase and each pass took")
      ->group("For research");
  verb.add_option("--print-after", line.compilation.pipeline.printAfter,
                  "print the module after a pass, on stderr")
      ->type_name("PASS")
      ->allow_extra_args(false)
      ->group("For research");
}

int command(int argc, char **argv) {
  CommandLine line;
  CLI::App app("Compiles specs of data, model and training into native training programs.",
               "sinter");
  app.set_version_flag("--version", std::string("sinter ") + SINTER_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 fine, 1 something is wrong with the spec or a file, 2 the command line, "
      "3 a bug of sinter.");

  CLI::App *buildVerb = app.add_subcommand("build", "compile a spec to a training program");
  addCompilation(*buildVerb, line);
  buildVerb
      ->add_option("-o,--output", line.output, "the program's file; the spec's name if left out")
      ->type_name("PROGRAM");
  addLowering(*buildVerb, line);
  addSchedules(*buildVerb, line);

  CLI::App *runVerb = app.add_subcommand(
      "run", "compile a spec into the cache and run the program: sinter run SPEC -- --epochs 3");
  addCompilation(*runVerb, line);
  addLowering(*runVerb, line);
  addSchedules(*runVerb, line);
#ifdef SINTER_HAS_REFERENCE
  runVerb
      ->add_option("--reference", line.reference,
                   "let the plain evaluator run the train floor, in f32 or f64")
      ->expected(0, 1)
      ->default_str("f64")
      ->type_name("[f32|f64]")
      ->check(CLI::IsMember({"f32", "f64"}));
#endif
  runVerb->add_option("flags", line.programFlags, "behind `--`: the program's flags")
      ->type_name("-- FLAGS...");

  CLI::App *checkVerb = app.add_subcommand("check", "say what is wrong with a spec");
  addCompilation(*checkVerb, line);
  checkVerb->add_flag("--json", line.json, "diagnostics as JSON on stdout");
#ifdef SINTER_HAS_REFERENCE
  checkVerb->add_flag("--forecast", line.forecast,
                      "layer by layer, how large signal and gradient are at initialisation");
#endif

  CLI::App *showVerb = app.add_subcommand("show", "print a floor as MLIR, with locations");
  addCompilation(*showVerb, line);
  showVerb->add_option("--floor", line.floor, "model, train, kernel or llvm")
      ->required()
      ->type_name("FLOOR")
      ->check(CLI::IsMember({"model", "train", "kernel", "llvm"}));
  showVerb->add_flag("--no-locations", line.plain, "leave locations out, for reading");
  addLowering(*showVerb, line);
  addSchedules(*showVerb, line);

  CLI::App *explainVerb =
      app.add_subcommand("explain", "say what the compiler knows of a spec's training");
  addCompilation(*explainVerb, line);
  explainVerb
      ->add_flag(
          "--frozen", line.frozen,
          "prove for each stage that what it freezes stays as it is, and say what that spares")
      ->required();
  addLowering(*explainVerb, line);

  CLI::App *tuneVerb = app.add_subcommand(
      "tune", "find faster schedules by measuring on this machine; results stay the same bits");
  addCompilation(*tuneVerb, line);
  tuneVerb
      ->add_option(
          "-o,--output", line.output,
          "the file of schedules; NAME.schedules if left out. What stands in it already stays")
      ->type_name("FILE");
  tuneVerb->add_option("--budget", line.budget, "how long to search (60s)")->type_name("TIME");
  tuneVerb->add_flag("--tune-order", line.tune.order,
                     fmt::format("other blocks of the sums too: results may differ by {:g} of the "
                                 "largest one",
                                 tuneTolerance));
  addLowering(*tuneVerb, line);

  // What stands behind `--` is the program's, whatever it looks like.
  std::vector<std::string> words(argv + 1, argv + argc), behind;
  if (auto separator = std::find(words.begin(), words.end(), "--"); separator != words.end()) {
    behind.assign(separator + 1, words.end());
    words.erase(separator, words.end());
  }
  std::reverse(words.begin(), words.end()); // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? Fine : Usage;
  }
  if (!behind.empty()) {
    if (!runVerb->parsed()) {
      printError("flags behind `--` are for `sinter run`");
      return Usage;
    }
    line.programFlags.insert(line.programFlags.end(), behind.begin(), behind.end());
  }
  if (std::string problem = splitDefines(line); !problem.empty()) {
    printError(problem);
    return Usage;
  }
  if (buildVerb->parsed())
    return build(line);
  if (runVerb->parsed())
    return run(line);
  if (checkVerb->parsed())
    return check(line);
  if (tuneVerb->parsed())
    return tuneSchedules(line);
  if (explainVerb->parsed())
    return explain(line);
  return show(line);
}

} // namespace

int main(int argc, char **argv) {
  try {
    return command(argc, argv);
  } catch (const std::exception &error) {
    printError(fmt::format("{}; this is a bug of sinter", error.what()));
    return Internal;
  }
}
