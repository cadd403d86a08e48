//===- FlushToZero.h - denormal numbers are zero --------------------------------------------------===//
// Tasks run so. An average or a weight that decays passes through denormal numbers, those below 1.2e-38, and a CPU takes a hundred cycles
// and more for each operation on one: a training run would grow slower by the epoch. As torch.set_flush_denormal(True) does.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace sinter::runtime {

/// While one lives, its thread takes denormal numbers for zero, those read and those made, with their sign.
class FlushToZero {
public:
#if defined(__x86_64__)
  FlushToZero() : before(_mm_getcsr()) { _mm_setcsr(before | denormalsAreZero | flushToZero); }
  ~FlushToZero() { _mm_setcsr(before); }
#else
  FlushToZero() = default;
#endif
  FlushToZero(const FlushToZero &) = delete;
  FlushToZero &operator=(const FlushToZero &) = delete;

private:
#if defined(__x86_64__)
  // Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 1, 10.2.3: MXCSR.
  static constexpr unsigned denormalsAreZero = 1U << 6, flushToZero = 1U << 15;
  unsigned before;
#endif
};

} // namespace sinter::runtime
