//===- LoadRules.h - which tensor of a file belongs to which parameter ------------------------------===//
// What a `load` line of a spec says, as data: names meet only where the file is known, which may be long after the
// program was compiled. Plain, so that the checker, which looks into files that are there already, and the training
// program go by the same rules (LoadPlan.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sinter::runtime {

/// A name that files use for what has other names here. One part: another name of it. Several: the tensor holds them one
/// behind the other along its first axis.
struct FileName {
  std::string name;
  std::vector<std::string> parts;

  bool operator==(const FileName &) const = default;
};

/// Names are full paths beneath the model that is loaded into. `strip`, `rename` and `except` act on a tensor's name in
/// this order; a name that is then no parameter's is looked for beneath `beneath`.
struct LoadRules {
  std::vector<std::string>
      parameters;                ///< parameters and buffers that must be found, by primary name
  std::vector<std::string> left; ///< selected too, but left out by `except`
  bool whole = false;  ///< nothing of the model is unselected: a tensor left over is an error
  std::string beneath; ///< P of `P.**` or of a layer P; else ""
  std::string strip;   ///< text that names of the file may begin with
  /// Whole names of the file, or paths that they begin with, and what stands in their place. The longest that fits counts.
  std::vector<std::pair<std::string, std::string>> rename;
  std::vector<std::string> except; ///< patterns (NamePattern.h)
  std::vector<std::string>
      transposed; ///< primary names whose tensors have their last two axes the other way round
  std::vector<FileName> fileNames;

  bool operator==(const LoadRules &) const = default;
};

} // namespace sinter::runtime
