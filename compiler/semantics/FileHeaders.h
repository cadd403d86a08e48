//===- FileHeaders.h - what the first bytes of a data file say -------------------------------===//
// The checker opens data files only for this: to find while compiling what would otherwise stop the training
// program at its start. Files may be gzip-compressed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sinter::semantics {

struct FileHeader {
  enum class State { Read, Missing, Unreadable };
  State state = State::Missing;
  std::string
      problem; ///< Unreadable: what is wrong, to follow the file's name: "is no idx file: …"
};

struct IdxHeader : FileHeader {
  int64_t records = 0;
  std::vector<int64_t> dims; ///< of one record
  bool integers = false;     ///< of an integer type
};

/// The header of http://yann.lecun.com/exdb/mnist/: 0, 0, type, rank, then rank big-endian sizes.
IdxHeader readIdxHeader(const std::string &path);

struct CsvHeader : FileHeader {
  std::vector<std::string> cells; ///< of the first line after `skip` ones, without quotes
};

CsvHeader readCsvHeader(const std::string &path, int64_t skip, char separator);

} // namespace sinter::semantics
