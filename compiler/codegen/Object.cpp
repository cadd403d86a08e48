//===- Object.cpp - LLVM dialect to ELF objects ---------------------------------------------------===//

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/Parts.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Threading.h"
#include "mlir/Support/Timing.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

namespace sinter::codegen {
namespace {

/// What is left to do where loops come vectorised, unrolled and blocked, and nothing lies in memory that is not meant to: equal addresses
/// once, address arithmetic out of the loops, the loop's test at its end. Of the -O2 pipeline, the rest costs four times as long,
/// and its programs are larger and no faster.
constexpr llvm::StringLiteral functionPasses =
    "function(early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),simplifycfg,early-cse<memssa>,instcombine<no-verify-fixpoint>,"
    "simplifycfg,tailcallelim)";

llvm::Error optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, functionPasses))
    return error;
  passes.run(module, modules);
  return llvm::Error::success();
}

/// One part, in a context of its own: other threads do the same to theirs.
llvm::Error emitPart(mlir::ModuleOp part, const Target &target, Object &object,
                     mlir::TimingScope &timing) {
  mlir::TimingScope phase = timing.nest("translate");
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = mlir::translateModuleToLLVMIR(part, context);
  if (!module)
    return llvm::createStringError("the module has ops that LLVM IR does not");
  auto machine = target.createMachine();
  if (!machine)
    return machine.takeError();
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  for (llvm::Function &function : *module)
    function.setDoesNotThrow(); // so that no tables for unwinding are written

  phase.stop();
  phase = timing.nest("optimize");
  if (llvm::Error error = optimize(*module, **machine))
    return error;

  phase.stop();
  phase = timing.nest("generate code");
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager emitter;
  if ((*machine)->addPassesToEmitFile(emitter, stream, nullptr, llvm::CodeGenFileType::ObjectFile,
                                      /*DisableVerify=*/true))
    return llvm::createStringError("LLVM cannot write objects for this target");
  emitter.run(*module);
  return llvm::Error::success();
}

} // namespace

void registerTranslations(mlir::DialectRegistry &registry) {
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
}

llvm::Expected<std::vector<Object>> emitObjects(mlir::ModuleOp module, const Target &target,
                                                mlir::TimingScope &timing) {
  auto parts = cutIntoParts(module);
  std::vector<Object> objects(parts.size());
  std::vector<std::string> problems(parts.size());
  mlir::parallelFor(module.getContext(), 0, parts.size(), [&](size_t i) {
    if (llvm::Error error = emitPart(*parts[i], target, objects[i], timing))
      problems[i] = llvm::toString(std::move(error));
  });
  for (const std::string &problem : problems)
    if (!problem.empty())
      return llvm::createStringError(problem);
  return objects;
}

} // namespace sinter::codegen
