//===- AbsorbLayouts.cpp - let a weight lie as its activation does ----------------------------===//
// A flattened image is saved in the order C, H, W and lies as H, W, C: written plainly, each step
// transposes it before the dense layer behind it, and its gradient on the way back. The sum of that
// layer does not care for the order of its terms, so the rows of the weight may lie in the image's
// order instead. This pass moves the permutation into the layout of the weight's state, once, where
// everything that reads the flattened value or the weight, in any step, either sums over that axis
// or does not care. Keeps the meaning, not the bits: sums run in another order, and random draws
// fall on other elements.
#include "compiler/passes/Passes.h"

#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace sinter::passes {
#define GEN_PASS_DEF_ABSORBLAYOUTS
#include "compiler/passes/Passes.h.inc"
namespace {

bool isScalar(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return !tensor || tensor.getRank() == 0;
}

/// A value [B, K] of which it does not matter where in its row an element stands: the row's number
/// spread over the row, and what is computed or drawn of it alone.
bool isOrderless(Value value) {
  if (auto broadcast = value.getDefiningOp<train::BroadcastOp>())
    return broadcast.getDims() == ArrayRef<int64_t>{0};
  auto pointwise = value.getDefiningOp<train::Pointwise>();
  if (!pointwise || pointwise->getNumOperands() == 0) // made of its place alone
    return false;
  // A pointwise op may ask where it is: only random numbers are as good in another order.
  const bool mayAsk = llvm::any_of(pointwise->getOperandTypes(), [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getElementType().isInteger(32);
  });
  if (mayAsk && !isa<train::RandomOp>(pointwise))
    return false;
  return llvm::all_of(pointwise->getOperands(),
                      [](Value operand) { return isScalar(operand) || isOrderless(operand); });
}

/// Where a letter stands behind the comma, or before it, in "bk,kn->bn"; -1 where it does not.
int64_t placeOf(StringRef axes, char letter) {
  const size_t place = axes.find(letter);
  return place == StringRef::npos ? -1 : static_cast<int64_t>(place);
}

/// A product over a flattened axis with a state's.
struct Product {
  train::ContractOp contract;
  StringAttr state;
  int64_t axis; ///< of the state, in memory
};

/// reshape(transpose(x)) : [B, K], and what becomes of it.
struct Flatten {
  train::ReshapeOp reshape;
  train::TransposeOp transpose;
  SmallVector<Product> products;
  bool absorbable = true;

  /// Extents that K is made of, in the saved order.
  ArrayRef<int64_t> extents() {
    return cast<RankedTensorType>(transpose.getY().getType()).getShape().drop_front();
  }
  bool permutesAs(Flatten &other) {
    return extents() == other.extents() && transpose.getPerm() == other.transpose.getPerm();
  }
};

/// The state that an argument of a step is bound to, or null.
StringAttr stateOf(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto step =
      argument ? dyn_cast<train::StepOp>(argument.getOwner()->getParentOp()) : train::StepOp();
  if (!step)
    return {};
  for (StringRef binding : {"train.reads", "train.owns"})
    if (auto symbol = step.getArgAttrOfType<FlatSymbolRefAttr>(argument.getArgNumber(), binding))
      return symbol.getAttr();
  return {};
}

/// Follows a flattened value to the products it ends in; not absorbable where it ends elsewhere.
void follow(Flatten &flatten) {
  llvm::SetVector<Value> values;
  values.insert(flatten.reshape.getY());
  for (size_t i = 0; i < values.size(); ++i)
    for (OpOperand &use : values[i].getUses()) {
      Operation *user = use.getOwner();
      if (auto contract = dyn_cast<train::ContractOp>(user)) {
        const auto [operands, result] = contract.getAxes().split("->");
        const auto [left, right] = operands.split(",");
        const bool isLeft = use.getOperandNumber() == 0;
        const StringRef own = isLeft ? left : right;
        const char summed = own.back();
        const StringAttr state = stateOf(isLeft ? contract.getRhs() : contract.getLhs());
        const int64_t axis = placeOf(isLeft ? right : left, summed);
        if (state && axis >= 0 && placeOf(result, summed) < 0) {
          flatten.products.push_back({contract, state, axis});
          continue;
        }
      } else if (isa<train::Pointwise>(user) &&
                 llvm::all_of(user->getOperands(), [&](Value operand) {
                   return isScalar(operand) || values.contains(operand) || isOrderless(operand);
                 })) {
        values.insert(user->result_begin(), user->result_end());
        continue;
      }
      flatten.absorbable = false;
      return;
    }
}

class Absorber {
public:
  explicit Absorber(ModuleOp module) : module(module) {
    for (auto state : module.getOps<train::StateOp>())
      if (auto of = state.getOf())
        owner[state.getSymNameAttr()] = StringAttr::get(module.getContext(), *of);
    for (auto step : module.getOps<train::StepOp>())
      for (auto reshape : step.getBody().getOps<train::ReshapeOp>())
        consider(reshape);
  }

  /// Absorbs what can be; how many transposes went.
  unsigned absorb() {
    settle();
    llvm::MapVector<StringAttr, std::pair<Flatten *, int64_t>> states;
    unsigned count = 0;
    for (Flatten &flatten : flattens) {
      if (!flatten.absorbable)
        continue;
      for (const Product &product : flatten.products)
        states.insert({product.state, {&flatten, product.axis}});
    }
    for (auto &[name, how] : states)
      for (auto state : module.getOps<train::StateOp>())
        if (state.getSymNameAttr() == name || owner.lookup(state.getSymNameAttr()) == name)
          state.setLayoutAttr(absorbed(state, *how.first, how.second));
    for (Flatten &flatten : flattens) {
      if (!flatten.absorbable)
        continue;
      flatten.reshape.getXMutable().assign(flatten.transpose.getX());
      if (flatten.transpose->use_empty())
        flatten.transpose->erase();
      ++count;
    }
    return count;
  }

private:
  void consider(train::ReshapeOp reshape) {
    auto transpose = reshape.getX().getDefiningOp<train::TransposeOp>();
    const auto type = cast<RankedTensorType>(reshape.getY().getType());
    if (!transpose || type.getRank() != 2 || transpose.getPerm().front() != 0 ||
        type.getDimSize(0) != cast<RankedTensorType>(transpose.getY().getType()).getDimSize(0))
      return;
    flattens.push_back({reshape, transpose, {}});
    follow(flattens.back());
    // An average that is read lies as what it is of.
    for (Product &product : flattens.back().products)
      if (const StringAttr of = owner.lookup(product.state))
        product.state = of;
  }

  /// Takes back what something else does not agree with, until nothing changes.
  void settle() {
    for (bool changed = true; changed;) {
      changed = false;
      for (Flatten &flatten : flattens) {
        if (!flatten.absorbable)
          continue;
        flatten.absorbable = llvm::all_of(flatten.products, [&](const Product &product) {
          return fits(product.state, product.axis, flatten);
        });
        changed |= !flatten.absorbable;
      }
    }
  }

  /// Whether all that any step does with a state allows its axis to lie as this flatten's image.
  bool fits(StringAttr name, int64_t axis, Flatten &flatten) {
    auto state = dyn_cast_or_null<train::StateOp>(module.lookupSymbol(name));
    if (!state || !absorbed(state, flatten, axis))
      return false;
    return llvm::all_of(module.getOps<train::StepOp>(), [&](train::StepOp step) {
      llvm::SetVector<Value> values; // all that lies as the state does
      for (BlockArgument argument : step.getBody().getArguments())
        if (StringAttr bound = stateOf(argument);
            bound && (bound == name || owner.lookup(bound) == name))
          values.insert(argument);
      for (size_t i = 0; i < values.size(); ++i)
        for (OpOperand &use : values[i].getUses())
          if (!allows(use, values, name, axis, flatten))
            return false;
      return true;
    });
  }

  bool allows(OpOperand &use, llvm::SetVector<Value> &values, StringAttr name, int64_t axis,
              Flatten &flatten) {
    Operation *user = use.getOwner();
    if (auto contract = dyn_cast<train::ContractOp>(user))
      return llvm::any_of(flattens, [&](Flatten &other) {
        return other.absorbable && other.permutesAs(flatten) &&
               llvm::any_of(other.products, [&](const Product &product) {
                 return product.contract == contract && product.state == name &&
                        product.axis == axis;
               });
      });
    if (auto sum = dyn_cast<train::SumOp>(user))
      return isScalar(sum.getY());
    if (auto gradient = dyn_cast<train::GradientOp>(user)) {
      if (use.getOperandNumber() > 0)
        values.insert(gradient.getGradients()[use.getOperandNumber() - 1]);
      return true;
    }
    if (auto commit = dyn_cast<train::CommitOp>(user)) {
      if (use.getOperandNumber() >= commit.getValues().size())
        return false;
      const auto to = cast<FlatSymbolRefAttr>(commit.getStates()[use.getOperandNumber()]).getAttr();
      return to == name || owner.lookup(to) == name;
    }
    if (!isa<train::Pointwise>(user))
      return false;
    values.insert(user->result_begin(), user->result_end());
    return llvm::all_of(user->getOperands(), [&](Value operand) {
      return isScalar(operand) || values.contains(operand) || awaited(operand, name);
    });
  }

  /// An operand that lies as the state does, but is reached later: its gradient, or what comes of
  /// it.
  bool awaited(Value operand, StringAttr name) {
    if (auto gradient = operand.getDefiningOp<train::GradientOp>()) {
      const auto index = cast<OpResult>(operand).getResultNumber();
      const StringAttr of = stateOf(gradient.getOf()[index]);
      return of == name;
    }
    if (const StringAttr bound = stateOf(operand))
      return bound == name || owner.lookup(bound) == name;
    auto pointwise = operand.getDefiningOp<train::Pointwise>();
    return pointwise && llvm::all_of(pointwise->getOperands(), [&](Value each) {
             return isScalar(each) || awaited(each, name);
           });
  }

  /// The layout of a state whose memory axis `axis` lies as the flatten's image; null where its
  /// layout is too involved.
  static train::LayoutAttr absorbed(train::StateOp state, Flatten &flatten, int64_t axis) {
    const auto type = cast<RankedTensorType>(state.getType());
    SmallVector<int64_t> shape(state.getSavedShape()), view(shape), perm;
    if (auto layout = state.getLayout()) {
      view.assign(layout->getView().begin(), layout->getView().end());
      perm.assign(layout->getPerm().begin(), layout->getPerm().end());
    } else {
      llvm::append_range(perm, llvm::seq<int64_t>(0, type.getRank()));
    }
    if (static_cast<int64_t>(perm.size()) != type.getRank())
      return {};
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (view[perm[i]] != type.getDimSize(i))
        return {};

    const int64_t split = perm[axis];
    const ArrayRef<int64_t> extents = flatten.extents(), order = flatten.transpose.getPerm();
    const auto parts = static_cast<int64_t>(extents.size());
    SmallVector<int64_t> newView(view), newPerm;
    newView.erase(newView.begin() + split);
    newView.insert(newView.begin() + split, extents.begin(), extents.end());
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (i != axis) {
        newPerm.push_back(perm[i] < split ? perm[i] : perm[i] + parts - 1);
        continue;
      }
      for (int64_t inMemory = 1; inMemory <= parts; ++inMemory)
        newPerm.push_back(split + std::distance(order.begin(), llvm::find(order, inMemory)) - 1);
    }
    return train::LayoutAttr::get(state.getContext(), shape, newView, newPerm);
  }

  ModuleOp module;
  std::vector<Flatten> flattens;
  llvm::DenseMap<StringAttr, StringAttr> owner; ///< optimizer state or average → parameter
};

struct AbsorbLayouts : impl::AbsorbLayoutsBase<AbsorbLayouts> {
  void runOnOperation() override {
    const unsigned count = Absorber(getOperation()).absorb();
    numAbsorbed += count;
    if (count == 0)
      markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace sinter::passes
