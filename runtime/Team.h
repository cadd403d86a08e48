//===- Team.h - threads that walk a static list of tasks --------------------------------------===//
// A list is cut into phases where a task waits. Within a phase every thread claims the next share
// from one counter; whoever ends a phase's last share opens the next one, so no thread waits for
// one that has nothing to do, and a phase of a single share costs a function call. Which thread
// runs a share is chance; what a share computes is not, so results do not depend on the number of
// threads.
//
// Waiting threads spin for some tens of microseconds, giving way to others, and then sleep on a
// futex.
#pragma once

#include "runtime/Abi.h"
#include "runtime/Recorder.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace sinter::runtime {

class Team {
public:
  struct Task {
    TaskFunction function;
    int64_t shares; ///< at least 1
    bool wait;      ///< all earlier tasks of the list end before this one begins
  };

  /// A team of `threads` (at least 1), the calling one among them, for these lists. Throws
  /// std::system_error if the system gives no thread.
  Team(unsigned threads, const std::vector<std::vector<Task>> &lists);
  ~Team();
  Team(const Team &) = delete;
  Team &operator=(const Team &) = delete;

  /// Runs one list to its end. One caller at a time.
  void run(size_t list, uint8_t *arena, uint8_t *state);

  /// From the next run on every share is recorded, until this is called with null.
  void record(Recorder *into);

private:
  struct Phase {
    uint32_t firstTask = 0, taskCount = 0;
    uint32_t shares = 0; ///< of all its tasks; 0 marks the end of a list
  };

  void stopWorkers();
  void workerLoop(unsigned thread);
  bool claimAndRun(unsigned thread);
  void runShare(const Phase &phase, uint32_t share, unsigned thread);
  void open(uint32_t phase, unsigned thread);
  template <typename Ready>
  void waitUntil(std::atomic<uint32_t> &bell, std::atomic<uint32_t> &sleepers, const Ready &ready);
  static void ring(std::atomic<uint32_t> &bell, std::atomic<uint32_t> &sleepers);

  std::vector<Task> tasks;
  std::vector<Phase> phases;
  std::vector<uint32_t> firstPhase; ///< of each list
  uint8_t *arena = nullptr, *state = nullptr;
  Recorder *recorder = nullptr;
  std::vector<std::thread> workers;

  /// The open phase in the upper half, the next share of it in the lower one.
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<uint32_t> ended{0}; ///< shares of the open phase
  alignas(64) std::atomic<uint32_t> workerBell{0};
  std::atomic<uint32_t> sleepingWorkers{0};
  std::atomic<uint32_t> callerBell{0};
  std::atomic<uint32_t> sleepingCaller{0};
  std::atomic<bool> stopping{false};
};

} // namespace sinter::runtime
