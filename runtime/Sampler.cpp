#include "runtime/Sampler.h"

#include "runtime/Philox.h"
#include "runtime/Selection.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace sinter::runtime {

Sampler::Sampler(size_t examples, size_t batch, bool dropLast, bool inOrder, uint64_t seedOfRun)
    : order(examples), batchSize(batch),
      batchCount(dropLast ? examples / batch : (examples + batch - 1) / batch), sequential(inOrder),
      seed(seedOfRun) {
  std::iota(order.begin(), order.end(), 0u);
}

void Sampler::start(uint32_t epoch) {
  if (!sequential)
    order = shuffled(order.size(), seed, fnv1a("shuffle"), epoch);
}

std::span<const uint32_t> Sampler::batch(size_t index) const {
  const size_t from = index * batchSize;
  return std::span(order).subspan(from, std::min(batchSize, order.size() - from));
}

Feeder::Feeder(const Step &step, const PartData &part)
    : ids(step.ids), batch(static_cast<size_t>(step.batch)) {
  for (const StepField &field : step.fields)
    for (const Column &column : part.columns)
      if (column.field.name == field.name) {
        fields.push_back({&column, LayoutMap(column.field.elements(), field.layout), field.offset});
        scratch.resize(std::max(scratch.size(), column.elements()));
      }
}

void Feeder::fill(std::span<const uint32_t> examples, uint8_t *arena) {
  for (const Bound &field : fields) {
    const size_t elements = field.column->elements();
    auto *rows = reinterpret_cast<uint32_t *>(arena + field.offset); // f32 or i32: four bytes
    for (size_t row = 0; row < batch; ++row) {
      uint32_t *out = rows + row * elements;
      if (row + 2 < examples.size())
        field.column->prefetch(examples[row + 2]);
      if (row >= examples.size()) {
        std::memcpy(out, rows, elements * sizeof(uint32_t));
      } else if (field.layout.isIdentity()) {
        field.column->copyExample(examples[row], out);
      } else {
        field.column->copyExample(examples[row], scratch.data());
        field.layout.toMemory(scratch.data(), out);
      }
    }
  }
  if (!ids)
    return;
  auto *numbers = reinterpret_cast<int32_t *>(arena + *ids);
  for (size_t row = 0; row < batch; ++row)
    numbers[row] = static_cast<int32_t>(examples[row < examples.size() ? row : 0]);
}

} // namespace sinter::runtime
