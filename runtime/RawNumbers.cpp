#include "runtime/RawNumbers.h"

#include "runtime/Half.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace sinter::runtime {

static_assert(std::endian::native == std::endian::little, "files are read as this machine is");

std::optional<NumberFormat> numpyFormat(std::string_view descr) {
  using Kind = NumberFormat::Kind;
  if (descr.size() != 3)
    return std::nullopt;
  NumberFormat format;
  format.bigEndian = descr[0] == '>';
  format.width = static_cast<size_t>(descr[2] - '0');
  const bool whole =
      format.width == 1 || format.width == 2 || format.width == 4 || format.width == 8;
  if (descr[1] == 'f')
    format.kind = Kind::Real;
  else if (descr[1] == 'i')
    format.kind = Kind::Signed;
  else if (descr[1] != 'u' && !(descr[1] == 'b' && format.width == 1))
    return std::nullopt;
  if (!whole || (format.kind == Kind::Real && format.width == 1))
    return std::nullopt;
  return format;
}

std::optional<NumberFormat> tensorFormat(std::string_view dtype) {
  using Kind = NumberFormat::Kind;
  static const std::map<std::string_view, NumberFormat> formats = {
      {"BOOL", {Kind::Unsigned, 1}}, {"U8", {Kind::Unsigned, 1}},  {"U16", {Kind::Unsigned, 2}},
      {"U32", {Kind::Unsigned, 4}},  {"U64", {Kind::Unsigned, 8}}, {"I8", {Kind::Signed, 1}},
      {"I16", {Kind::Signed, 2}},    {"I32", {Kind::Signed, 4}},   {"I64", {Kind::Signed, 8}},
      {"F16", {Kind::Real, 2}},      {"BF16", {Kind::BFloat, 2}},  {"F32", {Kind::Real, 4}},
      {"F64", {Kind::Real, 8}}};
  const auto found = formats.find(dtype);
  return found == formats.end() ? std::nullopt : std::optional(found->second);
}

std::optional<uint64_t> bytesOf(const Shape &dims, size_t width, uint64_t most) {
  // One record first, so that its size is a number even where there is no record.
  int64_t bytes = static_cast<int64_t>(width);
  for (size_t axis = dims.size(); axis-- > 0;)
    if (dims[axis] < 0 || __builtin_mul_overflow(bytes, dims[axis], &bytes))
      return std::nullopt;
  return static_cast<uint64_t>(bytes) <= most ? std::optional<uint64_t>(bytes) : std::nullopt;
}

namespace {

template <typename From> std::vector<From> typed(const std::vector<uint8_t> &raw) {
  std::vector<From> values(raw.size() / sizeof(From));
  if (!values.empty())
    std::memcpy(values.data(), raw.data(), values.size() * sizeof(From));
  return values;
}

template <typename From> std::vector<float> reals(const std::vector<uint8_t> &raw) {
  const std::vector<From> values = typed<From>(raw);
  return {values.begin(), values.end()};
}

template <typename From>
std::vector<int32_t> integers(const Records &records, const std::vector<uint8_t> &raw) {
  const std::vector<From> values = typed<From>(raw);
  std::vector<int32_t> result(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::in_range<int32_t>(values[i]))
      records.fail(i / static_cast<size_t>(records.elements()),
                   fmt::format("{} is beyond 32 bits", values[i]));
    result[i] = static_cast<int32_t>(values[i]);
  }
  return result;
}

} // namespace

void setNumbers(Records &records, std::vector<uint8_t> raw, const NumberFormat &format) {
  using Kind = NumberFormat::Kind;
  if (format.bigEndian)
    for (size_t i = 0; i + format.width <= raw.size(); i += format.width)
      std::reverse(raw.begin() + static_cast<ptrdiff_t>(i),
                   raw.begin() + static_cast<ptrdiff_t>(i + format.width));
  const bool isSigned = format.kind == Kind::Signed;
  if (format.kind == Kind::Real && format.width == 4) {
    records.values = typed<float>(raw);
  } else if (format.kind == Kind::Real && format.width == 8) {
    records.values = reals<double>(raw);
  } else if (format.kind == Kind::Real || format.kind == Kind::BFloat) {
    std::vector<float> values;
    for (uint16_t half : typed<uint16_t>(raw))
      values.push_back(format.kind == Kind::Real ? halfToFloat(half) : bfloatToFloat(half));
    records.values = std::move(values);
  } else if (format.width == 1) {
    if (isSigned)
      records.values = integers<int8_t>(records, raw);
    else
      records.values = std::move(raw);
  } else if (format.width == 2) {
    records.values = isSigned ? integers<int16_t>(records, raw) : integers<uint16_t>(records, raw);
  } else if (format.width == 4) {
    records.values = isSigned ? integers<int32_t>(records, raw) : integers<uint32_t>(records, raw);
  } else {
    records.values = isSigned ? integers<int64_t>(records, raw) : integers<uint64_t>(records, raw);
  }
}

} // namespace sinter::runtime
