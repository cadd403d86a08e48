#include "runtime/ArrayFiles.h"

#include "runtime/Error.h"
#include "runtime/SafeTensors.h"
#include "runtime/Zip.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::runtime {

namespace {

/// The entry that holds an array: `x` is in `x.npy`.
std::string entryOf(const ZipFile &zip, const std::string &key) {
  for (const std::string &name : {key + ".npy", key})
    if (zip.entries().contains(name))
      return name;
  std::vector<std::string> there;
  for (const auto &[name, entry] : zip.entries())
    there.push_back(name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name);
  throw DataError(fmt::format("{} has no array `{}`; it has {}", zip.path, key,
                              there.empty() ? "none" : fmt::format("{}", fmt::join(there, ", "))),
                  zip.place);
}

std::string arrayName(const std::string &path, const std::string &key) {
  return fmt::format("{} in {}", key, path);
}

[[noreturn]] void fail(const ByteSource &file, const std::string &message) {
  throw DataError(fmt::format("{}: {}", file.path, message), file.place);
}

/// A tensor that a file is read up to.
struct Found {
  SafeTensors::Entry entry;
  NpyHeader header;
  uint64_t dataBytes = 0; ///< of all tensors
};

Found find(ByteSource &file, const std::string &key) {
  uint64_t length = 0;
  constexpr uint64_t longest = 100'000'000; // the format's own bound
  if (file.read(&length, sizeof(length)) < sizeof(length) || length > longest)
    fail(file, "it is no safetensors file");
  std::string text(std::min(length, file.mostBytes()), ' ');
  if (text.size() < length || file.read(text.data(), text.size()) < length)
    fail(file, "it is cut off within its header");
  Metadata notes;
  std::map<std::string, SafeTensors::Entry> tensors;
  try {
    tensors = parseTensors(text, notes);
  } catch (const Error &error) {
    fail(file, error.what());
  }
  const auto found = tensors.find(key);
  if (found == tensors.end()) {
    std::vector<std::string> there;
    for (const auto &[name, entry] : tensors)
      there.push_back(name);
    throw DataError(fmt::format("{} has no tensor `{}`; it has {}", file.path, key,
                                there.empty() ? "none" : fmt::format("{}", fmt::join(there, ", "))),
                    file.place);
  }
  Found result{found->second, {}, 0};
  for (const auto &[name, entry] : tensors)
    result.dataBytes = std::max(result.dataBytes, entry.end);
  const std::optional<NumberFormat> format = tensorFormat(result.entry.dtype);
  if (!format)
    fail(file, fmt::format("`{}` is {}, which is not read", key, result.entry.dtype));
  if (result.entry.shape.empty())
    fail(file, fmt::format("`{}` is a single number, not records", key));
  result.header.format = *format;
  result.header.dims = result.entry.shape;
  return result;
}

} // namespace

Records readNpz(const std::string &path, const std::string &key, const std::string &place) {
  const ZipFile zip(path, place);
  const std::string content = zip.read(entryOf(zip, key));
  MemoryBytes bytes(content, arrayName(path, key), place);
  return readNpy(bytes);
}

NpyHeader readNpzHeader(const std::string &path, const std::string &key, const std::string &place) {
  const ZipFile zip(path, place);
  constexpr size_t longest = 1 << 16;
  const std::string content = zip.start(entryOf(zip, key), longest);
  MemoryBytes bytes(content, arrayName(path, key), place);
  return readNpyHeader(bytes);
}

Records readTensor(const std::string &path, const std::string &key, const std::string &place) {
  InputFile file(path, place);
  const Found found = find(file, key);
  const auto cutOff = [&] { fail(file, fmt::format("it is cut off before the end of `{}`", key)); };
  std::vector<char> skipped(1 << 16);
  for (uint64_t left = found.entry.begin; left > 0;) {
    const size_t got = file.read(skipped.data(), std::min<uint64_t>(left, skipped.size()));
    if (got == 0)
      cutOff();
    left -= got;
  }
  Records records;
  records.file = arrayName(path, key);
  records.place = place;
  records.count = found.header.dims[0];
  records.shape.assign(found.header.dims.begin() + 1, found.header.dims.end());
  const std::optional<uint64_t> bytes =
      bytesOf(found.header.dims, found.header.format.width, file.mostBytes());
  std::vector<uint8_t> raw(bytes.value_or(0));
  if (!bytes || file.read(raw.data(), raw.size()) < raw.size())
    cutOff();
  // What is left is of other tensors; reading it shows whether the file is whole.
  uint64_t behind = found.entry.end;
  while (const size_t got = file.read(skipped.data(), skipped.size()))
    behind += got;
  if (behind < found.dataBytes)
    fail(file, fmt::format("it is cut off: {} of {} bytes of tensors are there", behind,
                           found.dataBytes));
  setNumbers(records, std::move(raw), found.header.format);
  return records;
}

NpyHeader readTensorHeader(const std::string &path, const std::string &key,
                           const std::string &place) {
  InputFile file(path, place);
  return find(file, key).header;
}

} // namespace sinter::runtime
