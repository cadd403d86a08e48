#include "runtime/Selection.h"

#include "runtime/Error.h"
#include "runtime/Philox.h"

#include <algorithm>
#include <array>
#include <cmath>
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

/// What an expression comes to for one example; conditions are 1 or 0.
static double evaluate(const PartData &part, const Keep &keep, size_t example) {
  using Op = Keep::Op;
  const auto operand = [&](size_t i) { return evaluate(part, keep.operands[i], example); };
  switch (keep.op) {
  case Op::Number:
    return keep.value;
  case Op::Field:
    return std::find_if(part.columns.begin(), part.columns.end(),
                        [&](const Column &each) { return each.field.name == keep.field; })
        ->valueAt(example);
  case Op::Negate:
    return -operand(0);
  case Op::Not:
    return operand(0) == 0;
  case Op::And:
    return operand(0) != 0 && operand(1) != 0;
  case Op::Or:
    return operand(0) != 0 || operand(1) != 0;
  default:
    break;
  }
  const double a = operand(0), b = operand(1);
  switch (keep.op) {
  case Op::Add:
    return a + b;
  case Op::Subtract:
    return a - b;
  case Op::Multiply:
    return a * b;
  case Op::Divide:
    return a / b;
  case Op::Power:
    return std::pow(a, b);
  case Op::Equal:
    return a == b;
  case Op::NotEqual:
    return a != b;
  case Op::Less:
    return a < b;
  case Op::LessEqual:
    return a <= b;
  case Op::Greater:
    return a > b;
  default:
    return a >= b;
  }
}

void keepWhere(PartData &part, const Keep &keep) {
  std::vector<uint32_t> kept;
  for (size_t i = 0; i < part.count(); ++i)
    if (evaluate(part, keep, i) != 0)
      kept.push_back(static_cast<uint32_t>(i));
  part.select(kept);
}

namespace {

struct Share {
  const char *name;
  double share;
};

std::array<Share, 3> sharesOf(const Split &split) {
  return {Share{"train", split.train}, Share{"valid", split.valid}, Share{"test", split.test}};
}

size_t lastOf(const Split &split) { return split.test > 0 ? 2 : split.valid > 0 ? 1 : 0; }

size_t roundedDown(double share, size_t count) {
  return static_cast<size_t>(share * static_cast<double>(count) + 1e-9); // 0.29 · 100 is 29
}

/// Text is cut by position: first what is learned from, then the rest.
std::vector<PartData> splitText(const PartData &whole, const Split &split) {
  std::vector<PartData> parts;
  const size_t length = whole.columns[0].windows->length;
  size_t at = 0;
  for (size_t i = 0; i <= lastOf(split); ++i) {
    const auto [name, share] = sharesOf(split)[i];
    if (!(share > 0))
      continue;
    const size_t size =
        i == lastOf(split) ? length - at : std::min(length - at, roundedDown(share, length));
    PartData part = whole;
    part.name = name;
    for (Column &column : part.columns)
      column.cutText(at, size);
    parts.push_back(std::move(part));
    at += size;
  }
  return parts;
}

} // namespace

static std::vector<PartData> splitExamples(PartData &train, const Split &split,
                                           const std::string &dataName) {
  const Column *classes = nullptr;
  for (const Column &column : train.columns)
    if (!split.stratify.empty() && column.field.name == split.stratify)
      classes = &column;
  const auto classOf = [&](uint32_t example) { return classes ? classes->valueAt(example) : 0; };
  std::map<double, std::vector<uint32_t>> groups; // of one class each, shuffled
  for (uint32_t example : shuffled(train.count(), split.seed, fnv1a("split:" + dataName), 0))
    groups[classOf(example)].push_back(example);

  const std::array<Share, 3> shares = sharesOf(split);
  std::vector<uint32_t> chosen[3];
  const size_t lastPart = lastOf(split);
  for (const auto &[value, group] : groups) {
    size_t at = 0;
    for (size_t i = 0; i <= lastPart; ++i) {
      const size_t rounded = roundedDown(shares[i].share, group.size());
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
  return parts;
}

void splitTrain(Dataset &dataset, const Split &split, const std::string &dataName) {
  PartData &train = dataset.parts[0];
  std::vector<PartData> parts =
      train.isText() ? splitText(train, split) : splitExamples(train, split, dataName);
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
  if (part.isText()) { // by position, as a split
    for (Column &column : part.columns)
      column.cutText(
          0, std::min(column.windows->length, static_cast<size_t>(count) * column.elements() + 1));
    for (Column &column : part.columns)
      column.count = static_cast<size_t>(count);
    return;
  }
  std::vector<uint32_t> order = shuffled(part.count(), data.seed, fnv1a("take:" + data.name), 0);
  order.resize(static_cast<size_t>(count));
  std::sort(order.begin(), order.end());
  part.select(order);
}

} // namespace sinter::runtime
