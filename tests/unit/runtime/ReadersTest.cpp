#include "TestFiles.h"

#include "runtime/CsvReader.h"
#include "runtime/Half.h"
#include "runtime/IdxReader.h"
#include "runtime/Npy.h"

#include <bit>
#include <cmath>

using namespace sinter::runtime;
using namespace sinter::runtime::test;
using Catch::Contains;

static const std::string place = "lenet.sinter:4:11";

TEST_CASE("IDX files of all types are read, compressed or not") {
  const TempFolder folder;
  const std::string bytes = idx(0x08, {3, 2}, {1, 2, 3, 4, 5, static_cast<char>(255)});
  writeText(folder / "plain", bytes);
  writeGzip(folder / "packed.gz", bytes);
  for (const char *name : {"plain", "packed.gz"}) {
    const Records records = readIdx(folder / name, place);
    CHECK(records.count == 3);
    CHECK(records.shape == Shape{2});
    CHECK(std::get<std::vector<uint8_t>>(records.values) ==
          std::vector<uint8_t>{1, 2, 3, 4, 5, 255});
  }
  writeText(folder / "i8", idx(0x09, {2}, {-1, 2}));
  CHECK(std::get<std::vector<int32_t>>(readIdx(folder / "i8", place).values) ==
        std::vector<int32_t>{-1, 2});
  writeText(folder / "i16", idx(0x0B, {2}, std::string("\xff\xfe\x01\x02", 4)));
  CHECK(std::get<std::vector<int32_t>>(readIdx(folder / "i16", place).values) ==
        std::vector<int32_t>{-2, 258});
  writeText(folder / "i32", idx(0x0C, {1}, std::string("\x80\x00\x00\x01", 4)));
  CHECK(std::get<std::vector<int32_t>>(readIdx(folder / "i32", place).values) ==
        std::vector<int32_t>{-2147483647});
  writeText(folder / "f32", idx(0x0D, {1}, std::string("\x3f\xc0\x00\x00", 4)));
  CHECK(std::get<std::vector<float>>(readIdx(folder / "f32", place).values) ==
        std::vector<float>{1.5f});
  writeText(folder / "f64", idx(0x0E, {1}, std::string("\xbf\xf8\x00\x00\x00\x00\x00\x00", 8)));
  CHECK(std::get<std::vector<float>>(readIdx(folder / "f64", place).values) ==
        std::vector<float>{-1.5f});
}

TEST_CASE("what is wrong with an IDX file is said, with its name") {
  const TempFolder folder;
  const auto message = [&](const std::string &name) {
    return messageOf([&] { readIdx(folder / name, place); });
  };
  CHECK_THAT(message("nowhere.gz"), Contains(folder / "nowhere.gz") && Contains("no such file"));
  std::string pixels(3000, '\0');
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<char>(i * i * 31 >> 3);
  const std::string whole = idx(0x08, {30, 10, 10}, pixels);
  writeGzip(folder / "whole.gz", whole);
  CHECK(message("whole.gz").empty());
  const std::string packed = readText(folder / "whole.gz");
  writeText(folder / "cut.gz", packed.substr(0, packed.size() / 2));
  CHECK_THAT(message("cut.gz"), Contains("cut.gz is cut off") && Contains("gzip"));
  writeText(folder / "tail.gz", packed.substr(0, packed.size() - 4));
  CHECK_THAT(message("tail.gz"), Contains("cut off"));
  std::string damaged = packed;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 0x55);
  writeText(folder / "damaged.gz", damaged);
  CHECK_THAT(message("damaged.gz"), Contains("damaged"));
  writeText(folder / "short", whole.substr(0, whole.size() - 150));
  CHECK_THAT(message("short"), Contains("30 records of 10×10") && Contains("within record 28"));
  writeText(folder / "long", whole + "x");
  CHECK_THAT(message("long"), Contains("goes on behind the 30 records"));
  writeText(folder / "magic", "\x89PNG....");
  CHECK_THAT(message("magic"), Contains("no IDX file") && Contains("89 50 4e 47"));
  writeText(folder / "empty", "");
  CHECK_THAT(message("empty"), Contains("no IDX file"));
  writeText(folder / "header", whole.substr(0, 9));
  CHECK_THAT(message("header"), Contains("within its header"));
  writeText(folder / "huge", idx(0x0E, {0xffffffff, 0xffffffff, 0xffffffff}, "x"));
  CHECK_THAT(message("huge"), Contains("short"));
  CHECK_THAT(message("."), Contains("it is a folder"));
}

static Source csv(std::vector<int64_t> columns) {
  Source source;
  source.kind = Source::Kind::Csv;
  source.columns = std::move(columns);
  return source;
}

static const Field reals{"x", Scalar::F32, 0, {2}};
static const Field label{"y", Scalar::I32, 3, {}};

TEST_CASE("CSV columns are chosen by number, from the end, by range and by name") {
  const TempFolder folder;
  writeText(folder / "a.csv",
            "\xEF\xBB\xBFp, q ,r,\"s \"\"t\"\"\"\r\n1,2,3,4\r\n\r\n5, +6.5 ,-7e1,8\n");
  const CsvFile file(folder / "a.csv", place, ',');
  Source source = csv({0, -1});
  CHECK(file.looksLikeHeader(source, reals, place));
  Records records = file.read(source, true, reals, nullptr, place);
  CHECK(std::get<std::vector<float>>(records.values) == std::vector<float>{1, 4, 5, 8});
  CHECK(records.lines == std::vector<uint32_t>{2, 4}); // blank lines count, but are no records
  source = csv({});
  source.first = 1;
  source.last = -2;
  CHECK(std::get<std::vector<float>>(file.read(source, true, reals, nullptr, place).values) ==
        std::vector<float>{2, 3, 6.5f, -70});
  source = csv({});
  source.columnNames = {"s \"t\"", "q"};
  CHECK(std::get<std::vector<float>>(file.read(source, true, reals, nullptr, place).values) ==
        std::vector<float>{4, 2, 8, 6.5f});
  source.columnNames = {"z"};
  CHECK_THAT(messageOf([&] { file.read(source, true, reals, nullptr, place); }),
             Contains("no column `z`") && Contains("p, q, r"));
}

TEST_CASE("a first line is a header only where numbers are wanted and are none") {
  const TempFolder folder;
  writeText(folder / "words.csv", "1,2,setosa\n3,4,virginica\n");
  const CsvFile words(folder / "words.csv", place, ',');
  CHECK_FALSE(words.looksLikeHeader(csv({0, 1}), reals, place));
  CHECK_FALSE(words.looksLikeHeader(csv({2}), label, place)); // a word in a class column
  CHECK(words.hasWords(csv({2}), false, place));
  writeText(folder / "header.csv", "a,b,species\n3,4,0\n");
  const CsvFile header(folder / "header.csv", place, ',');
  CHECK(header.looksLikeHeader(csv({0, 1}), reals, place));
  Source skipping = csv({0, 1});
  skipping.skip = 0;
  CHECK_FALSE(header.looksLikeHeader(skipping, reals, place));
  skipping.skip = 1;
  CHECK(header.read(skipping, false, reals, nullptr, place).count == 1);
}

TEST_CASE("blanks, tabs and semicolons separate too") {
  const TempFolder folder;
  writeGzip(folder / "b.gz", "  1   2 \n 3 4\n");
  CHECK(std::get<std::vector<float>>(CsvFile(folder / "b.gz", place, ' ')
                                         .read(csv({0, 1}), false, reals, nullptr, place)
                                         .values) == std::vector<float>{1, 2, 3, 4});
  writeText(folder / "t.tsv", "1\t2\n");
  CHECK(std::get<std::vector<float>>(CsvFile(folder / "t.tsv", place, '\t')
                                         .read(csv({1, 0}), false, reals, nullptr, place)
                                         .values) == std::vector<float>{2, 1});
}

TEST_CASE("what is wrong with a CSV file is said, with its line") {
  const TempFolder folder;
  writeText(folder / "c.csv", "1,2,0\n3,4,1\n5,6\n");
  const CsvFile columns(folder / "c.csv", place, ',');
  CHECK_THAT(messageOf([&] { columns.read(csv({0, 1}), false, reals, nullptr, place); }),
             Contains("line 3") && Contains("2 columns") && Contains("first has 3"));
  CHECK_THAT(messageOf([&] { columns.read(csv({7}), false, reals, nullptr, place); }),
             Contains("no column 7") && Contains("3 columns"));
  writeText(folder / "d.csv", "1,2\n3,four\n");
  CHECK_THAT(
      messageOf([&] {
        CsvFile(folder / "d.csv", place, ',').read(csv({0, 1}), false, reals, nullptr, place);
      }),
      Contains("line 2") && Contains("`four` is no number") && Contains("f32[2]"));
  writeText(folder / "e.csv", "1\n1.5\n");
  CHECK_THAT(messageOf([&] {
               CsvFile(folder / "e.csv", place, ',').read(csv({0}), false, label, nullptr, place);
             }),
             Contains("line 2") && Contains("`1.5` is no integer") && Contains("class[3]"));
  writeText(folder / "f.csv", "\n\n");
  CHECK_THAT(messageOf([&] {
               CsvFile(folder / "f.csv", place, ',').read(csv({0}), false, label, nullptr, place);
             }),
             Contains("no records"));
}

TEST_CASE("npy files are written and read back, and refused where they are strange") {
  const TempFolder folder;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  writeNpy(folder / "a.npy", {3, 2}, values);
  const Records records = readNpy(folder / "a.npy", place);
  CHECK(records.count == 3);
  CHECK(records.shape == Shape{2});
  CHECK(std::get<std::vector<float>>(records.values) == values);
  CHECK(readText(folder / "a.npy").size() == 128 + 24); // the data begins at a multiple of 64

  // As numpy writes np.array([[1.5], [-2]], dtype='<f8') and np.arange(2, dtype='u1').
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }";
  header.resize(117, ' ');
  const double doubles[] = {1.5, -2};
  writeText(folder / "b.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" +
                                  std::string(reinterpret_cast<const char *>(doubles), 16));
  CHECK(std::get<std::vector<float>>(readNpy(folder / "b.npy", place).values) ==
        std::vector<float>{1.5f, -2});
  writeText(folder / "c.npy", readText(folder / "a.npy").substr(0, 140));
  CHECK_THAT(messageOf([&] { readNpy(folder / "c.npy", place); }),
             Contains("short of the 3 records"));
  writeText(folder / "d.npy", "PK\x03\x04");
  CHECK_THAT(messageOf([&] { readNpy(folder / "d.npy", place); }), Contains("no .npy file"));
  std::string fortran = readText(folder / "a.npy");
  fortran.replace(fortran.find("False"), 5, "True ");
  writeText(folder / "e.npy", fortran);
  CHECK(std::get<std::vector<float>>(readNpy(folder / "e.npy", place).values) ==
        std::vector<float>{1, 4, 2, 5, 3, 6});
  std::string complex = readText(folder / "a.npy");
  complex.replace(complex.find("<f4"), 3, "<c8");
  writeText(folder / "f.npy", complex);
  CHECK_FALSE(messageOf([&] { readNpy(folder / "f.npy", place); }).empty());
}

TEST_CASE("sixteen-bit reals convert exactly") {
  CHECK(halfToFloat(0x3C00) == 1.0f);
  CHECK(halfToFloat(0xC500) == -5.0f);
  CHECK(halfToFloat(0x0001) == 0x1p-24f);
  CHECK(halfToFloat(0x83FF) == -1023 * 0x1p-24f);
  CHECK(halfToFloat(0x7BFF) == 65504.0f);
  CHECK(std::isinf(halfToFloat(0xFC00)));
  CHECK(std::isnan(halfToFloat(0x7E00)));
  CHECK(std::bit_cast<uint32_t>(halfToFloat(0x8000)) == 0x80000000u);
  CHECK(bfloatToFloat(0x3FC0) == 1.5f);
}
