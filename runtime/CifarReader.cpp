#include "runtime/CifarReader.h"

#include "runtime/Error.h"
#include "runtime/InputFile.h"

#include <fmt/format.h>

namespace sinter::runtime {

namespace {

constexpr size_t imageBytes = size_t{3} * 32 * 32;

/// How many bytes stand before each image.
size_t labelBytes(const std::string &path, size_t size, int64_t classes, const std::string &place) {
  const bool ten = size % (imageBytes + 1) == 0, hundred = size % (imageBytes + 2) == 0;
  const size_t wanted = classes == 100 || classes == 20 ? 2 : 1;
  const size_t bytes = ten == hundred ? wanted : ten ? 1 : 2;
  if (size == 0 || (!ten && !hundred))
    throw DataError(
        fmt::format("{} is short: a record of CIFAR-{} has {} bytes, and it ends within record {}",
                    path, bytes == 1 ? 10 : 100, imageBytes + bytes, size / (imageBytes + bytes)),
        place);
  return bytes;
}

} // namespace

Records readCifar(const std::vector<std::string> &paths, CifarPart part, int64_t classes,
                  const std::string &place) {
  Records records;
  records.file = paths.size() == 1 ? paths[0] : fmt::format("{} … {}", paths.front(), paths.back());
  records.place = place;
  std::vector<uint8_t> values;
  for (const std::string &path : paths) {
    const std::string bytes = InputFile(path, place).readAll();
    const size_t before = labelBytes(path, bytes.size(), classes, place);
    const size_t count = bytes.size() / (imageBytes + before);
    for (size_t i = 0; i < count; ++i) {
      const char *record = bytes.data() + i * (imageBytes + before);
      if (part == CifarPart::Image)
        values.insert(values.end(), record + before, record + before + imageBytes);
      else
        values.push_back(static_cast<uint8_t>(record[before == 2 && classes != 20 ? 1 : 0]));
    }
    records.count += static_cast<int64_t>(count);
  }
  if (part == CifarPart::Image)
    records.shape = {3, 32, 32};
  records.values = std::move(values);
  return records;
}

int64_t countCifar(const std::vector<std::string> &paths, int64_t classes,
                   const std::string &place) {
  int64_t count = 0;
  for (const std::string &path : paths) {
    InputFile file(path, place);
    std::vector<char> buffer(1 << 20);
    size_t size = 0;
    while (const size_t got = file.read(buffer.data(), buffer.size()))
      size += got;
    count += static_cast<int64_t>(size / (imageBytes + labelBytes(path, size, classes, place)));
  }
  return count;
}

} // namespace sinter::runtime
