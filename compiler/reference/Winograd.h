//===- Winograd.h - 3×3 convolutions in tiles of 4 × 4 outputs, tile by tile --------------------------===//
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <vector>

namespace sinter::reference {

/// A convolution in Winograd's tiles, of x [batch, height, width, channels] to y [batch, outHeight, outWidth, columns], both in
/// row-major order.
struct Winograd {
  int64_t batch, height, width, channels, outHeight, outWidth, columns;
  int64_t top, left; ///< padding
  llvm::function_ref<double(double)> round;

  using Read = llvm::function_ref<double(int64_t)>;
  using Write = llvm::function_ref<void(int64_t, double)>;

  int64_t tiles() const;
  /// y of x and filters u [36, channels, columns].
  void forwards(Read x, Read u, Write y) const;
  /// Filters u [36, channels, columns] of w [3, 3, channels, columns]; `turned`: of w [3, 3, columns, channels], by half a circle.
  std::vector<double> filters(Read w, bool turned) const;
  /// dw [3, 3, channels, columns] of x and dy, summed over the tiles from `low` to `high`.
  void byWeight(Read x, Read dy, int64_t low, int64_t high, Write dw) const;
};

} // namespace sinter::reference
