#include "runtime/Progress.h"

#include "runtime/Text.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sinter::runtime {

namespace {

constexpr auto redrawEvery = std::chrono::milliseconds(100);

bool isTerminal() {
  const char *kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) && kind && std::strcmp(kind, "dumb") != 0;
}

int terminalWidth() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

Progress::Progress(bool beQuiet) : quiet(beQuiet), bar(!beQuiet && isTerminal()) {
  const char *noColour = std::getenv("NO_COLOR");
  colours = bar && (!noColour || !*noColour);
}

void Progress::line(const std::string &text) {
  if (quiet)
    return;
  clear();
  printOut(text + "\n");
}

void Progress::begin(const std::string &name, int64_t stepCount, int64_t stepsDone) {
  label = name;
  steps = stepCount;
  done = stepsDone;
  stepsHere = examplesHere = 0;
  started = drawn = Clock::now();
}

void Progress::step(double loss, int64_t examples) {
  ++done;
  ++stepsHere;
  examplesHere += examples;
  if (!bar)
    return;
  const Clock::time_point now = Clock::now();
  if (now - drawn < redrawEvery && shown)
    return;
  drawn = now;
  draw(loss);
}

void Progress::evaluating(const std::string &set) {
  if (bar)
    show(fmt::format("{}  measuring {} …", label, set));
}

void Progress::draw(double loss) {
  const double seconds = std::chrono::duration<double>(drawn - started).count();
  const double perSecond = seconds > 0 ? static_cast<double>(examplesHere) / seconds : 0;
  const double left = seconds / static_cast<double>(stepsHere) * static_cast<double>(steps - done);
  const std::string numbers = fmt::format("{}/{}  loss {:.4f}  {} examples/s  {} left", done, steps,
                                          loss, grouped(std::lround(perSecond)), clockText(left));
  const int room = terminalWidth() - static_cast<int>(label.size() + numbers.size()) - 6;
  const int width = std::clamp(room, 0, 30);
  const auto filled = steps > 0 ? static_cast<int>(width * done / steps) : 0;
  std::string text = label + "  ";
  if (width >= 5) {
    text += colours ? "\x1b[36m" : "";
    for (int i = 0; i < width; ++i) {
      if (i == filled && colours)
        text += "\x1b[90m";
      text += i < filled || colours ? "━" : "─";
    }
    text += colours ? "\x1b[0m  " : "  ";
  }
  show(text + numbers);
}

void Progress::show(const std::string &text) {
  printError("\r" + text + "\x1b[K");
  shown = true;
}

void Progress::clear() {
  if (shown)
    printError("\r\x1b[K");
  shown = false;
}

} // namespace sinter::runtime
