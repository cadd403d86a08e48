//===- Loops.h - what plans of memory ask of loops ------------------------------------------------===//
#pragma once

#include "dialects/kernel/KernelOps.h"

#include <algorithm>
#include <limits>

namespace sinter::passes {

/// What lies behind aliases.
inline mlir::Value rootOf(mlir::Value value) {
  while (auto alias = value.getDefiningOp<kernel::AliasOp>())
    value = alias.getX();
  return value;
}

/// The operands of a loop that it reads.
inline mlir::ValueRange inputsOf(mlir::Operation *op) {
  const unsigned outputs = mlir::cast<mlir::DestinationStyleOpInterface>(op).getNumDpsInits();
  return op->getOperands().drop_back(outputs);
}

/// A piece of memory that is taken for a while.
struct TakenPlace {
  int64_t begin, end;  ///< bytes
  int64_t first, last; ///< when, both included
};

/// Takes `bytes` from `first` to `last`, at or behind `least`: in the tightest gap between what is taken then, else behind
/// all of it. `taken` is sorted by begin and stays so.
inline TakenPlace takeTightest(llvm::SmallVectorImpl<TakenPlace> &taken, int64_t bytes,
                               int64_t first, int64_t last, int64_t least = 0) {
  int64_t best = -1, bestGap = std::numeric_limits<int64_t>::max(), from = least;
  for (const TakenPlace &other : taken) {
    if (other.last < first || other.first > last)
      continue;
    const int64_t gap = other.begin - from;
    if (gap >= bytes && gap < bestGap) {
      best = from;
      bestGap = gap;
    }
    from = std::max(from, other.end);
  }
  if (best < 0)
    best = from;
  const TakenPlace here{best, best + bytes, first, last};
  taken.insert(
      llvm::upper_bound(taken, here,
                        [](const TakenPlace &a, const TakenPlace &b) { return a.begin < b.begin; }),
      here);
  return here;
}

} // namespace sinter::passes
