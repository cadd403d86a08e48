//===- Zip.h - what .npz files are ------------------------------------------------------------===//
// PKWARE's APPNOTE 6.3: stored and deflated entries, with the 64-bit sizes that NumPy writes.
#pragma once

#include "runtime/InputFile.h"

#include <map>
#include <string>
#include <string_view>

namespace sinter::runtime {

/// An archive, read whole (gzip or not) and opened by its list of entries. Throws DataError for what
/// is none, is cut off or is damaged.
class ZipFile {
public:
  ZipFile(const std::string &path, const std::string &place);

  struct Entry {
    uint16_t method = 0; ///< 0 stored, 8 deflated
    uint32_t checksum = 0;
    uint64_t packed = 0, size = 0, header = 0; ///< bytes; where its own header lies
    bool encrypted = false;
  };

  const std::map<std::string, Entry> &entries() const { return all; }

  /// The bytes of an entry, its checksum compared.
  std::string read(const std::string &name) const;
  /// Its first bytes, at most `count`, unchecked: for a look at a header.
  std::string start(const std::string &name, size_t count) const;

  const std::string path, place;

private:
  [[noreturn]] void fail(const std::string &message) const;
  uint64_t number(uint64_t at, size_t bytes) const;
  void readList();
  void read64(Entry &entry, uint64_t at, uint64_t bytes) const;
  std::string_view packedBytes(const std::string &name, const Entry &entry) const;
  std::string unpack(const std::string &name, const Entry &entry, size_t count) const;

  std::string bytes;
  std::map<std::string, Entry> all;
};

} // namespace sinter::runtime
