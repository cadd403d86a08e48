//===- Team.h - threads that walk a static list of tasks --------------------------------------===//
// A list is cut into phases where a task waits. Each thread has its own part of a phase's shares, the same one in every
// run, so that what it wrote still lies in its cache when it reads or updates it; who has ended its own takes
// from the others. A counter that two cores write costs hundreds of nanoseconds a time, so each thread
// counts in lines of its own: the others look there only once they have nothing left. A phase is
// complete when the counts say so, not when every thread has come by: nobody waits for a thread that has no
// core and nothing to do. Phases of a single share that follow each other are one phase.
// Which thread runs a share is chance; what a share computes is not, so results do not depend on
// the number of threads.
//
// Waiting threads spin for some hundred microseconds, giving way to others, and then sleep on a
// futex.
#pragma once

#include "runtime/Abi.h"
#include "runtime/Recorder.h"
#include "runtime/Stack.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace sinter::runtime {

class Team {
public:
  struct Task {
    TaskFunction function;
    int64_t shares; ///< at least 1
    bool wait;      ///< all earlier tasks of the list end before this one begins
  };

  /// A team of `threads` (at least 1), the calling one among them, for these lists. Tasks may take `stackBytes` of stack: those of
  /// new threads hold so much, that of the caller is its own affair. Throws std::system_error if the system gives no thread.
  Team(unsigned threads, const std::vector<std::vector<Task>> &lists, size_t stackBytes = 0);
  ~Team();
  Team(const Team &) = delete;
  Team &operator=(const Team &) = delete;

  /// Runs one list to its end. One caller at a time.
  void run(size_t list, uint8_t *arena, uint8_t *state);

  /// From the next run on every share is recorded, until this is called with null.
  void record(Recorder *into);

private:
  struct Item {
    uint32_t task, share;
  };
  /// Items that may run at once, those of one thread side by side; or a chain that one thread runs in order.
  struct Phase {
    uint32_t firstItem, itemCount;
    bool isChain;
    uint32_t shares() const { return isChain ? 1 : itemCount; } ///< 0 marks the end of a list
  };
  /// What one thread writes. Both count phases over all runs in the upper bits.
  struct alignas(128) Place {
    std::atomic<uint64_t> claimed{0}; ///< and how many shares of its part are taken, by whomever
    alignas(128) std::atomic<uint64_t> ended{0}; ///< and how many shares it has run
  };

  void addPhase(const std::vector<Task> &list, size_t first, size_t end);
  void stopWorkers();
  void workerLoop(unsigned thread);
  uint64_t walk(unsigned thread, uint64_t sequence, uint32_t phase);
  void runPhase(unsigned thread, uint64_t sequence, uint32_t phase);
  bool claim(unsigned from, uint64_t sequence, uint32_t phase, uint32_t &share);
  bool isLeft(unsigned of, uint64_t sequence, uint32_t phase) const;
  bool isComplete(uint64_t sequence, uint32_t phase) const;
  void runShare(uint32_t phase, uint32_t share, unsigned thread);
  template <typename Ready> void waitUntil(const Ready &ready);
  void ring();

  std::vector<Task> tasks;
  std::vector<Item> items;
  std::vector<Phase> phases;
  std::vector<uint32_t>
      parts; ///< for each phase and thread where its part begins; one more for the end
  std::vector<uint32_t> firstPhase; ///< of each list
  uint8_t *arena = nullptr, *state = nullptr;
  Recorder *recorder = nullptr;
  const unsigned threadCount;
  const std::unique_ptr<Place[]> places; ///< of each thread
  const bool hasRemoteFence;             ///< whether one thread can fence them all
  uint64_t nextSequence = 1;             ///< phases are numbered on over all runs
  std::deque<Thread> workers;

  /// The number of the open list's first phase, and the list.
  alignas(128) std::atomic<uint64_t> opened{0};
  alignas(128) std::atomic<uint32_t> bell{0};
  alignas(128) std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
};

} // namespace sinter::runtime
