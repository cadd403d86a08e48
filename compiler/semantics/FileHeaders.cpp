//===- FileHeaders.cpp -----------------------------------------------------------------------===//
#include "compiler/semantics/FileHeaders.h"

#include <array>
#include <filesystem>
#include <memory>
#include <zlib.h>

namespace sinter::semantics {
namespace {

using GzFile = std::unique_ptr<gzFile_s, int (*)(gzFile)>;

/// Opens for reading, plain or compressed; null after `header` has said why not.
GzFile open(const std::string &path, FileHeader &header) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    header.state = FileHeader::State::Missing;
    return GzFile(nullptr, gzclose);
  }
  header.state = FileHeader::State::Unreadable;
  if (std::filesystem::is_directory(path, ignored)) {
    header.problem = "is a folder";
    return GzFile(nullptr, gzclose);
  }
  GzFile file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file)
    header.problem = "cannot be opened";
  return file;
}

bool readExactly(gzFile file, void *into, unsigned size) {
  return gzread(file, into, size) == static_cast<int>(size);
}

std::vector<std::string> splitLine(const std::string &line, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (char letter : line) {
    if (letter == '"')
      quoted = !quoted;
    else if (letter == separator && !quoted)
      cells.emplace_back();
    else
      cells.back() += letter;
  }
  return cells;
}

} // namespace

IdxHeader readIdxHeader(const std::string &path) {
  IdxHeader header;
  GzFile file = open(path, header);
  if (!file)
    return header;
  std::array<unsigned char, 4> magic{};
  if (!readExactly(file.get(), magic.data(), magic.size())) {
    header.problem = "ends within its header";
    return header;
  }
  constexpr std::array<unsigned char, 6> types{0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E};
  bool known = false;
  for (unsigned char type : types)
    known |= type == magic[2];
  if (magic[0] || magic[1] || !known || magic[3] == 0) {
    header.problem = "does not begin as an idx file does";
    return header;
  }
  header.integers = magic[2] < 0x0D;
  for (unsigned axis = 0; axis < magic[3]; ++axis) {
    std::array<unsigned char, 4> size{};
    if (!readExactly(file.get(), size.data(), size.size())) {
      header.problem = "ends within its header";
      return header;
    }
    int64_t dim = int64_t{size[0]} << 24 | int64_t{size[1]} << 16 | int64_t{size[2]} << 8 | size[3];
    if (axis == 0)
      header.records = dim;
    else
      header.dims.push_back(dim);
  }
  header.state = FileHeader::State::Read;
  return header;
}

CsvHeader readCsvHeader(const std::string &path, int64_t skip, char separator) {
  CsvHeader header;
  GzFile file = open(path, header);
  if (!file)
    return header;
  constexpr size_t longest = size_t{1} << 24;
  std::string line;
  for (int64_t number = 0; number <= skip; ++number) {
    line.clear();
    std::array<char, 1 << 16> part{};
    bool complete = false;
    while (!complete && line.size() < longest &&
           gzgets(file.get(), part.data(), static_cast<int>(part.size()))) {
      line += part.data();
      complete = !line.empty() && line.back() == '\n';
    }
    if (line.empty()) {
      header.problem = number == 0 ? "is empty" : "has only " + std::to_string(number) + " lines";
      return header;
    }
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.pop_back();
  if (line.rfind("\xEF\xBB\xBF", 0) == 0)
    line.erase(0, 3);
  header.cells = splitLine(line, separator);
  header.state = FileHeader::State::Read;
  return header;
}

} // namespace sinter::semantics
