//===- Sampler.h - the order of an epoch, and batches of it -----------------------------------===//
#pragma once

#include "runtime/Augmenter.h"
#include "runtime/Dataset.h"
#include "runtime/Executor.h"
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

/// What training does to its examples each time they are fed, and measuring does not.
struct Feeding {
  const Data &data;
  uint64_t seed;
  StepExecutor &executor;
};

/// Writes batches of a part to where a step wants them. Allocates nothing of consequence in `fill`.
class Feeder {
public:
  /// The part has a column for each field of the step. Large copies are shared out on the executor's threads where one is given.
  Feeder(const Step &step, const PartData &part, StepExecutor *executor = nullptr);
  /// For training: examples are augmented, and windows of text cut at random places.
  Feeder(const Step &step, const PartData &part, const Feeding &feeding);

  /// Begins epoch 0, 1, … of training.
  void start(uint32_t number) { epoch = number; }

  /// Fields in the step's layout, and ids. Rows behind the examples repeat the first of them.
  void fill(std::span<const uint32_t> examples, uint8_t *arena);

private:
  struct Bound {
    const Column *column;
    LayoutMap layout;
    uint64_t offset;
    std::optional<Augmenter> augmenter; ///< where there is something to do
  };

  bool isWorthSharing(const Bound &field) const;
  void fillRows(const Bound &field, std::span<const uint32_t> examples, uint32_t *rows,
                int64_t share, int64_t shares, std::span<uint32_t> scratch) const;
  void copyExample(const Bound &field, uint32_t example, uint32_t *out) const;

  std::vector<Bound> fields;
  std::vector<std::vector<uint32_t>>
      scratches;      ///< of each share: one example in saved order, twice
  size_t largest = 0; ///< elements of an example
  StepExecutor *executor;
  bool training = false;
  uint64_t seed = 0;
  uint32_t epoch = 0, windowPurpose = 0;
  std::optional<uint64_t> ids;
  size_t batch;
};

} // namespace sinter::runtime
