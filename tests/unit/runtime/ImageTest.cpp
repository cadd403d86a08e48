#include "tests/unit/runtime/SampleFiles.h"

#include "runtime/ImageFolder.h"

#include <cmath>
#include <cstdlib>
#include <thread>
// In this order: the first needs <cstdio>, the second the first.
#include <jpeglib.h>

using namespace sinter::runtime;
using namespace sinter::runtime::test;
using Catch::Contains;

namespace {

std::string encoded(int width, int height, const std::vector<uint8_t> &rgb, bool progressive) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char *memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (progressive)
    jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto *row =
        const_cast<JSAMPROW>(rgb.data() + size_t{info.next_scanline} * 3 * info.image_width);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string text(reinterpret_cast<char *>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return text;
}

/// The runtime has the encoder without its vector routines. The library asks what the CPU can once a thread, so that another
/// thread encodes and this one decodes by vectors.
std::string jpeg(int width, int height, const std::vector<uint8_t> &rgb, bool progressive) {
  std::string bytes;
  setenv("JSIMD_FORCENONE", "1", 1);
  std::thread([&] { bytes = encoded(width, height, rgb, progressive); }).join();
  unsetenv("JSIMD_FORCENONE");
  return bytes;
}

std::string problemOf(const std::string &bytes) {
  const TempFolder folder;
  writeText(folder / "a", bytes);
  return messageOf([&] { readImage(folder / "a", "spec.sinter:1:1"); });
}

} // namespace

TEST_CASE("PNG pictures of each type are read, by every filter, interlaced or not") {
  const struct {
    int colour, depth;
    size_t samples;
  } types[] = {{0, 8, 1}, {2, 8, 3}, {4, 8, 2}, {6, 8, 4}, {0, 16, 1}, {6, 16, 4}, {2, 16, 3}};
  for (const auto &[colour, depth, samples] : types)
    for (int filter = -1; filter < 5; ++filter)
      for (const bool interlaced : {false, true}) {
        const std::vector<uint8_t> pixels = someBytes(13 * 9 * samples);
        const Image image =
            decodePng(png(13, 9, samples, pixels, {depth, colour, filter, interlaced}));
        CHECK(image.width == 13);
        CHECK(image.height == 9);
        CHECK(image.channels == samples);
        CHECK(image.pixels == pixels);
      }
}

TEST_CASE("small depths of a PNG fill 0 to 255, and palettes give colours") {
  for (int depth : {1, 2, 4}) {
    const std::vector<uint8_t> pixels = someBytes(11 * 6);
    const Image image = decodePng(png(11, 6, 1, pixels, {depth, 0, -1, depth == 2}));
    for (size_t i = 0; i < pixels.size(); ++i) {
      const unsigned value = pixels[i] >> (8 - depth), most = (1U << depth) - 1;
      REQUIRE(image.pixels[i] == value * 255 / most);
    }
  }
  const std::vector<uint8_t> indices = {0x00, 0x40, 0x80, 0xC0}; // upper bits: 0, 1, 2, 3
  const std::string palette = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const Image image = decodePng(png(2, 2, 1, indices, {2, 3, 0, false}, palette));
  CHECK(image.pixels == std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK_THAT(problemOf(png(2, 2, 1, indices, {2, 3, 0, false}, palette.substr(0, 9))),
             Contains("palette"));
}

TEST_CASE("PNM pictures are read, plain and raw, with comments and large numbers") {
  CHECK(decodePnm("P5\n# a comment\n2 2 # more\n255\n\1\2\3\4").pixels ==
        std::vector<uint8_t>{1, 2, 3, 4});
  CHECK(decodePnm("P2 2 1 15 0 15").pixels == std::vector<uint8_t>{0, 255});
  CHECK(decodePnm("P3 1 1 255 10 20 30").pixels == std::vector<uint8_t>{10, 20, 30});
  CHECK(decodePnm("P1 3 1 101").pixels == std::vector<uint8_t>{0, 255, 0});
  CHECK(decodePnm("P4 9 1\n\xAA\x80").pixels ==
        std::vector<uint8_t>{0, 255, 0, 255, 0, 255, 0, 255, 0});
  CHECK(decodePnm(std::string_view("P6 1 1 65535\n\x80\x00\xFF\xFF\x00\x00", 19)).pixels ==
        std::vector<uint8_t>{128, 255, 0});
  CHECK_THAT(problemOf("P5 2 2 255\n\1\2"), Contains("cut off"));
  CHECK_THAT(problemOf("P2 1 1 15 16"), Contains("16, and its largest is 15"));
  CHECK_THAT(problemOf("P5 99999999 99999999 255\n"), Contains("are not read"));
}

TEST_CASE("JPEG pictures are read, baseline and progressive") {
  std::vector<uint8_t> rgb;
  for (int y = 0; y < 24; ++y)
    for (int x = 0; x < 32; ++x)
      for (const int value : {8 * x, 10 * y, 128})
        rgb.push_back(static_cast<uint8_t>(value));
  for (const bool progressive : {false, true}) {
    const std::string bytes = jpeg(32, 24, rgb, progressive);
    const Image image = decodeJpeg(bytes);
    REQUIRE(image.pixels.size() == rgb.size());
    double distance = 0;
    for (size_t i = 0; i < rgb.size(); ++i)
      distance += std::abs(image.pixels[i] - rgb[i]);
    CHECK(distance / static_cast<double>(rgb.size()) < 3); // quality 95 on a smooth picture
    CHECK_THAT(problemOf(bytes.substr(0, bytes.size() / 2)), Contains("damaged"));
  }
}

TEST_CASE("resizing averages where it becomes smaller and interpolates where it becomes larger") {
  // By hand: scale 2, support 2; the middle output of 1…8 weighs .125 .375 .375 .125.
  const Image line{8, 1, 1, {10, 20, 30, 40, 50, 60, 70, 80}};
  CHECK(resized(line, 1, 4).pixels[1] == 35);
  CHECK(resized(line, 1, 4).pixels[2] == 55);
  const Image pair{2, 1, 1, {0, 100}};
  CHECK(resized(pair, 1, 4).pixels == std::vector<uint8_t>{0, 25, 75, 100});
  const Image flat{5, 7, 3, std::vector<uint8_t>(105, 77)};
  CHECK(resized(flat, 3, 11).pixels == std::vector<uint8_t>(99, 77));
  CHECK(resized(line, 1, 8).pixels == line.pixels);
}

TEST_CASE("colours become grey by BT.601, grey becomes colours, alpha is left out") {
  uint8_t out[3];
  toPlanes({1, 1, 4, {100, 150, 200, 7}}, 1, out);
  CHECK(out[0] == 141); // 0.299 · 100 + 0.587 · 150 + 0.114 · 200 = 140.75
  toPlanes({1, 1, 2, {9, 7}}, 3, out);
  CHECK((out[0] == 9 && out[1] == 9 && out[2] == 9));
}

TEST_CASE("a folder of class folders is read in sorted order, names kept") {
  const TempFolder folder;
  for (const char *name : {"b/cats", "b/ants", ".git"})
    std::filesystem::create_directories(folder.path / name);
  std::filesystem::create_directories(folder.path / "a");
  writeText(folder / "b/cats/2.pgm", "P5 2 1 255\n\1\2");
  writeText(folder / "b/ants/1.png", png(2, 1, 1, {3, 4}, {8, 0, 0, false}));
  writeGzip(folder / "a/x.PGM.gz", "P5 2 1 255\n\5\6");
  writeText(folder / "a/readme.txt", "no picture");
  writeText(folder / ".git/z.pgm", "P5 1 1 255\n\1");
  const ImageFolder read(folder / ".", "spec.sinter:2:3");
  CHECK(read.classes() == std::vector<std::string>{"a", "b"});
  CHECK(std::get<std::vector<uint8_t>>(read.images({1, 1, 2}, false, 2).values) ==
        std::vector<uint8_t>{5, 6, 3, 4, 1, 2});
  CHECK(std::get<std::vector<int32_t>>(read.labels({"a", "b"}).values) ==
        std::vector<int32_t>{0, 1, 1});
  CHECK(std::get<std::vector<uint8_t>>(read.images({3, 1, 1}, true, 1).values)[0] == 6); // 5.5
  CHECK_THAT(messageOf([&] { read.images({1, 2, 2}, false, 1); }),
             Contains("1×2 pixels") && Contains("[1, 2, 2]"));
  CHECK_THAT(messageOf([&] { read.labels({"a"}); }), Contains("b") && Contains("none of the 1"));
  CHECK_THAT(messageOf([&] { ImageFolder(folder / "nowhere", ""); }), Contains("no such folder"));
  CHECK_THAT(messageOf([&] { ImageFolder(folder / "b/cats", ""); }), Contains("no pictures"));
}
