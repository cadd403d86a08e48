#include "runtime/Profile.h"

#include "runtime/Error.h"
#include "runtime/MachinePeak.h"
#include "runtime/OutputFile.h"
#include "runtime/SyntheticSteps.h"
#include "runtime/Text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sinter::runtime {

namespace {

/// What one kernel, or all kernels of one line, take in a step.
struct Cost {
  std::string what, place;
  double seconds = 0; ///< of all threads together
  double flops = 0, bytes = 0;
};

/// `lenet.sinter:12` of `lenet.sinter:12:8`.
std::string lineOf(const std::string &place) {
  const size_t colon = place.rfind(':');
  return colon == std::string::npos || colon == place.find(':') ? place : place.substr(0, colon);
}

/// The spec's line where the spec lies where the compiler found it, else "".
std::string sourceOf(const std::string &line) {
  const size_t colon = line.rfind(':');
  if (colon == std::string::npos)
    return "";
  std::ifstream file(line.substr(0, colon));
  std::string text;
  for (long i = std::atol(line.c_str() + colon + 1); i > 0; --i)
    if (!std::getline(file, text))
      return "";
  text.erase(0, text.find_first_not_of(" \t"));
  constexpr size_t longest = 60;
  return text.size() > longest ? text.substr(0, longest) + "…" : text;
}

class Profile {
public:
  Profile(Session &ofSession, int64_t steps)
      : session(ofSession), synthetic(ofSession, warmUpSteps + steps), count(steps) {
    for (const Step &each : session.description.steps) {
      if (&each == &synthetic.step())
        break;
      firstTask += static_cast<uint32_t>(each.tasks.size());
    }
  }

  void measure();
  void print() const;
  void writeTrace(const std::string &path) const;

private:
  static constexpr int64_t warmUpSteps = 5;

  /// Bytes that a step works on, or so many that hardly a cache holds them.
  size_t workingSet() const {
    return std::min<size_t>(session.description.arenaBytes + session.description.stateBytes,
                            largestRead * session.options.threads);
  }

  const std::vector<Task> &tasks() const { return synthetic.step().tasks; }
  std::vector<Cost> byKernel() const;
  static std::vector<Cost> byLine(const std::vector<Cost> &kernels);
  void printTable(const char *title, std::vector<Cost> costs, size_t most) const;

  Session &session;
  SyntheticSteps synthetic;
  const int64_t count;
  uint32_t firstTask = 0;
  std::vector<std::vector<double>> seconds; ///< by task: of each step
  std::vector<double> walls, fills;         ///< of each step, sorted
  std::vector<std::vector<Recorder::Event>> lastStep;
  MachinePeak machine; ///< of one thread while all are at work
};

void Profile::measure() {
  const unsigned threads = session.options.threads;
  Recorder recorder;
  if (!session.record(&recorder))
    throw Error("--profile times compiled kernels, and this program has none");
  seconds.assign(tasks().size(), {});
  for (int64_t i = 0; i < warmUpSteps + count; ++i) {
    const double fill = synthetic.fill();
    for (auto &row : recorder.threads) // threads may have shared the filling out
      row.clear();
    const double wall = synthetic.run();
    if (i < warmUpSteps)
      continue;
    fills.push_back(fill);
    walls.push_back(wall);
    for (auto &each : seconds)
      each.push_back(0);
    for (const auto &row : recorder.threads)
      for (const Recorder::Event &event : row)
        seconds[event.task - firstTask].back() +=
            static_cast<double>(event.end - event.begin) * 1e-9;
  }
  lastStep = recorder.threads;
  session.record(nullptr);
  for (auto &each : seconds)
    std::sort(each.begin(), each.end());
  std::sort(walls.begin(), walls.end());
  std::sort(fills.begin(), fills.end());
  machine = measureMachine(threads, workingSet());
  machine.gflops /= threads;
  machine.gbytes /= threads;
}

std::vector<Cost> Profile::byKernel() const {
  std::vector<Cost> costs;
  for (size_t i = 0; i < tasks().size(); ++i)
    costs.push_back({tasks()[i].name, tasks()[i].place, quantile(seconds[i], 0.5), tasks()[i].flops,
                     tasks()[i].bytes});
  return costs;
}

std::vector<Cost> Profile::byLine(const std::vector<Cost> &kernels) {
  std::vector<Cost> costs;
  for (const Cost &kernel : kernels) {
    const std::string line = lineOf(kernel.place);
    auto found = std::find_if(costs.begin(), costs.end(),
                              [&](const Cost &each) { return each.place == line; });
    if (found == costs.end())
      found = costs.insert(costs.end(), {sourceOf(line), line, 0, 0, 0});
    found->seconds += kernel.seconds;
    found->flops += kernel.flops;
    found->bytes += kernel.bytes;
  }
  return costs;
}

void Profile::printTable(const char *title, std::vector<Cost> costs, size_t most) const {
  std::sort(costs.begin(), costs.end(),
            [](const Cost &a, const Cost &b) { return a.seconds > b.seconds; });
  double all = 0;
  for (const Cost &cost : costs)
    all += cost.seconds;
  printOut(fmt::format("\n{}\n{:>9} {:>6} {:>9} {:>8} {:>9} {:>12}  {:<7}  {}\n", title, "ms",
                       "share", "MFLOP", "of peak", "MB", "of bandwidth", "bound", "where"));
  for (size_t i = 0; i < std::min(most, costs.size()); ++i) {
    const Cost &cost = costs[i];
    const double peak = machine.gflops > 0 ? cost.flops * 1e-9 / machine.gflops : 0;
    const double traffic = cost.bytes * 1e-9 / machine.gbytes;
    const auto percent = [](double part, double whole) {
      return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : std::string("-");
    };
    printOut(fmt::format("{:>9.3f} {:>6} {:>9.1f} {:>8} {:>9.2f} {:>12}  {:<7}  {}  {}\n",
                         cost.seconds * 1e3, percent(cost.seconds, all), cost.flops * 1e-6,
                         percent(peak, cost.seconds), cost.bytes * 1e-6,
                         percent(traffic, cost.seconds), peak >= traffic ? "compute" : "memory",
                         cost.place, cost.what));
  }
  if (costs.size() > most)
    printOut(fmt::format("{:>9} {} more\n", "", costs.size() - most));
}

void Profile::print() const {
  const unsigned threads = session.options.threads;
  const std::vector<Cost> kernels = byKernel();
  double busy = 0;
  for (const Cost &kernel : kernels)
    busy += kernel.seconds;
  const double wall = quantile(walls, 0.5);
  const double flops = synthetic.step().flops();
  printOut(fmt::format(
      "{}: batch {}, {} thread{}, {} steps of {} kernels\n"
      "this machine: {:.1f} GFLOP/s of multiply-adds ({}), {:.1f} GB/s read from {:.1f} MiB, "
      "{} together\n"
      "a step: {:.3f} ms, {:.3f} GFLOP{}; filling the batch {:.3f} ms; threads wait {:.1f} % of "
      "their time\n",
      synthetic.step().name, synthetic.batch(), threads, threads == 1 ? "" : "s", count,
      kernels.size(), machine.gflops * threads, machine.isa, machine.gbytes * threads,
      static_cast<double>(workingSet()) / (1 << 20),
      threads == 1 ? "one thread" : fmt::format("{} threads", threads), wall * 1e3, flops * 1e-9,
      machine.gflops > 0
          ? fmt::format(", {:.0f} % of the peak", flops * 1e-7 / wall / machine.gflops / threads)
          : "",
      quantile(fills, 0.5) * 1e3, 100 * std::max(0.0, 1 - busy / (wall * threads))));
  constexpr size_t mostKernels = 40;
  printTable("by line of the spec, time of all threads together", byLine(kernels), 1000);
  printTable("by kernel", kernels, mostKernels);
}

void Profile::writeTrace(const std::string &path) const {
  int64_t first = INT64_MAX;
  for (const auto &row : lastStep)
    for (const Recorder::Event &event : row)
      first = std::min(first, event.begin);
  nlohmann::json events = nlohmann::json::array();
  for (size_t thread = 0; thread < lastStep.size(); ++thread)
    for (const Recorder::Event &event : lastStep[thread]) {
      const Task &task = tasks()[event.task - firstTask];
      events.push_back({{"name", task.name},
                        {"cat", "kernel"},
                        {"ph", "X"},
                        {"ts", static_cast<double>(event.begin - first) * 1e-3},
                        {"dur", static_cast<double>(event.end - event.begin) * 1e-3},
                        {"pid", 1},
                        {"tid", thread},
                        {"args", {{"share", event.share}, {"place", task.place}}}});
    }
  nlohmann::json kernels = nlohmann::json::array();
  for (const Cost &cost : byKernel())
    kernels.push_back({{"name", cost.what},
                       {"place", cost.place},
                       {"median_ms", cost.seconds * 1e3},
                       {"flops", cost.flops},
                       {"bytes", cost.bytes}});
  const nlohmann::json other = {{"step", synthetic.step().name},
                                {"threads", session.options.threads},
                                {"steps", count},
                                {"thread_gflop_per_s", machine.gflops},
                                {"thread_gbyte_per_s", machine.gbytes},
                                {"kernels", kernels}};
  const std::string text = nlohmann::json{{"traceEvents", events}, {"otherData", other}}.dump();
  OutputFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

} // namespace

void runProfile(Session &session, int64_t steps, const std::string &trace) {
  Profile profile(session, steps);
  profile.measure();
  profile.print();
  makeFolder(std::filesystem::path(trace).parent_path().string());
  profile.writeTrace(trace);
  printOut(fmt::format("\nthe last step's trace is in {}\n", trace));
}

} // namespace sinter::runtime
