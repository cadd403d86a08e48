#include "runtime/Layout.h"

#include <algorithm>

namespace sinter::runtime {

LayoutMap::LayoutMap(int64_t elements, const std::optional<Layout> &layout) : count(elements) {
  if (layout) {
    const size_t rank = layout->view.size();
    Shape savedStrides(rank, 1);
    for (size_t i = rank; i-- > 1;)
      savedStrides[i - 1] = savedStrides[i] * layout->view[i];
    int64_t memoryStride = elements;
    for (const int axis : layout->perm) {
      const int64_t extent = layout->view[static_cast<size_t>(axis)];
      memoryStride /= extent;
      if (extent == 1)
        continue;
      const int64_t savedStride = savedStrides[static_cast<size_t>(axis)];
      if (!axes.empty() && axes.back().savedStride == extent * savedStride)
        axes.back() = {axes.back().extent * extent, savedStride, memoryStride};
      else
        axes.push_back({extent, savedStride, memoryStride});
    }
  }
  if (axes.size() <= 1) {
    axes.assign(1, {elements, 1, 1});
    return;
  }
  identity = false;
  std::sort(axes.begin(), axes.end(), [](const Axis &a, const Axis &b) {
    return a.extent != b.extent ? a.extent < b.extent : a.memoryStride > b.memoryStride;
  });
}

} // namespace sinter::runtime
