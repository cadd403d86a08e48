//===- Recorder.h - who ran what when ------------------------------------------------------------===//
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace sinter::runtime {

/// Fills while a team runs lists with it: one row a thread, the caller's first, so that no thread writes where another does.
struct Recorder {
  struct Event {
    uint32_t task; ///< counted over all lists, in their order
    int64_t share;
    int64_t begin, end; ///< in nanoseconds of the steady clock
  };
  std::vector<std::vector<Event>> threads;

  static int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

} // namespace sinter::runtime
