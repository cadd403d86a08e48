//===- InputFile.h - a file to read, gzip or not ----------------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

struct gzFile_s;

namespace sinter::runtime {

/// Reads a file from its beginning to its end; what is compressed with gzip is decompressed on the
/// way. Every error is a DataError that names the file and stands at `place`, the line of the spec
/// that wants it.
class InputFile {
public:
  InputFile(std::string path, std::string place);
  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  /// Reads up to `bytes`; fewer only at the end of the file. A gzip stream that is cut short or
  /// damaged is an error.
  size_t read(void *buffer, size_t bytes);

  /// All that is left.
  std::string readAll();

  /// No file of this size on disk can hold more than this many bytes.
  uint64_t mostBytes() const { return most; }

  const std::string path, place;

private:
  gzFile_s *stream = nullptr;
  uint64_t most = 0;
};

} // namespace sinter::runtime
