//===- SampleFiles.h - files of each format, as tests need them -------------------------------===//
#pragma once

#include "tests/unit/runtime/TestFiles.h"

#include "runtime/Image.h"

#include <cstring>

namespace sinter::runtime::test {

inline std::string littleEndian(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i)
    text.push_back(static_cast<char>(value >> 8 * i & 0xFF));
  return text;
}

inline std::string bigEndian(uint32_t value) {
  std::string text = littleEndian(value, 4);
  return {text.rbegin(), text.rend()};
}

inline uint32_t checksum(const std::string &text) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef *>(text.data()), static_cast<uInt>(text.size())));
}

/// An array as NumPy saves it.
inline std::string npy(const std::string &descr, const std::string &shape,
                       const std::string &numbers, bool fortran = false) {
  std::string header = "{'descr': '" + descr +
                       "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': (" +
                       shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + littleEndian(header.size(), 2) + header + numbers;
}

template <typename T> std::string bytesOf(const std::vector<T> &numbers) {
  return {reinterpret_cast<const char *>(numbers.data()), numbers.size() * sizeof(T)};
}

inline std::string deflated(const std::string &text, int windowBits) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef *>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

/// An archive of some entries; with `wide`, sizes stand in 64-bit fields, as NumPy writes them.
inline std::string zip(const std::vector<std::pair<std::string, std::string>> &entries, bool packed,
                       bool wide = false) {
  std::string all, list;
  for (const auto &[name, content] : entries) {
    const std::string data = packed ? deflated(content, -15) : content;
    const auto sizes = [&](bool in64) {
      return in64 ? std::string(8, '\xFF')
                  : littleEndian(data.size(), 4) + littleEndian(content.size(), 4);
    };
    const std::string extra = littleEndian(1, 2) + littleEndian(16, 2) +
                              littleEndian(content.size(), 8) + littleEndian(data.size(), 8);
    const std::string middle =
        littleEndian(packed ? 8 : 0, 2) + littleEndian(0, 4) + littleEndian(checksum(content), 4) +
        sizes(wide) + littleEndian(name.size(), 2) + littleEndian(wide ? extra.size() : 0, 2);
    list += "PK\x01\x02" + littleEndian(20, 2) + littleEndian(20, 2) + littleEndian(0, 2) + middle +
            littleEndian(0, 2) + littleEndian(0, 2) + littleEndian(0, 2) + littleEndian(0, 4) +
            littleEndian(all.size(), 4) + name + (wide ? extra : "");
    all += "PK\x03\x04" + littleEndian(20, 2) + littleEndian(0, 2) + middle + name +
           (wide ? extra : "") + data;
  }
  return all + list + "PK\x05\x06" + littleEndian(0, 4) + littleEndian(entries.size(), 2) +
         littleEndian(entries.size(), 2) + littleEndian(list.size(), 4) +
         littleEndian(all.size(), 4) + littleEndian(0, 2);
}

/// A safetensors file of one header, as JSON, and the tensors' bytes.
inline std::string safeTensors(const std::string &header, const std::string &data) {
  return littleEndian(header.size(), 8) + header + data;
}

inline std::string chunk(const std::string &type, const std::string &data) {
  return bigEndian(static_cast<uint32_t>(data.size())) + type + data +
         bigEndian(checksum(type + data));
}

/// How a PNG is stored.
struct PngForm {
  int depth = 8, colour = 2, filter = 0;
  bool interlaced = false;
};

/// A PNG of samples, one a byte (the upper one where there are two); `filter` -1 goes through all.
inline std::string png(size_t width, size_t height, size_t samples,
                       const std::vector<uint8_t> &pixels, const PngForm &form,
                       const std::string &palette = "") {
  const size_t start[7][2] = {{0, 0}, {4, 0}, {0, 4}, {2, 0}, {0, 2}, {1, 0}, {0, 1}};
  const size_t step[7][2] = {{8, 8}, {8, 8}, {4, 8}, {4, 4}, {2, 4}, {2, 2}, {1, 2}};
  std::string raw;
  int filter = std::max(form.filter, 0);
  const size_t pixelBytes = std::max<size_t>(1, samples * static_cast<size_t>(form.depth) / 8);
  for (size_t pass = 0; pass < (form.interlaced ? 7U : 1U); ++pass) {
    const size_t x0 = form.interlaced ? start[pass][0] : 0,
                 dx = form.interlaced ? step[pass][0] : 1;
    const size_t y0 = form.interlaced ? start[pass][1] : 0,
                 dy = form.interlaced ? step[pass][1] : 1;
    std::string before;
    if (x0 >= width)
      continue;
    for (size_t y = y0; y < height; y += dy) {
      std::string row;
      size_t bit = 0;
      for (size_t x = x0; x < width; x += dx)
        for (size_t c = 0; c < samples; ++c, bit += static_cast<size_t>(form.depth)) {
          const uint8_t sample = pixels[(y * width + x) * samples + c];
          if (form.depth >= 8) {
            row.push_back(static_cast<char>(sample));
            if (form.depth == 16)
              row.push_back('\x5A');
            continue;
          }
          row.resize(bit / 8 + 1);
          const unsigned value = sample >> (8 - form.depth);
          row[bit / 8] =
              static_cast<char>(static_cast<uint8_t>(row[bit / 8]) |
                                value << (8 - static_cast<unsigned>(form.depth) - bit % 8));
        }
      before.resize(row.size());
      raw.push_back(static_cast<char>(filter));
      for (size_t i = 0; i < row.size(); ++i) {
        const auto at = [&](const std::string &of, size_t back) {
          return i >= back ? static_cast<uint8_t>(of[i - back]) : 0;
        };
        const int left = at(row, pixelBytes), up = at(before, 0), corner = at(before, pixelBytes);
        const int p = left + up - corner;
        const int a = std::abs(p - left), b = std::abs(p - up), c = std::abs(p - corner);
        const int guesses[] = {0, left, up, (left + up) / 2,
                               a <= b && a <= c ? left
                               : b <= c         ? up
                                                : corner};
        raw.push_back(static_cast<char>(static_cast<uint8_t>(row[i]) - guesses[filter]));
      }
      before = row;
      filter = form.filter < 0 ? (filter + 1) % 5 : form.filter;
    }
  }
  const std::string header =
      bigEndian(static_cast<uint32_t>(width)) + bigEndian(static_cast<uint32_t>(height)) +
      std::string{static_cast<char>(form.depth), static_cast<char>(form.colour), 0, 0,
                  static_cast<char>(form.interlaced)};
  const std::string packed = deflated(raw, 15);
  const size_t half = packed.size() / 2;
  return std::string("\x89PNG\r\n\x1a\n", 8) + chunk("IHDR", header) +
         (palette.empty() ? "" : chunk("PLTE", palette)) + chunk("tEXt", "Comment") +
         chunk("IDAT", packed.substr(0, half)) + chunk("IDAT", packed.substr(half)) +
         chunk("IEND", "");
}

/// Bytes that look like nothing in particular.
inline std::vector<uint8_t> someBytes(size_t count) {
  std::vector<uint8_t> bytes(count);
  uint32_t state = 12345;
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

} // namespace sinter::runtime::test
