//===- Philox.h - counter-based random numbers ------------------------------------------------===//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): ten rounds
// turn a 128-bit counter and a 64-bit key into four 32-bit words. Every random number of a program
// has its own counter, so a draw depends neither on threads nor on the order of anything:
//   key      the run's seed
//   counter  (16·q + l, example, draw, purpose)  where element e = 64·q + 16·w + l of the drawn
//   tensor takes word w
// `purpose` is fnv1a of a name ("dropout1", "init:conv1.weight", "shuffle"). Generated code
// computes the same.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sinter::runtime {

using PhiloxWords = std::array<uint32_t, 4>;

constexpr PhiloxWords philox(PhiloxWords counter, uint64_t key) {
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

/// 32-bit FNV-1a, which turns a name into a purpose.
constexpr uint32_t fnv1a(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (char c : text)
    hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

/// Element `element` of a stream, as 32 random bits.
constexpr uint32_t randomBits(uint64_t seed, uint32_t purpose, uint32_t draw, uint32_t example,
                              uint64_t element) {
  const auto block = static_cast<uint32_t>(16 * (element / 64) + element % 16);
  return philox({block, example, draw, purpose}, seed)[element % 64 / 16];
}

/// [0, 1) with 24 bits.
constexpr float uniformFloat(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

} // namespace sinter::runtime
