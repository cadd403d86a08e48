//===- Target.cpp - which CPU, and LLVM's machine for it ------------------------------------------===//

#include "compiler/codegen/Target.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

namespace sinter::codegen {
namespace {

const llvm::Triple &triple() {
  static const llvm::Triple value("x86_64-unknown-linux-gnu");
  return value;
}

llvm::Expected<const llvm::Target *> lookUpTarget() {
  static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialized;
  std::string error;
  if (const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple(), error))
    return target;
  return llvm::createStringError(error);
}

/// Fills `avx512` from what LLVM says of CPU and features; fails where AVX2 or FMA is missing.
llvm::Error examine(Target &target) {
  auto llvmTarget = lookUpTarget();
  if (!llvmTarget)
    return llvmTarget.takeError();
  // An unknown name is asked for first: LLVM would print its own complaint.
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      (*llvmTarget)->createMCSubtargetInfo(triple(), "", target.features));
  if (!info || !info->isCPUStringValid(target.cpu))
    return llvm::createStringError("`%s` is no CPU that LLVM knows", target.cpu.c_str());
  info.reset((*llvmTarget)->createMCSubtargetInfo(triple(), target.cpu, target.features));
  if (!info->checkFeatures("+avx2") || !info->checkFeatures("+fma"))
    return llvm::createStringError("`%s` lacks AVX2 or FMA, which Sinter's kernels need",
                                   target.cpu.c_str());
  target.avx512 = info->checkFeatures("+avx512f") && info->checkFeatures("+avx512vl") &&
                  info->checkFeatures("+avx512bw") && info->checkFeatures("+avx512dq");
  target.bf16 = target.avx512 && info->checkFeatures("+avx512bf16");
  return llvm::Error::success();
}

} // namespace

llvm::Expected<Target> Target::host() {
  Target target;
  target.cpu = llvm::sys::getHostCPUName().str();
  // The host's own list: a hypervisor may hide what the CPU's name promises.
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    if (!target.features.empty())
      target.features += ',';
    target.features += (feature.second ? "+" : "-") + feature.first().str();
  }
  if (llvm::Error error = examine(target))
    return error;
  return target;
}

llvm::Expected<Target> Target::named(llvm::StringRef name) {
  if (name.empty() || name == "host" || name == "native")
    return host();
  Target target;
  target.cpu = name.str();
  if (llvm::Error error = examine(target))
    return error;
  return target;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> Target::createMachine() const {
  auto llvmTarget = lookUpTarget();
  if (!llvmTarget)
    return llvmTarget.takeError();
  llvm::TargetOptions options;
  // Only what a kernel says is fused: a product and a sum written apart stay apart, so that bits do not depend on LLVM.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(
      (*llvmTarget)
          ->createTargetMachine(triple(), cpu, features, options, llvm::Reloc::PIC_,
                                llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("LLVM has no code generator for `%s`", cpu.c_str());
  return machine;
}

} // namespace sinter::codegen
