#include "runtime/Team.h"

#include "runtime/FlushToZero.h"

#include <chrono>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sinter::runtime {

namespace {

using Steady = std::chrono::steady_clock;

constexpr auto spinTime = std::chrono::microseconds(200);
/// How long a thread spins before it gives way between its looks, which delays what it waits for.
constexpr auto eagerTime = std::chrono::microseconds(20);
/// How long a thread waits for the others before it looks where they count, which costs them a miss, and helps.
constexpr auto patience = std::chrono::microseconds(2);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// A phase's number in the upper bits, a count of its shares in the lower ones.
constexpr int countBits = 24;
constexpr uint64_t counted(uint64_t sequence, uint64_t count) {
  return (sequence << countBits) | count;
}
constexpr uint32_t countOf(uint64_t word) {
  return static_cast<uint32_t>(word & ((uint64_t{1} << countBits) - 1));
}
/// How many phases `word` stands after `sequence`.
constexpr int64_t ahead(uint64_t word, uint64_t sequence) {
  return static_cast<int64_t>(word - (sequence << countBits)) >> countBits;
}

/// Makes this process known to the kernel as one whose threads fence each other; false where it cannot.
bool registerRemoteFence() {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

} // namespace

Team::Team(unsigned threads, const std::vector<std::vector<Task>> &lists, size_t stackBytes)
    : threadCount(threads), places(std::make_unique<Place[]>(threads)),
      hasRemoteFence(threads > 1 && registerRemoteFence()) {
  for (const std::vector<Task> &list : lists) {
    firstPhase.push_back(static_cast<uint32_t>(phases.size()));
    for (size_t first = 0, end; first < list.size(); first = end) {
      for (end = first + 1; end < list.size() && !list[end].wait;)
        ++end;
      addPhase(list, first, end);
    }
    phases.push_back({static_cast<uint32_t>(items.size()), 0, false});
    parts.insert(parts.end(), threads + 1, 0);
  }
  try {
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back(stackBytes, [this, i] { workerLoop(i); });
  } catch (...) {
    stopWorkers();
    throw;
  }
}

/// Deals out the shares of the tasks from `first` on, to each thread its part of every task.
void Team::addPhase(const std::vector<Task> &list, size_t first, size_t end) {
  const auto begin = static_cast<uint32_t>(tasks.size());
  const bool single = end == first + 1 && list[first].shares == 1;
  const bool goesOn = single && first > 0 && phases.back().shares() == 1;
  tasks.insert(tasks.end(), list.begin() + static_cast<std::ptrdiff_t>(first),
               list.begin() + static_cast<std::ptrdiff_t>(end));
  if (goesOn) {
    items.push_back({begin, 0});
    ++phases.back().itemCount;
    phases.back().isChain = true;
    return;
  }
  const auto firstItem = static_cast<uint32_t>(items.size());
  std::vector<std::vector<Item>> dealt(threadCount);
  unsigned odd = 0; // who gets the next share that is left over
  for (auto task = begin; task < tasks.size(); ++task) {
    const auto shares = static_cast<uint32_t>(tasks[task].shares);
    const uint32_t each = shares / threadCount, rest = shares % threadCount;
    uint32_t share = 0;
    for (unsigned thread = 0; thread < threadCount; ++thread) {
      const bool more = (thread + threadCount - odd) % threadCount < rest;
      for (const uint32_t last = share + each + (more ? 1 : 0); share < last; ++share)
        dealt[thread].push_back({task, share});
    }
    odd = (odd + rest) % threadCount;
  }
  for (const std::vector<Item> &part : dealt) {
    parts.push_back(static_cast<uint32_t>(items.size()) - firstItem);
    items.insert(items.end(), part.begin(), part.end());
  }
  const uint32_t count = static_cast<uint32_t>(items.size()) - firstItem;
  parts.push_back(count);
  phases.push_back({firstItem, count, false});
}

Team::~Team() { stopWorkers(); }

void Team::stopWorkers() {
  stopping.store(true);
  bell.fetch_add(1);
  bell.notify_all();
  workers.clear(); // waits for them
}

void Team::run(size_t list, uint8_t *arenaBlock, uint8_t *stateBlock) {
  const FlushToZero mode;
  arena = arenaBlock;
  state = stateBlock;
  const uint64_t sequence = nextSequence;
  opened.store(counted(sequence, list), std::memory_order_release);
  ring();
  nextSequence = walk(0, sequence, firstPhase[list]) + 1;
}

void Team::record(Recorder *into) {
  recorder = into;
  if (into)
    into->threads.resize(threadCount);
}

void Team::workerLoop(unsigned thread) {
  const FlushToZero mode;
  uint64_t seen = 0;
  while (true) {
    waitUntil([this, seen](bool) {
      return opened.load(std::memory_order_acquire) != seen || stopping.load();
    });
    if (stopping.load())
      return;
    seen = opened.load(std::memory_order_acquire);
    walk(thread, seen >> countBits, firstPhase[countOf(seen)]);
  }
}

/// Goes through a list's phases; returns the number behind the last one.
uint64_t Team::walk(unsigned thread, uint64_t sequence, uint32_t phase) {
  for (; phases[phase].itemCount > 0; ++phase, ++sequence)
    runPhase(thread, sequence, phase);
  return sequence;
}

void Team::runPhase(unsigned thread, uint64_t sequence, uint32_t phase) {
  uint32_t ran = 0, share = 0;
  while (claim(thread, sequence, phase, share)) {
    runShare(phase, share, thread);
    ++ran;
  }
  const auto post = [&] {
    places[thread].ended.store(counted(sequence, ran), std::memory_order_release);
  };
  if (ran > 0)
    post();
  if (threadCount == 1)
    return;
  const auto help = [&] {
    for (unsigned i = 1; i < threadCount; ++i) {
      const unsigned other = (thread + i) % threadCount;
      if (!isLeft(other, sequence, phase) || !claim(other, sequence, phase, share))
        continue;
      runShare(phase, share, thread);
      ++ran;
      post();
      return true;
    }
    return false;
  };
  while (!isComplete(sequence, phase))
    waitUntil([&](bool late) { return isComplete(sequence, phase) || (late && help()); });
  ring(); // who ends a phase comes by here
}

/// Takes a share of the part that belongs to `from`; false if none is left.
bool Team::claim(unsigned from, uint64_t sequence, uint32_t phase, uint32_t &share) {
  const uint32_t *part = &parts[size_t{phase} * (threadCount + 1) + from];
  std::atomic<uint64_t> &claimed = places[from].claimed;
  uint64_t word = claimed.load(std::memory_order_relaxed);
  while (true) {
    const int64_t phasesOn = ahead(word, sequence);
    const uint32_t taken = phasesOn == 0 ? countOf(word) : 0;
    if (phasesOn > 0 || part[0] + taken >= part[1])
      return false;
    if (claimed.compare_exchange_weak(word, counted(sequence, taken + 1),
                                      std::memory_order_relaxed)) {
      share = part[0] + taken;
      return true;
    }
  }
}

/// Whether `of` has shares that nobody has taken, by a look alone.
bool Team::isLeft(unsigned of, uint64_t sequence, uint32_t phase) const {
  const uint32_t *part = &parts[size_t{phase} * (threadCount + 1) + of];
  const uint64_t word = places[of].claimed.load(std::memory_order_relaxed);
  const int64_t phasesOn = ahead(word, sequence);
  return phasesOn <= 0 && part[0] + (phasesOn == 0 ? countOf(word) : 0) < part[1];
}

/// Whether all shares have ended. A thread that counts in a later phase has seen so.
bool Team::isComplete(uint64_t sequence, uint32_t phase) const {
  uint32_t ended = 0;
  for (unsigned thread = 0; thread < threadCount; ++thread) {
    const uint64_t word = places[thread].ended.load(std::memory_order_acquire);
    const int64_t phasesOn = ahead(word, sequence);
    if (phasesOn > 0)
      return true;
    if (phasesOn == 0)
      ended += countOf(word);
  }
  return ended == phases[phase].shares();
}

void Team::runShare(uint32_t phase, uint32_t share, unsigned thread) {
  const Phase &of = phases[phase];
  const Item *first = &items[of.firstItem + share];
  const Item *end = first + (of.isChain ? of.itemCount : 1);
  for (const Item *item = first; item != end; ++item) {
    const Task &task = tasks[item->task];
    if (!recorder) [[likely]] {
      task.function(item->share, arena, state);
      continue;
    }
    const int64_t begin = Recorder::now();
    task.function(item->share, arena, state);
    recorder->threads[thread].push_back({item->task, item->share, begin, Recorder::now()});
  }
}

/// Returns once `ready(late)` holds; `late` says whether this has taken longer than patience.
/// The sleeper announces itself before it looks a last time, the ringer looks for sleepers after it
/// has changed what they look at. Both need a fence between the two, which the sleeper, who has
/// time, makes for all threads.
template <typename Ready> void Team::waitUntil(const Ready &ready) {
  if (ready(false))
    return;
  const auto start = Steady::now();
  for (auto waited = Steady::duration::zero(); waited < spinTime; waited = Steady::now() - start) {
    for (int i = 0; i < 32; ++i) {
      if (ready(false))
        return;
      relax();
    }
    if (waited > patience && ready(true))
      return;
    if (waited > eagerTime)
      sched_yield(); // there may be more threads than cores
  }
  sleepers.fetch_add(1);
  if (hasRemoteFence)
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  const uint32_t heard = bell.load();
  if (!ready(true))
    bell.wait(heard);
  sleepers.fetch_sub(1);
}

void Team::ring() {
  if (hasRemoteFence)
    std::atomic_signal_fence(std::memory_order_seq_cst);
  else
    std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleepers.load() == 0)
    return;
  bell.fetch_add(1);
  bell.notify_all();
}

} // namespace sinter::runtime
