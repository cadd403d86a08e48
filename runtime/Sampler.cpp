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

Feeder::Feeder(const Step &step, const PartData &part, StepExecutor *sharedBy)
    : executor(sharedBy), ids(step.ids), batch(static_cast<size_t>(step.batch)) {
  for (const StepField &field : step.fields)
    for (const Column &column : part.columns)
      if (column.field.name == field.name) {
        fields.push_back(
            {&column, LayoutMap(column.field.elements(), field.layout), field.offset, {}});
        largest = std::max(largest, column.elements());
      }
  const int64_t shares = executor ? executor->shareCount() : 1;
  scratches.assign(static_cast<size_t>(shares), std::vector<uint32_t>(2 * largest));
}

Feeder::Feeder(const Step &step, const PartData &part, const Feeding &feeding)
    : Feeder(step, part, &feeding.executor) {
  training = true;
  seed = feeding.seed;
  windowPurpose = fnv1a("windows:" + feeding.data.name);
  for (Bound &field : fields) {
    Augmenter augmenter(feeding.data, field.column->field, seed);
    if (!augmenter.empty())
      field.augmenter = std::move(augmenter);
  }
}

/// Threads meet in a microsecond or two, in which one copies some 16 KiB.
bool Feeder::isWorthSharing(const Bound &field) const {
  constexpr size_t fewBytes = 64 * 1024;
  return executor &&
         (field.augmenter || batch * field.column->elements() * sizeof(uint32_t) >= fewBytes);
}

void Feeder::copyExample(const Bound &field, uint32_t example, uint32_t *out) const {
  const Column &column = *field.column;
  if (!training || !column.windows)
    return column.copyExample(example, out);
  const uint64_t bits = randomBits(seed, windowPurpose, epoch, example, 0);
  column.copyWindow(bits * column.starts() >> 32, out);
}

/// One of `shares` parts of the rows that have an example.
void Feeder::fillRows(const Bound &field, std::span<const uint32_t> examples, uint32_t *rows,
                      int64_t share, int64_t shares, std::span<uint32_t> scratch) const {
  const size_t elements = field.column->elements();
  const auto beginOf = [&](int64_t part) {
    return static_cast<size_t>(part) * examples.size() / static_cast<size_t>(shares);
  };
  const size_t end = beginOf(share + 1);
  for (size_t row = beginOf(share); row < end; ++row) {
    uint32_t *out = rows + row * elements;
    if (row + 2 < end)
      field.column->prefetch(examples[row + 2]);
    if (field.layout.isIdentity() && !field.augmenter) {
      copyExample(field, examples[row], out);
      continue;
    }
    copyExample(field, examples[row], scratch.data());
    if (field.augmenter)
      field.augmenter->apply(epoch, examples[row], scratch.data(), scratch.data() + largest);
    field.layout.toMemory(scratch.data(), out);
  }
}

void Feeder::fill(std::span<const uint32_t> examples, uint8_t *arena) {
  for (const Bound &field : fields) {
    const size_t elements = field.column->elements();
    auto *rows = reinterpret_cast<uint32_t *>(arena + field.offset); // f32 or i32: four bytes
    if (isWorthSharing(field)) {
      executor->share([&](int64_t share) {
        fillRows(field, examples, rows, share, executor->shareCount(),
                 scratches[static_cast<size_t>(share)]);
      });
    } else {
      fillRows(field, examples, rows, 0, 1, scratches[0]);
    }
    for (size_t row = examples.size(); row < batch; ++row)
      std::memcpy(rows + row * elements, rows, elements * sizeof(uint32_t));
  }
  if (!ids)
    return;
  auto *numbers = reinterpret_cast<int32_t *>(arena + *ids);
  for (size_t row = 0; row < batch; ++row)
    numbers[row] = static_cast<int32_t>(examples[row < examples.size() ? row : 0]);
}

} // namespace sinter::runtime
