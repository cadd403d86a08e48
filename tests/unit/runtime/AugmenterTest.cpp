#include "runtime/Augmenter.h"
#include "runtime/Philox.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <numbers>
#include <set>

using namespace sinter::runtime;

namespace {

Data dataWith(const Field &field, std::vector<Augment::Step> steps) {
  Data data;
  data.name = "d";
  data.fields = {field};
  data.augments = {{{field.name}, std::move(steps)}};
  return data;
}

const Field image{"image", Scalar::F32, 0, {2, 5, 7}};

/// Numbers from 1 on, so that a zero is a fill.
std::vector<float> numbered(const Field &field) {
  std::vector<float> values(static_cast<size_t>(field.elements()));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i + 1);
  return values;
}

std::vector<float> applied(const Augmenter &augmenter, const Field &field, uint32_t epoch,
                           uint32_t example) {
  const std::vector<float> start = numbered(field);
  std::vector<uint32_t> words(start.size()), scratch(start.size());
  std::memcpy(words.data(), start.data(), start.size() * 4);
  augmenter.apply(epoch, example, words.data(), scratch.data());
  std::vector<float> result(start.size());
  std::memcpy(result.data(), words.data(), start.size() * 4);
  return result;
}

float at(const std::vector<float> &values, int plane, int y, int x) {
  if (y < 0 || y >= 5 || x < 0 || x >= 7)
    return 0;
  return values[static_cast<size_t>((plane * 5 + y) * 7 + x)];
}

} // namespace

TEST_CASE("a flip mirrors rows or columns, as often as it should") {
  const std::vector<float> before = numbered(image);
  for (const auto kind : {Augment::Kind::FlipHorizontal, Augment::Kind::FlipVertical}) {
    const std::vector<float> always =
        applied(Augmenter(dataWith(image, {{kind, 1}}), image, 3), image, 0, 0);
    for (int plane = 0; plane < 2; ++plane)
      for (int y = 0; y < 5; ++y)
        for (int x = 0; x < 7; ++x)
          REQUIRE(at(always, plane, y, x) == (kind == Augment::Kind::FlipHorizontal
                                                  ? at(before, plane, y, 6 - x)
                                                  : at(before, plane, 4 - y, x)));
    CHECK(applied(Augmenter(dataWith(image, {{kind, 0}}), image, 3), image, 0, 0) == before);
    const Augmenter seldom(dataWith(image, {{kind, 0.3}}), image, 3);
    int flipped = 0;
    for (uint32_t i = 0; i < 4000; ++i)
      flipped += applied(seldom, image, 1, i) != before;
    CHECK(std::abs(flipped - 1200) < 4 * std::sqrt(4000 * 0.3 * 0.7));
  }
}

TEST_CASE("a crop shifts all planes alike, evenly over its offsets, and fills with zeros") {
  const Augmenter crop(dataWith(image, {{Augment::Kind::RandomCrop, 2}}), image, 9);
  const std::vector<float> before = numbered(image);
  std::map<std::pair<int, int>, int> seen;
  for (uint32_t i = 0; i < 5000; ++i) {
    const std::vector<float> after = applied(crop, image, i / 100, i);
    bool found = false;
    for (int dy = -2; dy <= 2 && !found; ++dy)
      for (int dx = -2; dx <= 2 && !found; ++dx) {
        bool same = true;
        for (int plane = 0; plane < 2; ++plane)
          for (int y = 0; y < 5; ++y)
            for (int x = 0; x < 7; ++x)
              same = same && at(after, plane, y, x) == at(before, plane, y + dy, x + dx);
        found = same;
        if (same)
          ++seen[{dy, dx}];
      }
    REQUIRE(found);
  }
  CHECK(seen.size() == 25);
  for (const auto &[offset, count] : seen)
    CHECK(std::abs(count - 200) < 60); // 4.3 deviations
  const Augmenter none(dataWith(image, {{Augment::Kind::RandomCrop, 0}}), image, 9);
  CHECK(applied(none, image, 0, 0) == before);
  const Augmenter far(dataWith(image, {{Augment::Kind::RandomCrop, 100}}), image, 9);
  for (uint32_t i = 0; i < 200; ++i) // pieces beside the picture too
    applied(far, image, 0, i);
}

TEST_CASE("a rotation takes each pixel from where the angle says, counter-clockwise") {
  const std::vector<float> before = numbered(image);
  const Augmenter none(dataWith(image, {{Augment::Kind::RandomRotation, 0}}), image, 5);
  CHECK(applied(none, image, 0, 3) == before);
  const Augmenter turn(dataWith(image, {{Augment::Kind::RandomRotation, 90}}), image, 5);
  double least = 1, most = -1;
  for (uint32_t example = 0; example < 200; ++example) {
    const uint32_t bits = randomBits(5, fnv1a("augment:d.0.0"), 2, example, 0);
    const double share = 2.0 * uniformFloat(bits) - 1, angle = share * std::numbers::pi / 2;
    least = std::min(least, share);
    most = std::max(most, share);
    const std::vector<float> after = applied(turn, image, 2, example);
    for (int plane = 0; plane < 2; ++plane)
      for (int y = 0; y < 5; ++y)
        for (int x = 0; x < 7; ++x) {
          const double fromX = std::cos(angle) * (x - 3) - std::sin(angle) * (y - 2) + 3,
                       fromY = std::sin(angle) * (x - 3) + std::cos(angle) * (y - 2) + 2;
          const float expected = at(before, plane, static_cast<int>(std::lround(fromY)),
                                    static_cast<int>(std::lround(fromX)));
          REQUIRE(at(after, plane, y, x) == expected);
        }
  }
  CHECK(least < -0.9);
  CHECK(most > 0.9);
}

TEST_CASE("random erase clears one rectangle of 2 to 33 percent in all planes") {
  const Field large{"image", Scalar::F32, 0, {3, 32, 32}};
  const Augmenter erase(dataWith(large, {{Augment::Kind::RandomErase, 1}}), large, 5);
  double area = 0;
  for (uint32_t example = 0; example < 500; ++example) {
    const std::vector<float> after = applied(erase, large, 0, example);
    int top = 32, bottom = -1, left = 32, right = -1, count = 0;
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x) {
        const bool clear = after[static_cast<size_t>(32 * y + x)] == 0;
        for (int plane = 1; plane < 3; ++plane)
          REQUIRE((after[static_cast<size_t>(1024 * plane + 32 * y + x)] == 0) == clear);
        if (!clear)
          continue;
        ++count;
        top = std::min(top, y);
        bottom = std::max(bottom, y);
        left = std::min(left, x);
        right = std::max(right, x);
      }
    REQUIRE(count == (bottom - top + 1) * (right - left + 1));
    const double ratio = static_cast<double>(bottom - top + 1) / (right - left + 1);
    CHECK(count > 0.01 * 1024);
    CHECK(count < 0.36 * 1024);
    CHECK(ratio > 0.25);
    CHECK(ratio < 4);
    area += count / 1024.0;
  }
  CHECK(area / 500 == Approx(0.175).margin(0.02));
}

TEST_CASE("noise is normal, and its own at each element, example and epoch") {
  const Field row{"image", Scalar::F32, 0, {130}};
  const Augmenter noise(dataWith(row, {{Augment::Kind::Noise, 0.5}}), row, 5);
  double sum = 0, squares = 0;
  std::set<float> different;
  const std::vector<float> before = numbered(row);
  for (uint32_t example = 0; example < 300; ++example) {
    const std::vector<float> after = applied(noise, row, example % 3, example);
    for (size_t i = 0; i < after.size(); ++i) {
      const double drawn = after[i] - before[i];
      sum += drawn;
      squares += drawn * drawn;
      different.insert(after[i] - before[i]);
    }
  }
  const double count = 300.0 * 130;
  CHECK(sum / count == Approx(0).margin(4 * 0.5 / std::sqrt(count)));
  CHECK(squares / count == Approx(0.25).epsilon(0.03));
  CHECK(different.size() > 30000); // f32 keeps few digits beside 130
}

TEST_CASE("draws follow the seed, the epoch and the example alone, and are one for all fields") {
  Field mask{"mask", Scalar::I32, 2, {5, 7}};
  Data data =
      dataWith(image, {{Augment::Kind::RandomCrop, 2}, {Augment::Kind::FlipHorizontal, 0.5}});
  data.fields.push_back(mask);
  data.augments[0].fields = {"image", "mask"};
  const Augmenter ofImage(data, image, 9), again(data, image, 9), ofMask(data, mask, 9),
      other(data, image, 10);
  int differs = 0, epochs = 0;
  for (uint32_t example = 0; example < 50; ++example) {
    const std::vector<float> one = applied(ofImage, image, 4, example);
    CHECK(applied(again, image, 4, example) == one);
    differs += applied(other, image, 4, example) != one;
    epochs += applied(ofImage, image, 5, example) != one;
    const std::vector<float> moved = applied(ofMask, mask, 4, example);
    CHECK(std::equal(moved.begin(), moved.end(), one.begin())); // the first plane's numbers
  }
  CHECK(differs > 30);
  CHECK(epochs > 30);
}

TEST_CASE("steps go in the written order") {
  // A rectangle that is cleared first moves with the picture; one cleared last lies within it.
  const Data noisyFirst =
                 dataWith(image, {{Augment::Kind::Noise, 1}, {Augment::Kind::RandomCrop, 3}}),
             noisyLast =
                 dataWith(image, {{Augment::Kind::RandomCrop, 3}, {Augment::Kind::Noise, 1}});
  int zerosFirst = 0, zerosLast = 0;
  for (uint32_t example = 0; example < 20; ++example) {
    for (float value : applied(Augmenter(noisyFirst, image, 1), image, 0, example))
      zerosFirst += value == 0;
    for (float value : applied(Augmenter(noisyLast, image, 1), image, 0, example))
      zerosLast += value == 0;
  }
  CHECK(zerosFirst > 100);
  CHECK(zerosLast == 0);
}
