//===- CompiledProgram.h - a module compiled and loaded into the test -----------------------------===//
// The whole road from the train floor down, as `sinter build` goes it, but loaded in place of linked; the runtime's own executor then
// runs its steps on memory that the test fills and reads.
#pragma once

#include "compiler/codegen/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/Block.h"
#include "runtime/Description.h"
#include "runtime/TaskExecutor.h"
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace llvm::orc {
class LLJIT;
}

namespace sinter::tests {

class CompiledProgram {
public:
  /// Compiles a module of the train floor (after differentiation). Throws std::runtime_error with what was reported.
  CompiledProgram(mlir::ModuleOp module, const codegen::Target &target, unsigned threads = 1);
  ~CompiledProgram();

  /// Runs a step by name.
  void run(const std::string &step);
  /// Runs what follows on so many threads.
  void useThreads(unsigned threads);

  runtime::Clock &clock();
  /// `elements` of a field of a step, in memory order.
  template <typename T>
  std::span<T> field(const std::string &step, const std::string &name, size_t elements);
  float output(const std::string &step, const std::string &name);
  std::span<const float> result(const std::string &step, const std::string &name);
  std::span<float> state(const std::string &name);
  std::span<int32_t> ids(const std::string &step);

  const runtime::Description &description() const { return *parsed; }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
  const runtime::Program *program = nullptr;
  std::optional<runtime::Description> parsed;
  std::optional<runtime::Block> arena, states;
  std::unique_ptr<runtime::TaskExecutor> executor;
  std::map<std::string, uint64_t> fieldOffsets; ///< by "step.field"

  size_t stepIndex(const std::string &name) const;
};

} // namespace sinter::tests
