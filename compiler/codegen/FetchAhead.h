//===- FetchAhead.h - ask for lines while a sum runs ----------------------------------------------===//
// A register tile's outputs, what its epilogue reads and the next panel of B lie in rows that are kilobytes apart, where no prefetcher of
// the CPU looks. They are asked for a row at a time, turn by turn of the sum's loop: a burst of requests would fill the CPU's few places
// for them, and its own loads would wait.
#pragma once

#include "compiler/codegen/Emitter.h"

namespace sinter::codegen {

/// What to ask for: so many rows, `stride` elements apart, `columns` elements wide.
struct RowsAhead {
  int64_t rows = 0, stride = 0, columns = 0;
  Fetch purpose = Fetch::Second;
};

class FetchAhead {
public:
  /// For a loop of `steps`, `unroll` of which are a turn.
  FetchAhead(Emitter &emit, int64_t steps, int64_t unroll)
      : emit(emit), steps(steps), unroll(unroll) {}

  /// Before the loop. Where `wanted`, an i1, is false, only what belongs to the first turn is asked for; null: always.
  void add(mlir::Value pointer, mlir::Type element, const RowsAhead &rows, mlir::Value wanted = {});
  /// Inside, in the turn that begins at step `i`.
  void turn(mlir::Value i);

private:
  /// A turn asks for lines from `pointer` + min(i · bytesOfStep, last) on.
  struct Stream {
    mlir::Value pointer, last;
    int64_t bytesOfStep, bytesOfRow, rowsOfTurn, lines;
    Fetch purpose;
  };
  Emitter &emit;
  int64_t steps, unroll;
  llvm::SmallVector<Stream> streams;
};

} // namespace sinter::codegen
