//===- Pipeline.h - from floor to floor -------------------------------------------------------===//
#pragma once

#include "compiler/codegen/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinter::codegen {
class ScheduleFile;
}

namespace sinter::driver {

enum class Floor { Model, Train, Kernel, LLVM };

/// "model", "train", "kernel", "llvm".
llvm::StringRef nameOf(Floor floor);
std::optional<Floor> floorNamed(llvm::StringRef name);
/// The floor that a module is on, by the ops it holds: the lowest of those found. None where it holds no program.
std::optional<Floor> floorOf(mlir::ModuleOp module);

/// What a researcher may change.
struct PipelineOptions {
  std::string train;                   ///< in place of the train floor's passes, as text; "": those
  bool winograd = false;               ///< convolutions may run in Winograd's tiles
  std::vector<std::string> without;    ///< passes that do nothing, by name
  std::vector<std::string> printAfter; ///< print the module (on stderr) after these
  std::shared_ptr<const codegen::ScheduleFile> schedules; ///< go before the cost model's choice
};

/// Takes a module down. Each floor's own passes run when it is entered, from above or by a module that begins there, so
/// that what `show` prints gives the same program as the spec does.
class Pipeline {
public:
  Pipeline(mlir::MLIRContext &context, codegen::Target target, PipelineOptions options);
  ~Pipeline();

  /// A message where an option names no pass, or the text is no pipeline.
  std::optional<std::string> problem() const { return complaint; }

  /// From `from`, where the module is, to `to`, with the passes of both, each on a clock. Errors are emitted at the ops.
  mlir::LogicalResult run(mlir::ModuleOp module, Floor from, Floor to, mlir::TimingScope &timing);

private:
  void addTrainPasses(mlir::OpPassManager &manager);

  mlir::MLIRContext &context;
  codegen::Target target;
  PipelineOptions options;
  std::optional<std::string> complaint;
};

/// The train floor's own passes in order, as text that `--pipeline` takes.
std::string trainPipeline(bool winograd);

/// Makes all passes known by name; done once a process.
void registerPasses();

} // namespace sinter::driver
