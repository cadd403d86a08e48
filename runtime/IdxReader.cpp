#include "runtime/IdxReader.h"

#include "runtime/Error.h"
#include "runtime/InputFile.h"
#include "runtime/RawNumbers.h"

#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace sinter::runtime {

std::string Records::where(size_t record) const {
  return lines.empty() ? fmt::format("record {} of {}", record, file)
                       : fmt::format("line {} of {}", lines[record], file);
}

void Records::fail(size_t record, const std::string &message) const {
  throw DataError(fmt::format("{}: {}", where(record), message), place);
}

namespace {

uint32_t bigEndian(const uint8_t *bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

float toFloat(const uint8_t *bytes) { return std::bit_cast<float>(bigEndian(bytes)); }

float toFloatFromDouble(const uint8_t *bytes) {
  const uint64_t bits = uint64_t{bigEndian(bytes)} << 32 | bigEndian(bytes + 4);
  return static_cast<float>(std::bit_cast<double>(bits));
}

/// Turns `raw` into numbers, `width` bytes each.
template <typename T, typename Convert>
std::vector<T> convert(const std::vector<uint8_t> &raw, size_t width, const Convert &one) {
  std::vector<T> values(raw.size() / width);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = one(raw.data() + i * width);
  return values;
}

struct Header {
  uint8_t type = 0;
  size_t width = 0;
  std::vector<int64_t> dims;
};

Header readHeader(InputFile &file) {
  std::array<uint8_t, 4> magic{};
  const size_t got = file.read(magic.data(), 4);
  Header header;
  header.type = magic[2];
  switch (header.type) {
  case 0x08: // u8
  case 0x09: // i8
    header.width = 1;
    break;
  case 0x0B: // i16
    header.width = 2;
    break;
  case 0x0C: // i32
  case 0x0D: // f32
    header.width = 4;
    break;
  case 0x0E: // f64
    header.width = 8;
    break;
  default:
    break;
  }
  if (got < 4 || magic[0] != 0 || magic[1] != 0 || header.width == 0 || magic[3] == 0)
    throw DataError(
        fmt::format("{} is no IDX file: it begins with {:02x}", file.path,
                    fmt::join(magic.begin(), magic.begin() + static_cast<ptrdiff_t>(got), " ")),
        file.place);
  for (int i = 0; i < magic[3]; ++i) {
    std::array<uint8_t, 4> dim{};
    if (file.read(dim.data(), 4) < 4)
      throw DataError(fmt::format("{} is short: it ends within its header", file.path), file.place);
    header.dims.push_back(bigEndian(dim.data()));
  }
  return header;
}

} // namespace

Records readIdx(const std::string &path, const std::string &place) {
  InputFile file(path, place);
  const Header header = readHeader(file);
  Records records;
  records.file = path;
  records.place = place;
  records.count = header.dims[0];
  records.shape.assign(header.dims.begin() + 1, header.dims.end());

  const std::optional<uint64_t> bytes = bytesOf(header.dims, header.width, file.mostBytes());
  std::vector<uint8_t> raw(bytes.value_or(0));
  const size_t got = file.read(raw.data(), raw.size());
  if (!bytes || got < raw.size()) {
    std::string ending = "it is far too small for them";
    if (bytes)
      ending = fmt::format("it ends within record {}",
                           got / (header.width * static_cast<size_t>(records.elements())));
    throw DataError(fmt::format("{} is short: its header says {} records{}{}, and {}", path,
                                records.count, records.shape.empty() ? "" : " of ",
                                fmt::join(records.shape, "×"), ending),
                    place);
  }
  uint8_t more = 0;
  if (file.read(&more, 1) != 0) // this also makes zlib compare the checksum
    throw DataError(
        fmt::format("{} goes on behind the {} records that its header says", path, records.count),
        place);
  switch (header.type) {
  case 0x08:
    records.values = std::move(raw);
    break;
  case 0x09:
    records.values =
        convert<int32_t>(raw, 1, [](const uint8_t *b) { return static_cast<int8_t>(*b); });
    break;
  case 0x0B:
    records.values = convert<int32_t>(
        raw, 2, [](const uint8_t *b) { return static_cast<int16_t>(uint16_t{b[0]} << 8 | b[1]); });
    break;
  case 0x0C:
    records.values = convert<int32_t>(
        raw, 4, [](const uint8_t *b) { return static_cast<int32_t>(bigEndian(b)); });
    break;
  case 0x0D:
    records.values = convert<float>(raw, 4, toFloat);
    break;
  default:
    records.values = convert<float>(raw, 8, toFloatFromDouble);
    break;
  }
  return records;
}

} // namespace sinter::runtime
