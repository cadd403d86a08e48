#include "runtime/Npy.h"

#include "runtime/Error.h"
#include "runtime/OutputFile.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace sinter::runtime {

namespace {

[[noreturn]] void fail(const ByteSource &file, const std::string &message) {
  throw DataError(fmt::format("{}: {}", file.path, message), file.place);
}

/// What stands behind `'key':` in the header, a Python dictionary.
std::string_view valueOf(const ByteSource &file, std::string_view header, std::string_view key) {
  const size_t at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos)
    fail(file, fmt::format("its header has no `{}`", key));
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

Shape readDims(const ByteSource &file, std::string_view text) {
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

std::string readHeader(ByteSource &file) {
  uint8_t start[8] = {};
  if (file.read(start, 8) < 8 || std::memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 ||
      start[6] > 3)
    fail(file, "it is no .npy file");
  uint8_t length[4] = {};
  const size_t lengthBytes = start[6] == 1 ? 2 : 4;
  file.read(length, lengthBytes);
  const size_t size = length[0] | length[1] << 8 | length[2] << 16 | size_t{length[3]} << 24;
  std::string header(size <= file.mostBytes() ? size : 0, ' ');
  if (header.size() < size || file.read(header.data(), size) < size)
    fail(file, "it ends within its header");
  return header;
}

/// An array whose first axis runs fastest, turned so that its last one does.
std::vector<uint8_t> turned(const std::vector<uint8_t> &raw, const Shape &dims, size_t width) {
  std::vector<uint8_t> result(raw.size());
  std::vector<size_t> stride(dims.size()), index(dims.size());
  size_t step = width;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    stride[axis] = step;
    step *= static_cast<size_t>(dims[axis]);
  }
  size_t from = 0;
  for (size_t to = 0; to < raw.size(); to += width) {
    std::memcpy(result.data() + to, raw.data() + from, width);
    for (size_t axis = dims.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < static_cast<size_t>(dims[axis]))
        break;
      from -= index[axis] * stride[axis];
      index[axis] = 0;
    }
  }
  return result;
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

NpyHeader readNpyHeader(ByteSource &file) {
  const std::string text = readHeader(file);
  const std::string_view described = valueOf(file, text, "descr");
  if (described.empty() || (described[0] != '\'' && described[0] != '"'))
    fail(file, "it holds records of several fields, not numbers");
  const std::string type(described.substr(1, described.find(described[0], 1) - 1));
  NpyHeader header;
  if (const std::optional<NumberFormat> format = numpyFormat(type))
    header.format = *format;
  else
    fail(file, fmt::format("numbers of type {} are not read", type));
  header.fortranOrder = valueOf(file, text, "fortran_order").starts_with("True");
  header.dims = readDims(file, valueOf(file, text, "shape"));
  if (header.dims.empty())
    fail(file, "it is a single number, not records");
  return header;
}

Records readNpy(ByteSource &file) {
  const NpyHeader header = readNpyHeader(file);
  Records records;
  records.file = file.path;
  records.place = file.place;
  records.count = header.dims[0];
  records.shape.assign(header.dims.begin() + 1, header.dims.end());
  const std::optional<uint64_t> bytes = bytesOf(header.dims, header.format.width, file.mostBytes());
  std::vector<uint8_t> raw(bytes.value_or(0));
  uint8_t more = 0;
  if (!bytes || file.read(raw.data(), raw.size()) < raw.size())
    fail(file, fmt::format("it is short of the {} records that its header says", records.count));
  if (file.read(&more, 1) != 0)
    fail(file, fmt::format("it goes on behind the {} records that its header says", records.count));
  if (header.fortranOrder && header.dims.size() > 1)
    raw = turned(raw, header.dims, header.format.width);
  setNumbers(records, std::move(raw), header.format);
  return records;
}

Records readNpy(const std::string &path, const std::string &place) {
  InputFile file(path, place);
  return readNpy(file);
}

void writeNpy(const std::string &path, const Shape &shape, std::span<const float> values) {
  writeArray(path, shape, values, "<f4");
}

void writeNpy(const std::string &path, const Shape &shape, std::span<const int32_t> values) {
  writeArray(path, shape, values, "<i4");
}

} // namespace sinter::runtime
