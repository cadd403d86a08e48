//===- Scan.cpp - a scan, step by step --------------------------------------------------------------===//
#include "compiler/reference/Evaluator.h"

using namespace mlir;

namespace sinter::reference {
namespace {

/// Calls visit(of all steps, of one step) for every element of step t of a tensor [B, T, …].
template <typename Visit> void forEachOfStep(const Tensor &all, int64_t t, Visit visit) {
  const int64_t rows = all.shape[0], steps = all.shape[1], each = all.elements() / (rows * steps);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < each; ++i)
      visit((row * steps + t) * each + i, row * each + i);
}

} // namespace

LogicalResult Evaluator::runScan(train::ScanOp op, ArrayRef<const Tensor *> operands,
                                 MutableArrayRef<Tensor> results) {
  Block &step = op.getStep();
  const size_t walking = op.getSequences().size(), carried = op.getInitial().size();
  std::vector<Tensor> arguments;
  for (auto [index, argument] : llvm::enumerate(step.getArguments())) {
    arguments.emplace_back(argument.getType());
    if (index >= walking)
      arguments.back() = *operands[index];
  }
  const auto steps = static_cast<int64_t>(op.getSteps());
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t t = op.getBackwards() ? steps - 1 - i : i;
    for (size_t at = 0; at < walking; ++at)
      forEachOfStep(*operands[at], t, [&](int64_t from, int64_t to) {
        arguments[at].floats[to] = operands[at]->floats[from];
      });

    llvm::DenseMap<Value, const Tensor *> values;
    std::vector<std::unique_ptr<Tensor[]>> storage;
    for (auto [argument, tensor] : llvm::zip_equal(step.getArguments(), arguments))
      values[argument] = &tensor;
    for (Operation &inner : step.without_terminator()) {
      SmallVector<const Tensor *> read;
      for (Value operand : inner.getOperands())
        read.push_back(values.at(operand));
      auto made = std::make_unique<Tensor[]>(inner.getNumResults());
      for (auto [index, type] : llvm::enumerate(inner.getResultTypes()))
        made[index] = Tensor(type);
      if (failed(run(&inner, read, {made.get(), inner.getNumResults()})))
        return failure();
      for (OpResult result : inner.getResults())
        values[result] = &made[result.getResultNumber()];
      storage.push_back(std::move(made));
    }
    for (auto [at, value] : llvm::enumerate(op.getNext().getKept()))
      forEachOfStep(results[carried + at], t, [&](int64_t to, int64_t from) {
        results[carried + at].floats[to] = values.at(value)->floats[from];
      });
    std::vector<Tensor> next; // all are read before one is written
    for (Value value : op.getNext().getCarried())
      next.push_back(*values.at(value));
    llvm::move(next, arguments.begin() + static_cast<ptrdiff_t>(walking));
  }
  for (size_t at = 0; at < carried; ++at)
    results[at] = arguments[walking + at];
  return success();
}

} // namespace sinter::reference
