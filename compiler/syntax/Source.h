//===- Source.h - the text of a program and places in it --------------------------------------===//
// A Span is twelve bytes: a file and two byte offsets. Lines and columns are worked out only when
// someone asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sinter::syntax {

using FileId = uint32_t;
inline constexpr FileId noFile = UINT32_MAX;

/// The bytes [begin, end) of a file. A span without a file is for what has no place, such as a
/// flag.
struct Span {
  FileId file = noFile;
  uint32_t begin = 0;
  uint32_t end = 0;

  bool valid() const { return file != noFile; }
  /// The empty span just after this one.
  Span after() const { return {file, end, end}; }
  /// The empty span just before this one.
  Span before() const { return {file, begin, begin}; }
  bool operator==(const Span &) const = default;
};

/// From the start of the first to the end of the second; a span without a file does not count.
Span join(Span first, Span last);

/// Both count from 1. A column is a code point (a tab is one, too); a byte that is not UTF-8 is
/// one.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
  bool operator==(const LineColumn &) const = default;
};

/// Holds all files of a run. Texts never move, so views into them stay valid as long as the
/// manager.
class SourceManager {
public:
  static constexpr size_t maxFileBytes = size_t{16} << 20;

  /// What `load` came to: a file, or why there is none.
  struct Loaded {
    FileId file = noFile;
    bool tooLarge = false;
    std::string problem; // "no such file", "is a folder", ...; empty where there is a file or it is
                         // too large
  };

  SourceManager() = default;
  SourceManager(const SourceManager &) = delete;
  SourceManager &operator=(const SourceManager &) = delete;

  /// A file whose text is in memory. `path` is what diagnostics show.
  FileId add(std::string path, std::string text);

  /// Reads a file. The same file, by whatever path, is read once and keeps its first id.
  Loaded load(const std::filesystem::path &path);

  size_t fileCount() const { return files.size(); }
  const std::string &path(FileId file) const { return files[file].path; }
  std::string_view text(FileId file) const { return files[file].text; }
  std::string_view text(Span span) const;

  LineColumn lineColumn(FileId file, uint32_t offset) const;
  LineColumn lineColumn(Span span) const { return lineColumn(span.file, span.begin); }
  /// The text of a line that counts from 1, without its end (neither "\n" nor "\r\n").
  std::string_view lineText(FileId file, uint32_t line) const;
  /// The offset at which a line begins.
  uint32_t lineBegin(FileId file, uint32_t line) const { return files[file].lineBegins[line - 1]; }
  /// "gpt.sinter:14:29"; empty for a span without a file.
  std::string describe(Span span) const;

  /// The path that `said` means in `file`: relative to the folder of the file that says it.
  std::filesystem::path resolve(FileId file, std::string_view said) const;

private:
  struct File {
    std::string path;
    std::string text;
    std::filesystem::path identity; // canonical; empty for a text in memory
    std::vector<uint32_t> lineBegins;
  };
  std::deque<File> files;
};

} // namespace sinter::syntax
