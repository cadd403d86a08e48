//===- Options.h - a training program's command line ------------------------------------------===//
#pragma once

#include "runtime/Description.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinter::runtime {

struct Options {
  std::optional<int64_t> epochs, steps; ///< of each stage, in place of the spec's
  std::optional<uint64_t> seed;
  unsigned threads = 1;
  std::map<std::string, std::string> folders; ///< of data blocks
  std::string out;
  std::string resume, init, eval;                               ///< files; "": none
  std::vector<std::pair<std::string, std::string>> predictions; ///< field (or "") and file
  std::optional<int64_t> bench, profile;                        ///< steps
  size_t block = 0;            ///< index of the run that these two time
  int64_t checkpointEvery = 0; ///< steps; 0: after each epoch only
  bool quiet = false, logSteps = false, explainFrozen = false;
};

/// Reads the command line; none if `--help` or `--version` has been answered on stdout. Throws
/// UsageError.
std::optional<Options> readOptions(const Description &description, int argc,
                                   const char *const *argv);

} // namespace sinter::runtime
