#include "runtime/InputFile.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <zlib.h>

namespace sinter::runtime {

size_t MemoryBytes::read(void *buffer, size_t count) {
  const size_t got = std::min(count, bytes.size());
  if (got > 0)
    std::memcpy(buffer, bytes.data(), got);
  bytes.remove_prefix(got);
  return got;
}

InputFile::InputFile(std::string file, std::string where)
    : ByteSource(std::move(file), std::move(where)) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    throw DataError(fmt::format("cannot open {}: {}", path,
                                errno == ENOENT ? "there is no such file" : std::strerror(errno)),
                    place);
  struct stat status{};
  fstat(descriptor, &status);
  if (S_ISDIR(status.st_mode)) {
    close(descriptor);
    throw DataError(fmt::format("cannot read {}: it is a folder", path), place);
  }
  constexpr uint64_t mostPerByte = 1032; // deflate cannot do better
  most = mostPerByte * static_cast<uint64_t>(status.st_size) + mostPerByte;
  if (!S_ISREG(status.st_mode))
    most = uint64_t{1} << 62;
  stream = gzdopen(descriptor, "rb");
  if (!stream) {
    close(descriptor);
    throw DataError(fmt::format("cannot read {}: there is no memory", path), place);
  }
  gzbuffer(stream, 1 << 18);
}

InputFile::~InputFile() { gzclose_r(stream); }

size_t InputFile::read(void *buffer, size_t bytes) {
  constexpr size_t piece = size_t{1} << 30; // gzread counts in int
  size_t done = 0;
  while (done < bytes) {
    const auto wanted = static_cast<unsigned>(std::min(piece, bytes - done));
    const int got = gzread(stream, static_cast<uint8_t *>(buffer) + done, wanted);
    if (got > 0)
      done += static_cast<size_t>(got);
    if (got == static_cast<int>(wanted))
      continue;
    int code = Z_OK;
    const char *reason = gzerror(stream, &code);
    if (code == Z_BUF_ERROR)
      throw DataError(fmt::format("{} is cut off: its gzip stream ends after {} bytes of content",
                                  path, gztell(stream)),
                      place);
    if (code == Z_ERRNO)
      throw DataError(fmt::format("cannot read {}: {}", path, std::strerror(errno)), place);
    if (code < 0)
      throw DataError(fmt::format("{} is damaged: {}", path, reason), place);
    break;
  }
  return done;
}

std::string InputFile::readAll() {
  std::string text;
  size_t used = 0;
  for (;;) {
    text.resize(std::max<size_t>(2 * used, 1 << 16));
    const size_t got = read(text.data() + used, text.size() - used);
    used += got;
    if (used < text.size())
      break;
  }
  text.resize(used);
  return text;
}

} // namespace sinter::runtime
