//===- Tune.cpp - which schedules to try, in which order, and when to stop -------------------------===//
// Every different contraction of the program is compiled alone, some candidates at a time, and these run in turn beside the best one so far.
// Tiles come first, for all contractions, those that take longest before the others; then loop order and unrolling for the best tile, packing and chunks;
// then, where that is asked for, blocks of the sum. A candidate whose results differ in a bit is not taken.
#include "compiler/driver/Tune.h"

#include "compiler/codegen/ContractionKey.h"
#include "compiler/codegen/Schedule.h"
#include "compiler/codegen/ScheduleFile.h"
#include "compiler/driver/ContractionTrial.h"
#include "compiler/driver/Terminal.h"
#include "llvm/Support/FileSystem.h"

#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

using namespace mlir;

namespace sinter::driver {
namespace {

constexpr size_t candidatesAtOnce = 6;
constexpr double worthIt = 0.99; ///< of the time so far: less may be noise

volatile std::sig_atomic_t interrupted = 0;

/// While it lives, Ctrl-C sets `interrupted`.
class Interrupts {
public:
  Interrupts() {
    struct sigaction action{};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, &before);
  }
  ~Interrupts() { sigaction(SIGINT, &before, nullptr); }
  Interrupts(const Interrupts &) = delete;
  Interrupts &operator=(const Interrupts &) = delete;

private:
  struct sigaction before{};
};

/// A contraction of the program, however often it stands there.
struct Subject {
  kernel::TaskOp task;
  kernel::ContractOp op;
  std::string key;
  int64_t batch = 1, times = 1;
  Candidate best;
  double before = 0, now = 0; ///< milliseconds, before and with the best; 0: not measured yet
};

std::vector<Subject> subjectsOf(ModuleOp module) {
  llvm::StringMap<int64_t> batches; // by task
  for (auto step : module.getOps<kernel::StepOp>())
    for (auto name : step.getTasks().getAsRange<FlatSymbolRefAttr>())
      batches[name.getValue()] = step.getBatch();
  std::vector<Subject> subjects;
  for (auto task : module.getOps<kernel::TaskOp>())
    for (auto op : task.getBody().getOps<kernel::ContractOp>()) {
      const std::string key = codegen::keyOf(op);
      const auto same =
          llvm::find_if(subjects, [&](const Subject &each) { return each.key == key; });
      if (same != subjects.end())
        ++same->times;
      else
        subjects.push_back(
            {task, op, key, batches.lookup(task.getSymName()), 1, {op.getScheduleAttr(), {}}});
    }
  return subjects;
}

/// What is worth trying at each stage, seen from the best so far.
class Candidates {
public:
  Candidates(const codegen::Target &target, bool order) : target(target), order(order) {}

  static constexpr int stages = 4;

  std::vector<Candidate> at(int stage, const Subject &subject) const {
    auto plan = codegen::ContractPlan::make(subject.op);
    if (failed(plan))
      return {};
    switch (stage) {
    case 0:
      return tiles(subject, *plan);
    case 1:
      return loops(subject);
    case 2:
      return copies(subject, *plan);
    default:
      return order ? blocks(subject) : std::vector<Candidate>();
    }
  }

private:
  const codegen::Target &target;
  const bool order;

  static Candidate with(const Subject &subject, const codegen::Schedule &schedule) {
    return {codegen::attributeOf(schedule, subject.best.schedule.getContext()), subject.best.block};
  }

  /// Tiles whose sums fill at least a third of the registers, largest first.
  std::vector<Candidate> tiles(const Subject &subject, const codegen::ContractPlan &plan) const {
    const codegen::Schedule best = codegen::fieldsOf(subject.best.schedule);
    const int64_t vectors = llvm::divideCeil(plan.cols, codegen::lanes),
                  tallest = codegen::largestRowTile(plan);
    std::vector<codegen::Schedule> sized;
    for (int64_t nr = 1; nr <= std::min<int64_t>(vectors, 6); ++nr)
      for (int64_t mr = 1; mr <= tallest && codegen::fitsRegisters(mr, nr, target); ++mr)
        if (mr * nr * target.registersPerVector() * 3 >= target.registers() || tallest == 1)
          if (mr != best.mr || nr != best.nr) {
            sized.push_back(best);
            sized.back().mr = mr;
            sized.back().nr = nr;
          }
    llvm::sort(sized, [](const codegen::Schedule &a, const codegen::Schedule &b) {
      return std::pair(a.mr * a.nr, a.nr) > std::pair(b.mr * b.nr, b.nr);
    });
    std::vector<Candidate> result;
    for (const codegen::Schedule &schedule : sized)
      result.push_back(with(subject, schedule));
    return result;
  }

  static std::vector<Candidate> loops(const Subject &subject) {
    const codegen::Schedule best = codegen::fieldsOf(subject.best.schedule);
    std::vector<Candidate> result;
    for (bool rowsOutside : {best.rowsOutside, !best.rowsOutside})
      for (int64_t unroll : {1, 2, 4, 8})
        if (rowsOutside != best.rowsOutside || unroll != best.unroll) {
          codegen::Schedule schedule = best;
          schedule.rowsOutside = rowsOutside;
          schedule.unroll = unroll;
          result.push_back(with(subject, schedule));
        }
    return result;
  }

  /// What is copied before it is read, and how many images share a tap; only what the contraction can make use of.
  std::vector<Candidate> copies(const Subject &subject, const codegen::ContractPlan &plan) const {
    const codegen::Schedule best = codegen::scheduleOf(subject.best.schedule, plan, target);
    std::vector<Candidate> result;
    const auto add = [&](const codegen::Schedule &schedule) {
      const Candidate candidate = with(subject, schedule);
      const codegen::Schedule used = codegen::scheduleOf(candidate.schedule, plan, target);
      if (used.packA == schedule.packA && used.packB == schedule.packB &&
          used.chunk == schedule.chunk)
        result.push_back(candidate);
    };
    for (bool packA : {false, true})
      for (bool packB : {false, true})
        if (packA != best.packA || packB != best.packB) {
          codegen::Schedule schedule = best;
          schedule.packA = packA;
          schedule.packB = packB;
          schedule.rowsOutside = best.rowsOutside && !packB; // a panel is copied outside its rows
          add(schedule);
        }
    for (int64_t chunk : {0, 2, 4, 8, 16, 32})
      if (chunk != best.chunk && !plan.rows.empty() && chunk <= plan.rows[0]) {
        codegen::Schedule schedule = best;
        schedule.chunk = chunk;
        add(schedule);
      }
    return result;
  }

  /// Blocks of the sum, where partial sums have a place to wait in.
  static std::vector<Candidate> blocks(const Subject &subject) {
    kernel::ContractOp op = subject.op;
    if (op.sumsAtOnce() || op.getSum().empty())
      return {};
    std::vector<Candidate> result;
    for (size_t axis = 0; axis < op.getSum().size(); ++axis)
      for (double factor : {0.5, 0.75, 1.5, 2.0}) {
        Candidate candidate = subject.best;
        candidate.block.assign(op.getBlock().begin(), op.getBlock().end());
        const auto extent =
            static_cast<int64_t>(static_cast<double>(candidate.block[axis]) * factor);
        if (extent < 1 || extent > op.getSum()[axis])
          continue;
        candidate.block[axis] = extent;
        result.push_back(std::move(candidate));
      }
    return result;
  }
};

class Tuner {
public:
  Tuner(Compilation &compilation, const TuneOptions &options)
      : target(compilation.target()), options(options), choices(target, options.order),
        subjects(subjectsOf(compilation.module())), memory(memoryFor(subjects)) {}

  ExitCode run() {
    for (Subject &subject : subjects)
      if (!measure(subject, {}))
        break;
    llvm::sort(subjects, [](const Subject &a, const Subject &b) {
      return std::pair(a.before * static_cast<double>(a.times), a.key) >
             std::pair(b.before * static_cast<double>(b.times), b.key);
    });
    for (int stage = 0; stage < Candidates::stages && !mustEnd(); ++stage)
      tryStage(stage);
    if (!problem.empty()) {
      printError(problem + "; this is a bug of sinter");
      return Internal;
    }
    return Fine;
  }

  void putInto(codegen::ScheduleFile &file) const {
    for (const Subject &subject : subjects)
      if (subject.before > 0) {
        std::string text;
        llvm::raw_string_ostream(text) << Attribute(subject.best.schedule);
        file.put(
            {target.cpu, subject.key, codegen::describe(subject.op), text, subject.best.block});
      }
  }

  std::string summary() const {
    double before = 0, now = 0;
    size_t measured = 0, better = 0;
    for (const Subject &subject : subjects) {
      before += subject.before * static_cast<double>(subject.times);
      now += subject.now * static_cast<double>(subject.times);
      measured += subject.before > 0;
      better += subject.now < subject.before;
    }
    return fmt::format("{} of {} contractions measured, {} candidates tried; {} are faster: {:.3f} "
                       "ms of {:.3f} ms",
                       measured, subjects.size(), tried, better, now, before);
  }

private:
  const codegen::Target &target;
  const TuneOptions &options;
  const Candidates choices;
  std::vector<Subject> subjects;
  TrialMemory memory;
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  size_t tried = 0;
  std::string problem;

  static TrialMemory memoryFor(const std::vector<Subject> &subjects) {
    uint64_t bytes[2] = {0, 0};
    for (const Subject &subject : subjects)
      for (auto [most, argument] :
           llvm::zip_equal(bytes, kernel::TaskOp(subject.task).getBody().getArguments()))
        most = std::max(
            most, static_cast<uint64_t>(cast<MemRefType>(argument.getType()).getNumElements()));
    return {bytes[0], bytes[1]};
  }

  double elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  bool mustEnd() const { return interrupted || !problem.empty() || elapsed() >= options.seconds; }

  void tryStage(int stage) {
    std::vector<std::vector<Candidate>> waiting;
    for (const Subject &subject : subjects)
      waiting.push_back(subject.before > 0 ? choices.at(stage, subject) : std::vector<Candidate>());
    // Some of each in turn, so that little time still serves all.
    for (bool some = true; some && !mustEnd();) {
      some = false;
      for (auto [subject, left] : llvm::zip_equal(subjects, waiting)) {
        if (left.empty())
          continue;
        const size_t count = std::min(candidatesAtOnce, left.size());
        if (mustEnd() || !measure(subject, ArrayRef(left).take_front(count)))
          return;
        left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count));
        some = true;
        progress(stage);
      }
    }
  }

  /// Tries some beside the best; whether there is time for more.
  bool measure(Subject &subject, ArrayRef<Candidate> others) {
    // The op's own order of the sum comes first: what others give is held against its results, not against those of one that differs already.
    std::vector<Candidate> together = {{subject.best.schedule, {}}};
    if (!subject.best.block.empty())
      together.push_back(subject.best);
    const size_t reigning = together.size() - 1;
    llvm::append_range(together, others);
    auto trials = tryCandidates(subject.task, together, subject.batch, target, memory,
                                [&] { return mustEnd(); });
    if (!trials) {
      problem = llvm::toString(trials.takeError());
      return false;
    }
    if (!*trials)
      return false;
    tried += others.size();
    const std::vector<Trial> &results = **trials;
    if (subject.before == 0)
      subject.before = subject.now = results[0].milliseconds;
    size_t best = reigning;
    for (size_t i = reigning + 1; i < results.size(); ++i)
      if (results[i].distance <= (together[i].block.empty() ? 0 : tuneTolerance) &&
          results[i].milliseconds < results[best].milliseconds)
        best = i;
    const double share = results[best].milliseconds / results[reigning].milliseconds;
    if (best > reigning && share < worthIt) {
      // Shares of what was measured in one turn: machines are not equally fast from minute to minute.
      subject.now *= share;
      subject.best = together[best];
    }
    return !mustEnd();
  }

  void progress(int stage) const {
    static const char *const names[] = {"tiles", "loops", "copies", "blocks of the sum"};
    if (isatty(STDERR_FILENO))
      fmt::print(stderr, "\r\x1b[K{:.0f} s of {:.0f} s, {}: {}", elapsed(), options.seconds,
                 names[stage], summary());
  }
};

} // namespace

std::optional<double> secondsOf(StringRef text) {
  double factor = 1;
  if (text.consume_back("ms"))
    factor = 1e-3;
  else if (text.consume_back("s"))
    factor = 1;
  else if (text.consume_back("m"))
    factor = 60;
  else if (text.consume_back("h"))
    factor = 3600;
  double number = 0;
  if (text.empty() || text.getAsDouble(number) || !(number > 0) || number * factor > 1e6)
    return std::nullopt;
  return number * factor;
}

/// Down to the floor where contractions stand; this machine must be one that can run them.
static ExitCode prepare(Compilation &compilation) {
  if (ExitCode code = compilation.loadToTrain(); code != Fine)
    return code;
  auto host = codegen::Target::host();
  if (!host) {
    printError(llvm::toString(host.takeError()));
    return Wrong;
  }
  if (compilation.target().avx512 && !host->avx512) {
    printError(fmt::format("schedules for {} are measured where it runs, and this CPU is {}",
                           compilation.target().cpu, host->cpu));
    return Wrong;
  }
  return compilation.lowerTo(Floor::Kernel);
}

ExitCode tune(Compilation &compilation, const TuneOptions &options) {
  const Interrupts watch;
  if (ExitCode code = prepare(compilation); code != Fine)
    return code;
  codegen::ScheduleFile file;
  if (llvm::sys::fs::exists(options.output)) {
    auto there = codegen::ScheduleFile::read(options.output, compilation.target(),
                                             *compilation.module().getContext());
    if (!there) {
      printError(llvm::toString(there.takeError()));
      return Wrong;
    }
    file = std::move(*there);
  }
  Tuner tuner(compilation, options);
  const ExitCode code = tuner.run();
  if (isatty(STDERR_FILENO))
    fmt::print(stderr, "\r\x1b[K");
  tuner.putInto(file);
  if (llvm::Error error = file.write(options.output)) {
    printError(fmt::format("`{}` cannot be written: {}", options.output,
                           llvm::toString(std::move(error))));
    return Wrong;
  }
  fmt::print("{}\n", tuner.summary());
  fmt::print("schedules are in {}; `sinter build {} --schedules {}` takes them\n", options.output,
             compilation.input(), options.output);
  return code;
}

} // namespace sinter::driver
