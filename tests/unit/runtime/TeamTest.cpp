#include "runtime/Team.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <numeric>
#include <set>
#include <stdexcept>
#include <sys/resource.h>
#include <thread>

using namespace sinter::runtime;

namespace {

constexpr int64_t shares = 23;
constexpr size_t cells = 64;

float *floats(uint8_t *block) { return reinterpret_cast<float *>(block); }

/// arena[share] = share-th value of the state, with work that differs between shares.
void load(int64_t share, uint8_t *arena, uint8_t *state) {
  float value = floats(state)[share];
  for (int64_t i = 0; i < share * 50; ++i)
    value = value * 0.999f + 0.001f;
  floats(arena)[share] = value;
}

/// Another half of the arena, beside `load`.
void loadMore(int64_t share, uint8_t *arena, uint8_t *state) {
  floats(arena)[32 + share] = floats(state)[share] * 3;
}

/// Reads what all shares of both have written.
void sum(int64_t, uint8_t *arena, uint8_t *) {
  float total = 0;
  for (int64_t i = 0; i < shares; ++i)
    total = total * 1.25f + floats(arena)[i] + floats(arena)[32 + i];
  floats(arena)[60] = total;
}

void spread(int64_t share, uint8_t *arena, uint8_t *state) {
  floats(state)[share] = floats(state)[share] * 0.5f + floats(arena)[60] * 1e-3f;
}

void count(int64_t, uint8_t *arena, uint8_t *) {
  reinterpret_cast<std::atomic<int64_t> *>(arena)->fetch_add(1);
}

const std::vector<Team::Task> workload = {
    {load, shares, true}, {loadMore, shares, false}, {sum, 1, true}, {spread, shares, true}};

std::vector<float> runWith(unsigned threads, int rounds) {
  alignas(64) float arena[cells] = {}, state[cells];
  std::iota(std::begin(state), std::end(state), 1.0f);
  Team team(threads, {workload, {}});
  for (int i = 0; i < rounds; ++i) {
    team.run(0, reinterpret_cast<uint8_t *>(arena), reinterpret_cast<uint8_t *>(state));
    team.run(1, nullptr, nullptr); // an empty list ends at once
  }
  return {std::begin(state), std::end(state)};
}

} // namespace

TEST_CASE("1, 2, 3 and 8 threads give the same bits, with more threads than cores too") {
  const std::vector<float> one = runWith(1, 300);
  CHECK(one[3] != 4.0f);
  for (unsigned threads : {2u, 3u, 8u})
    CHECK(runWith(threads, 300) == one);
}

TEST_CASE("every share runs exactly once, however lists follow each other") {
  std::vector<Team::Task> mixed;
  int64_t expected = 0;
  for (int64_t i = 0; i < 40; ++i) {
    mixed.push_back({count, 1 + i % 5, i % 3 != 0});
    expected += 1 + i % 5;
  }
  alignas(64) std::atomic<int64_t> total{0};
  Team team(4, {mixed});
  for (int round = 1; round <= 500; ++round) {
    team.run(0, reinterpret_cast<uint8_t *>(&total), nullptr);
    REQUIRE(total.load() == expected * round); // all had ended when run returned
  }
}

TEST_CASE("a recorder sees every share once, and nothing once it is taken away") {
  alignas(64) std::atomic<int64_t> total{0};
  Team team(3, {{}, {{count, 5, true}, {count, 1, true}, {count, 7, false}}});
  Recorder recorder;
  const auto run = [&] { team.run(1, reinterpret_cast<uint8_t *>(&total), nullptr); };
  team.record(&recorder);
  run();
  team.record(nullptr);
  run();
  REQUIRE(recorder.threads.size() == 3);
  std::set<std::pair<uint32_t, int64_t>> seen;
  size_t events = 0;
  for (const auto &row : recorder.threads)
    for (const Recorder::Event &event : row) {
      CHECK(event.begin <= event.end);
      seen.insert({event.task, event.share});
      ++events;
    }
  CHECK(events == 13);
  CHECK(seen.size() == 13);
  CHECK(total.load() == 26);
}

TEST_CASE("threads that have gone to sleep wake up again") {
  alignas(64) std::atomic<int64_t> total{0};
  Team team(3, {{{count, 64, true}}});
  for (int round = 1; round <= 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    team.run(0, reinterpret_cast<uint8_t *>(&total), nullptr);
    REQUIRE(total.load() == 64 * round);
  }
}

TEST_CASE("a waiting task begins only once all shares before it have ended") {
  static std::atomic<bool> begun, ended, sawEnd;
  begun = ended = sawEnd = false;
  const auto slowAndQuick = [](int64_t share, uint8_t *, uint8_t *) {
    if (share == 1) {
      begun = true;
      return;
    }
    while (!begun) // so the other share is another thread's, which has nothing left to do
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    ended = true;
  };
  const auto look = [](int64_t, uint8_t *, uint8_t *) { sawEnd = ended.load(); };
  for (int64_t lookers : {1, 2}) { // phases of one share are run in another way
    Team team(2, {{{slowAndQuick, 2, true}, {look, lookers, true}}});
    team.run(0, nullptr, nullptr);
    CHECK(sawEnd);
    begun = ended = sawEnd = false;
  }
}

TEST_CASE("tasks that do not wait run beside those before them") {
  // Two shares that can only end together.
  static std::atomic<int> met;
  met = 0;
  const auto meet = [](int64_t, uint8_t *, uint8_t *) {
    ++met;
    while (met < 2)
      std::this_thread::yield();
  };
  Team team(2, {{{meet, 1, true}, {meet, 1, false}}});
  team.run(0, nullptr, nullptr);
  CHECK(met == 2);
}

TEST_CASE("denormal numbers are zero in tasks, on every thread, and what they were outside") {
  constexpr int64_t each = 12;
  const auto halve = [](int64_t share, uint8_t *arena, uint8_t *state) {
    volatile float *numbers = floats(arena) + 2 * share;
    numbers[0] = numbers[0] * 0.5f;                       // makes one
    numbers[1] = numbers[1] * 0x1p20f;                    // reads one
    reinterpret_cast<std::atomic<int64_t> *>(state)[0]++; // and lets the others take their part
    while (reinterpret_cast<std::atomic<int64_t> *>(state)[0] < 3)
      std::this_thread::yield();
  };
  alignas(64) float numbers[2 * each];
  for (int64_t i = 0; i < each; ++i) {
    numbers[2 * i] = -0x1p-126f;
    numbers[2 * i + 1] = 0x1p-130f;
  }
  alignas(64) std::atomic<int64_t> begun{0};
  Team team(3, {{{halve, each, true}}});
  team.run(0, reinterpret_cast<uint8_t *>(numbers), reinterpret_cast<uint8_t *>(&begun));
  for (const float number : numbers)
    CHECK(number == 0.0f);
  volatile float outside = 0x1p-126f;
  outside = outside * 0.5f;
  CHECK(outside == 0x1p-127f);
}

namespace {

constexpr size_t deep = size_t{12} << 20; // more than a thread has by itself

/// Writes to the far end of so much stack.
void reachDown(int64_t, uint8_t *arena, uint8_t *) {
  char memory[deep];
  for (size_t i = 0; i < deep; i += 1024)
    static_cast<volatile char *>(memory)[i] = 1;
  reinterpret_cast<std::atomic<int64_t> *>(arena)->fetch_add(1);
}

} // namespace

TEST_CASE(
    "tasks find the stack that they were said to need, on every thread and under a small limit") {
  rlimit before{};
  getrlimit(RLIMIT_STACK, &before);
  const rlimit small{size_t{256} << 10, before.rlim_max};
  setrlimit(RLIMIT_STACK, &small);
  alignas(64) std::atomic<int64_t> total{0};
  callOnStack(deep, [&] {
    Team team(3, {{{reachDown, 12, true}}}, deep);
    team.run(0, reinterpret_cast<uint8_t *>(&total), nullptr);
  });
  setrlimit(RLIMIT_STACK, &before);
  CHECK(total.load() == 12);
}

TEST_CASE("what is thrown on another stack comes through") {
  for (const size_t bytes : {size_t{0}, size_t{1} << 30})
    CHECK_THROWS_AS(callOnStack(bytes, [] { throw std::runtime_error("so deep"); }),
                    std::runtime_error);
}
