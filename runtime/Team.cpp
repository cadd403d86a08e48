#include "runtime/Team.h"

#include <chrono>
#include <sched.h>

namespace sinter::runtime {

namespace {

constexpr auto spinTime = std::chrono::microseconds(50);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

constexpr uint32_t phaseOf(uint64_t ticket) { return static_cast<uint32_t>(ticket >> 32); }
constexpr uint32_t shareOf(uint64_t ticket) { return static_cast<uint32_t>(ticket); }

} // namespace

Team::Team(unsigned threads, const std::vector<std::vector<Task>> &lists) {
  phases.emplace_back(); // the ticket's first value: the end of a list that never was
  for (const std::vector<Task> &list : lists) {
    firstPhase.push_back(static_cast<uint32_t>(phases.size()));
    for (size_t i = 0; i < list.size(); ++i) {
      if (i == 0 || list[i].wait)
        phases.push_back({static_cast<uint32_t>(tasks.size()), 0, 0});
      tasks.push_back(list[i]);
      ++phases.back().taskCount;
      phases.back().shares += static_cast<uint32_t>(list[i].shares);
    }
    phases.emplace_back();
  }
  try {
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this, i] { workerLoop(i); });
  } catch (...) {
    stopWorkers();
    throw;
  }
}

Team::~Team() { stopWorkers(); }

void Team::stopWorkers() {
  stopping.store(true);
  workerBell.fetch_add(1);
  workerBell.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

void Team::run(size_t list, uint8_t *arenaBlock, uint8_t *stateBlock) {
  arena = arenaBlock;
  state = stateBlock;
  open(firstPhase[list], 0);
  const auto atEnd = [this] { return phases[phaseOf(ticket.load())].shares == 0; };
  const auto something = [this, &atEnd] {
    const uint64_t now = ticket.load();
    return shareOf(now) < phases[phaseOf(now)].shares || atEnd();
  };
  while (!atEnd())
    if (!claimAndRun(0))
      waitUntil(callerBell, sleepingCaller, something);
}

void Team::record(Recorder *into) {
  recorder = into;
  if (into)
    into->threads.resize(workers.size() + 1);
}

void Team::workerLoop(unsigned thread) {
  const auto something = [this] {
    const uint64_t now = ticket.load();
    return shareOf(now) < phases[phaseOf(now)].shares || stopping.load();
  };
  while (!stopping.load())
    if (!claimAndRun(thread))
      waitUntil(workerBell, sleepingWorkers, something);
}

/// Runs one share of the open phase; false if all of them are taken.
bool Team::claimAndRun(unsigned thread) {
  uint64_t claim = ticket.load(std::memory_order_acquire);
  if (shareOf(claim) >= phases[phaseOf(claim)].shares)
    return false;
  claim = ticket.fetch_add(1, std::memory_order_acq_rel); // of whatever phase is open by now
  const uint32_t index = phaseOf(claim);
  const Phase &phase = phases[index];
  if (shareOf(claim) >= phase.shares)
    return false;
  runShare(phase, shareOf(claim), thread);
  if (ended.fetch_add(1, std::memory_order_acq_rel) + 1 == phase.shares)
    open(index + 1, thread);
  return true;
}

void Team::runShare(const Phase &phase, uint32_t share, unsigned thread) {
  const Task *task = &tasks[phase.firstTask];
  int64_t rest = share;
  for (; rest >= task->shares; ++task)
    rest -= task->shares;
  if (!recorder) [[likely]] {
    task->function(rest, arena, state);
    return;
  }
  const int64_t begin = Recorder::now();
  task->function(rest, arena, state);
  recorder->threads[thread].push_back(
      {static_cast<uint32_t>(task - tasks.data()), rest, begin, Recorder::now()});
}

/// Lets the team at a phase, once all before it has ended. Phases of one share are run here and
/// now.
void Team::open(uint32_t index, unsigned thread) {
  for (; phases[index].shares == 1; ++index)
    runShare(phases[index], 0, thread);
  ended.store(0, std::memory_order_relaxed);
  ticket.store(uint64_t{index} << 32);
  if (phases[index].shares > 0)
    ring(workerBell, sleepingWorkers);
  ring(callerBell, sleepingCaller);
}

/// The sleeper announces itself before it looks a last time, the ringer looks for sleepers after it
/// has changed what they look at; both in one total order, so one of them sees the other.
template <typename Ready>
void Team::waitUntil(std::atomic<uint32_t> &bell, std::atomic<uint32_t> &sleepers,
                     const Ready &ready) {
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 64; ++i) {
      if (ready())
        return;
      relax();
    }
    sched_yield(); // there may be more threads than cores
  } while (std::chrono::steady_clock::now() - start < spinTime);
  sleepers.fetch_add(1);
  const uint32_t heard = bell.load();
  if (!ready())
    bell.wait(heard);
  sleepers.fetch_sub(1);
}

void Team::ring(std::atomic<uint32_t> &bell, std::atomic<uint32_t> &sleepers) {
  if (sleepers.load() == 0)
    return;
  bell.fetch_add(1);
  bell.notify_all();
}

} // namespace sinter::runtime
