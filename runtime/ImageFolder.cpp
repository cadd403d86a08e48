#include "runtime/ImageFolder.h"

#include "runtime/Error.h"
#include "runtime/Image.h"
#include "runtime/Parallel.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace sinter::runtime {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sortedEntries(const fs::path &folder, const std::string &place) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator each(folder, error);
  for (; !error && each != fs::directory_iterator(); each.increment(error))
    if (!each->path().filename().string().starts_with('.'))
      entries.push_back(each->path());
  if (error)
    throw DataError(fmt::format("cannot read {}: {}", folder.string(),
                                error == std::errc::no_such_file_or_directory
                                    ? "there is no such folder"
                                : error == std::errc::not_a_directory ? "it is no folder"
                                                                      : error.message()),
                    place);
  std::sort(entries.begin(), entries.end());
  return entries;
}

constexpr int deepest = 32; // a link may lead back up

void findImages(const fs::path &folder, const std::string &place, int depth,
                std::vector<std::string> &found) {
  std::error_code ignored;
  for (const fs::path &entry : sortedEntries(folder, place))
    if (fs::is_directory(entry, ignored)) {
      if (depth < deepest)
        findImages(entry, place, depth + 1, found);
    } else if (isImageName(entry.filename().string())) {
      found.push_back(entry.string());
    }
}

} // namespace

Records readPictures(const std::vector<std::string> &paths, const std::string &name,
                     const Shape &shape, bool resize, unsigned threads, const std::string &place) {
  Records records;
  records.file = name;
  records.place = place;
  records.count = static_cast<int64_t>(paths.size());
  records.shape = shape;
  const auto channels = static_cast<size_t>(shape[0]), height = static_cast<size_t>(shape[1]),
             width = static_cast<size_t>(shape[2]);
  const size_t size = channels * height * width;
  std::vector<uint8_t> values(paths.size() * size);
  parallelFor(threads, paths.size(), [&](size_t i) {
    Image image = readImage(paths[i], place);
    if (!resize && (image.height != height || image.width != width))
      throw DataError(fmt::format("{} has {}×{} pixels, and [{}] are wanted: `size: ({}, {})` "
                                  "resizes",
                                  paths[i], image.height, image.width, fmt::join(shape, ", "),
                                  height, width),
                      place);
    toPlanes(resized(image, height, width), channels, values.data() + i * size);
  });
  records.values = std::move(values);
  return records;
}

std::vector<std::string> picturesIn(const std::string &folder, const std::string &place) {
  std::vector<std::string> found;
  findImages(folder, place, 0, found);
  return found;
}

ImageFolder::ImageFolder(const std::string &folder, const std::string &where)
    : path(folder), place(where) {
  std::error_code ignored;
  for (const fs::path &entry : sortedEntries(folder, place)) {
    if (!fs::is_directory(entry, ignored))
      continue;
    std::vector<std::string> found;
    findImages(entry, place, 0, found);
    for (std::string &file : found)
      files.push_back({std::move(file), names.size()});
    names.push_back(entry.filename().string());
  }
  if (files.empty())
    throw DataError(fmt::format("{} has no pictures: each class is a folder of PNG, JPEG or PNM "
                                "files in it",
                                path),
                    place);
}

Records ImageFolder::images(const Shape &shape, bool resize, unsigned threads) const {
  std::vector<std::string> paths;
  for (const File &file : files)
    paths.push_back(file.path);
  return readPictures(paths, path, shape, resize, threads, place);
}

Records ImageFolder::labels(const std::vector<std::string> &words) const {
  std::vector<int32_t> numbers;
  for (const std::string &name : names) {
    const auto found = std::lower_bound(words.begin(), words.end(), name);
    if (found == words.end() || *found != name)
      throw DataError(fmt::format("the folder {} in {} is none of the {} classes that are known",
                                  name, path, words.size()),
                      place);
    numbers.push_back(static_cast<int32_t>(found - words.begin()));
  }
  Records records;
  records.file = path;
  records.place = place;
  records.count = static_cast<int64_t>(files.size());
  std::vector<int32_t> values;
  for (const File &file : files)
    values.push_back(numbers[file.folder]);
  records.values = std::move(values);
  return records;
}

} // namespace sinter::runtime
