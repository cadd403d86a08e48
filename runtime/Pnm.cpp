//===- Pnm.cpp - portable bitmaps, grey maps and pixmaps --------------------------------------===//
#include "runtime/Image.h"

#include <fmt/format.h>

namespace sinter::runtime {

namespace {

[[noreturn]] void fail(std::string what) { throw ImageProblem{std::move(what)}; }

class Reader {
public:
  explicit Reader(std::string_view all) : bytes(all) {}

  /// The next number; comments run from `#` to the end of their line.
  uint32_t number() {
    skip();
    if (at == bytes.size() || !isDigit(bytes[at]))
      fail(at == bytes.size() ? "it is cut off" : "a number is missing");
    uint64_t value = 0;
    while (at < bytes.size() && isDigit(bytes[at])) {
      value = 10 * value + static_cast<uint64_t>(bytes[at++] - '0');
      if (value > UINT32_MAX)
        fail("a number in it is too large");
    }
    return static_cast<uint32_t>(value);
  }

  /// 0 or 1 of a plain bitmap, which need no blank between them.
  uint32_t bit() {
    skip();
    if (at == bytes.size())
      fail("it is cut off");
    const char c = bytes[at++];
    if (c != '0' && c != '1')
      fail("a bit is neither 0 nor 1");
    return c == '1';
  }

  uint32_t byte() {
    if (at == bytes.size())
      fail("it is cut off");
    return static_cast<uint8_t>(bytes[at++]);
  }

private:
  static bool isDigit(char c) { return c >= '0' && c <= '9'; }
  void skip() {
    while (at < bytes.size()) {
      const char c = bytes[at];
      if (c == '#')
        while (at < bytes.size() && bytes[at] != '\n')
          ++at;
      else if (c == ' ' || (c >= '\t' && c <= '\r'))
        ++at;
      else
        return;
    }
  }

  std::string_view bytes;
  size_t at = 2; ///< behind the magic
};

} // namespace

Image decodePnm(std::string_view bytes) {
  const int kind = bytes[1] - '0';
  const bool bitmap = kind == 1 || kind == 4, plain = kind <= 3;
  Reader reader(bytes);
  Image image;
  image.width = reader.number();
  image.height = reader.number();
  image.channels = kind == 3 || kind == 6 ? 3 : 1;
  const uint32_t most = bitmap ? 1 : reader.number();
  const uint64_t pixels = uint64_t{image.width} * image.height;
  if (pixels == 0 || pixels > mostPixels)
    fail(fmt::format("{}×{} pixels are not read", image.width, image.height));
  if (most == 0 || most > 0xFFFF)
    fail(fmt::format("its largest number is {}, which it cannot be", most));
  const uint64_t perByte = plain || !bitmap ? 1 : 8;
  if (pixels * image.channels / perByte > bytes.size())
    fail("it is cut off");
  if (!plain)
    reader.byte(); // the one blank before the data
  image.pixels.reserve(pixels * image.channels);
  if (kind == 4) {
    for (size_t y = 0; y < image.height; ++y) {
      uint32_t byte = 0;
      for (size_t x = 0; x < image.width; ++x) {
        byte = x % 8 == 0 ? reader.byte() : byte << 1;
        image.pixels.push_back(byte & 0x80 ? 0 : 255); // 1 is black
      }
    }
    return image;
  }
  for (uint64_t i = 0; i < pixels * image.channels; ++i) {
    uint32_t value = 0;
    if (kind == 1)
      value = reader.bit() ? 0 : 1;
    else if (plain)
      value = reader.number();
    else if (most < 256)
      value = reader.byte();
    else
      value = reader.byte() << 8 | reader.byte();
    if (value > most)
      fail(fmt::format("a number in it is {}, and its largest is {}", value, most));
    image.pixels.push_back(static_cast<uint8_t>((value * 255 + most / 2) / most));
  }
  return image;
}

} // namespace sinter::runtime
