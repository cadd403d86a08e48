//===- CsvReader.h - lines of numbers and words -----------------------------------------------===//
// Cells may be quoted ("a ""b"""), but not run over lines. A blank as separator stands for any run
// of blanks. Blank lines are no records.
#pragma once

#include "runtime/Records.h"

#include <set>
#include <string_view>

namespace sinter::runtime {

/// One file, read once and asked for columns by several fields.
class CsvFile {
public:
  /// Reads the file, gzip or not. Throws DataError.
  CsvFile(const std::string &path, const std::string &place, char separator);

  /// Whether the first line must be a header for this source: it is asked for by name, or one of
  /// these cells should be a number and is none. Only meaningful where the source has no `skip`.
  bool looksLikeHeader(const Source &source, const Field &field, const std::string &place) const;

  /// Whether some cell of the records is no integer, so that a class column consists of words.
  bool hasWords(const Source &source, bool header, const std::string &place) const;

  /// Adds the distinct words of the records.
  void collectWords(const Source &source, bool header, const std::string &place,
                    std::set<std::string> &words) const;

  /// The numbers of these columns: f32, or i32 for a field of integers. Where `words` is not null,
  /// the field is a class column of words and a cell's number is its word's position there.
  Records read(const Source &source, bool header, const Field &field,
               const std::vector<std::string> *words, const std::string &place) const;

  const std::string path;

private:
  struct Line {
    std::string_view text;
    uint32_t number; ///< from 1
  };

  std::vector<std::string> cells(std::string_view line) const;
  std::vector<size_t> chosenColumns(const Source &source, bool header,
                                    const std::string &place) const;
  size_t firstRecord(const Source &source, bool header) const;
  template <typename Visit>
  void forEachCell(const Source &source, bool header, const std::string &place,
                   const Visit &visit) const;

  std::string text;
  std::vector<Line> lines; ///< that are not blank
  uint32_t lineCount = 0;
  char separator;
};

} // namespace sinter::runtime
