#include "runtime/Dataset.h"

#include "runtime/Error.h"
#include "runtime/Normal.h"
#include "runtime/Philox.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sinter::runtime {

std::string Preprocessing::toJson() const {
  nlohmann::json json = nlohmann::json::object();
  for (const auto &[field, learned] : statistics)
    json["statistics"][field] = {{"mean", learned.mean}, {"std", learned.std}};
  for (const auto &[field, list] : words)
    json["words"][field] = list;
  return json.dump();
}

Preprocessing Preprocessing::fromJson(const std::string &text) {
  Preprocessing result;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (json.contains("statistics"))
      for (const auto &[field, learned] : json.at("statistics").items())
        result.statistics[field] = {learned.at("mean").get<std::vector<float>>(),
                                    learned.at("std").get<std::vector<float>>()};
    if (json.contains("words"))
      for (const auto &[field, list] : json.at("words").items())
        result.words[field] = list.get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception &) {
    throw Error("the checkpoint's `sinter.preprocessing` cannot be read");
  }
  return result;
}

void Column::copyExample(size_t example, void *out) const {
  const size_t size = elements();
  const size_t start = example * size;
  if (windows) // side by side; the last one ends where the text does
    return copyWindow(std::min(start, starts() - 1), out);
  if (const auto *reals = std::get_if<std::vector<float>>(&values)) {
    std::memcpy(out, reals->data() + start, size * sizeof(float));
    return;
  }
  if (const auto *integers = std::get_if<std::vector<int32_t>>(&values)) {
    std::memcpy(out, integers->data() + start, size * sizeof(int32_t));
    return;
  }
  const uint8_t *bytes = std::get<std::vector<uint8_t>>(values).data() + start;
  float *numbers = static_cast<float *>(out);
  const size_t tableCount = tables.size() / 256, plane = size / tableCount;
  for (size_t channel = 0; channel < tableCount; ++channel) {
    const float *table = tables.data() + 256 * channel;
    for (size_t i = channel * plane; i < (channel + 1) * plane; ++i)
      numbers[i] = table[bytes[i]];
  }
}

void Column::copyWindow(size_t start, void *out) const {
  std::memcpy(out, windows->ids->data() + windows->begin + start + windows->shift,
              elements() * sizeof(int32_t));
}

void Column::cutText(size_t from, size_t length) {
  windows->begin += from;
  windows->length = length;
  // A window needs the character behind it, which `next` ends with.
  count = length > elements() ? length / elements() : 0;
}

void Column::prefetch(size_t example) const {
  if (windows)
    return;
  constexpr size_t line = 64;
  std::visit(
      [&](const auto &all) {
        const auto *bytes = reinterpret_cast<const char *>(all.data() + example * elements());
        for (size_t at = 0; at < elements() * sizeof(all[0]); at += line)
          __builtin_prefetch(bytes + at);
      },
      values);
}

double Column::valueAt(size_t example) const {
  if (const auto *integers = std::get_if<std::vector<int32_t>>(&values))
    return (*integers)[example];
  float value = 0;
  copyExample(example, &value);
  return value;
}

void Column::select(std::span<const uint32_t> examples) {
  const size_t size = elements();
  std::visit(
      [&](auto &all) {
        std::remove_reference_t<decltype(all)> chosen(examples.size() * size);
        for (size_t i = 0; i < examples.size(); ++i)
          std::memcpy(chosen.data() + i * size, all.data() + examples[i] * size,
                      size * sizeof(all[0]));
        all = std::move(chosen);
      },
      values);
  std::vector<uint32_t> newPosition;
  for (uint32_t example : examples)
    newPosition.push_back(position.empty() ? example : position[example]);
  position = std::move(newPosition);
  count = examples.size();
}

void Column::fail(size_t example, const std::string &message) const {
  origin.fail(position.empty() ? example : position[example], message);
}

void PartData::select(std::span<const uint32_t> examples) {
  for (Column &column : columns)
    column.select(examples);
}

const PartData *Dataset::part(std::string_view name) const {
  for (const PartData &candidate : parts)
    if (candidate.name == name)
      return &candidate;
  return nullptr;
}

Column syntheticColumn(const Field &field, const std::string &purpose, size_t count,
                       uint64_t seed) {
  Column column;
  column.field = field;
  column.count = count;
  const size_t size = column.elements();
  const uint32_t purposeKey = fnv1a(purpose);
  std::vector<float> reals(field.scalar == Scalar::F32 ? count * size : 0);
  std::vector<int32_t> integers(field.scalar == Scalar::I32 ? count * size : 0);
  const int64_t bound = std::max(field.classes, field.labels);
  const auto range = static_cast<uint64_t>(bound > 0 ? bound : 256);
  for (size_t example = 0; example < count; ++example)
    for (size_t i = 0; i < size; ++i) {
      const uint32_t bits = randomBits(seed, purposeKey, 0, static_cast<uint32_t>(example), i);
      if (field.boolean)
        reals[example * size + i] = static_cast<float>(bits >> 31);
      else if (!reals.empty())
        reals[example * size + i] = static_cast<float>(inverseNormal(openUniform(bits)));
      else
        integers[example * size + i] = static_cast<int32_t>(bits * range >> 32);
    }
  if (field.scalar == Scalar::F32)
    column.values = std::move(reals);
  else
    column.values = std::move(integers);
  return column;
}

PartData syntheticPart(const Data &data, const std::string &name, size_t count, uint64_t seed) {
  PartData part{name, {}};
  for (const Field &field : data.fields)
    part.columns.push_back(syntheticColumn(
        field, fmt::format("synthetic:{}.{}.{}", data.name, name, field.name), count, seed));
  return part;
}

} // namespace sinter::runtime
