//===- Executor.h - what runs a step ----------------------------------------------------------===//
#pragma once

#include "runtime/Description.h"
#include "runtime/Recorder.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace sinter::runtime {

/// Runs whole steps on the two blocks of memory that Abi.h describes. Compiled programs have a
/// TaskExecutor; an evaluator that reads a step in another form is another one, under the same
/// program loop.
class StepExecutor {
public:
  virtual ~StepExecutor() = default;

  /// Runs Description::steps[step]: Clock and fields have been written to the arena; outputs and
  /// results lie there afterwards. Allocates nothing of consequence; called from one thread at a
  /// time.
  virtual void run(size_t step, uint8_t *arena, uint8_t *state) = 0;

  /// Records the tasks of later runs, counted over the steps in order; null ends that. False where there are no tasks.
  virtual bool record(Recorder *) { return false; }
  /// Calls work(share) for each of its `shareCount()` shares, on its threads where it has several.
  virtual void share(const std::function<void(int64_t share)> &work) { work(0); }
  virtual int64_t shareCount() const { return 1; }
};

using ExecutorFactory =
    std::function<std::unique_ptr<StepExecutor>(const Description &, unsigned threads)>;

} // namespace sinter::runtime
