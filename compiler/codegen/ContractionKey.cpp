//===- ContractionKey.cpp - a contraction as text, and its hash -----------------------------------===//

#include "compiler/codegen/ContractionKey.h"

#include "dialects/kernel/KernelOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// An epilogue's ops with values numbered in the order in which they appear: the block's arguments, what comes from outside, results.
void printEpilogue(Region &region, raw_ostream &stream) {
  llvm::DenseMap<Value, size_t> numbers;
  const auto numberOf = [&](Value value) {
    return numbers.try_emplace(value, numbers.size()).first->second;
  };
  for (Block &block : region) {
    for (BlockArgument argument : block.getArguments())
      stream << " %" << numberOf(argument) << ":" << argument.getType();
    for (Operation &op : block) {
      stream << "\n" << op.getName();
      for (Value operand : op.getOperands())
        stream << " %" << numberOf(operand);
      stream << " " << op.getAttrDictionary() << " ->";
      for (Value result : op.getResults())
        stream << " %" << numberOf(result) << ":" << result.getType();
    }
  }
}

std::string listed(ArrayRef<int64_t> numbers) {
  return "[" +
         llvm::join(llvm::map_range(numbers, [](int64_t n) { return std::to_string(n); }), ", ") +
         "]";
}

} // namespace

std::string describe(kernel::ContractOp op) {
  std::string text = "rows " + listed(op.getRows()) + " cols " + std::to_string(op.getCols());
  if (!op.getTaps().empty())
    text += " taps " + listed(op.getTaps());
  return text + " sum " + listed(op.getSum());
}

std::string keyOf(kernel::ContractOp op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << describe(op) << (op.getBf16() ? " bf16" : "") << " block " << listed(op.getBlock())
         << " with " << op.getWith().size();
  for (Value operand : op->getOperands())
    if (auto shaped = dyn_cast<ShapedType>(operand.getType()))
      stream << " " << listed(shaped.getShape()) << shaped.getElementType();
  stream << " " << op.getMaps();
  printEpilogue(op.getEpilogue(), stream);
  const auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(text));
  return llvm::toHex(ArrayRef<uint8_t>(hash).take_front(8), /*LowerCase=*/true);
}

} // namespace sinter::codegen
