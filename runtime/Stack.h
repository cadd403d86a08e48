//===- Stack.h - threads with stacks as large as tasks need ---------------------------------------===//
// A task keeps tiles of what it works on on its stack, up to some megabytes (`stack_bytes` of the description). What a thread has by
// itself is the user's limit (`ulimit -s`), which may be less.
#pragma once

#include <cstddef>
#include <functional>
#include <pthread.h>

namespace sinter::runtime {

/// A thread whose stack holds `stackBytes` beside what the runtime itself needs. Throws std::system_error if the system gives none.
class Thread {
public:
  /// `work` throws nothing.
  Thread(size_t stackBytes, std::function<void()> work);
  ~Thread(); ///< waits until it has ended
  Thread(const Thread &) = delete;
  Thread &operator=(const Thread &) = delete;

private:
  std::function<void()> work;
  pthread_t handle{};
};

/// Calls `work` where the stack holds `stackBytes`: on the process's first thread, which calls this, or, where that one's stack may not
/// grow so far, on another, for which it waits. What `work` throws comes through.
void callOnStack(size_t stackBytes, const std::function<void()> &work);

} // namespace sinter::runtime
