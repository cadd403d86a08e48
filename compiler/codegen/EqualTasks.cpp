//===- EqualTasks.cpp - tasks that differ only in where their values lie --------------------------===//

#include "compiler/codegen/EqualTasks.h"

#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Writes ops as numbers: what the context keeps once (names, types, attributes) by its address, values in the order of their
/// definitions. Lists go with their lengths, so that no two tasks read alike by chance. Locations and names of values count for nothing.
class Keys {
public:
  explicit Keys(TaskForm &form) : form(form) {}

  void block(Block &block, bool ofTask) {
    number(block.getNumArguments());
    for (BlockArgument argument : block.getArguments()) {
      define(argument);
      if (!ofTask) // the arena's size may differ
        pointer(argument.getType().getAsOpaquePointer());
    }
    for (Operation &op : block) {
      if (ofTask && isOffset(op))
        continue;
      auto view = ofTask ? dyn_cast<memref::ViewOp>(op) : memref::ViewOp();
      if (!view || !address(view))
        add(op);
    }
    number(~uintptr_t(0));
  }

private:
  TaskForm &form;
  DenseMap<Value, uintptr_t> numbers;

  void number(uintptr_t value) { form.key.push_back(value); }
  void pointer(const void *value) { form.key.push_back(reinterpret_cast<uintptr_t>(value)); }
  void define(Value value) { numbers.try_emplace(value, numbers.size()); }

  /// A constant that only says where views begin.
  static bool isOffset(Operation &op) {
    return isa<arith::ConstantOp>(op) && llvm::all_of(op.getUses(), [](OpOperand &use) {
             auto view = dyn_cast<memref::ViewOp>(use.getOwner());
             return view && use.get() == view.getByteShift() && isOfTask(view);
           });
  }
  static bool isOfTask(memref::ViewOp view) {
    auto source = dyn_cast<BlockArgument>(view.getSource());
    return source && isa<kernel::TaskOp>(source.getOwner()->getParentOp());
  }

  /// Notes a view of the arena or the states; false for any other.
  bool address(memref::ViewOp view) {
    APInt offset;
    if (!isOfTask(view) || !matchPattern(view.getByteShift(), m_ConstantInt(&offset)))
      return false;
    const TaskAddress address{cast<BlockArgument>(view.getSource()).getArgNumber(),
                              offset.getSExtValue()};
    const auto found = llvm::find(form.addresses, address);
    const auto place = static_cast<unsigned>(found - form.addresses.begin());
    if (found == form.addresses.end())
      form.addresses.push_back(address);
    form.views.emplace_back(view, place);
    pointer(view->getName().getAsOpaquePointer());
    pointer(view.getType().getAsOpaquePointer());
    number(place);
    define(view.getResult());
    return true;
  }

  void add(Operation &op) {
    pointer(op.getName().getAsOpaquePointer());
    pointer(op.getAttrDictionary().getAsOpaquePointer());
    number(op.getNumOperands());
    for (Value operand : op.getOperands())
      number(numbers.lookup(operand));
    number(op.getNumResults());
    for (Value result : op.getResults()) {
      define(result);
      pointer(result.getType().getAsOpaquePointer());
    }
    number(op.getNumRegions());
    for (Region &region : op.getRegions()) {
      number(llvm::range_size(region));
      for (Block &inner : region)
        block(inner, /*ofTask=*/false);
    }
  }
};

} // namespace

TaskForm formOf(kernel::TaskOp task) {
  TaskForm form;
  Keys(form).block(task.getBody().front(), /*ofTask=*/true);
  return form;
}

} // namespace sinter::codegen
