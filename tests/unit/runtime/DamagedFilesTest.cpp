//===- DamagedFilesTest.cpp - whatever a file holds, its reader answers -----------------------===//
// A file of each format is cut at every length, and its bytes are changed one at a time: each time
// its reader returns or throws an Error, and what is cut off is never taken for whole.
#include "tests/unit/runtime/SampleFiles.h"

#include "runtime/ArrayFiles.h"
#include "runtime/CifarReader.h"
#include "runtime/CsvReader.h"
#include "runtime/Error.h"
#include "runtime/IdxReader.h"
#include "runtime/TextReader.h"

#include <functional>

using namespace sinter::runtime;
using namespace sinter::runtime::test;

namespace {

/// True if it read something, false if it said what is wrong. Anything else fails the test.
bool reads(const std::function<void()> &read) {
  try {
    read();
    return true;
  } catch (const Error &error) {
    CHECK(*error.what() != '\0');
  } catch (const ImageProblem &problem) {
    CHECK_FALSE(problem.what.empty());
  } catch (const std::exception &error) {
    FAIL("not an error with words: " << error.what());
  }
  return false;
}

void damage(const std::string &whole, bool shows,
            const std::function<void(const std::string &)> &read) {
  REQUIRE(reads([&] { read(whole); }));
  for (size_t length = 0; length < whole.size(); ++length)
    if (reads([&] { read(whole.substr(0, length)); }) && shows)
      FAIL("cut off after " << length << " of " << whole.size() << " bytes, and read");
  const std::vector<uint8_t> noise = someBytes(whole.size() * 4);
  for (size_t i = 0; i < whole.size() * 4; ++i) {
    std::string changed = whole;
    changed[i % whole.size()] = static_cast<char>(changed[i % whole.size()] ^ (noise[i] | 1));
    reads([&] { read(changed); });
  }
}

/// The same for a reader of files.
void damageFile(const std::string &whole, bool shows,
                const std::function<void(const std::string &)> &read) {
  const TempFolder folder;
  const std::string path = folder / "file";
  damage(whole, shows, [&](const std::string &bytes) {
    writeText(path, bytes);
    read(path);
  });
}

const std::string place = "spec.sinter:1:1";
const std::string array = npy("<i4", "3, 2", bytesOf<int32_t>({1, 2, 3, 4, 5, 6}));

} // namespace

TEST_CASE("damaged IDX and npy files are told") {
  damageFile(idx(0x08, {3, 2}, "abcdef"), true, [](const std::string &p) { readIdx(p, place); });
  damageFile(array, true, [](const std::string &p) { readNpy(p, place); });
  const TempFolder folder;
  writeGzip(folder / "a.gz", array);
  damageFile(readText(folder / "a.gz"), true, [](const std::string &p) { readNpy(p, place); });
}

TEST_CASE("damaged npz files are told") {
  const auto read = [](const std::string &p) { readNpz(p, "x", place); };
  const auto header = [](const std::string &p) { readNpzHeader(p, "x", place); };
  for (const bool packed : {false, true})
    for (const bool wide : {false, true}) {
      const std::string whole = zip({{"y.npy", array}, {"x.npy", array}}, packed, wide);
      damageFile(whole, true, read);
      damageFile(whole, true, header);
    }
}

TEST_CASE("damaged safetensors files are told") {
  const std::string whole =
      safeTensors(R"({"x":{"dtype":"I64","shape":[2,1],"data_offsets":[0,16]},)"
                  R"("y":{"dtype":"U8","shape":[2],"data_offsets":[16,18]}})",
                  bytesOf<int64_t>({1, -2}) + "ab");
  damageFile(whole, true, [](const std::string &p) { readTensor(p, "x", place); });
}

TEST_CASE("damaged CIFAR files, texts and tables are told or read") {
  std::string two;
  for (uint8_t byte : someBytes(2 * 3073))
    two.push_back(static_cast<char>(byte));
  const TempFolder folder;
  for (const size_t length : {size_t{0}, size_t{1}, size_t{3072}, size_t{3074}, size_t{6145}}) {
    writeText(folder / "c", two.substr(0, length));
    const bool hundred = length == 3074; // which is a record of CIFAR-100
    CHECK(reads([&] { readCifar({folder / "c"}, CifarPart::Image, 10, place); }) == hundred);
  }
  damageFile("h\xC3\xA9llo \xF0\x9F\x99\x82\n", false,
             [](const std::string &p) { readText(p, place); });
  Source source;
  source.kind = Source::Kind::Csv;
  source.columns = {0, -1};
  Field field;
  field.shape = {2};
  damageFile("1,2,3\n\"4\",5,6.5\n", false, [&](const std::string &p) {
    CsvFile(p, place, ',').read(source, false, field, nullptr, place);
  });
}

TEST_CASE("damaged pictures are told") {
  const auto readPng = [](const std::string &bytes) { decodePng(bytes); };
  damage(png(5, 4, 3, someBytes(60), {8, 2, -1, true}), true, readPng);
  damage(png(5, 4, 1, someBytes(20), {2, 3, 1, false}, std::string(12, 'x')), true, readPng);
  const auto readPnm = [](const std::string &bytes) {
    if (bytes.size() < 2 || bytes[0] != 'P' || bytes[1] < '1' || bytes[1] > '6')
      throw ImageProblem{"not one of these"};
    decodePnm(bytes);
  };
  damage("P6 2 2 255\nabcdefghijkl", true, readPnm);
  damage("P3 2 1 9 1 2 3 4 5 6 ", false, readPnm);
  damage("P4 9 2\nabcd", true, readPnm);
}
