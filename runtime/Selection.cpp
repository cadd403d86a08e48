#include "runtime/Selection.h"

#include "runtime/Error.h"
#include "runtime/Philox.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>

namespace sinter::runtime {

std::vector<uint32_t> shuffled(size_t count, uint64_t seed, uint32_t purpose, uint32_t draw) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (size_t i = count; i-- > 1;) {
    const uint64_t bits = randomBits(seed, purpose, draw, 0, i);
    std::swap(order[i], order[bits * (i + 1) >> 32]);
  }
  return order;
}

static bool holds(const PartData &part, const Keep &keep, size_t example) {
  const auto operand = [&](const Keep &inner) { return holds(part, inner, example); };
  if (keep.op == "and")
    return std::all_of(keep.operands.begin(), keep.operands.end(), operand);
  if (keep.op == "or")
    return std::any_of(keep.operands.begin(), keep.operands.end(), operand);
  if (keep.op == "not")
    return !operand(keep.operands[0]);
  const auto column =
      std::find_if(part.columns.begin(), part.columns.end(),
                   [&](const Column &candidate) { return candidate.field.name == keep.field; });
  const double value = column->valueAt(example);
  if (keep.op == "==")
    return value == keep.value;
  if (keep.op == "!=")
    return value != keep.value;
  if (keep.op == "<")
    return value < keep.value;
  if (keep.op == "<=")
    return value <= keep.value;
  if (keep.op == ">")
    return value > keep.value;
  return value >= keep.value;
}

void keepWhere(PartData &part, const Keep &keep) {
  std::vector<uint32_t> kept;
  for (size_t i = 0; i < part.count(); ++i)
    if (holds(part, keep, i))
      kept.push_back(static_cast<uint32_t>(i));
  part.select(kept);
}

void splitTrain(Dataset &dataset, const Split &split, const std::string &dataName) {
  PartData &train = dataset.parts[0];
  const Column *classes = nullptr;
  for (const Column &column : train.columns)
    if (!split.stratify.empty() && column.field.name == split.stratify)
      classes = &column;
  const auto classOf = [&](uint32_t example) { return classes ? classes->valueAt(example) : 0; };
  std::map<double, std::vector<uint32_t>> groups; // of one class each, shuffled
  for (uint32_t example : shuffled(train.count(), split.seed, fnv1a("split:" + dataName), 0))
    groups[classOf(example)].push_back(example);

  const struct {
    const char *name;
    double share;
  } shares[] = {{"train", split.train}, {"valid", split.valid}, {"test", split.test}};
  std::vector<uint32_t> chosen[3];
  const size_t lastPart = split.test > 0 ? 2 : split.valid > 0 ? 1 : 0;
  for (const auto &[value, group] : groups) {
    size_t at = 0;
    for (size_t i = 0; i <= lastPart; ++i) {
      const double exact = shares[i].share * static_cast<double>(group.size());
      const auto rounded = static_cast<size_t>(exact + 1e-9); // 0.29 · 100 is 29
      const size_t next = i == lastPart ? group.size() : std::min(group.size(), at + rounded);
      chosen[i].insert(chosen[i].end(), group.begin() + static_cast<ptrdiff_t>(at),
                       group.begin() + static_cast<ptrdiff_t>(next));
      at = next;
    }
  }
  const PartData whole = std::move(train);
  std::vector<PartData> parts;
  for (size_t i = 0; i < 3; ++i) {
    if (!(shares[i].share > 0))
      continue;
    std::sort(chosen[i].begin(), chosen[i].end());
    PartData part = whole;
    part.name = shares[i].name;
    part.select(chosen[i]);
    parts.push_back(std::move(part));
  }
  for (size_t i = 1; i < dataset.parts.size(); ++i)
    parts.push_back(std::move(dataset.parts[i]));
  std::sort(parts.begin() + 1, parts.end(), // train, valid, test
            [](const PartData &a, const PartData &b) { return a.name > b.name; });
  dataset.parts = std::move(parts);
}

void takeSome(PartData &part, int64_t count, const Data &data) {
  if (static_cast<size_t>(count) > part.count())
    throw DataError(fmt::format("`take {}` of {}, whose train part has {} examples", count,
                                data.name, part.count()),
                    data.place);
  std::vector<uint32_t> order = shuffled(part.count(), data.seed, fnv1a("take:" + data.name), 0);
  order.resize(static_cast<size_t>(count));
  std::sort(order.begin(), order.end());
  part.select(order);
}

} // namespace sinter::runtime
