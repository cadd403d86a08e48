//===- KeepSlopes.cpp - keep what the backward pass makes of a value, in place of the value ---------===//
// A contraction's epilogue applies an activation such as GELU and stores two values: what comes of it, and what it was applied to, x,
// which the backward pass reads to compute the slope there. Both need the same tanh (or erf, or exponential) of x. Where nobody else
// reads x, the slope is computed beside the activation and stored in x's place: the same bytes, and the function is computed once.
// Keeps bits: the same operations on the same numbers.
#include "compiler/passes/FuseBody.h"
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using sinter::kernel::ContractOp;
using sinter::kernel::SweepOp;

namespace sinter::passes {
#define GEN_PASS_DEF_KEEPSLOPES
#include "compiler/passes/Passes.h.inc"
namespace {

/// The body of a loop op whose inputs it reads element by element.
Block *bodyOf(Operation *op) {
  if (auto sweep = dyn_cast<SweepOp>(op))
    return &sweep.getBody().front();
  if (auto contract = dyn_cast<ContractOp>(op))
    return contract.getEpilogue().empty() ? nullptr : &contract.getEpilogue().front();
  return nullptr;
}

bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>();
}

/// One late reader of a value x.
class Slope {
public:
  Slope(Block &body, BlockArgument x) : body(body), x(x) {}

  /// The one value of the body that is made of x alone and that the rest reads, while nothing else reads x; null where there is none.
  Value find() {
    for (Operation &op : body.without_terminator())
      if (op.getNumResults() == 1 && isMemoryEffectFree(&op) && op.getNumRegions() == 0 &&
          llvm::any_of(op.getOperands(), [&](Value v) { return isMade(v); }) &&
          llvm::all_of(op.getOperands(), [&](Value v) { return isMade(v) || isConstant(v); }))
        made.insert(op.getResult(0));
    Value slope;
    for (Operation &op : body)
      for (Value operand : op.getOperands())
        if (isMade(operand) && (op.getNumResults() != 1 || !isMade(op.getResult(0)))) {
          if (slope && slope != operand)
            return {};
          slope = operand;
        }
    return slope && slope != x && slope.getType() == x.getType() ? slope : Value();
  }

  /// Clones what makes the slope, of `from` in place of x.
  Value cloneAt(OpBuilder &builder, Value from, Value slope) {
    IRMapping mapping;
    mapping.map(x, from);
    for (Operation &op : body.without_terminator())
      if (op.hasTrait<OpTrait::ConstantLike>() ||
          (op.getNumResults() == 1 && made.contains(op.getResult(0))))
        builder.clone(op, mapping);
    return mapping.lookup(slope);
  }

  /// The math functions that make it: what computing it twice would cost.
  SmallVector<Operation *> functions() const {
    SmallVector<Operation *> found;
    for (Operation &op : body)
      if (isa<math::MathDialect>(op.getDialect()) && op.getNumResults() == 1 &&
          made.contains(op.getResult(0)))
        found.push_back(&op);
    return found;
  }

private:
  Block &body;
  BlockArgument x;
  llvm::DenseSet<Value> made;

  bool isMade(Value value) const { return value == x || made.contains(value); }
};

/// Whether two values of two bodies are the same function, `x` of the one being `from` of the other.
class Equality {
public:
  Equality(Value x, Value from) : x(x), from(from) {}

  bool operator()(Value a, Value b) {
    if (a == x || b == from)
      return a == x && b == from;
    Operation *left = a.getDefiningOp(), *right = b.getDefiningOp();
    if (!left || !right || left->getName() != right->getName() ||
        left->getAttrDictionary() != right->getAttrDictionary() ||
        left->getNumOperands() != right->getNumOperands() || a.getType() != b.getType() ||
        left->getNumRegions() != 0)
      return false;
    // Bodies are small, but a value that is read twice must not double the work with each op.
    auto [known, isNew] = compared.try_emplace({a, b}, false);
    if (!isNew)
      return known->second;
    bool equal =
        llvm::all_of(llvm::zip_equal(left->getOperands(), right->getOperands()),
                     [&](auto pair) { return (*this)(std::get<0>(pair), std::get<1>(pair)); });
    if (!equal && left->hasTrait<OpTrait::IsCommutative>() && left->getNumOperands() == 2)
      equal = (*this)(left->getOperand(0), right->getOperand(1)) &&
              (*this)(left->getOperand(1), right->getOperand(0));
    return compared[{a, b}] = equal;
  }

private:
  const Value x, from;
  llvm::DenseMap<std::pair<Value, Value>, bool> compared;
};

struct KeepSlopes : impl::KeepSlopesBase<KeepSlopes> {
  void runOnOperation() override {
    for (Block *block : blocksOfLoops(getOperation()))
      for (ContractOp contract : block->getOps<ContractOp>())
        for (OpResult result : contract->getResults())
          if (!contract.getEpilogue().empty() && keepSlopeOf(contract, result))
            ++numKept;
  }

  bool keepSlopeOf(ContractOp contract, OpResult kept) {
    if (!kept.hasOneUse())
      return false;
    OpOperand &use = *kept.getUses().begin();
    Operation *reader = use.getOwner();
    Block *body = bodyOf(reader);
    if (!body || isOutput(reader, use.getOperandNumber()))
      return false;
    // Of a contraction the first two operands are multiplied; the body has the sum in their place.
    unsigned argument = use.getOperandNumber();
    if (isa<ContractOp>(reader)) {
      if (argument < 2)
        return false;
      --argument;
    }

    Operation *yield = contract.getEpilogue().front().getTerminator();
    const Value from = yield->getOperand(kept.getResultNumber());
    if (from.getType() != body->getArgument(argument).getType())
      return false;
    Slope slope(*body, body->getArgument(argument));
    Value late = slope.find();
    if (!late || !sharesFunction(slope, body->getArgument(argument), from))
      return false;
    OpBuilder builder(yield);
    yield->setOperand(kept.getResultNumber(), slope.cloneAt(builder, from, late));
    late.replaceAllUsesWith(body->getArgument(argument));
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*body)))
      if (isOpTriviallyDead(&op))
        op.erase();
    contract->setLoc(joinedLocation(contract.getLoc(), reader->getLoc()));
    return true;
  }

  static bool isOutput(Operation *op, unsigned operand) {
    return operand >= op->getNumOperands() - op->getNumResults();
  }

  /// Whether the contraction computes one of the slope's functions anyway.
  static bool sharesFunction(const Slope &slope, Value x, Value from) {
    Equality equal(x, from);
    for (Operation *late : slope.functions())
      for (Operation &early : *from.getParentBlock())
        if (early.getNumResults() == 1 && equal(late->getResult(0), early.getResult(0)))
          return true;
    return false;
  }
};

} // namespace
} // namespace sinter::passes
