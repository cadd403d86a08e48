#include "runtime/Block.h"

#include "runtime/Error.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/mman.h>

namespace sinter::runtime {

Block::Block(uint64_t bytes) : mapped(std::max<uint64_t>(bytes, 64)) {
  void *address = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED)
    throw Error(fmt::format("there is no memory for a block of {} MiB", bytes >> 20));
  start = static_cast<uint8_t *>(address);
  madvise(start, mapped, MADV_HUGEPAGE); // a wish: without it all works, slower
}

Block::~Block() { munmap(start, mapped); }

} // namespace sinter::runtime
