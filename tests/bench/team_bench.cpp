//===- team_bench.cpp - what waking, claiming and waiting cost -------------------------------------===//
// 100 empty tasks in a list, on 1 and 2 threads: each of one share, or of two shares with a barrier between. Prints the
// median time of a list in microseconds. Run alone on an idle machine.
#include "runtime/Team.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace sinter::runtime;

static void nothing(int64_t, uint8_t *, uint8_t *) {}

static double medianMicroseconds(unsigned threads, int64_t shares) {
  Team team(threads, {std::vector<Team::Task>(100, {nothing, shares, true})});
  std::vector<double> times;
  for (int i = 0; i < 2000; ++i) {
    const auto start = std::chrono::steady_clock::now();
    team.run(0, nullptr, nullptr);
    const auto end = std::chrono::steady_clock::now();
    times.push_back(std::chrono::duration<double, std::micro>(end - start).count());
  }
  std::nth_element(times.begin(), times.begin() + 1000, times.end());
  return times[1000];
}

int main() {
  for (unsigned threads : {1u, 2u})
    for (int64_t shares : {int64_t{1}, int64_t{2}})
      std::printf("%u thread%s, 100 tasks of %lld share%s: %.2f us\n", threads,
                  threads == 1 ? "" : "s", static_cast<long long>(shares), shares == 1 ? "" : "s",
                  medianMicroseconds(threads, shares));
}
