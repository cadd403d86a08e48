//===- EqualTasks.h - tasks that differ only in where their values lie ----------------------------===//
// A network repeats itself: its blocks do the same to other weights and activations, and what trains also evaluates. Two tasks with one
// key are the same code with other addresses, so that one function is enough for both.
#pragma once

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <utility>
#include <vector>

namespace sinter::kernel {
class TaskOp;
} // namespace sinter::kernel

namespace sinter::codegen {

/// Where a view of a task begins.
struct TaskAddress {
  unsigned argument; ///< of the task's block: 0, the arena; 1, the states
  int64_t offset;    ///< bytes
  bool operator==(const TaskAddress &) const = default;
};

/// A task, its addresses apart from the rest.
struct TaskForm {
  std::vector<uintptr_t> key;               ///< equal where the code is, whatever the addresses
  llvm::SmallVector<TaskAddress> addresses; ///< each once, as the views first name them
  /// The views, each with its address; two with one address in this task have one in every equal task.
  llvm::SmallVector<std::pair<mlir::memref::ViewOp, unsigned>> views;
};

/// Keys hold for one context while it lives.
TaskForm formOf(kernel::TaskOp task);

} // namespace sinter::codegen
