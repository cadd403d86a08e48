//===- Description.h - the JSON that tells the runtime everything ---------------------------------===//
// runtime/README.md says what every key means.
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include <optional>
#include <string>

namespace mlir {
class ModuleOp;
}

namespace sinter::codegen {

struct FieldSlot {
  std::string name;
  int64_t offset; ///< bytes, in the arena
  llvm::SmallVector<int64_t> perm; ///< of the example's axes; empty: as saved
};
struct OutputSlot {
  std::string name;
  int64_t offset;
};
struct ResultSlot {
  std::string name;
  int64_t offset;
  llvm::SmallVector<int64_t> shape; ///< per example
};
struct TaskEntry {
  int64_t function; ///< in the table of functions
  int64_t shares;
  bool wait;
  std::string name;
  mlir::Location location;
  int64_t flops, bytes;
};

/// One step as it was planned: where the runtime finds things in the arena, and what it calls.
struct StepLayout {
  std::string name;
  int64_t batch, arenaBytes;
  llvm::SmallVector<FieldSlot> fields;
  std::optional<int64_t> ids;
  llvm::SmallVector<OutputSlot> outputs;
  llvm::SmallVector<ResultSlot> results;
  std::vector<TaskEntry> tasks;
};

/// The description of a module that holds model.data, train.state and train.run, with its steps laid out: JSON text.
/// Fails, with an error on the op, where a stage names a step that is not laid out.
mlir::FailureOr<std::string> describeProgram(mlir::ModuleOp module, llvm::ArrayRef<StepLayout> steps,
                                             llvm::StringRef cpu);

} // namespace sinter::codegen
