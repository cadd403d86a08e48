//===- StackUse.h - how much of a thread's stack functions take ---------------------------------===//
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseMap.h"

namespace sinter::codegen {

/// What functions of a module put on the stack by themselves, with all that they call. Nothing here calls itself, and what is large is
/// not inlined, so that a function's memory is there once for each that runs.
class StackUse {
public:
  explicit StackUse(const mlir::SymbolTable &symbols) : symbols(symbols) {}

  uint64_t bytesOf(mlir::LLVM::LLVMFuncOp function);

private:
  const mlir::SymbolTable &symbols;
  llvm::DenseMap<mlir::Operation *, uint64_t> bytes;
};

} // namespace sinter::codegen
