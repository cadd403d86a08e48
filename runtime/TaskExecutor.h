//===- TaskExecutor.h - runs the tasks that the compiler wrote --------------------------------===//
#pragma once

#include "runtime/Abi.h"
#include "runtime/Executor.h"
#include "runtime/Team.h"

namespace sinter::runtime {

/// Walks a step's task list with a team of threads.
class TaskExecutor : public StepExecutor {
public:
  /// Throws Error if a task names a function that the program does not have.
  TaskExecutor(const Description &description, const Program &program, unsigned threads);

  void run(size_t step, uint8_t *arena, uint8_t *state) override { team.run(step, arena, state); }
  bool record(Recorder *into) override {
    team.record(into);
    return true;
  }
  void share(const std::function<void(int64_t)> &work) override;
  int64_t shareCount() const override { return shares; }

private:
  int64_t shares;   ///< of work that is no step
  size_t shareList; ///< the team's list for it
  Team team;
};

} // namespace sinter::runtime
