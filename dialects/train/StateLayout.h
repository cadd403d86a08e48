//===- StateLayout.h - where each state lies in the state block ------------------------------------===//
// Generated code and the program's description must agree on this; both take it from here (PlanMemory.cpp for the tasks'
// views, codegen for `states` and `state_bytes` of the description).
#pragma once

#include "dialects/train/TrainOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

namespace sinter::train {

/// Everything in the arena and in the state block begins at a multiple of this.
inline constexpr int64_t blockAlignment = 64;

struct StateLayout {
  llvm::StringMap<int64_t> offsets; ///< bytes from the block's start, by the state's name
  int64_t bytes = 0;                ///< of the whole block
};

/// States lie in the order of their declaration, each at a multiple of 64 bytes.
inline StateLayout layOutStates(mlir::ModuleOp module) {
  StateLayout layout;
  for (auto state : module.getOps<StateOp>()) {
    auto type = llvm::cast<mlir::RankedTensorType>(state.getType());
    layout.offsets[state.getSymName()] = layout.bytes;
    layout.bytes += llvm::alignTo(type.getNumElements() * 4, blockAlignment);
  }
  return layout;
}

} // namespace sinter::train
