#include "tests/unit/runtime/SampleFiles.h"

#include "runtime/ArrayFiles.h"
#include "runtime/CifarReader.h"
#include "runtime/Error.h"
#include "runtime/TextReader.h"

using namespace sinter::runtime;
using namespace sinter::runtime::test;
using Catch::Contains;

static const std::string place = "spec.sinter:4:11";

template <typename T> static std::vector<T> valuesOf(const Records &records) {
  return std::get<std::vector<T>>(records.values);
}

TEST_CASE("arrays of every type of number are read, of either byte order") {
  const TempFolder folder;
  const auto read = [&](const std::string &descr, const std::string &numbers) {
    writeText(folder / "a.npy", npy(descr, "2", numbers));
    return readNpy(folder / "a.npy", place);
  };
  CHECK(valuesOf<uint8_t>(read("|u1", "\xFF\x01")) == std::vector<uint8_t>{255, 1});
  CHECK(valuesOf<uint8_t>(read("|b1", {1, 0})) == std::vector<uint8_t>{1, 0});
  CHECK(valuesOf<int32_t>(read("|i1", "\xFF\x01")) == std::vector<int32_t>{-1, 1});
  CHECK(valuesOf<int32_t>(read("<u2", bytesOf<uint16_t>({65535, 1}))) ==
        std::vector<int32_t>{65535, 1});
  CHECK(valuesOf<int32_t>(read(">i2", std::string("\xFF\xFE\x01\x00", 4))) ==
        std::vector<int32_t>{-2, 256});
  CHECK(valuesOf<int32_t>(read("<i8", bytesOf<int64_t>({-7, 1LL << 30}))) ==
        std::vector<int32_t>{-7, 1 << 30});
  CHECK(valuesOf<float>(read("<f2", bytesOf<uint16_t>({0x3C00, 0xC000}))) ==
        std::vector<float>{1, -2});
  CHECK(valuesOf<float>(read(">f4", std::string("\x3F\xC0\x00\x00\xBF\x80\x00\x00", 8))) ==
        std::vector<float>{1.5, -1});
  const auto problem = [&](const std::string &descr, const std::string &numbers) {
    return messageOf([&] { read(descr, numbers); });
  };
  CHECK_THAT(problem("<i8", bytesOf<int64_t>({1, 1LL << 40})),
             Contains("record 1 of") && Contains("1099511627776 is beyond 32 bits"));
  CHECK_THAT(problem("<u4", bytesOf<uint32_t>({1U << 31, 0})), Contains("record 0 of"));
  CHECK_THAT(problem("<U5", std::string(40, 'x')), Contains("<U5 are not read"));
}

TEST_CASE("an array in Fortran order is turned") {
  const TempFolder folder;
  // numpy.arange(12).reshape(2, 3, 2), saved with the first axis running fastest
  std::vector<int32_t> numbers;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i)
        numbers.push_back(6 * i + 2 * j + k);
  writeText(folder / "a.npy", npy("<i4", "2, 3, 2", bytesOf(numbers), true));
  const std::vector<int32_t> turned = valuesOf<int32_t>(readNpy(folder / "a.npy", place));
  for (int i = 0; i < 12; ++i)
    CHECK(turned[static_cast<size_t>(i)] == i);
}

TEST_CASE("npz arrays are found by name, stored or deflated, with sizes of 64 bits or not") {
  const TempFolder folder;
  const std::string a = npy("<f4", "2, 1", bytesOf<float>({1, 2})),
                    b = npy("<i4", "3", bytesOf<int32_t>({7, 8, 9}));
  for (const bool packed : {false, true})
    for (const bool wide : {false, true}) {
      writeText(folder / "a.npz", zip({{"a.npy", a}, {"b.npy", b}}, packed, wide));
      const Records read = readNpz(folder / "a.npz", "b", place);
      CHECK(valuesOf<int32_t>(read) == std::vector<int32_t>{7, 8, 9});
      CHECK(read.where(1) == "record 1 of b in " + (folder / "a.npz"));
      CHECK(readNpzHeader(folder / "a.npz", "a", place).dims == Shape{2, 1});
    }
  writeGzip(folder / "b.npz.gz", zip({{"a.npy", a}}, true));
  CHECK(readNpz(folder / "b.npz.gz", "a", place).count == 2);
  CHECK_THAT(messageOf([&] { readNpz(folder / "a.npz", "c", place); }),
             Contains("no array `c`") && Contains("a, b"));
  std::string encrypted = zip({{"a.npy", a}}, false);
  const size_t list = encrypted.find("PK\x01\x02");
  encrypted[list + 8] = 1;
  writeText(folder / "c.npz", encrypted);
  CHECK_THAT(messageOf([&] { readNpz(folder / "c.npz", "a", place); }), Contains("encrypted"));
}

TEST_CASE("tensors are found by name, and integers stay integers") {
  const TempFolder folder;
  const std::string file = safeTensors(
      R"({"__metadata__":{"a":"b"},"n":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},)"
      R"("h":{"dtype":"BF16","shape":[1,2],"data_offsets":[16,20]},)"
      R"("q":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[20,21]},)"
      R"("s":{"dtype":"F32","shape":[],"data_offsets":[21,25]}})",
      bytesOf<int64_t>({3, -4}) + bytesOf<uint16_t>({0x3F80, 0xC000}) + std::string(5, '\0'));
  writeText(folder / "a", file);
  writeGzip(folder / "a.gz", file);
  for (const char *name : {"a", "a.gz"}) {
    CHECK(valuesOf<int32_t>(readTensor(folder / name, "n", place)) == std::vector<int32_t>{3, -4});
    const Records half = readTensor(folder / name, "h", place);
    CHECK(valuesOf<float>(half) == std::vector<float>{1, -2});
    CHECK(half.shape == Shape{2});
  }
  CHECK_THAT(messageOf([&] { readTensor(folder / "a", "x", place); }),
             Contains("no tensor `x`") && Contains("h, n, q, s"));
  CHECK_THAT(messageOf([&] { readTensor(folder / "a", "q", place); }), Contains("F8_E4M3"));
  CHECK_THAT(messageOf([&] { readTensor(folder / "a", "s", place); }), Contains("single number"));
}

TEST_CASE("CIFAR-10 and CIFAR-100 are told apart by their size, else by the label's classes") {
  const TempFolder folder;
  const std::string ten = std::string(1, '\7') + std::string(3072, '\1') + std::string(1, '\3') +
                          std::string(3072, '\2');
  const std::string hundred = std::string("\5\x42") + std::string(3072, '\1');
  writeText(folder / "ten", ten);
  writeGzip(folder / "hundred", hundred);
  const auto label = [&](const char *file, int64_t classes) {
    return valuesOf<uint8_t>(readCifar({folder / file}, CifarPart::Label, classes, place));
  };
  CHECK(label("ten", 10) == std::vector<uint8_t>{7, 3});
  CHECK(label("hundred", 100) == std::vector<uint8_t>{0x42});
  CHECK(label("hundred", 0) == std::vector<uint8_t>{0x42});
  CHECK(label("hundred", 20) == std::vector<uint8_t>{5});
  const Records both = readCifar({folder / "ten", folder / "ten"}, CifarPart::Image, 10, place);
  CHECK(both.count == 4);
  CHECK(both.shape == Shape{3, 32, 32});
  CHECK(valuesOf<uint8_t>(both)[3 * 3072] == 2);
  CHECK(countCifar({folder / "ten", folder / "hundred"}, 0, place) == 3);
  writeText(folder / "short", ten.substr(0, 4000));
  CHECK_THAT(messageOf([&] { label("short", 10); }),
             Contains("short: a record of CIFAR-10 has 3073 bytes, and it ends within record 1"));
}

TEST_CASE("ids number the characters of a text in code point order") {
  const TempFolder folder;
  writeText(folder / "a", "b\xC3\xA9 b\xF0\x9F\x99\x82\n");
  const std::vector<char32_t> text = readText(folder / "a", place);
  CHECK(text == std::vector<char32_t>{U'b', U'é', U' ', U'b', U'🙂', U'\n'});
  const std::vector<char32_t> *all[] = {&text};
  const Vocabulary vocabulary = Vocabulary::of(all);
  CHECK(vocabulary.characters() ==
        std::vector<std::string>{"\n", " ", "b", "\xC3\xA9", "\xF0\x9F\x99\x82"});
  CHECK(vocabulary.encode(text, "a", place) == std::vector<int32_t>{2, 3, 1, 2, 4, 0});
  CHECK_THAT(messageOf([&] { Vocabulary({"\n", " "}).encode(text, "a", place); }),
             Contains("character 0 of a is `b`"));
  for (const char *wrong :
       {"\x80", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    writeText(folder / "b", std::string("ok\n") + wrong);
    CHECK_THAT(messageOf([&] { readText(folder / "b", place); }),
               Contains("no UTF-8 text: byte 3 of it, in line 2"));
  }
}
