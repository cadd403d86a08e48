#include "runtime/Stack.h"

#include <algorithm>
#include <exception>
#include <sys/resource.h>
#include <system_error>

namespace sinter::runtime {

namespace {

/// For what stands on a stack beside the memory that tasks ask for: the runtime's own functions, registers that are spilled.
constexpr size_t ownBytes = size_t{1} << 20;
constexpr size_t pageBytes = 4096;

void *callWork(void *work) {
  (*static_cast<const std::function<void()> *>(work))();
  return nullptr;
}

void check(int error, const char *what) {
  if (error != 0)
    throw std::system_error(error, std::generic_category(), what);
}

} // namespace

Thread::Thread(size_t stackBytes, std::function<void()> function) : work(std::move(function)) {
  pthread_attr_t attributes;
  check(pthread_attr_init(&attributes), "a thread's attributes");
  size_t bytes = 0; // the system's own choice, unless that is too little
  int error = pthread_attr_getstacksize(&attributes, &bytes);
  const size_t needed = (stackBytes + ownBytes + pageBytes - 1) / pageBytes * pageBytes;
  if (error == 0 && bytes < needed)
    error = pthread_attr_setstacksize(&attributes, needed);
  if (error == 0)
    error = pthread_create(&handle, &attributes, callWork, &work);
  pthread_attr_destroy(&attributes);
  check(error, "a thread");
}

Thread::~Thread() { pthread_join(handle, nullptr); }

void callOnStack(size_t stackBytes, const std::function<void()> &work) {
  rlimit limit{};
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      limit.rlim_cur >= stackBytes + ownBytes)
    return work();
  std::exception_ptr thrown;
  {
    Thread thread(stackBytes, [&] {
      try {
        work();
      } catch (...) {
        thrown = std::current_exception();
      }
    });
  }
  if (thrown)
    std::rethrow_exception(thrown);
}

} // namespace sinter::runtime
