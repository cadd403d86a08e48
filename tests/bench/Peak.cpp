//===- Peak.cpp - the most that this machine can multiply and add ----------------------------===//
// Chains of fused multiply-adds in registers, as many as it takes to keep every pipe full: no
// memory, no dependencies to wait for. Shares of the peak are shares of this. The best of several
// short bursts counts, for anything else on the machine only slows a burst down.
//   peak [threads]      one line of JSON
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int chains = 24;
constexpr int64_t rounds = 400'000;

template <int bytes> struct Wide {
  typedef float Type __attribute__((vector_size(bytes)));
};

volatile float factor = 0.5F, sink;

/// rounds · chains · 2 · lanes flops. Inlined into callers that say what the CPU has.
template <typename Vector, int count> [[gnu::always_inline]] inline void burst() {
  const Vector a = Vector{} + factor, b = Vector{} + factor;
  Vector sums[count];
  for (Vector &sum : sums)
    sum = a;
  for (int64_t i = 0; i < rounds * (chains / count); ++i)
#pragma unroll
    for (Vector &sum : sums)
      sum = __builtin_elementwise_fma(a, b, sum);
  for (Vector &sum : sums)
    sink = sum[0];
}

[[gnu::target("avx512f")]] void burst512() { burst<Wide<64>::Type, chains>(); }
[[gnu::target("avx2,fma")]] void burst256() { burst<Wide<32>::Type, chains / 2>(); }

struct Kind {
  const char *name;
  int lanes;
  void (*function)();
};

Kind widest() {
  if (__builtin_cpu_supports("avx512f"))
    return {"avx512f", 16, burst512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {"avx2", 8, burst256};
  std::fprintf(stderr, "peak: this CPU has neither AVX2 nor AVX-512\n");
  std::exit(1);
}

/// GFLOP/s of all threads together, the best of `bursts`.
double measure(const Kind &kind, int threads, int bursts) {
  std::vector<double> seconds(static_cast<size_t>(bursts), 0.0);
  auto start = std::chrono::steady_clock::now();
  int burst = 0;
  const auto turn = [&]() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (burst > 0 && burst <= bursts)
      seconds[static_cast<size_t>(burst) - 1] = std::chrono::duration<double>(now - start).count();
    start = now;
    ++burst;
  };
  std::barrier barrier(threads, turn);
  const auto work = [&] {
    for (int i = 0; i < bursts; ++i) {
      barrier.arrive_and_wait();
      kind.function();
    }
    barrier.arrive_and_wait();
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &other : others)
    other.join();
  const double flops = 2.0 * rounds * chains * kind.lanes * threads;
  return flops / *std::min_element(seconds.begin(), seconds.end()) * 1e-9;
}

std::string cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      return line.substr(line.find(':') + 2);
  return "unknown";
}

} // namespace

int main(int argc, char **argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  const Kind kind = widest();
  measure(kind, threads, 3); // the clock rises
  const double gflops = measure(kind, threads, 15);
  std::printf("{\"cpu\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"gflop_per_s\": %.1f}\n",
              cpuName().c_str(), kind.name, threads, gflops);
}
