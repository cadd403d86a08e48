//===- Abi.h - what generated code and the runtime agree on -----------------------------------===//
// A training program is the runtime plus one object that the compiler writes. The object holds task
// functions and one constant, `sinter_program`: a table of these functions and a description, JSON
// text that says everything else (states, data, runs, steps). Generated code holds no threads,
// makes no system calls and allocates nothing; the runtime knows no model.
//
// Two blocks of memory, both 64-byte aligned and zeroed before use:
//   state  what lives longer than a step: parameters, buffers, optimizer state; at the offsets of
//   `states` arena  everything else; its first bytes are the Clock, then whatever the memory plan
//   of each step says
#pragma once

#include <cstdint>

namespace sinter::runtime {

inline constexpr uint32_t abiVersion = 1;

/// Lies at offset 0 of the arena; the runtime writes it before each step. The compiler reads its
/// members at these offsets (0, 8, 16, 24, 32, 40).
struct Clock {
  int64_t step; ///< optimizer steps done in this stage: 0 in the first
  int64_t last; ///< optimizer steps that this stage will take in all
  int64_t
      count; ///< examples in this batch; the rows behind them repeat the first one. In an update
             ///< step: in all batches since the last one
  uint64_t seed; ///< the run's seed
  int64_t draw;  ///< optimizer steps done in the whole run, over all stages: what random draws are
                 ///< keyed by
  int64_t epoch = 0; ///< optimizer steps of one epoch of this stage
};
inline constexpr int64_t clockBytes = 64;

/// One piece of one task: share 0 … shares-1. Shares of a task may run at once, in any order, on
/// any thread. The thread rounds to nearest and takes denormal numbers for zero (`FlushToZero`).
using TaskFunction = void (*)(int64_t share, uint8_t *arena, uint8_t *state);

/// The constant that the compiler writes, under the symbol `sinter_program`.
struct Program {
  uint32_t version; ///< abiVersion
  uint32_t reserved;
  const char *description; ///< JSON, UTF-8, not terminated; see runtime/README.md
  uint64_t descriptionBytes;
  const TaskFunction *functions;
  uint64_t functionCount;
};

} // namespace sinter::runtime

extern "C" const sinter::runtime::Program sinter_program;
