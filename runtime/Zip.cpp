#include "runtime/Zip.h"

#include "runtime/Error.h"

#include <algorithm>
#include <fmt/format.h>
#include <zlib.h>

namespace sinter::runtime {

namespace {
constexpr uint32_t endMark = 0x06054b50, end64Mark = 0x06064b50, locatorMark = 0x07064b50,
                   listMark = 0x02014b50, entryMark = 0x04034b50;
constexpr size_t endBytes = 22, locatorBytes = 20, listBytes = 46, entryBytes = 30;
constexpr uint32_t in64 = 0xFFFFFFFF; ///< the size stands in the 64-bit field
} // namespace

ZipFile::ZipFile(const std::string &file, const std::string &where) : path(file), place(where) {
  bytes = InputFile(file, where).readAll();
  readList();
}

void ZipFile::fail(const std::string &message) const {
  throw DataError(fmt::format("{}: {}", path, message), place);
}

/// A little-endian number of the file.
uint64_t ZipFile::number(uint64_t at, size_t count) const {
  if (at > bytes.size() || count > bytes.size() - at)
    fail("it is cut off or damaged: its list of entries leads beyond its end");
  uint64_t value = 0;
  for (size_t i = count; i-- > 0;)
    value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

void ZipFile::readList() {
  if (bytes.size() < 4 || (number(0, 4) != entryMark && number(0, 4) != endMark))
    fail("it is no .npz file");
  // The end of the list stands at the end of the file, before a comment of at most 64 KiB.
  uint64_t end = bytes.size();
  for (uint64_t back = endBytes; back <= std::min<uint64_t>(bytes.size(), endBytes + 0xFFFF);
       ++back)
    if (number(bytes.size() - back, 4) == endMark) {
      end = bytes.size() - back;
      break;
    }
  if (end == bytes.size())
    fail("it is cut off: its list of entries is missing");
  uint64_t count = number(end + 10, 2), at = number(end + 16, 4);
  if (end >= locatorBytes && number(end - locatorBytes, 4) == locatorMark) {
    const uint64_t end64 = number(end - locatorBytes + 8, 8);
    if (number(end64, 4) != end64Mark)
      fail("it is damaged: its list of entries has no end");
    count = number(end64 + 32, 8);
    at = number(end64 + 48, 8);
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (number(at, 4) != listMark)
      fail("it is damaged: its list of entries does not hold together");
    Entry entry;
    entry.encrypted = number(at + 8, 2) & 1;
    entry.method = static_cast<uint16_t>(number(at + 10, 2));
    entry.checksum = static_cast<uint32_t>(number(at + 16, 4));
    entry.packed = number(at + 20, 4);
    entry.size = number(at + 24, 4);
    entry.header = number(at + 42, 4);
    const uint64_t name = number(at + 28, 2), extra = number(at + 30, 2),
                   comment = number(at + 32, 2);
    number(at + listBytes + name + extra + comment, 0); // it ends within the file
    read64(entry, at + listBytes + name, extra);
    all.emplace(bytes.substr(at + listBytes, name), entry);
    at += listBytes + name + extra + comment;
  }
}

/// Sizes that need 64 bits stand in an extra field, those that are asked for alone.
void ZipFile::read64(Entry &entry, uint64_t at, uint64_t count) const {
  const uint64_t end = at + count;
  while (at + 4 <= end) {
    const uint64_t kind = number(at, 2), size = number(at + 2, 2);
    at += 4;
    if (kind == 1) {
      uint64_t next = at;
      for (uint64_t *value : {&entry.size, &entry.packed, &entry.header})
        if (*value == in64 && next + 8 <= at + size) {
          *value = number(next, 8);
          next += 8;
        }
      return;
    }
    at += size;
  }
}

std::string_view ZipFile::packedBytes(const std::string &name, const Entry &entry) const {
  if (entry.encrypted)
    fail(fmt::format("`{}` in it is encrypted", name));
  if (entry.method != 0 && entry.method != 8)
    fail(fmt::format("`{}` in it is compressed in a way that is not read: number {}", name,
                     entry.method));
  if (number(entry.header, 4) != entryMark)
    fail(fmt::format("it is damaged: `{}` does not begin where its list says", name));
  const uint64_t start =
      entry.header + entryBytes + number(entry.header + 26, 2) + number(entry.header + 28, 2);
  if (start > bytes.size() || entry.packed > bytes.size() - start)
    fail(fmt::format("it is cut off within `{}`", name));
  return std::string_view(bytes).substr(start, entry.packed);
}

/// The first `count` bytes of an entry; fewer where its data ends before.
std::string ZipFile::unpack(const std::string &name, const Entry &entry, size_t count) const {
  const std::string_view packed = packedBytes(name, entry);
  if (entry.method == 0)
    return std::string(packed.substr(0, count));
  constexpr uint64_t mostPerByte = 1032; // deflate cannot do better
  std::string result(std::min<uint64_t>(count, mostPerByte * packed.size() + mostPerByte), '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    fail("there is no memory");
  constexpr size_t piece = size_t{1} << 30; // zlib counts in unsigned
  size_t used = 0, done = 0;
  int code = Z_OK;
  while (code == Z_OK && done < result.size()) {
    const size_t in = std::min(piece, packed.size() - used),
                 out = std::min(piece, result.size() - done);
    stream.next_in =
        reinterpret_cast<Bytef *>(const_cast<char *>(packed.data() + used)); // zlib only reads it
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef *>(result.data() + done);
    stream.avail_out = static_cast<uInt>(out);
    code = inflate(&stream, Z_NO_FLUSH);
    used += in - stream.avail_in;
    done += out - stream.avail_out;
  }
  inflateEnd(&stream);
  if (code == Z_DATA_ERROR || code == Z_NEED_DICT)
    fail(fmt::format("`{}` in it is damaged", name));
  result.resize(done);
  return result;
}

std::string ZipFile::start(const std::string &name, size_t count) const {
  return unpack(name, all.at(name), count);
}

std::string ZipFile::read(const std::string &name) const {
  const Entry &entry = all.at(name);
  // One byte more shows where an entry is longer than its list says.
  std::string content = unpack(name, entry, entry.size < UINT64_MAX ? entry.size + 1 : entry.size);
  if (content.size() != entry.size)
    fail(fmt::format("`{}` in it is cut off or damaged: it has {} of {} bytes", name,
                     content.size(), entry.size));
  const uLong sum = crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef *>(content.data()),
                            content.size());
  if (sum != entry.checksum)
    fail(fmt::format("`{}` in it is damaged: its checksum is another", name));
  return content;
}

} // namespace sinter::runtime
