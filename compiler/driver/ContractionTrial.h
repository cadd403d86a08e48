//===- ContractionTrial.h - one contraction under several schedules, side by side ------------------===//
#pragma once

#include "compiler/codegen/LoadedTasks.h"
#include "dialects/kernel/KernelOps.h"
#include "runtime/Block.h"

#include <optional>
#include <vector>

namespace sinter::driver {

/// How a contraction may be run.
struct Candidate {
  kernel::ScheduleAttr schedule;
  llvm::SmallVector<int64_t> block; ///< of the sum; empty: the op's own
};

/// What a candidate did: milliseconds, and how far its results lie from the first one's, as a share of the largest of them.
struct Trial {
  double milliseconds = 0;
  double distance = 0; ///< 0: equal in every bit
};

/// Two blocks of memory as a program has them, for one task at a time.
class TrialMemory {
public:
  TrialMemory(uint64_t arenaBytes, uint64_t stateBytes)
      : arenaBlock(arenaBytes), stateBlock(stateBytes) {}

  uint8_t *arena() { return arenaBlock.data(); }
  uint8_t *state() { return stateBlock.data(); }

private:
  runtime::Block arenaBlock, stateBlock;
};

/// Compiles a task once for each candidate and runs them in turn on the same made-up numbers: medians of `rounds`. The first candidate is
/// what the others are compared with. `batch`: examples in the batch. `stop` is asked between rounds; none if it said yes before the second.
llvm::Expected<std::optional<std::vector<Trial>>>
tryCandidates(kernel::TaskOp task, llvm::ArrayRef<Candidate> candidates, int64_t batch,
              const codegen::Target &target, TrialMemory &memory, llvm::function_ref<bool()> stop);

} // namespace sinter::driver
