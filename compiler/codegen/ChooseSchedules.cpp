//===- ChooseSchedules.cpp - say on each contraction how it is run --------------------------------===//
// A schedule is data: what the cost model prefers stands on the op from here on, where it can be seen, printed and changed. What a file of
// measured schedules says goes before it.

#include "compiler/codegen/ContractionKey.h"
#include "compiler/codegen/Passes.h"
#include "compiler/codegen/Schedule.h"
#include "compiler/codegen/ScheduleFile.h"
#include "dialects/kernel/KernelOps.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

struct ChooseSchedules : PassWrapper<ChooseSchedules, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ChooseSchedules)

  ChooseSchedules() = default;
  ChooseSchedules(const ChooseSchedules &other)
      : PassWrapper(other), target(other.target), tuned(other.tuned) {}
  ChooseSchedules(Target target, std::shared_ptr<const ScheduleFile> tuned)
      : target(std::move(target)), tuned(std::move(tuned)) {}

  StringRef getArgument() const override { return "choose-schedules"; }
  StringRef getDescription() const override {
    return "Put a schedule on each contraction that has none";
  }

  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("the CPU to choose for"),
                          llvm::cl::init("host")};
  Option<std::string> path{*this, "file",
                           llvm::cl::desc("schedules that go before the model's choice")};
  Statistic numChosen{this, "num-chosen", "contractions that the cost model decided"};
  Statistic numTuned{this, "num-tuned", "contractions that the file decided"};
  Target target;
  std::shared_ptr<const ScheduleFile> tuned;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(prepare(module)))
      return signalPassFailure();
    module.walk([&](kernel::ContractOp op) {
      if (failed(decide(op)))
        signalPassFailure();
    });
  }

private:
  /// What sinter-opt says by name.
  LogicalResult prepare(ModuleOp module) {
    if (failed(nameTarget(target, cpu, module)))
      return failure();
    if (!tuned && !path.empty()) {
      auto file = ScheduleFile::read(path, target, getContext());
      if (!file)
        return module.emitError(llvm::toString(file.takeError()));
      tuned = std::make_shared<const ScheduleFile>(std::move(*file));
    }
    return success();
  }

  LogicalResult decide(kernel::ContractOp op) {
    if (tuned && !tuned->empty()) {
      const std::string key = keyOf(op);
      if (kernel::ScheduleAttr schedule = tuned->scheduleFor(key)) {
        op.setScheduleAttr(schedule);
        ++numTuned;
        const ArrayRef<int64_t> block = tuned->blockFor(key);
        if (block.empty())
          return success();
        op.setBlock(block);
        return op.verify(); // a block that a person wrote
      }
    }
    if (op.getScheduleAttr())
      return success();
    auto plan = ContractPlan::make(op);
    if (failed(plan))
      return failure();
    op.setScheduleAttr(attributeOf(chooseSchedule(*plan, target), &getContext()));
    ++numChosen;
    return success();
  }
};

} // namespace

std::unique_ptr<Pass> createChooseSchedulesPass(const Target &target,
                                                std::shared_ptr<const ScheduleFile> tuned) {
  return std::make_unique<ChooseSchedules>(target, std::move(tuned));
}
void registerChooseSchedulesPass() { PassRegistration<ChooseSchedules>(); }

} // namespace sinter::codegen
