//===- Checkpoint.h - what a run leaves behind ------------------------------------------------===//
// `last.safetensors` has weights, buffers, optimizer state (`optimizer.NAME`) and, in its metadata,
// where training stood: enough to go on in the middle of an epoch with the same bits.
// `best.safetensors` has weights and buffers. Tensors carry PyTorch's names and shapes; tied ones
// stand once, their other names in the metadata. Both hold teachers too, as `Big:NAME`, so that going
// on and measuring need no other file; whoever reads the trained weights passes over such names.
#pragma once

#include "runtime/Dataset.h"
#include "runtime/SafeTensors.h"

#include <optional>

namespace sinter::runtime {

/// A measure's best value so far and the epoch that reached it.
struct Best {
  double value = 0;
  int64_t epoch = 0; ///< of the run, from 1
};

/// Where a run stands, between two steps.
struct Position {
  std::string run;
  uint64_t seed = 0;
  int64_t stage = 0;     ///< index; the number of stages once all have ended
  int64_t epoch = 0;     ///< epochs finished, over all stages
  int64_t draw = 0;      ///< optimizer steps done, over all stages
  int64_t stageStep = 0; ///< optimizer steps done in this stage
  int64_t batch = 0;     ///< batches done of the epoch
  int64_t examples =
      0; ///< in the train part: a position in an epoch means nothing for another number
  int64_t weight = 0;       ///< examples behind `sums`
  std::vector<double> sums; ///< over the epoch: loss and reports, weighted by examples
  double groupLoss = 0;     ///< over the batches since the last optimizer step, weighted likewise
  int64_t measured = 0;     ///< the draw at which reports of every so many steps were last measured
  std::optional<Best> best, stop;
};

using StateList = std::span<const State *const>;

/// How far a stage was when a file was written: schedules within an objective go by it.
struct StageClock {
  std::string stage;
  int64_t step = 0, last = 0, epoch = 0; ///< as in the Clock
};

/// Writes weights, buffers and teachers, and with `position` optimizer state and where training stands.
/// Throws Error; an older file then stays whole.
void saveCheckpoint(const std::string &path, StateList states, const uint8_t *block,
                    const Preprocessing &preprocessing, const Metadata &notes,
                    const Position *position);

/// Reads weights and buffers, and optimizer state if asked for, into the block. Any alias serves;
/// two that differ do not. Throws one Error that lists all that is missing, misshapen, or left
/// over. Returns the states of teachers that the file does not hold.
std::vector<const State *> loadStates(const SafeTensors &file, StateList states, bool withOptimizer,
                                      uint8_t *block);

/// Copies one state to another of its shape, which may lie in another order.
void copyState(const State &from, const State &to, uint8_t *block);

/// Nothing for a file that another program wrote.
std::optional<StageClock> readStageClock(const SafeTensors &file);
std::string toJson(const StageClock &clock);
inline constexpr const char *stageClockKey = "sinter.clock";

/// Throws Error if the file is no checkpoint to go on from.
Position readPosition(const SafeTensors &file);

/// What loading had learned from the data; empty for a file that another program wrote.
Preprocessing readPreprocessing(const SafeTensors &file);

} // namespace sinter::runtime
