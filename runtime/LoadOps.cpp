#include "runtime/LoadOps.h"

#include "runtime/Error.h"

#include <array>
#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace sinter::runtime {

namespace {

/// One f32 step with one rounding for each operation it names. `channel` picks normalize's numbers,
/// `element` standardize's.
float step(const LoadOp &op, float x, size_t channel, size_t element,
           const Statistics *statistics) {
  const auto value = static_cast<float>(op.value);
  switch (op.kind) {
  case LoadOp::Kind::Affine:
    return x * value + static_cast<float>(op.shift);
  case LoadOp::Kind::Add:
    return x + value;
  case LoadOp::Kind::Multiply:
    return x * value;
  case LoadOp::Kind::Divide:
    return x / value;
  case LoadOp::Kind::SubtractFrom:
    return value - x;
  case LoadOp::Kind::DivideInto:
    return value / x;
  case LoadOp::Kind::Power:
    return std::pow(x, value);
  case LoadOp::Kind::Normalize: {
    const size_t at = op.mean.size() > 1 ? channel : 0;
    return (x - static_cast<float>(op.mean[at])) / static_cast<float>(op.std[at]);
  }
  case LoadOp::Kind::Standardize:
    return (x - statistics->mean[element]) / statistics->std[element];
  case LoadOp::Kind::Bf16: {
    // What is loaded is finite: nothing but the sign and the exponent is above the mantissa.
    const auto bits = std::bit_cast<uint32_t>(x);
    return std::bit_cast<float>((bits + 0x7FFFu + (bits >> 16 & 1u)) & 0xFFFF0000u);
  }
  }
  return x;
}

/// One step in integers; false if it leaves 32 bits or does not divide.
bool step(const LoadOp &op, int64_t &x) {
  const auto value = static_cast<int64_t>(op.value);
  switch (op.kind) {
  case LoadOp::Kind::Affine:
    x = x * value + static_cast<int64_t>(op.shift);
    break;
  case LoadOp::Kind::Add:
    x += value;
    break;
  case LoadOp::Kind::Multiply:
    x *= value;
    break;
  case LoadOp::Kind::SubtractFrom:
    x = value - x;
    break;
  case LoadOp::Kind::Divide:
    if (value == 0 || x % value != 0)
      return false;
    x /= value;
    break;
  case LoadOp::Kind::DivideInto:
    if (x == 0 || value % x != 0)
      return false;
    x = value / x;
    break;
  case LoadOp::Kind::Power: {
    const double power = std::pow(static_cast<double>(x), op.value);
    if (power != std::nearbyint(power) || std::abs(power) > 0x7FFFFFFF)
      return false;
    x = static_cast<int64_t>(power);
    break;
  }
  default:
    return false;
  }
  return x == static_cast<int32_t>(x);
}

std::string dimsText(const Shape &shape) {
  return shape.empty() ? "one number" : fmt::format("{} numbers", fmt::join(shape, "×"));
}

size_t channelsOf(const Field &field, std::span<const LoadOp> ops) {
  for (const LoadOp &op : ops)
    if (op.kind == LoadOp::Kind::Normalize && op.mean.size() > 1)
      return static_cast<size_t>(field.shape[0]);
  return 1;
}

void makeTables(Column &column, std::span<const LoadOp> ops) {
  const size_t channels = channelsOf(column.field, ops);
  column.tables.resize(256 * channels);
  bool finite = true;
  for (size_t channel = 0; channel < channels; ++channel)
    for (size_t byte = 0; byte < 256; ++byte) {
      auto x = static_cast<float>(byte);
      for (const LoadOp &op : ops)
        x = step(op, x, channel, 0, nullptr);
      column.tables[256 * channel + byte] = x;
      finite = finite && std::isfinite(x);
    }
  if (finite)
    return;
  std::vector<float> example(column.elements());
  for (size_t i = 0; i < column.count; ++i) {
    column.copyExample(i, example.data());
    for (float x : example)
      if (!std::isfinite(x))
        column.fail(i, fmt::format("{} holds {} after its loading steps", column.field.name, x));
  }
}

void makeIntegers(Column &column, std::span<const LoadOp> ops) {
  std::vector<int32_t> integers(column.count * column.elements());
  const auto fill = [&](const auto &numbers) {
    for (size_t i = 0; i < integers.size(); ++i) {
      const auto number = static_cast<double>(numbers[i]);
      int64_t x = 0;
      bool good = number == std::nearbyint(number) && std::abs(number) <= 0x7FFFFFFF;
      x = good ? static_cast<int64_t>(number) : 0;
      for (const LoadOp &op : ops)
        good = good && step(op, x);
      if (!good)
        column.fail(i / column.elements(),
                    fmt::format("{} makes no {}", numbers[i], column.field.type()));
      integers[i] = static_cast<int32_t>(x);
    }
  };
  std::visit(fill, column.values);
  column.values = std::move(integers);
}

} // namespace

Column makeColumn(const Field &field, Records records, std::span<const LoadOp> ops) {
  Column column;
  column.field = field;
  column.count = static_cast<size_t>(records.count);
  if (records.elements() != field.elements())
    throw DataError(fmt::format("{} has records of {}, and {} is {}", records.file,
                                dimsText(records.shape), field.name, field.type()),
                    records.place);
  column.values = std::move(records.values);
  records.values = {};
  column.origin = std::move(records);
  if (field.scalar == Scalar::I32 || field.boolean) {
    for (const LoadOp &op : ops)
      if (op.value != std::nearbyint(op.value) || op.shift != std::nearbyint(op.shift) ||
          std::abs(op.value) > 0x7FFFFFFF || std::abs(op.shift) > 0x7FFFFFFF ||
          op.kind == LoadOp::Kind::Normalize)
        throw DataError(fmt::format("{} is {}: its loading steps are arithmetic with integers",
                                    field.name, field.type()),
                        column.origin.place);
  }
  if (field.scalar == Scalar::I32) {
    makeIntegers(column, ops);
    return column;
  }
  if (field.boolean) {
    makeIntegers(column, ops);
    const std::vector<int32_t> &truths = std::get<std::vector<int32_t>>(column.values);
    for (size_t i = 0; i < truths.size(); ++i)
      if (truths[i] != 0 && truths[i] != 1)
        column.fail(i / column.elements(),
                    fmt::format("{} is {}, and bool is 0 or 1", field.name, truths[i]));
    column.values = std::vector<float>(truths.begin(), truths.end());
    return column;
  }
  if (std::holds_alternative<std::vector<uint8_t>>(column.values)) {
    makeTables(column, ops);
    return column;
  }
  if (const auto *integers = std::get_if<std::vector<int32_t>>(&column.values))
    column.values = std::vector<float>(integers->begin(), integers->end());
  applyOps(column, ops, nullptr);
  return column;
}

void applyOps(Column &column, std::span<const LoadOp> ops, const Statistics *statistics) {
  const size_t size = column.elements();
  if (!std::holds_alternative<std::vector<float>>(column.values)) {
    std::vector<float> reals(column.count * size);
    for (size_t i = 0; i < column.count; ++i)
      column.copyExample(i, reals.data() + i * size);
    column.values = std::move(reals);
    column.tables.clear();
  }
  std::vector<float> &numbers = std::get<std::vector<float>>(column.values);
  const size_t plane = size / channelsOf(column.field, ops);
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t element = i % size;
    for (const LoadOp &op : ops)
      numbers[i] = step(op, numbers[i], element / plane, element, statistics);
    if (!std::isfinite(numbers[i]))
      column.fail(i / size, fmt::format("{} holds {}", column.field.name, numbers[i]));
  }
}

Statistics measure(const Column &column) {
  const size_t size = column.elements();
  std::vector<double> sum(size), squares(size);
  std::vector<float> example(size);
  for (size_t i = 0; i < column.count; ++i) {
    column.copyExample(i, example.data());
    for (size_t j = 0; j < size; ++j)
      sum[j] += example[j];
  }
  const auto count = static_cast<double>(column.count);
  for (size_t i = 0; i < column.count; ++i) {
    column.copyExample(i, example.data());
    for (size_t j = 0; j < size; ++j) {
      const double distance = example[j] - sum[j] / count;
      squares[j] += distance * distance;
    }
  }
  Statistics statistics;
  for (size_t j = 0; j < size; ++j) {
    const auto deviation = static_cast<float>(std::sqrt(squares[j] / count));
    statistics.mean.push_back(static_cast<float>(sum[j] / count));
    statistics.std.push_back(deviation > 0 ? deviation : 1);
  }
  return statistics;
}

void checkClasses(const Column &column) {
  const Field &field = column.field;
  const int64_t classes = field.classes > 0 ? field.classes : field.labels;
  if (classes == 0 || column.windows)
    return;
  const std::vector<int32_t> &labels = std::get<std::vector<int32_t>>(column.values);
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      column.fail(i / column.elements(),
                  fmt::format("{} is {}, and {} takes 0 … {}", field.name, labels[i],
                              field.classes > 0 ? fmt::format("class[{}]", classes)
                                                : fmt::format("a label of {} classes", classes),
                              classes - 1));
}

} // namespace sinter::runtime
