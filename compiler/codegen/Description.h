//===- Description.h - what a program says of itself ------------------------------------------===//
// The JSON text beside the generated code; runtime/README.md explains its keys. Data, states, runs
// and stages are read off the module (`model.data`, `train.state`, `train.run`), which every floor
// keeps; where a step's values lie and which tasks it has is told by whoever planned it.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinter::codegen {

/// A batch of a field in the arena; `perm`: the example's axis i in memory is the field's axis
/// perm[i]; empty: as it is.
struct FieldLayout {
  std::string name;
  uint64_t offset = 0;
  std::vector<int64_t> perm;
};

/// One f32.
struct OutputLayout {
  std::string name;
  uint64_t offset = 0;
};

/// f32[batch, shape…], in PyTorch's order.
struct ResultLayout {
  std::string name;
  uint64_t offset = 0;
  std::vector<int64_t> shape; ///< of one example
};

struct TaskEntry {
  uint32_t function = 0; ///< index into the program's functions
  int64_t shares = 1;
  bool wait = true; ///< all earlier tasks of the step end before it begins
  std::string name, place;
  double flops = 0, bytes = 0;
};

/// One step, planned. Offsets are bytes from the start of the arena.
struct StepLayout {
  std::string name; ///< the symbol that `train.stage` knows it by
  int64_t batch = 0;
  std::vector<FieldLayout> fields;
  std::optional<uint64_t> ids;
  std::vector<OutputLayout> outputs;
  std::vector<ResultLayout> results;
  std::vector<TaskEntry> tasks;
};

struct ProgramLayout {
  std::string cpu;
  uint64_t arenaBytes = 0;
  uint64_t stackBytes = 0; ///< that a task may take
  std::vector<StepLayout> steps;
};

/// The first place in a text that a location leads to, as "lenet.sinter:4:3"; empty where there is
/// none.
std::string describePlace(mlir::Location location);

/// The description, as JSON. Every step that a stage names must be among the layout's.
std::string describeProgram(mlir::ModuleOp module, const ProgramLayout &layout);

} // namespace sinter::codegen
