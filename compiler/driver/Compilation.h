//===- Compilation.h - one input on its way down ----------------------------------------------===//
#pragma once

#include "compiler/codegen/Target.h"
#include "compiler/driver/MlirDiagnostics.h"
#include "compiler/driver/Pipeline.h"
#include "compiler/syntax/Source.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Support/Timing.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinter::driver {

/// What `sinter` exits with.
enum ExitCode : int {
  Fine = 0,
  Wrong = 1,    ///< the spec, a file or the machine; said on stderr
  Usage = 2,    ///< the command line
  Internal = 3, ///< a bug of ours
};

struct CompilationOptions {
  std::string input; ///< a spec, or MLIR on any floor
  std::vector<std::pair<std::string, std::string>> defines;
  std::string cpu = "host";
  std::string schedules; ///< a file of tuned ones; "": none
  PipelineOptions pipeline;
  bool timing = false; ///< measure phases and passes
};

/// Holds the context, the sources and the module of one run of the command. Every function that gives an ExitCode has said on
/// stderr what is wrong unless it is Fine.
class Compilation {
public:
  explicit Compilation(CompilationOptions options);
  ~Compilation();

  /// Reads the input; a spec is checked and made a module, MLIR is parsed and found to be on some floor.
  ExitCode load();
  /// The same for what is to run: a spec of models alone can be checked and shown, not built.
  ExitCode loadToTrain();
  /// Checks a spec, or parses MLIR, and goes no further.
  ExitCode check(bool json);

  /// Takes the module down to a floor at or below its own.
  ExitCode lowerTo(Floor floor);
  /// From the LLVM floor, which is taken, to a program at `output`.
  ExitCode emitProgram(const std::string &output);
  /// Ends the clocks of `--timing` and prints them on stderr.
  void printTiming();

  mlir::ModuleOp module() { return *root; }
  Floor floor() const { return currentFloor; }
  const codegen::Target &target() const { return *cpu; }
  /// The file that was read.
  const std::string &input() const { return options.input; }
  /// The input's name without folder and ending.
  std::string name() const;
  /// What decides the program's bytes: sources, options, compiler and runtime, as a hexadecimal number.
  std::string contentHash() const;

private:
  ExitCode chooseTarget();
  ExitCode readSchedules();
  ExitCode readInput();
  ExitCode checkSpec(bool json);
  ExitCode parseModule();

  CompilationOptions options;
  mlir::DefaultTimingManager timing;
  mlir::TimingScope clock; ///< of the whole
  std::string text;
  bool isModule = false; ///< the input is MLIR
  syntax::SourceManager sources;
  mlir::MLIRContext context;
  std::optional<MlirDiagnostics> diagnostics;
  std::optional<codegen::Target> cpu;
  std::unique_ptr<Pipeline> pipeline;
  struct Checked;
  std::unique_ptr<Checked> checked;
  mlir::OwningOpRef<mlir::ModuleOp> root;
  Floor currentFloor = Floor::Model;
};

/// The folder of the runtime's archives: `lib` beside the folder of this program.
std::string runtimeFolder();

} // namespace sinter::driver
