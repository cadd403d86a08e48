#include "compiler/codegen/StackUse.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace sinter::codegen {

uint64_t StackUse::bytesOf(LLVM::LLVMFuncOp function) {
  if (auto known = bytes.find(function); known != bytes.end())
    return known->second;
  uint64_t own = 0, called = 0;
  function.walk([&](Operation *op) {
    if (auto memory = dyn_cast<LLVM::AllocaOp>(op)) {
      APInt count;
      if (matchPattern(memory.getArraySize(), m_ConstantInt(&count)))
        own += count.getZExtValue() * memory.getElemType().getIntOrFloatBitWidth() / 8 +
               memory.getAlignment().value_or(1);
    } else if (auto call = dyn_cast<LLVM::CallOp>(op); call && call.getCallee()) {
      if (auto callee = symbols.lookup<LLVM::LLVMFuncOp>(*call.getCallee()))
        called = std::max(called, bytesOf(callee));
    }
  });
  return bytes[function] = own + called;
}

} // namespace sinter::codegen
