#include "runtime/PredictFiles.h"

#include "runtime/Error.h"
#include "runtime/Image.h"
#include "runtime/ImageFolder.h"
#include "runtime/Npy.h"
#include "runtime/TextReader.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace sinter::runtime {

namespace {

/// Where the data's own records of a field come from.
const Source &sourceOf(const Data &data, const Field &field) {
  for (const Part &part : data.parts)
    for (const Fill &fill : part.fills)
      if (std::find(fill.fields.begin(), fill.fields.end(), field.name) != fill.fields.end())
        return fill.source;
  static const Source none;
  return none;
}

Records readWindows(const Field &field, const std::string &file, const Preprocessing &learned) {
  const auto words = learned.words.find(field.name);
  if (words == learned.words.end())
    throw Error(fmt::format("the weights' file holds no characters to read {} with", file));
  std::vector<int32_t> ids = Vocabulary(words->second).encode(readText(file, ""), file, "");
  const auto window = static_cast<size_t>(field.elements());
  if (ids.size() < window)
    throw Error(
        fmt::format("{} has {} characters, and {} takes {}", file, ids.size(), field.name, window));
  Records records;
  records.file = file;
  records.count = static_cast<int64_t>(ids.size() / window);
  records.shape = field.shape;
  ids.resize(ids.size() / window * window);
  records.values = std::move(ids);
  return records;
}

} // namespace

Records readPredictFile(const Data &data, const Field &field, const std::string &file,
                        const Preprocessing &learned, unsigned threads) {
  const Source &source = sourceOf(data, field);
  const bool array = file.ends_with(".npy") || file.ends_with(".npy.gz");
  if (source.kind == Source::Kind::Text && !array)
    return readWindows(field, file, learned);
  const bool pictures = source.kind == Source::Kind::Images || source.kind == Source::Kind::Cifar;
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(file, ignored);
  if (pictures && field.shape.size() == 3 && (field.shape[0] == 1 || field.shape[0] == 3) &&
      (folder || isImageName(std::filesystem::path(file).filename().string())))
    return readPictures(folder ? picturesIn(file, "") : std::vector<std::string>{file}, file,
                        field.shape, true, threads, "");
  return readNpy(file, "");
}

} // namespace sinter::runtime
