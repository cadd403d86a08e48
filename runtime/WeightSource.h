//===- WeightSource.h - tensors by name, from a file or from a run -------------------------------===//
#pragma once

#include "runtime/Checkpoint.h"
#include "runtime/LoadPlan.h"

#include <memory>
#include <string>
#include <vector>

namespace sinter::runtime {

/// Where weights are loaded from.
class WeightSource {
public:
  virtual ~WeightSource() = default;

  const TensorTable &tensors() const { return table; }
  /// What messages call it: a path, or `the end of NAME`.
  const std::string &name() const { return shownName; }
  /// A tensor that stands for itself, as f32 in saved order. Throws Error where the file cannot be read.
  virtual std::vector<float> read(const std::string &tensor) const = 0;

protected:
  TensorTable table;
  std::string shownName;
};

/// Opens a safetensors file, a sharded one by its `….index.json` (also where only that is there), or a folder that holds
/// `model.safetensors` or its index. Optimizer state in a checkpoint of ours is left out, and the further names of tied
/// tensors in its header count. Throws Error: no file, or none that can be used.
std::unique_ptr<WeightSource> openWeights(const std::string &path);

/// Whether there is a file that `openWeights` would open.
bool weightsExist(const std::string &path);

/// Weights and buffers of a run as they lie in memory.
std::unique_ptr<WeightSource> weightsInMemory(const std::string &name, StateList states,
                                              const uint8_t *block);

/// What is wrong with tensors of one target that differ: the names of a tied parameter, for one.
std::vector<std::string> differences(const LoadPlan &plan, const WeightSource &source,
                                     std::span<const Target> targets);

/// The states that a load goes into, their names without its prefix.
std::vector<Target> targetsOf(const Load &load, StateList states);

/// Throws one Error, with the line of the spec, that lists all that does not fit. Gives what the source has left over.
std::vector<std::string> checkLoad(const Load &load, const WeightSource &source, StateList states);

/// Moves tensors into the states of a load; the same error, and one for two names of a tied tensor that differ. The
/// block is then as it was.
void applyLoad(const Load &load, const WeightSource &source, StateList states, uint8_t *block);

} // namespace sinter::runtime
