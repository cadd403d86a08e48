//===- Tune.h - `sinter tune`: find schedules by measuring -----------------------------------------===//
#pragma once

#include "compiler/driver/Compilation.h"

namespace sinter::driver {

struct TuneOptions {
  double seconds = 60;
  bool order = false; ///< blocks of the sum may change
  std::string output; ///< the file of schedules, which is read first where it exists
};

/// Results that may differ, with `order`, by so large a share of the largest of them.
inline constexpr double tuneTolerance = 1e-5;

/// "60s", "2m", "500ms", "1.5h"; none where a text is no time.
std::optional<double> secondsOf(llvm::StringRef text);

/// Loads a compilation and tunes its contractions. Ends when the time is up, when nothing is left to try, or at Ctrl-C; what
/// was found by then is written.
ExitCode tune(Compilation &compilation, const TuneOptions &options);

} // namespace sinter::driver
