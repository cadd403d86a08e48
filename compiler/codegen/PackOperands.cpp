//===- PackOperands.cpp - copies of what register tiles read --------------------------------------===//

#include "compiler/codegen/PackOperands.h"

using namespace mlir;

namespace sinter::codegen {

namespace {

void overAxes(const TaskScope &scope, const ContractPlan &plan, unsigned operand, unsigned axis,
              ArrayRef<int64_t> sizes, Value offset, Value step,
              llvm::function_ref<void(Value, Value)> body) {
  if (axis == sizes.size())
    return body(offset, step);
  Emitter &emit = scope.emitter;
  const int64_t stride = plan.accesses[operand].strides[plan.sumAxis(axis)];
  emit.loop(0, sizes[axis], 1, [&](Value i) {
    overAxes(scope, plan, operand, axis + 1, sizes, emit.add(offset, emit.multiply(i, stride)),
             emit.add(emit.multiply(step, sizes[axis]), i), body);
  });
}

} // namespace

void overSum(const TaskScope &scope, const ContractPlan &plan, unsigned operand,
             ArrayRef<int64_t> sizes, Value offset, llvm::function_ref<void(Value, Value)> body) {
  overAxes(scope, plan, operand, 0, sizes, offset, scope.emitter.constant(0), body);
}

int64_t OperandCopies::maxSteps() const { return llvm::product_of(plan.block); }

Value OperandCopies::panel(Value offset, int64_t vectors, int64_t lastColumns,
                           ArrayRef<int64_t> sizes) {
  Emitter &emit = scope.emitter;
  Type f32 = emit.builder.getF32Type();
  if (!copyOfB)
    copyOfB = scope.emitter.stack(maxSteps() * schedule.nr * lanes);
  overSum(scope, plan, 1, sizes, offset, [&](Value at, Value step) {
    Value from = emit.advance(scope.pointers[1], at, f32);
    Value to = emit.advance(copyOfB, emit.multiply(step, vectors * lanes), f32);
    for (int64_t j = 0; j < vectors; ++j) {
      Value mask = j + 1 == vectors ? emit.firstLanes(lastColumns) : Value();
      emit.storeLanes(emit.loadLanes(emit.advance(from, j * lanes, f32), f32, mask),
                      emit.advance(to, j * lanes, f32));
    }
  });
  return copyOfB;
}

void OperandCopies::rows(
    ArrayRef<int64_t> sizes,
    llvm::function_ref<void(llvm::function_ref<void(const Tile &)>)> overTiles) {
  Emitter &emit = scope.emitter;
  Type f32 = emit.builder.getF32Type();
  if (!copyOfA)
    copyOfA = scope.emitter.stack(maxSteps() * packedRows(plan, schedule));
  // Steps outside: each is read in one go, along the rows of all tiles.
  overSum(scope, plan, 0, sizes, emit.constant(0), [&](Value offset, Value step) {
    overTiles([&](const Tile &part) {
      Value from = emit.advance(scope.pointers[0], emit.add(part.offset, offset), f32);
      Value to = emit.advance(tile(part.before, llvm::product_of(sizes)),
                              emit.multiply(step, part.rows), f32);
      Value mask = emit.firstLanes(part.rows);
      emit.storeLanes(emit.loadLanes(from, f32, mask), to, mask);
    });
  });
}

Value OperandCopies::tile(Value before, int64_t steps) {
  Emitter &emit = scope.emitter;
  return emit.advance(copyOfA, emit.multiply(before, steps), emit.builder.getF32Type());
}

} // namespace sinter::codegen
