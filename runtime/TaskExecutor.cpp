#include "runtime/TaskExecutor.h"

#include "runtime/Error.h"

#include <fmt/format.h>

namespace sinter::runtime {

namespace {

using Work = std::function<void(int64_t)>;

/// Work that is no step goes to the team as a list of one task, in place of the arena.
void runShared(int64_t share, uint8_t *arena, uint8_t * /*state*/) {
  (*reinterpret_cast<const Work *>(arena))(share);
}

std::vector<std::vector<Team::Task>> bindTasks(const Description &description,
                                               const Program &program, int64_t shares) {
  std::vector<std::vector<Team::Task>> lists;
  for (const Step &step : description.steps) {
    std::vector<Team::Task> &list = lists.emplace_back();
    for (const Task &task : step.tasks) {
      if (task.function >= program.functionCount)
        throw Error(fmt::format("task {} of step {} is function {}, and the program has {}",
                                task.name, step.name, task.function, program.functionCount));
      list.push_back({program.functions[task.function], task.shares, task.wait});
    }
  }
  lists.push_back({{runShared, shares, true}});
  return lists;
}

constexpr int64_t sharesPerThread = 4; // so that who ends early has more to do

} // namespace

TaskExecutor::TaskExecutor(const Description &description, const Program &program, unsigned threads)
    : shares(threads > 1 ? sharesPerThread * threads : 1), shareList(description.steps.size()),
      team(threads, bindTasks(description, program, shares), description.stackBytes) {}

void TaskExecutor::share(const Work &work) {
  team.run(shareList, reinterpret_cast<uint8_t *>(const_cast<Work *>(&work)), nullptr);
}

} // namespace sinter::runtime
