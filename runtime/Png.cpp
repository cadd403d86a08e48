//===- Png.cpp - PNG pictures by zlib alone ---------------------------------------------------===//
#include "runtime/Image.h"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <zlib.h>

namespace sinter::runtime {

namespace {

[[noreturn]] void fail(std::string what) { throw ImageProblem{std::move(what)}; }

uint32_t bigEndian(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

struct Header {
  uint32_t width = 0, height = 0;
  int depth = 0, colour = 0;
  bool interlaced = false;

  size_t samples() const { ///< of a pixel, as they are stored
    constexpr std::array<size_t, 7> counts = {1, 0, 3, 1, 2, 0, 4};
    return counts[static_cast<size_t>(colour)];
  }
  size_t rowBytes(size_t pixels) const {
    return (pixels * samples() * static_cast<size_t>(depth) + 7) / 8;
  }
};

Header readHeader(std::string_view data) {
  if (data.size() != 13)
    fail("its header has a strange length");
  Header header;
  header.width = bigEndian(data, 0);
  header.height = bigEndian(data, 4);
  header.depth = static_cast<uint8_t>(data[8]);
  header.colour = static_cast<uint8_t>(data[9]);
  header.interlaced = data[12] == 1;
  const int depth = header.depth, colour = header.colour;
  const bool small = depth == 1 || depth == 2 || depth == 4;
  const bool known = (colour == 0 && (small || depth == 8 || depth == 16)) ||
                     (colour == 3 && (small || depth == 8)) ||
                     ((colour == 2 || colour == 4 || colour == 6) && (depth == 8 || depth == 16));
  if (!known || data[10] != 0 || data[11] != 0 || static_cast<uint8_t>(data[12]) > 1)
    fail("its header says nothing that a PNG can be");
  if (header.width == 0 || header.height == 0 ||
      uint64_t{header.width} * header.height > mostPixels)
    fail(fmt::format("{}×{} pixels are not read", header.width, header.height));
  return header;
}

/// One of the seven pictures that an interlaced one is stored as; the whole is one of its own.
struct Pass {
  size_t x, y, stepX, stepY, width, height;
};

std::vector<Pass> passesOf(const Header &header) {
  if (!header.interlaced)
    return {{0, 0, 1, 1, header.width, header.height}};
  constexpr size_t start[7][2] = {{0, 0}, {4, 0}, {0, 4}, {2, 0}, {0, 2}, {1, 0}, {0, 1}};
  constexpr size_t step[7][2] = {{8, 8}, {8, 8}, {4, 8}, {4, 4}, {2, 4}, {2, 2}, {1, 2}};
  std::vector<Pass> passes;
  for (size_t i = 0; i < 7; ++i) {
    const auto along = [&](size_t size, size_t axis) {
      return size > start[i][axis] ? (size - start[i][axis] + step[i][axis] - 1) / step[i][axis]
                                   : 0;
    };
    const Pass pass{start[i][0],
                    start[i][1],
                    step[i][0],
                    step[i][1],
                    along(header.width, 0),
                    along(header.height, 1)};
    if (pass.width > 0 && pass.height > 0)
      passes.push_back(pass);
  }
  return passes;
}

std::vector<uint8_t> inflateAll(const std::string &packed, size_t size) {
  constexpr uint64_t mostPerByte = 1032; // deflate cannot do better
  if (size > mostPerByte * packed.size())
    fail("it is cut off: its data is too short for its size");
  std::vector<uint8_t> raw(size);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK)
    fail("there is no memory");
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = raw.data();
  stream.avail_out = static_cast<uInt>(raw.size());
  const int code = inflate(&stream, Z_FINISH);
  const size_t left = stream.avail_out;
  inflateEnd(&stream);
  if (code == Z_DATA_ERROR || code == Z_NEED_DICT)
    fail("its data is damaged");
  if (left > 0)
    fail("it is cut off within its data");
  return raw;
}

/// Undoes the filter of one row; `before` is the row above, or null.
void unfilter(uint8_t filter, uint8_t *row, const uint8_t *before, size_t bytes, size_t pixel) {
  if (filter > 4)
    fail("its data is damaged: a row has an unknown filter");
  for (size_t i = 0; i < bytes; ++i) {
    const int left = i >= pixel ? row[i - pixel] : 0, up = before ? before[i] : 0,
              corner = before && i >= pixel ? before[i - pixel] : 0;
    int guess = 0;
    if (filter == 1) {
      guess = left;
    } else if (filter == 2) {
      guess = up;
    } else if (filter == 3) {
      guess = (left + up) / 2;
    } else if (filter == 4) {
      const int p = left + up - corner;
      const int a = std::abs(p - left), b = std::abs(p - up), c = std::abs(p - corner);
      guess = a <= b && a <= c ? left : b <= c ? up : corner;
    }
    row[i] = static_cast<uint8_t>(row[i] + guess);
  }
}

/// Sample `index` of a row as it is stored, its upper byte where it has two.
unsigned sampleOf(const uint8_t *row, size_t index, int depth) {
  if (depth == 16)
    return row[2 * index];
  if (depth == 8)
    return row[index];
  const size_t bit = index * static_cast<size_t>(depth);
  return row[bit / 8] >> (8 - static_cast<size_t>(depth) - bit % 8) & ((1U << depth) - 1);
}

Image unpack(const Header &header, const std::string &packed, const std::string &palette) {
  const std::vector<Pass> passes = passesOf(header);
  size_t size = 0;
  for (const Pass &pass : passes)
    size += pass.height * (header.rowBytes(pass.width) + 1);
  std::vector<uint8_t> raw = inflateAll(packed, size);
  const bool indexed = header.colour == 3;
  const size_t samples = header.samples();
  Image image{header.width, header.height, indexed ? 3 : samples, {}};
  image.pixels.resize(image.width * image.height * image.channels);
  const size_t pixel = std::max<size_t>(1, samples * static_cast<size_t>(header.depth) / 8);
  const unsigned scale = header.depth < 8 && !indexed ? 255 / ((1U << header.depth) - 1) : 1;
  uint8_t *next = raw.data();
  for (const Pass &pass : passes) {
    const size_t bytes = header.rowBytes(pass.width);
    const uint8_t *before = nullptr;
    for (size_t y = 0; y < pass.height; ++y, next += bytes + 1) {
      uint8_t *row = next + 1;
      unfilter(*next, row, before, bytes, pixel);
      before = row;
      for (size_t x = 0; x < pass.width; ++x) {
        uint8_t *out =
            image.pixels.data() +
            ((pass.y + y * pass.stepY) * image.width + pass.x + x * pass.stepX) * image.channels;
        if (indexed) {
          const size_t entry = 3 * sampleOf(row, x, header.depth);
          if (entry + 3 > palette.size())
            fail("a pixel has a colour that its palette lacks");
          for (size_t c = 0; c < 3; ++c)
            out[c] = static_cast<uint8_t>(palette[entry + c]);
          continue;
        }
        for (size_t c = 0; c < samples; ++c)
          out[c] = static_cast<uint8_t>(sampleOf(row, x * samples + c, header.depth) * scale);
      }
    }
  }
  return image;
}

} // namespace

Image decodePng(std::string_view bytes) {
  constexpr std::string_view signature("\x89PNG\r\n\x1a\n", 8);
  if (!bytes.starts_with(signature))
    fail("it is damaged: it does not begin as a PNG does");
  Header header;
  std::string packed, palette;
  for (size_t at = signature.size();;) {
    if (at + 12 > bytes.size())
      fail("it is cut off");
    const size_t length = bigEndian(bytes, at);
    if (length > bytes.size() - at - 12)
      fail("it is cut off");
    const std::string_view type = bytes.substr(at + 4, 4), data = bytes.substr(at + 8, length);
    const uLong sum =
        crc32(crc32(0, nullptr, 0), reinterpret_cast<const Bytef *>(bytes.data() + at + 4),
              static_cast<uInt>(length + 4));
    if (sum != bigEndian(bytes, at + 8 + length))
      fail(fmt::format("it is damaged: the checksum of its {} is another", type));
    if (at == signature.size() && type != "IHDR")
      fail("it has no header");
    if (type == "IHDR")
      header = readHeader(data);
    else if (type == "PLTE")
      palette = data;
    else if (type == "IDAT")
      packed += data;
    else if (type == "IEND")
      return unpack(header, packed, palette);
    at += length + 12;
  }
}

} // namespace sinter::runtime
