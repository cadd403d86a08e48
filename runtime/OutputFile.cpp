#include "runtime/OutputFile.h"

#include "runtime/Error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

namespace sinter::runtime {

OutputFile::OutputFile(std::string file) : path(std::move(file)), temporary(path + ".tmp") {
  descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0)
    fail("cannot write");
}

OutputFile::~OutputFile() {
  if (descriptor < 0)
    return;
  close(descriptor);
  unlink(temporary.c_str());
}

void OutputFile::fail(const char *what) {
  const std::string reason = std::strerror(errno);
  if (descriptor >= 0) {
    close(descriptor);
    descriptor = -1;
    unlink(temporary.c_str());
  }
  throw Error(fmt::format("{} {}: {}", what, path, reason));
}

void OutputFile::write(const void *bytes, size_t count) {
  const char *next = static_cast<const char *>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor, next, count);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      fail("cannot write");
    next += written;
    count -= static_cast<size_t>(written);
  }
}

void OutputFile::commit() {
  if (fsync(descriptor) != 0 && errno != EINVAL)
    fail("cannot write");
  if (rename(temporary.c_str(), path.c_str()) != 0)
    fail("cannot replace");
  close(std::exchange(descriptor, -1));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int parent =
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent >= 0) { // the rename itself
    fsync(parent);
    close(parent);
  }
}

void makeFolder(const std::string &path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error && !std::filesystem::is_directory(path))
    throw Error(fmt::format("cannot make the folder {}: {}", path, error.message()));
}

} // namespace sinter::runtime
