//===- Block.h - the two blocks of memory of a program ----------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>

namespace sinter::runtime {

/// Zeroed memory, in huge pages where the system has them and aligned to one. Throws Error if
/// there is none.
class Block {
public:
  explicit Block(uint64_t bytes);
  ~Block();
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;

  uint8_t *data() const { return start; }

  /// Takes the memory from the system now rather than page by page where it is first written, if the system knows how (Linux 5.14).
  void touch() const;

private:
  uint8_t *start;
  size_t mapped;
};

} // namespace sinter::runtime
