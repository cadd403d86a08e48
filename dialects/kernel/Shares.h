//===- Shares.h - into how many shares a task is cut ----------------------------------------------===//
// What a loop op is cut along has units: rows, tiles, panels. Its shares take runs of them that differ by one at most, and the runtime
// gives each thread as many shares in a row as the others, or one more (runtime/Team.h). Units cost about the same, so that threads end
// together where they have equally many; three shares on two threads take as long as four.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace sinter::kernel {

/// The unit at which a share begins; what generated code computes.
inline int64_t shareBegin(int64_t share, int64_t units, int64_t shares) {
  return share * units / shares;
}

/// How many units the thread gets that has most of them.
inline int64_t unitsOfBusiest(int64_t units, int64_t shares, int64_t threads) {
  int64_t most = 0, share = 0;
  for (int64_t thread = 0; thread < threads; ++thread) {
    const int64_t end = share + shares / threads + (thread < shares % threads ? 1 : 0);
    most = std::max(most, shareBegin(end, units, shares) - shareBegin(share, units, shares));
    share = end;
  }
  return most;
}

/// The number of shares, of `most` and of the units at most, with which two threads have least to wait for each other, then four. Of
/// equally good ones an even one, which leaves no share over, and the largest, of which a thread that ends early can take more.
inline int64_t evenShares(int64_t units, int64_t most) {
  int64_t best = 1;
  const auto busiest = [&](int64_t shares) {
    return std::tuple(unitsOfBusiest(units, shares, 2), unitsOfBusiest(units, shares, 4),
                      shares % 2);
  };
  for (int64_t shares = 2; shares <= std::min(units, most); ++shares)
    if (busiest(shares) <= busiest(best))
      best = shares;
  return best;
}

} // namespace sinter::kernel
