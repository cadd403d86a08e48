//===- StepPlan.cpp ---------------------------------------------------------------------------===//
#include "compiler/driver/StepPlan.h"

#include "runtime/Abi.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;

namespace sinter::driver {
namespace {

uint64_t bytesOf(Type type) {
  return static_cast<uint64_t>(cast<RankedTensorType>(type).getNumElements()) * 4;
}

/// Everything one behind the other, the clock first. Returns the bytes used.
uint64_t place(StepPlan &plan) {
  train::StepOp step = plan.op;
  plan.layout.name = step.getSymName().str();
  plan.layout.batch = step.getBatch();
  uint64_t end = runtime::clockBytes;
  auto take = [&](uint64_t bytes) {
    const uint64_t offset = end;
    end = llvm::alignTo(end + bytes, 64);
    return offset;
  };
  for (BlockArgument argument : step.getArguments()) {
    const unsigned i = argument.getArgNumber();
    if (auto field = step.getArgAttrOfType<StringAttr>(i, "train.data")) {
      codegen::FieldLayout placed{field.str(), take(bytesOf(argument.getType())), {}};
      if (auto perm = step.getArgAttrOfType<DenseI64ArrayAttr>(i, "train.perm"))
        placed.perm.assign(perm.asArrayRef().begin(), perm.asArrayRef().end());
      plan.layout.fields.push_back(std::move(placed));
    } else if (plan.clockOf(i) == "ids") {
      plan.layout.ids = take(bytesOf(argument.getType()));
    }
  }
  train::CommitOp commit = step.getCommit();
  for (auto name : commit.getOutputNames().getAsValueRange<StringAttr>())
    plan.layout.outputs.push_back({name.str(), take(4)});
  for (auto [name, value] : llvm::zip_equal(commit.getResultNames().getAsValueRange<StringAttr>(),
                                            commit.getResults_())) {
    const auto shape = cast<RankedTensorType>(value.getType()).getShape().drop_front();
    plan.layout.results.push_back({name.str(), take(bytesOf(value.getType())), shape.vec()});
  }
  return end;
}

reference::Tensor load(Type type, const uint8_t *from) {
  reference::Tensor tensor(type);
  for (auto [i, value] : llvm::enumerate(tensor.floats)) {
    float number;
    std::memcpy(&number, from + 4 * i, 4);
    value = number;
  }
  for (auto [i, value] : llvm::enumerate(tensor.integers)) {
    int32_t number;
    std::memcpy(&number, from + 4 * i, 4);
    value = number;
  }
  return tensor;
}

} // namespace

StringRef StepPlan::clockOf(unsigned argument) {
  auto clock = op.getArgAttrOfType<StringAttr>(argument, "train.clock");
  return clock ? clock.getValue() : "";
}

StringRef StepPlan::stateOf(unsigned argument) {
  for (StringRef binding : {"train.reads", "train.owns"})
    if (auto symbol = op.getArgAttrOfType<FlatSymbolRefAttr>(argument, binding))
      return symbol.getValue();
  return "";
}

reference::Tensor StepPlan::read(BlockArgument argument, const train::StateLayout &states,
                                 const uint8_t *arena, const uint8_t *state) {
  const unsigned i = argument.getArgNumber();
  if (const StringRef name = stateOf(i); !name.empty())
    return load(argument.getType(), state + states.offsets.lookup(name));
  const StringRef clockName = clockOf(i);
  if (clockName.empty()) {
    const auto name = op.getArgAttrOfType<StringAttr>(i, "train.data");
    for (const codegen::FieldLayout &field : layout.fields)
      if (field.name == name.getValue())
        return load(argument.getType(), arena + field.offset);
    llvm_unreachable("every field was placed");
  }
  if (clockName == "ids")
    return load(argument.getType(), arena + *layout.ids);
  runtime::Clock clock;
  std::memcpy(&clock, arena, sizeof clock);
  return reference::Tensor::scalar(clockName == "step"    ? clock.step
                                   : clockName == "last"  ? clock.last
                                   : clockName == "count" ? clock.count
                                   : clockName == "draw"  ? clock.draw
                                   : clockName == "epoch" ? clock.epoch
                                                          : static_cast<int64_t>(clock.seed));
}

std::vector<StepPlan> planSteps(ModuleOp module, codegen::ProgramLayout &layout) {
  std::vector<StepPlan> plans;
  for (auto step : module.getOps<train::StepOp>()) {
    plans.push_back({step, {}});
    layout.arenaBytes = std::max(layout.arenaBytes, place(plans.back()));
    layout.steps.push_back(plans.back().layout);
  }
  return plans;
}

} // namespace sinter::driver
