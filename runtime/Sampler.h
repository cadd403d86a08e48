//===- Sampler.h - the order of an epoch, and batches of it -----------------------------------===//
#pragma once

#include "runtime/Dataset.h"
#include "runtime/Layout.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sinter::runtime {

/// Deals the examples of a part out in batches. An epoch's order depends on the seed and the epoch
/// alone.
class Sampler {
public:
  /// `dropLast` leaves a last, smaller batch out; `sequential` keeps the part's order.
  Sampler(size_t examples, size_t batch, bool dropLast, bool sequential, uint64_t seed);

  /// Batches of an epoch.
  size_t batches() const { return batchCount; }

  /// Shuffles for epoch 0, 1, …
  void start(uint32_t epoch);

  /// The examples of one batch; fewer in a last, smaller one.
  std::span<const uint32_t> batch(size_t index) const;

private:
  std::vector<uint32_t> order;
  size_t batchSize, batchCount;
  bool sequential;
  uint64_t seed;
};

/// Writes batches of a part to where a step wants them. Allocates nothing in `fill`.
class Feeder {
public:
  /// The part has a column for each field of the step.
  Feeder(const Step &step, const PartData &part);

  /// Fields in the step's layout, and ids. Rows behind the examples repeat the first of them.
  void fill(std::span<const uint32_t> examples, uint8_t *arena);

private:
  struct Bound {
    const Column *column;
    LayoutMap layout;
    uint64_t offset;
  };

  std::vector<Bound> fields;
  std::vector<uint32_t> scratch; ///< one example in saved order
  std::optional<uint64_t> ids;
  size_t batch;
};

} // namespace sinter::runtime
