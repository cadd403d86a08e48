//===- Pipeline.cpp - from floor to floor -----------------------------------------------------===//
#include "compiler/driver/Pipeline.h"

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/Passes.h"
#include "compiler/lower/Passes.h"
#include "compiler/lower/TrainToKernel.h"
#include "compiler/passes/Passes.h"
#include "dialects/model/ModelOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace sinter::driver {

StringRef nameOf(Floor floor) {
  switch (floor) {
  case Floor::Model:
    return "model";
  case Floor::Train:
    return "train";
  case Floor::Kernel:
    return "kernel";
  case Floor::LLVM:
    return "llvm";
  }
  llvm_unreachable("every floor is handled");
}

std::optional<Floor> floorNamed(StringRef name) {
  for (Floor floor : {Floor::Model, Floor::Train, Floor::Kernel, Floor::LLVM})
    if (nameOf(floor) == name)
      return floor;
  return std::nullopt;
}

std::optional<Floor> floorOf(ModuleOp module) {
  // States, data and runs stand on several floors: the ops of a graph tell them apart.
  std::optional<Floor> found;
  module->walk<WalkOrder::PreOrder>([&](Operation *op) {
    const StringRef dialect = op->getName().getDialectNamespace();
    std::optional<Floor> floor;
    if (dialect == "llvm")
      floor = Floor::LLVM;
    else if (dialect == "kernel")
      floor = Floor::Kernel;
    else if (dialect == "train")
      floor = Floor::Train;
    else if (isa<model::TrainOp>(op))
      floor = Floor::Model;
    if (floor && (!found || *floor > *found))
      found = floor;
  });
  return found;
}

std::string trainPipeline(bool winograd) {
  // The canonical form first, so that layouts are seen through folded views; equal things are joined last.
  return std::string("train.step(canonicalize{region-simplify=disabled}),"
                     "absorb-layouts,"
                     "train.step(fuse-attention,differentiate,"
                     "canonicalize{region-simplify=disabled},redraw-masks,"
                     "recompute,round-products,"
                     "train-cse,") +
         (winograd ? "use-winograd," : "") + "canonicalize{region-simplify=disabled})";
}

void registerPasses() {
  static const bool once = [] {
    passes::registerPasses();
    lower::registerPasses();
    codegen::registerPasses();
    mlir::registerTransformsPasses();
    return true;
  }();
  (void)once;
}

Pipeline::Pipeline(MLIRContext &context, codegen::Target target, PipelineOptions given)
    : context(context), target(std::move(target)), options(std::move(given)) {
  registerPasses();
  auto known = [&](const std::vector<std::string> &names) {
    for (const std::string &name : names)
      if (!PassInfo::lookup(name))
        complaint = "no pass is called `" + name + "`; `sinter-opt --help` lists them";
  };
  known(options.without);
  known(options.printAfter);

  if (options.train.empty())
    options.train = trainPipeline(options.winograd);
  PassManager trial(&context);
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (failed(parsePassPipeline(options.train, trial, stream)))
    complaint = "`--pipeline` is no list of passes: " + message;

  if (!options.without.empty())
    context.registerActionHandler(
        [this](function_ref<void()> execute, const tracing::Action &action) {
          auto *pass = llvm::dyn_cast<PassExecutionAction>(&action);
          if (!pass || !llvm::is_contained(options.without, pass->getPass().getArgument().str()))
            execute();
        });
}

Pipeline::~Pipeline() {
  if (!options.without.empty())
    context.registerActionHandler(nullptr);
}

LogicalResult Pipeline::run(ModuleOp module, Floor from, Floor to, TimingScope &timing) {
  TimingScope passes = timing.nest("passes");
  PassManager manager(&context);
  manager.enableTiming(passes);
  if (!options.printAfter.empty()) {
    context.disableMultithreading(); // prints would mix
    manager.enableIRPrinting([](Pass *, Operation *) { return false; },
                             [this](Pass *pass, Operation *) {
                               return llvm::is_contained(options.printAfter,
                                                         pass->getArgument().str());
                             },
                             /*printModuleScope=*/true, /*printAfterOnlyOnChange=*/false);
  }
  if (from == Floor::Model && to >= Floor::Train)
    manager.addPass(lower::createModelToTrain());
  if (from <= Floor::Train && to >= Floor::Train)
    addTrainPasses(manager);
  if (from <= Floor::Train && to >= Floor::Train)
    manager.addPass(passes::createProveFrozen());
  if (from <= Floor::Train && to >= Floor::Kernel)
    lower::buildTrainToKernelPipeline(manager);
  if (from <= Floor::Kernel && to >= Floor::Kernel)
    manager.addPass(codegen::createChooseSchedulesPass(target, options.schedules));
  if (from <= Floor::Kernel && to == Floor::LLVM)
    codegen::addKernelToLLVMPasses(manager, target);
  return manager.run(module);
}

void Pipeline::addTrainPasses(OpPassManager &manager) {
  // The constructor has seen it parse.
  (void)parsePassPipeline(options.train, manager);
}

} // namespace sinter::driver
