#include "runtime/SafeTensors.h"

#include "runtime/Error.h"
#include "runtime/Half.h"
#include "runtime/OutputFile.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace sinter::runtime {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

void writeSafeTensors(const std::string &path, const Metadata &metadata,
                      std::span<const TensorToWrite> tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  header["__metadata__"] = metadata;
  uint64_t at = 0;
  size_t largest = 0;
  for (const TensorToWrite &tensor : tensors) {
    const auto elements = static_cast<size_t>(elementsOf(tensor.shape));
    const uint64_t end = at + elements * sizeof(float);
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
    at = end;
    largest = std::max(largest, elements);
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  OutputFile file(path);
  file.write(&length, sizeof(length));
  file.write(text.data(), text.size());
  std::vector<float> values(largest);
  for (const TensorToWrite &tensor : tensors) {
    tensor.fill(values.data());
    file.write(values.data(), static_cast<size_t>(elementsOf(tensor.shape)) * sizeof(float));
  }
  file.commit();
}

namespace {

size_t widthOf(const std::string &dtype) {
  static const std::map<std::string, size_t> widths = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1},
      {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
      {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};
  const auto found = widths.find(dtype);
  return found == widths.end() ? 0 : found->second;
}

/// Parses a header; null if it is no JSON or names a tensor twice.
nlohmann::json parseHeader(const std::string &text) {
  std::set<std::string> names;
  bool twice = false;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json &value) {
    if (depth == 1 && event == nlohmann::json::parse_event_t::key)
      twice = twice || !names.insert(value.get<std::string>()).second;
    return true;
  };
  nlohmann::json json = nlohmann::json::parse(text, watch, /*allow_exceptions=*/false);
  return json.is_discarded() || twice ? nlohmann::json() : json;
}

void readAt(int descriptor, void *buffer, size_t bytes, uint64_t offset, const std::string &path) {
  char *next = static_cast<char *>(buffer);
  while (bytes > 0) {
    const ssize_t got = pread(descriptor, next, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      throw Error(fmt::format("cannot read {}: {}", path,
                              got < 0 ? std::strerror(errno) : "it ends early"));
    next += got;
    bytes -= static_cast<size_t>(got);
    offset += static_cast<uint64_t>(got);
  }
}

} // namespace

SafeTensors::SafeTensors(const std::string &file) : path(file) {
  descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    throw Error(fmt::format("cannot open {}: {}", path,
                            errno == ENOENT ? "there is no such file" : std::strerror(errno)));
  try {
    struct stat status{};
    fstat(descriptor, &status);
    if (!S_ISREG(status.st_mode))
      fail("it is no file");
    const auto size = static_cast<uint64_t>(status.st_size);
    uint64_t length = 0;
    if (size < sizeof(length))
      fail("it is too short for a safetensors file");
    readAt(descriptor, &length, sizeof(length), 0, path);
    constexpr uint64_t longest = 100'000'000; // the format's own bound
    if (length > longest)
      fail("it is no safetensors file");
    if (length > size - sizeof(length))
      fail("it is cut off within its header");
    std::string header(length, ' ');
    readAt(descriptor, header.data(), length, sizeof(length), path);
    dataStart = sizeof(length) + length;
    readHeader(header, size - dataStart);
  } catch (...) {
    close(descriptor);
    throw;
  }
}

SafeTensors::~SafeTensors() { close(descriptor); }

void SafeTensors::fail(const std::string &message) const {
  throw Error(fmt::format("cannot read {}: {}", path, message));
}

std::map<std::string, SafeTensors::Entry> parseTensors(const std::string &header, Metadata &notes) {
  std::map<std::string, SafeTensors::Entry> tensors;
  const nlohmann::json json = parseHeader(header);
  if (!json.is_object())
    throw Error("its header is no JSON object of tensors");
  for (const auto &[name, value] : json.items()) {
    try {
      if (name == "__metadata__") {
        notes = value.get<Metadata>();
        continue;
      }
      SafeTensors::Entry entry;
      entry.dtype = value.at("dtype").get<std::string>();
      for (const nlohmann::json &dim : value.at("shape"))
        entry.shape.push_back(static_cast<int64_t>(dim.get<uint64_t>()));
      const auto offsets = value.at("data_offsets").get<std::vector<uint64_t>>();
      uint64_t bytes = widthOf(entry.dtype);
      bool good = offsets.size() == 2 && bytes > 0;
      for (int64_t dim : entry.shape)
        good =
            good && dim >= 0 && !__builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes);
      if (!good || offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes)
        throw Error(fmt::format("its header contradicts itself about {}", name));
      entry.begin = offsets[0];
      entry.end = offsets[1];
      tensors.emplace(name, std::move(entry));
    } catch (const nlohmann::json::exception &) {
      throw Error(fmt::format("its header says something strange of {}", name));
    }
  }
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto &[name, entry] : tensors)
    ranges.emplace_back(entry.begin, entry.end);
  std::sort(ranges.begin(), ranges.end());
  uint64_t at = 0;
  for (const auto &[begin, end] : ranges) {
    if (begin != at)
      throw Error("its tensors overlap or leave gaps");
    at = end;
  }
  return tensors;
}

void SafeTensors::readHeader(const std::string &header, uint64_t dataBytes) {
  try {
    tensors = parseTensors(header, notes);
  } catch (const Error &error) {
    fail(error.what());
  }
  uint64_t at = 0;
  for (const auto &[name, entry] : tensors)
    at = std::max(at, entry.end);
  if (at > dataBytes)
    fail(fmt::format("it is cut off: {} of {} bytes of tensors are there", dataBytes, at));
  if (at < dataBytes)
    fail("it goes on behind its tensors");
}

std::vector<float> SafeTensors::read(const std::string &name) const {
  const Entry &entry = tensors.at(name);
  std::vector<float> values(static_cast<size_t>(elementsOf(entry.shape)));
  const auto convert = [&]<typename T>(T, const auto &one) {
    std::vector<T> raw(values.size());
    readAt(descriptor, raw.data(), raw.size() * sizeof(T), dataStart + entry.begin, path);
    std::transform(raw.begin(), raw.end(), values.begin(), one);
  };
  if (entry.dtype == "F32")
    readAt(descriptor, values.data(), values.size() * sizeof(float), dataStart + entry.begin, path);
  else if (entry.dtype == "F64")
    convert(double{}, [](double value) { return static_cast<float>(value); });
  else if (entry.dtype == "F16")
    convert(uint16_t{}, halfToFloat);
  else if (entry.dtype == "BF16")
    convert(uint16_t{}, bfloatToFloat);
  else
    fail(fmt::format("{} is {}, not real numbers", name, entry.dtype));
  return values;
}

} // namespace sinter::runtime
