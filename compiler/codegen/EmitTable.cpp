//===- EmitTable.cpp - rows of a table, copied out and added up ----------------------------------===//
// Whole vectors along a row. A gather's shares take some of the ids each; a sum's take some of the columns and walk all ids, so that the
// order of no sum depends on them.

#include "compiler/codegen/Tasks.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

class TableEmitter {
public:
  TableEmitter(const TaskScope &scope, int64_t size)
      : emit(scope.emitter), scope(scope), size(size), whole(size / lanes * lanes) {}

  /// Where share begins and ends in `extent` parts.
  std::pair<Value, Value> bounds(int64_t extent, int64_t shares) {
    return {emit.shareBegin(scope.share, extent, shares),
            emit.shareBegin(emit.add(scope.share, 1), extent, shares)};
  }

  /// The id at a place, i64; `ids` is the operand's number.
  Value id(unsigned ids, Value at) {
    const Type i32 = emit.builder.getI32Type();
    Value number = emit.load(emit.advance(scope.pointers[ids], at, i32), i32);
    return arith::ExtSIOp::create(emit.builder, emit.location, emit.builder.getI64Type(), number);
  }

  /// A row's first element, of the operand of this number.
  Value row(unsigned operand, Value number) {
    return emit.advance(scope.pointers[operand], emit.multiply(number, size), f32());
  }

  /// Calls `visit` for the vectors from number `low` to `high`, each with its first column and, where it is not full, the mask of
  /// its columns.
  void overVectors(Value low, Value high, llvm::function_ref<void(Value, Value)> visit) {
    Value end =
        arith::MinSIOp::create(emit.builder, emit.location, high, emit.constant(whole / lanes));
    emit.loop(low, end, 1, [&](Value vector) { visit(emit.multiply(vector, lanes), {}); });
    if (whole == size)
      return;
    Value hasLast = arith::CmpIOp::create(emit.builder, emit.location, arith::CmpIPredicate::sgt,
                                          high, emit.constant(whole / lanes));
    auto branch = scf::IfOp::create(emit.builder, emit.location, hasLast, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(emit.builder);
    emit.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
    visit(emit.constant(whole), emit.firstLanes(size - whole));
  }

  Value load(Value pointer, Value column, Value mask) {
    return emit.loadLanes(emit.advance(pointer, column, f32()), f32(), mask);
  }
  void store(Value value, Value pointer, Value column, Value mask) {
    emit.storeLanes(value, emit.advance(pointer, column, f32()), mask);
  }

  int64_t numVectors() const { return llvm::divideCeil(size, lanes); }
  Type f32() { return emit.builder.getF32Type(); }

  Emitter &emit;

private:
  const TaskScope &scope;
  const int64_t size, whole;
};

} // namespace

void emitGather(kernel::GatherOp op, const TaskScope &scope) {
  TableEmitter table(scope, op.getSize());
  Emitter &emit = table.emit;
  auto [low, high] = table.bounds(op.getNumIds(), op.getShares());
  emit.loop(low, high, 1, [&](Value at) {
    Value from = table.row(0, table.id(1, at)), to = table.row(2, at);
    table.overVectors(emit.constant(0), emit.constant(table.numVectors()),
                      [&](Value column, Value mask) {
                        table.store(table.load(from, column, mask), to, column, mask);
                      });
  });
}

void emitScatterAdd(kernel::ScatterAddOp op, const TaskScope &scope) {
  TableEmitter table(scope, op.getSize());
  Emitter &emit = table.emit;
  auto [low, high] = table.bounds(table.numVectors(), op.getShares());
  const int64_t count = cast<ShapedType>(op.getOutput().getType()).getDimSize(0);
  Value zero = arith::ConstantOp::create(emit.builder, emit.location,
                                         emit.builder.getZeroAttr(Emitter::vectorOf(table.f32())));
  emit.loop(0, count, 1, [&, low = low, high = high](Value number) {
    Value to = table.row(2, number);
    table.overVectors(low, high,
                      [&](Value column, Value mask) { table.store(zero, to, column, mask); });
  });
  emit.loop(0, op.getNumIds(), 1, [&, low = low, high = high](Value at) {
    Value from = table.row(0, at), to = table.row(2, table.id(1, at));
    table.overVectors(low, high, [&](Value column, Value mask) {
      Value sum = arith::AddFOp::create(emit.builder, emit.location, table.load(to, column, mask),
                                        table.load(from, column, mask));
      table.store(sum, to, column, mask);
    });
  });
}

} // namespace sinter::codegen
