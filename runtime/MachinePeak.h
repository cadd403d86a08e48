//===- MachinePeak.h - the most that this machine can do ---------------------------------------===//
// What shares of the peak are shares of, measured where and when the program runs: machines differ, and a shared one differs
// from minute to minute.
#pragma once

#include <cstddef>

namespace sinter::runtime {

/// What `threads` threads do together. The best of several short bursts counts: whatever else runs on the machine only
/// slows a burst down.
struct MachinePeak {
  double gflops =
      0; ///< 10^9 f32 operations a second, a fused multiply-add counted as two; 0 without AVX2
  double gbytes = 0;    ///< 10^9 bytes a second, read from arrays as large as was asked for
  const char *isa = ""; ///< "avx512f", "avx2" or "none"
};

/// Chains of fused multiply-adds in registers, as many as keep every pipe full. Takes some 20 ms a burst.
double measureGflops(unsigned threads, int bursts);

/// What `measureBandwidth` reads at most, for each thread.
inline constexpr size_t largestRead = size_t{64} << 20;

/// Sums over `bytes`, shared out over the threads: from where so much lies, a cache or memory, in huge pages as a program's own blocks
/// are. Four places at once, since what fetches ahead in a core follows one page only so fast.
double measureBandwidth(unsigned threads, int bursts, size_t bytes);

/// Copies 64 MiB a thread within huge pages, as the C library does or past the cache, whichever is faster: 10^9 bytes a second, read and
/// written counted.
double measureCopies(unsigned threads, int bursts);

/// What a profile holds kernels against, in about half a second. `bytes`: what its step works on.
MachinePeak measureMachine(unsigned threads, size_t bytes);

} // namespace sinter::runtime
