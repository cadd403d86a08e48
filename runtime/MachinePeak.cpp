#include "runtime/MachinePeak.h"

#include "runtime/Block.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <immintrin.h>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace sinter::runtime {

namespace {

constexpr int64_t rounds = 200'000;
constexpr int chains = 24; ///< of the widest vectors; two vectors of half the width for one

volatile float factor = 0.5F, sink;

[[gnu::target("avx512f")]] void burst512() {
  const __m512 a = _mm512_set1_ps(factor);
  __m512 sums[chains];
  for (__m512 &sum : sums)
    sum = a;
  for (int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 24
    for (__m512 &sum : sums)
      sum = _mm512_fmadd_ps(a, a, sum);
  for (const __m512 &sum : sums)
    sink = _mm512_cvtss_f32(sum);
}

[[gnu::target("avx2,fma")]] void burst256() {
  constexpr int half = chains / 2; // sixteen registers hold no more
  const __m256 a = _mm256_set1_ps(factor);
  __m256 sums[half];
  for (__m256 &sum : sums)
    sum = a;
  for (int64_t i = 0; i < rounds * 2; ++i)
#pragma GCC unroll 12
    for (__m256 &sum : sums)
      sum = _mm256_fmadd_ps(a, a, sum);
  for (const __m256 &sum : sums)
    sink = _mm256_cvtss_f32(sum);
}

struct Widest {
  const char *isa;
  int lanes;
  void (*burst)();
};

Widest widest() {
  if (__builtin_cpu_supports("avx512f"))
    return {"avx512f", 16, burst512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {"avx2", 8, burst256};
  return {"none", 0, nullptr};
}

/// Seconds of the shortest of `bursts` turns in which every thread does `work` once.
double shortestTurn(unsigned threads, int bursts, const std::function<void(unsigned)> &work) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<size_t>(bursts));
  auto start = std::chrono::steady_clock::now();
  int turn = 0;
  const auto atBarrier = [&]() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (turn++ > 0)
      seconds.push_back(std::chrono::duration<double>(now - start).count());
    start = now;
  };
  std::barrier barrier(static_cast<ptrdiff_t>(threads), atBarrier);
  const auto take = [&](unsigned thread) {
    for (int i = 0; i < bursts; ++i) {
      barrier.arrive_and_wait();
      work(thread);
    }
    barrier.arrive_and_wait();
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(take, i);
  take(0);
  for (std::thread &other : others)
    other.join();
  return *std::min_element(seconds.begin(), seconds.end());
}

} // namespace

double measureGflops(unsigned threads, int bursts) {
  const Widest kind = widest();
  if (!kind.burst)
    return 0;
  const double seconds = shortestTurn(threads, bursts, [&](unsigned) { kind.burst(); });
  return 2.0 * static_cast<double>(rounds) * chains * kind.lanes * threads / seconds * 1e-9;
}

double measureBandwidth(unsigned threads, int bursts, size_t bytes) {
  constexpr size_t streams = 4, word = sizeof(uint64_t), wordsOfLine = 64 / word;
  constexpr size_t least = size_t{64} << 10, leastOfBurst = size_t{16} << 20;
  const size_t part = std::clamp(bytes / threads, least, largestRead) / (64 * streams) * 64;
  const size_t turns = std::max<size_t>(1, leastOfBurst / (part * streams));
  std::vector<std::unique_ptr<Block>> blocks(threads);
  const auto read = [&](unsigned thread) {
    std::unique_ptr<Block> &block = blocks[thread];
    if (!block) {
      block = std::make_unique<Block>(part * streams);
      std::memset(block->data(), 1, part * streams); // pages lie where their thread is
    }
    const auto *words = reinterpret_cast<const uint64_t *>(block->data());
    uint64_t sums[wordsOfLine] = {};
    for (size_t turn = 0; turn < turns; ++turn)
      for (size_t i = 0; i < part / word; i += wordsOfLine)
        for (size_t stream = 0; stream < streams; ++stream)
          for (size_t lane = 0; lane < wordsOfLine; ++lane)
            sums[lane] += words[stream * (part / word) + i + lane];
    sink = static_cast<float>(std::accumulate(std::begin(sums), std::end(sums), uint64_t{0}));
  };
  const double seconds = shortestTurn(threads, std::max(bursts, 2), read);
  return static_cast<double>(part * streams * turns) * threads / seconds * 1e-9;
}

double measureCopies(unsigned threads, int bursts) {
  constexpr size_t bytes = size_t{64} << 20;
  // What is read, and behind it what is written.
  std::vector<std::unique_ptr<Block>> blocks(threads);
  const auto copy = [&](unsigned thread, auto &&move) {
    std::unique_ptr<Block> &block = blocks[thread];
    if (!block) {
      block = std::make_unique<Block>(2 * bytes);
      std::memset(block->data(), 1, 2 * bytes); // pages lie where their thread is
    }
    move(block->data() + bytes, block->data());
  };
  const auto asTheLibrary = [&](unsigned thread) {
    copy(thread, [](uint8_t *out, const uint8_t *in) { std::memcpy(out, in, bytes); });
  };
  const auto pastTheCache = [&](unsigned thread) {
    copy(thread, [](uint8_t *out, const uint8_t *in) {
      auto *target = reinterpret_cast<__m128i *>(out);
      const auto *source = reinterpret_cast<const __m128i *>(in);
      for (size_t i = 0; i < bytes / sizeof(__m128i); i += 4)
        for (size_t part = 0; part < 4; ++part)
          _mm_stream_si128(target + i + part, _mm_load_si128(source + i + part));
      _mm_sfence();
    });
  };
  const double seconds = std::min(shortestTurn(threads, std::max(bursts, 2), asTheLibrary),
                                  shortestTurn(threads, std::max(bursts, 2), pastTheCache));
  return 2.0 * static_cast<double>(bytes) * threads / seconds * 1e-9;
}

MachinePeak measureMachine(unsigned threads, size_t bytes) {
  measureGflops(threads, 2); // the clock rises
  return {measureGflops(threads, 10), measureBandwidth(threads, 8, bytes), widest().isa};
}

} // namespace sinter::runtime
