//===- InputFile.h - a file to read, gzip or not ----------------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

struct gzFile_s;

namespace sinter::runtime {

/// Bytes to read in order, and who they are of, for messages.
class ByteSource {
public:
  ByteSource(std::string ofPath, std::string atPlace)
      : path(std::move(ofPath)), place(std::move(atPlace)) {}
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource &) = delete;
  ByteSource &operator=(const ByteSource &) = delete;

  /// Reads up to `bytes`; fewer only at the end.
  virtual size_t read(void *buffer, size_t bytes) = 0;

  /// There cannot be more bytes than this.
  virtual uint64_t mostBytes() const = 0;

  const std::string path, place;
};

/// Bytes that are in memory already.
class MemoryBytes : public ByteSource {
public:
  MemoryBytes(std::string_view all, std::string ofPath, std::string atPlace)
      : ByteSource(std::move(ofPath), std::move(atPlace)), bytes(all) {}

  size_t read(void *buffer, size_t count) override;
  uint64_t mostBytes() const override { return bytes.size(); }

private:
  std::string_view bytes; ///< that are left
};

/// Reads a file from its beginning to its end; what is compressed with gzip is decompressed on the
/// way. Every error is a DataError that names the file and stands at `place`, the line of the spec
/// that wants it.
class InputFile : public ByteSource {
public:
  InputFile(std::string path, std::string place);
  ~InputFile() override;

  /// Reads up to `bytes`; fewer only at the end of the file. A gzip stream that is cut short or
  /// damaged is an error.
  size_t read(void *buffer, size_t bytes) override;

  /// All that is left.
  std::string readAll();

  /// No file of this size on disk can hold more than this many bytes.
  uint64_t mostBytes() const override { return most; }

private:
  gzFile_s *stream = nullptr;
  uint64_t most = 0;
};

} // namespace sinter::runtime
