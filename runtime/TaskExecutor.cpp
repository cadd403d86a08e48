#include "runtime/TaskExecutor.h"

#include "runtime/Error.h"

#include <fmt/format.h>

namespace sinter::runtime {

static std::vector<std::vector<Team::Task>> bindTasks(const Description &description,
                                                      const Program &program) {
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
  return lists;
}

TaskExecutor::TaskExecutor(const Description &description, const Program &program, unsigned threads)
    : team(threads, bindTasks(description, program)) {}

} // namespace sinter::runtime
