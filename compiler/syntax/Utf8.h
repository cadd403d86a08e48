//===- Utf8.h - code points of a text that may not be UTF-8 -----------------------------------===//
#pragma once

#include <cstdint>
#include <string_view>

namespace sinter::syntax {

inline constexpr std::string_view byteOrderMark = "\xEF\xBB\xBF";

struct CodePoint {
  char32_t value;
  uint32_t length; // in bytes, at least 1
  bool valid; // a byte that begins no well-formed sequence is one code point of its own, U+FFFD
};

/// The code point that begins at `at`, which is less than text.size(). Overlong forms, surrogates
/// and values above U+10FFFF are not well-formed (Unicode 15, table 3-7).
CodePoint decodeUtf8(std::string_view text, size_t at);

/// How many columns of a terminal it takes: 0 (combining), 1 or 2 (East Asian wide, emoji).
int displayWidth(char32_t value);

} // namespace sinter::syntax
