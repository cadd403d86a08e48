#include "runtime/Npy.h"

#include "runtime/Error.h"
#include "runtime/Half.h"
#include "runtime/InputFile.h"
#include "runtime/OutputFile.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace sinter::runtime {

namespace {

[[noreturn]] void fail(const InputFile &file, const std::string &message) {
  throw DataError(fmt::format("{}: {}", file.path, message), file.place);
}

/// What stands behind `'key':` in the header, a Python dictionary.
std::string_view valueOf(const InputFile &file, std::string_view header, std::string_view key) {
  const size_t at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos)
    fail(file, fmt::format("its header has no `{}`", key));
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

Shape readDims(const InputFile &file, std::string_view text) {
  Shape dims;
  const size_t end = text.find(')');
  if (text.empty() || text[0] != '(' || end == std::string_view::npos)
    fail(file, "its header has no shape");
  const char *next = text.data() + 1, *last = text.data() + end;
  while (next < last) {
    int64_t dim = 0;
    const auto [rest, error] = std::from_chars(next, last, dim);
    if (error != std::errc() || dim < 0)
      fail(file, "its header has no shape");
    dims.push_back(dim);
    next = std::find_if(rest, last, [](char c) { return c >= '0' && c <= '9'; });
  }
  return dims;
}

std::string readHeader(InputFile &file) {
  uint8_t start[8] = {};
  if (file.read(start, 8) < 8 || std::memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 ||
      start[6] > 3)
    fail(file, "it is no .npy file");
  uint8_t length[4] = {};
  const size_t lengthBytes = start[6] == 1 ? 2 : 4;
  file.read(length, lengthBytes);
  std::string header(length[0] | length[1] << 8 | length[2] << 16 | size_t{length[3]} << 24, ' ');
  if (header.size() > file.mostBytes() || file.read(header.data(), header.size()) < header.size())
    fail(file, "it ends within its header");
  return header;
}

template <typename From, typename To> std::vector<To> convert(const std::vector<uint8_t> &raw) {
  std::vector<To> values(raw.size() / sizeof(From));
  for (size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, raw.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<To>(value);
  }
  return values;
}

template <typename T>
void writeArray(const std::string &path, const Shape &shape, std::span<const T> values,
                const char *type) {
  std::string dims;
  for (int64_t dim : shape)
    dims += fmt::format("{}, ", dim);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, dims);
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  const auto length = static_cast<uint16_t>(header.size());
  OutputFile file(path);
  file.write("\x93NUMPY\x01\x00", 8);
  file.write(&length, 2);
  file.write(header.data(), header.size());
  file.write(values.data(), values.size_bytes());
  file.commit();
}

} // namespace

Records readNpy(const std::string &path, const std::string &place) {
  InputFile file(path, place);
  const std::string header = readHeader(file);
  const std::string_view described = valueOf(file, header, "descr");
  const std::string type(described.substr(0, described.find('\'', 1)).substr(1));
  if (valueOf(file, header, "fortran_order").starts_with("True"))
    fail(file, "it is in Fortran order: save numpy.ascontiguousarray(x)");
  const Shape dims = readDims(file, valueOf(file, header, "shape"));
  if (dims.empty())
    fail(file, "it is a single number, not records");
  Records records;
  records.file = path;
  records.place = place;
  records.count = dims[0];
  records.shape.assign(dims.begin() + 1, dims.end());
  const size_t width = type.size() == 3 ? static_cast<size_t>(type[2] - '0') : 0;
  uint64_t bytes = width;
  bool possible = true;
  for (int64_t dim : dims)
    possible = possible && !__builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes);
  possible = possible && bytes <= file.mostBytes();
  std::vector<uint8_t> raw(possible ? bytes : 0);
  uint8_t more = 0;
  if (!possible || file.read(raw.data(), raw.size()) < raw.size())
    fail(file, fmt::format("it is short of the {} records that its header says", records.count));
  if (file.read(&more, 1) != 0)
    fail(file, fmt::format("it goes on behind the {} records that its header says", records.count));
  if (type == "|u1" || type == "|b1") {
    records.values = std::move(raw);
  } else if (type == "|i1") {
    records.values = convert<int8_t, int32_t>(raw);
  } else if (type == "<i2") {
    records.values = convert<int16_t, int32_t>(raw);
  } else if (type == "<i4") {
    records.values = convert<int32_t, int32_t>(raw);
  } else if (type == "<i8") {
    const std::vector<int64_t> wide = convert<int64_t, int64_t>(raw);
    for (size_t i = 0; i < wide.size(); ++i)
      if (wide[i] != static_cast<int32_t>(wide[i]))
        records.fail(i / static_cast<size_t>(records.elements()),
                     fmt::format("{} is beyond 32 bits", wide[i]));
    records.values = convert<int64_t, int32_t>(raw);
  } else if (type == "<f4") {
    records.values = convert<float, float>(raw);
  } else if (type == "<f8") {
    records.values = convert<double, float>(raw);
  } else if (type == "<f2") {
    std::vector<float> values;
    for (uint16_t half : convert<uint16_t, uint16_t>(raw))
      values.push_back(halfToFloat(half));
    records.values = std::move(values);
  } else {
    fail(file, fmt::format("numbers of type {} are not read", type));
  }
  return records;
}

void writeNpy(const std::string &path, const Shape &shape, std::span<const float> values) {
  writeArray(path, shape, values, "<f4");
}

void writeNpy(const std::string &path, const Shape &shape, std::span<const int32_t> values) {
  writeArray(path, shape, values, "<i4");
}

} // namespace sinter::runtime
