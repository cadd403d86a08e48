//===- Progress.h - what is seen while a program runs -----------------------------------------===//
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sinter::runtime {

/// A bar on stderr where that is a terminal, and lines on stdout; nothing where the run is quiet.
class Progress {
public:
  explicit Progress(bool quiet);
  ~Progress() { clear(); }

  /// Prints a line, above the bar.
  void line(const std::string &text);

  /// Begins an epoch of `steps` steps, some of them done before. `label` leads the bar: `epoch
  /// 2/5`.
  void begin(const std::string &label, int64_t steps, int64_t done);

  /// After each step: `loss` is the epoch's mean so far. Draws at most ten times a second.
  void step(double loss, int64_t examples);

  /// Shows that a set is being measured.
  void evaluating(const std::string &set);

  void clear();

private:
  using Clock = std::chrono::steady_clock;

  void draw(double loss);
  void show(const std::string &text);

  bool quiet, bar, colours;
  std::string label;
  int64_t steps = 0, done = 0, stepsHere = 0, examplesHere = 0;
  Clock::time_point started, drawn;
  bool shown = false;
};

} // namespace sinter::runtime
