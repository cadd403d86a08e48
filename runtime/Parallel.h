//===- Parallel.h - independent pieces of work outside of steps -------------------------------===//
#pragma once

#include <cstddef>
#include <functional>

namespace sinter::runtime {

/// Calls work(0) … work(count - 1), each once, on up to `threads` threads that live for this call.
/// The first exception by index is thrown again once all have ended.
void parallelFor(unsigned threads, size_t count, const std::function<void(size_t)> &work);

} // namespace sinter::runtime
