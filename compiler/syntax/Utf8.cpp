#include "compiler/syntax/Utf8.h"

namespace sinter::syntax {

CodePoint decodeUtf8(std::string_view text, size_t at) {
  constexpr CodePoint malformed{0xFFFD, 1, false};
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  if (first < 0x80)
    return {first, 1, true};
  const uint32_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size())
    return malformed;
  char32_t value = first & (0x7F >> length);
  for (uint32_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80)
      return malformed;
    value = value << 6 | (byte(at + i) & 0x3F);
  }
  const char32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
    return malformed;
  return {value, length, true};
}

int displayWidth(char32_t value) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range combining[] = {
      {0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};
  constexpr Range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},  {0x3041, 0xA4CF},
                            {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},  {0xFE30, 0xFE4F},
                            {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F},
                            {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
  for (const Range &range : combining)
    if (value >= range.first && value <= range.last)
      return 0;
  for (const Range &range : wide)
    if (value >= range.first && value <= range.last)
      return 2;
  return 1;
}

} // namespace sinter::syntax
