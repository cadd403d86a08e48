//===- Caches.h - what generated code counts on of a core's caches --------------------------------===//
// Numbers that every CPU with AVX2 has, or nearly: schedules are chosen by them for the CPUs of one name, which differ in their second
// level, and other threads use the caches as well. LLVM's descriptions of CPUs know the sizes of few.
#pragma once

#include <cstdint>

namespace sinter::codegen {

inline constexpr int64_t lineBytes = 64;
/// The first level: 32 KiB in 64 sets of eight ways.
inline constexpr int64_t cacheSets = 64, cacheWays = 8, cacheLines = cacheSets * cacheWays;
/// What stays in the second level by itself from one use to the next, while as much streams by.
inline constexpr int64_t nearBytes = int64_t{512} * 1024;

} // namespace sinter::codegen
