//===- Compilation.cpp - one input on its way down --------------------------------------------===//
#include "compiler/driver/Compilation.h"

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/ScheduleFile.h"
#include "compiler/driver/Terminal.h"
#include "compiler/lower/ProgramToModel.h"
#include "compiler/semantics/Check.h"
#include "dialects/RegisterDialects.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

#include <cctype>
#include <fmt/format.h>

using namespace mlir;

namespace sinter::driver {

/// What `check` made of a spec.
struct Compilation::Checked {
  semantics::Program program;
  syntax::FileId file;
};

namespace {

/// Whether a text is MLIR and not a spec: by its first word behind blanks and comments, for no declaration of the language
/// begins so.
bool looksLikeModule(StringRef text) {
  text.consume_front("\xef\xbb\xbf");
  while (true) {
    text = text.ltrim();
    if (!text.starts_with("//"))
      break;
    text = text.drop_until([](char c) { return c == '\n'; });
  }
  if (text.empty())
    return false;
  // `#map = …`, `!t = …`; a line `# like this` is another language's comment.
  if (StringRef("#!").contains(text.front())) {
    const StringRef rest = text.drop_front().ltrim(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$-");
    return rest.size() + 1 < text.size() && rest.ltrim(' ').starts_with("=");
  }
  if (StringRef("\"%").contains(text.front()))
    return true;
  const StringRef word = text.take_while(
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; });
  return word == "module" || word.contains('.');
}

std::string executable() {
  return llvm::sys::fs::getMainExecutable(nullptr, reinterpret_cast<void *>(&runtimeFolder));
}

/// Size and time of a file: enough to tell two builds of a compiler apart.
std::string stamp(StringRef path) {
  llvm::sys::fs::file_status status;
  if (llvm::sys::fs::status(path, status))
    return "";
  return fmt::format("{} {} {}\n", path.str(), status.getSize(),
                     status.getLastModificationTime().time_since_epoch().count());
}

std::vector<std::string> runtimeLibraries() {
  const std::string folder = runtimeFolder();
  return {folder + "/libsinter_runtime_main.a", folder + "/libsinter_runtime.a"};
}

DialectRegistry makeRegistry() {
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  sinter::registerAllDialects(registry);
  codegen::registerTranslations(registry);
  return registry;
}

} // namespace

std::string runtimeFolder() {
  SmallString<256> folder(executable());
  llvm::sys::path::remove_filename(folder);
  llvm::sys::path::remove_filename(folder);
  llvm::sys::path::append(folder, "lib");
  return folder.str().str();
}

Compilation::Compilation(CompilationOptions given)
    : options(std::move(given)), context(makeRegistry()) {
  diagnostics.emplace(context, sources);
  timing.setEnabled(options.timing);
  timing.setDisplayMode(DefaultTimingManager::DisplayMode::Tree);
  clock = timing.getRootScope();
  context.printOpOnDiagnostic(false);
}

Compilation::~Compilation() = default;

std::string Compilation::name() const { return llvm::sys::path::stem(options.input).str(); }

ExitCode Compilation::chooseTarget() {
  auto target = codegen::Target::named(options.cpu);
  if (!target) {
    printError(llvm::toString(target.takeError()));
    return Usage;
  }
  cpu = *target;
  if (ExitCode code = readSchedules(); code != Fine)
    return code;
  pipeline = std::make_unique<Pipeline>(context, *cpu, options.pipeline);
  if (auto problem = pipeline->problem()) {
    printError(*problem);
    return Usage;
  }
  return Fine;
}

ExitCode Compilation::readSchedules() {
  if (options.schedules.empty())
    return Fine;
  auto file = codegen::ScheduleFile::read(options.schedules, *cpu, context);
  if (!file) {
    printError(llvm::toString(file.takeError()));
    return Wrong;
  }
  options.pipeline.schedules = std::make_shared<const codegen::ScheduleFile>(std::move(*file));
  return Fine;
}

ExitCode Compilation::readInput() {
  if (llvm::sys::fs::is_directory(options.input)) {
    printError(fmt::format("`{}` is a folder, not a spec", options.input));
    return Wrong;
  }
  auto buffer = llvm::MemoryBuffer::getFile(options.input, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer) {
    printError(fmt::format("`{}` cannot be read: {}", options.input, buffer.getError().message()));
    return Wrong;
  }
  text = (*buffer)->getBuffer().str();
  isModule = !StringRef(options.input).ends_with(".sinter") && looksLikeModule(text);
  return Fine;
}

ExitCode Compilation::checkSpec(bool json) {
  syntax::Engine engine(sources);
  semantics::Options checkOptions;
  checkOptions.defines = options.defines;
  SmallString<256> library(runtimeFolder());
  llvm::sys::path::append(library, "sinter");
  checkOptions.library = library.str().str();
  auto program = semantics::check(options.input, sources, engine, checkOptions);
  if (json) {
    fmt::print("{}\n", syntax::renderJson(engine));
  } else {
    fmt::print(stderr, "{}", syntax::render(engine, hasColours()));
    if (const std::string counts = syntax::summary(engine); !counts.empty())
      fmt::print(stderr, "\n{}\n", counts);
  }
  if (!program)
    return Wrong;
  checked = std::make_unique<Checked>(Checked{std::move(*program), 0});
  return Fine;
}

ExitCode Compilation::parseModule() {
  if (!options.defines.empty()) {
    printError("`-D` sets constants of a spec, and the input is MLIR");
    return Usage;
  }
  sources.add(options.input, text);
  root = parseSourceString<ModuleOp>(text, ParserConfig(&context), options.input);
  if (!root)
    return Wrong;
  auto found = floorOf(*root);
  if (!found) {
    printError(fmt::format(
        "`{}` holds no program: nothing in it is of model, train, kernel or llvm", options.input));
    return Wrong;
  }
  currentFloor = *found;
  return Fine;
}

ExitCode Compilation::check(bool json) {
  if (ExitCode code = readInput(); code != Fine)
    return code;
  return isModule ? parseModule() : checkSpec(json);
}

ExitCode Compilation::load() {
  if (ExitCode code = chooseTarget(); code != Fine)
    return code;
  TimingScope reading = clock.nest("read and check");
  if (ExitCode code = check(/*json=*/false); code != Fine)
    return code;
  if (isModule)
    return Fine;
  root = lower::programToModel(checked->program, sources, checked->file, name(), context);
  if (!root) {
    printError("the checked spec could not be lowered; this is a bug of sinter");
    return Internal;
  }
  return Fine;
}

ExitCode Compilation::loadToTrain() {
  if (ExitCode code = load(); code != Fine)
    return code;
  if (isModule || !checked->program.trains.empty())
    return Fine;
  printError(fmt::format("`{}` has no `train` block, so there is nothing to run", options.input));
  return Wrong;
}

ExitCode Compilation::lowerTo(Floor floor) {
  if (floor < currentFloor) {
    printError(fmt::format("the input is on the {} floor, which lies below {}",
                           nameOf(currentFloor).str(), nameOf(floor).str()));
    return Usage;
  }
  // What a version does not do yet is said where the model floor ends; behind that, errors on a checked spec are ours.
  if (currentFloor == Floor::Model && floor > Floor::Model) {
    if (failed(pipeline->run(*root, Floor::Model, Floor::Train, clock)))
      return Wrong;
    currentFloor = Floor::Train;
    if (floor == Floor::Train)
      return Fine;
  }
  if (failed(pipeline->run(*root, currentFloor, floor, clock))) {
    if (isModule || options.pipeline.schedules)
      return Wrong;
    printError("the checked spec could not be compiled; this is a bug of sinter");
    return Internal;
  }
  currentFloor = floor;
  return Fine;
}

ExitCode Compilation::emitProgram(const std::string &output) {
  if (llvm::sys::fs::is_directory(output)) {
    printError(fmt::format("`{}` is a folder; `-o` takes the program's file name", output));
    return Wrong;
  }
  TimingScope machineCode = clock.nest("machine code");
  auto objects = codegen::emitObjects(*root, *cpu, machineCode);
  if (!objects) {
    printError(llvm::toString(objects.takeError()));
    return isModule ? Wrong : Internal;
  }
  machineCode.stop();
  TimingScope link = clock.nest("link");
  if (llvm::Error error = codegen::linkProgram(*objects, runtimeLibraries(), output)) {
    printError(fmt::format("`{}` cannot be written: {}", output, llvm::toString(std::move(error))));
    return Wrong;
  }
  return Fine;
}

void Compilation::printTiming() {
  clock.stop();
  if (timing.isEnabled())
    timing.print();
  timing.setEnabled(false); // else its end would print once more
}

std::string Compilation::contentHash() const {
  llvm::SHA256 hash;
  for (syntax::FileId file = 0; file < sources.fileCount(); ++file) {
    hash.update(sources.path(file));
    hash.update(StringRef("\0", 1));
    hash.update(StringRef(sources.text(file)));
    hash.update(StringRef("\0", 1));
  }
  for (const auto &[defined, value] : options.defines)
    hash.update(defined + "=" + value + "\n");
  hash.update(cpu->cpu + " " + cpu->features + "\n");
  hash.update(options.pipeline.train + (options.pipeline.winograd ? " winograd\n" : "\n"));
  for (const std::string &pass : options.pipeline.without)
    hash.update(pass + "\n");
  if (!options.schedules.empty())
    hash.update(stamp(options.schedules));
  hash.update(stamp(executable()));
  hash.update(stamp(runtimeFolder() + "/libSinterDialects.so"));
  for (const std::string &library : runtimeLibraries())
    hash.update(stamp(library));
  SmallString<256> here;
  llvm::sys::fs::current_path(here); // relative paths of data begin here
  hash.update(here);
  std::string digits;
  for (uint8_t byte : ArrayRef<uint8_t>(hash.final()).take_front(10))
    digits += fmt::format("{:02x}", byte);
  return digits;
}

} // namespace sinter::driver
