//===- Layout.h - between saved order and memory order ----------------------------------------===//
#pragma once

#include "runtime/Description.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sinter::runtime {

/// Moves the elements of one tensor between the order it is saved in and the order it has in
/// memory. Axes of one element are dropped and neighbours that stay together are merged, so most
/// layouts of grey images are plain copies.
class LayoutMap {
public:
  explicit LayoutMap(int64_t elements, const std::optional<Layout> &layout = std::nullopt);

  int64_t elements() const { return count; }
  bool isIdentity() const { return identity; }

  /// Both pointers: `elements` values of four bytes; they do not overlap.
  template <typename T> void toMemory(const T *saved, T *memory) const {
    walk(0, 0, 0, [&](int64_t s, int64_t m) { memory[m] = saved[s]; });
  }
  template <typename T> void toSaved(const T *memory, T *saved) const {
    walk(0, 0, 0, [&](int64_t s, int64_t m) { saved[s] = memory[m]; });
  }

private:
  struct Axis {
    int64_t extent, savedStride, memoryStride;
  };

  template <typename Move> void walk(size_t level, int64_t s, int64_t m, const Move &move) const {
    const Axis axis = axes[level];
    const bool innermost = level + 1 == axes.size();
    for (int64_t i = 0; i < axis.extent; ++i, s += axis.savedStride, m += axis.memoryStride)
      if (innermost)
        move(s, m);
      else
        walk(level + 1, s, m, move);
  }

  int64_t count;
  bool identity = true;
  std::vector<Axis> axes; ///< the longest one innermost; at least one
};

} // namespace sinter::runtime
