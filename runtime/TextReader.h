//===- TextReader.h - characters and their ids ------------------------------------------------===//
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sinter::runtime {

/// The code points of a UTF-8 file, gzip or not. Throws DataError for what is no UTF-8, with the
/// place in the file.
std::vector<char32_t> readText(const std::string &path, const std::string &place);

bool isUtf8(const std::string &text);

/// A code point as UTF-8.
std::string utf8(char32_t point);

/// The distinct characters of some texts in code point order, each as UTF-8; an id is a position in it.
class Vocabulary {
public:
  Vocabulary() = default;
  explicit Vocabulary(std::vector<std::string> words);
  static Vocabulary of(std::span<const std::vector<char32_t> *const> texts);

  const std::vector<std::string> &characters() const { return all; }

  /// The ids of a text. Throws DataError naming the first character that has none.
  std::vector<int32_t> encode(const std::vector<char32_t> &text, const std::string &path,
                              const std::string &place) const;

private:
  std::vector<std::string> all;
};

} // namespace sinter::runtime
