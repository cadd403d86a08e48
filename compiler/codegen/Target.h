//===- Target.h - the CPU that a program is compiled for ------------------------------------------===//
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace sinter::codegen {

/// Floats in the code generator's vector.
inline constexpr int64_t lanes = 16;

/// A CPU by LLVM's name and what schedules need to know of it.
struct Target {
  std::string cpu;      ///< "znver4", "x86-64-v3", …
  std::string features; ///< LLVM's list, "+avx2,+fma,…"; of the host where the CPU is the host's
  bool avx512 = false;  ///< 32 registers of 16 floats; otherwise AVX2 with 16 of 8
  bool bf16 = false;    ///< AVX512-BF16: products of pairs of bfloat16, summed in f32

  /// Registers as units of the code generator's 16-float vector: how many vector registers one takes.
  int64_t registersPerVector() const { return avx512 ? 1 : 2; }
  int64_t registers() const { return avx512 ? 32 : 16; }

  /// The machine this runs on.
  static llvm::Expected<Target> host();
  /// `name` as `--cpu` takes it: "host" or a name of LLVM's. An error names what is unknown or lacks AVX2 and FMA.
  static llvm::Expected<Target> named(llvm::StringRef name);

  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createMachine() const;
};

} // namespace sinter::codegen
