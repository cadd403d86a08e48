#include "runtime/TextReader.h"

#include "runtime/Error.h"
#include "runtime/InputFile.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace sinter::runtime {

namespace {

/// The code point at `at`, which moves behind it; false if there is none (RFC 3629: shortest form, no
/// surrogates, up to U+10FFFF).
bool decode(const std::string &text, size_t &at, char32_t &point) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  const size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
  if (length == 1) {
    point = first;
    ++at;
    return true;
  }
  if ((length == 4 && first >> 3 != 30) || at + length > text.size())
    return false;
  point = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if (byte(at + i) >> 6 != 2)
      return false;
    point = point << 6 | (byte(at + i) & 0x3Fu);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
    return false;
  at += length;
  return true;
}

} // namespace

std::vector<char32_t> readText(const std::string &path, const std::string &place) {
  const std::string bytes = InputFile(path, place).readAll();
  std::vector<char32_t> points;
  points.reserve(bytes.size());
  size_t line = 1;
  for (size_t at = 0; at < bytes.size();) {
    char32_t point = 0;
    if (!decode(bytes, at, point))
      throw DataError(fmt::format("{} is no UTF-8 text: byte {} of it, in line {}, is {:#04x}",
                                  path, at, line, static_cast<uint8_t>(bytes[at])),
                      place);
    line += point == U'\n';
    points.push_back(point);
  }
  return points;
}

bool isUtf8(const std::string &text) {
  char32_t point = 0;
  for (size_t at = 0; at < text.size();)
    if (!decode(text, at, point))
      return false;
  return true;
}

std::string utf8(char32_t point) {
  std::string text;
  const auto add = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0 | point >> 6);
    add(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    add(0xE0 | point >> 12);
    add(0x80 | (point >> 6 & 0x3F));
    add(0x80 | (point & 0x3F));
  } else {
    add(0xF0 | point >> 18);
    add(0x80 | (point >> 12 & 0x3F));
    add(0x80 | (point >> 6 & 0x3F));
    add(0x80 | (point & 0x3F));
  }
  return text;
}

Vocabulary::Vocabulary(std::vector<std::string> words) : all(std::move(words)) {}

Vocabulary Vocabulary::of(std::span<const std::vector<char32_t> *const> texts) {
  std::set<char32_t> points;
  std::vector<bool> seen(0x110000);
  for (const std::vector<char32_t> *text : texts)
    for (char32_t point : *text)
      if (!seen[point]) {
        seen[point] = true;
        points.insert(point);
      }
  std::vector<std::string> words;
  for (char32_t point : points)
    words.push_back(utf8(point));
  return Vocabulary(std::move(words));
}

std::vector<int32_t> Vocabulary::encode(const std::vector<char32_t> &text, const std::string &path,
                                        const std::string &place) const {
  std::vector<int32_t> idOf(0x110000, -1);
  for (size_t id = 0; id < all.size(); ++id) {
    size_t at = 0;
    char32_t point = 0;
    if (!all[id].empty() && decode(all[id], at, point))
      idOf[point] = static_cast<int32_t>(id);
  }
  std::vector<int32_t> ids(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    ids[i] = idOf[text[i]];
    if (ids[i] < 0)
      throw DataError(fmt::format("character {} of {} is `{}`, which is none of the {} that the "
                                  "weights know",
                                  i, path, utf8(text[i]), all.size()),
                      place);
  }
  return ids;
}

} // namespace sinter::runtime
