//===- MachinePeak.h - the most that this machine can do ---------------------------------------===//
// What shares of the peak are shares of, measured where and when the program runs: machines differ, and a shared one differs
// from minute to minute.
#pragma once

namespace sinter::runtime {

/// What `threads` threads do together. The best of several short bursts counts: whatever else runs on the machine only
/// slows a burst down.
struct MachinePeak {
  double gflops =
      0; ///< 10^9 f32 operations a second, a fused multiply-add counted as two; 0 without AVX2
  double gbytes = 0;    ///< 10^9 bytes a second, read from arrays beyond every cache
  const char *isa = ""; ///< "avx512f", "avx2" or "none"
};

/// Chains of fused multiply-adds in registers, as many as keep every pipe full. Takes some 20 ms a burst.
double measureGflops(unsigned threads, int bursts);

/// Sums over an array of 64 MiB a thread.
double measureBandwidth(unsigned threads, int bursts);

/// Copies 64 MiB a thread, as the C library does or past the cache, whichever is faster: 10^9 bytes a second, read and written counted.
double measureCopies(unsigned threads, int bursts);

/// What a profile holds kernels against, in about half a second.
MachinePeak measureMachine(unsigned threads);

} // namespace sinter::runtime
