//===- SafeTensors.h - the file format of checkpoints -----------------------------------------===//
// An 8-byte little-endian length, a JSON header of that length, then the tensors' bytes
// (https://huggingface.co/docs/safetensors). Here the header is padded so that the bytes begin at a
// multiple of 8.
#pragma once

#include "runtime/Description.h"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sinter::runtime {

using Metadata = std::map<std::string, std::string>;

/// A tensor to write; `fill` puts its f32 in saved order where it is told to.
struct TensorToWrite {
  std::string name;
  Shape shape;
  std::function<void(float *)> fill;
};

/// Writes a file beside and renames it. Throws Error; an older file then stays whole.
void writeSafeTensors(const std::string &path, const Metadata &metadata,
                      std::span<const TensorToWrite> tensors);

/// A file opened to read. Each error names the file: no file, too short, a header that is none,
/// tensors that overlap, leave gaps or end behind the file.
class SafeTensors {
public:
  explicit SafeTensors(const std::string &path);
  ~SafeTensors();
  SafeTensors(const SafeTensors &) = delete;
  SafeTensors &operator=(const SafeTensors &) = delete;

  struct Entry {
    std::string dtype;
    Shape shape;
    uint64_t begin = 0, end = 0; ///< from the first byte behind the header
  };

  const std::string path;
  const std::map<std::string, Entry> &entries() const { return tensors; }
  const Metadata &metadata() const { return notes; }

  /// A tensor of F32, F64, F16 or BF16, as f32 in saved order. Throws Error for another dtype.
  std::vector<float> read(const std::string &name) const;

private:
  [[noreturn]] void fail(const std::string &message) const;
  void readHeader(const std::string &header, uint64_t dataBytes);

  int descriptor = -1;
  uint64_t dataStart = 0;
  std::map<std::string, Entry> tensors;
  Metadata notes;
};

/// The tensors that a header names, and its metadata. They lie behind each other without gaps.
/// Throws Error saying what is wrong, without the file's name.
std::map<std::string, SafeTensors::Entry> parseTensors(const std::string &header, Metadata &notes);

} // namespace sinter::runtime
