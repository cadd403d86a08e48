//===- LoadedTasks.h - kernel tasks as functions of this process ----------------------------------===//
#pragma once

#include "compiler/codegen/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include <vector>

namespace llvm::orc {
class LLJIT;
}

namespace sinter::codegen {

/// Compiled as a program's tasks are, by the same passes and the same optimiser, to be run here and now.
class LoadedTasks {
public:
  /// Takes the module's kernel.task ops, in their order. The target must be one that this machine can run.
  static llvm::Expected<LoadedTasks> load(mlir::ModuleOp module, const Target &target);
  LoadedTasks(LoadedTasks &&) noexcept;
  ~LoadedTasks();

  size_t size() const { return tasks.size(); }
  /// How much of the stack a task may take.
  uint64_t stackBytes() const { return stack; }
  /// All shares, one after the other.
  void run(size_t task, uint8_t *arena, uint8_t *state) const;

private:
  struct Loaded {
    void (*function)(int64_t share, uint8_t *arena, uint8_t *state);
    int64_t shares;
  };
  LoadedTasks();

  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::vector<Loaded> tasks;
  uint64_t stack = 0;
};

} // namespace sinter::codegen
