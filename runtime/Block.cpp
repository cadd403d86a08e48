#include "runtime/Block.h"

#include "runtime/Error.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/mman.h>

namespace sinter::runtime {

namespace {

constexpr size_t hugePage = 2 << 20, pageSize = 4096;

/// Whole huge pages, the last one too if most of it is used.
size_t lengthOf(uint64_t bytes) {
  const size_t atLeast = std::max<uint64_t>(bytes, 64), rest = atLeast % hugePage;
  return rest >= hugePage / 2 ? atLeast - rest + hugePage : atLeast;
}

} // namespace

Block::Block(uint64_t bytes) : mapped(lengthOf(bytes)) {
  // A huge page begins at a multiple of its size: so much more is asked for and given back.
  void *address = mmap(nullptr, mapped + hugePage, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    throw Error(fmt::format("there is no memory for a block of {} MiB", bytes >> 20));
  auto *reserved = static_cast<uint8_t *>(address);
  const size_t before = -reinterpret_cast<uintptr_t>(address) % hugePage;
  const size_t pages = (mapped + pageSize - 1) / pageSize * pageSize;
  start = reserved + before;
  if (before > 0)
    munmap(reserved, before);
  munmap(start + pages, hugePage - before - (pages - mapped));
  madvise(start, mapped, MADV_HUGEPAGE); // a wish: without it all works, slower
}

Block::~Block() { munmap(start, mapped); }

void Block::touch() const {
#ifdef MADV_POPULATE_WRITE
  madvise(start, mapped, MADV_POPULATE_WRITE);
#endif
}

} // namespace sinter::runtime
