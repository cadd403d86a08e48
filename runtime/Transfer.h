//===- Transfer.h - weights that runs take from files and from each other ------------------------===//
#pragma once

#include "runtime/WeightSource.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sinter::runtime {

/// Opens what `load` names, checks it before any run begins, and moves tensors when their time comes.
class Transfer {
public:
  Transfer(const Description &program, uint8_t *stateBlock)
      : description(program), block(stateBlock) {}

  /// The run ended in an earlier program and left its last.safetensors in this folder.
  void endedIn(const std::string &run, const std::string &folder) { folders[run] = folder; }

  /// Opens all that a run will load, from this stage on, and holds it against the states. With `begins` also what acts
  /// before its first stage. Throws Error with the line of the spec.
  void check(const Run &run, size_t firstStage, bool begins) const;

  /// Loads in order. Gives one line for each on what was done.
  std::vector<std::string> apply(const std::vector<Load> &loads, const Run &into) const;

private:
  std::unique_ptr<WeightSource> open(const Load &load) const;

  const Description &description;
  uint8_t *block;
  std::map<std::string, std::string> folders;
};

/// The states that a run has, in the description's order.
std::vector<const State *> statesOf(const Description &description, const std::string &run);

} // namespace sinter::runtime
