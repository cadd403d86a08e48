#include "runtime/Augmenter.h"

#include "runtime/Normal.h"
#include "runtime/Philox.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <numbers>

namespace sinter::runtime {

/// The random numbers of one step for one example of one epoch.
struct Augmenter::Draws {
  uint64_t seed;
  uint32_t purpose, epoch, example;

  uint32_t bits(uint64_t index) const { return randomBits(seed, purpose, epoch, example, index); }
  double uniform(uint64_t index) const { return uniformFloat(bits(index)); }
  /// Evenly from 0 … count-1.
  int64_t below(uint64_t index, int64_t count) const {
    return static_cast<int64_t>(uint64_t{bits(index)} * static_cast<uint64_t>(count) >> 32);
  }
};

Augmenter::Augmenter(const Data &data, const Field &field, uint64_t ofRun) : seed(ofRun) {
  const Shape &shape = field.shape;
  if (shape.size() >= 2) {
    height = shape[shape.size() - 2];
    width = shape[shape.size() - 1];
  } else if (shape.size() == 1) {
    width = shape[0];
  }
  planes = field.elements() / (height * width);
  for (size_t block = 0; block < data.augments.size(); ++block) {
    const Augment &augment = data.augments[block];
    if (std::find(augment.fields.begin(), augment.fields.end(), field.name) == augment.fields.end())
      continue;
    // Fields of one block have the same purposes and so the same draws.
    for (size_t i = 0; i < augment.steps.size(); ++i)
      steps.push_back({augment.steps[i].kind, augment.steps[i].value,
                       fnv1a(fmt::format("augment:{}.{}.{}", data.name, block, i))});
  }
}

void Augmenter::apply(uint32_t epoch, uint32_t example, uint32_t *values, uint32_t *scratch) const {
  using Kind = Augment::Kind;
  const auto bytes = static_cast<size_t>(planes * height * width) * sizeof(uint32_t);
  for (const Step &step : steps) {
    const Draws draws{seed, step.purpose, epoch, example};
    switch (step.kind) {
    case Kind::RandomCrop:
      std::memcpy(scratch, values, bytes);
      crop(draws, static_cast<int64_t>(step.value), scratch, values);
      break;
    case Kind::RandomRotation:
      std::memcpy(scratch, values, bytes);
      rotate(draws, step.value, scratch, values);
      break;
    case Kind::FlipHorizontal:
    case Kind::FlipVertical:
      if (draws.uniform(0) < step.value)
        flip(step.kind == Kind::FlipVertical, values);
      break;
    case Kind::RandomErase:
      if (draws.uniform(0) < step.value)
        erase(draws, values);
      break;
    case Kind::Noise:
      addNoise(draws, step.value, values);
      break;
    }
  }
}

void Augmenter::crop(const Draws &draws, int64_t padding, const uint32_t *from,
                     uint32_t *to) const {
  const int64_t down = draws.below(0, 2 * padding + 1) - padding,
                across = draws.below(1, 2 * padding + 1) - padding;
  const int64_t first = std::clamp<int64_t>(-across, 0, width),
                last = std::clamp<int64_t>(width - across, first, width);
  for (int64_t plane = 0; plane < planes; ++plane)
    for (int64_t y = 0; y < height; ++y, to += width) {
      std::memset(to, 0, static_cast<size_t>(width) * sizeof(uint32_t));
      if (y + down < 0 || y + down >= height || first == last)
        continue;
      const uint32_t *row = from + (plane * height + y + down) * width;
      std::memcpy(to + first, row + first + across,
                  static_cast<size_t>(last - first) * sizeof(uint32_t));
    }
}

void Augmenter::rotate(const Draws &draws, double degrees, const uint32_t *from,
                       uint32_t *to) const {
  const double angle = (2 * draws.uniform(0) - 1) * degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double middleX = static_cast<double>(width - 1) / 2,
               middleY = static_cast<double>(height - 1) / 2;
  const int64_t size = height * width;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) - middleX, v = static_cast<double>(y) - middleY;
      const double sourceX = std::nearbyint(cosine * u - sine * v + middleX),
                   sourceY = std::nearbyint(sine * u + cosine * v + middleY);
      const bool inside = sourceX >= 0 && sourceX < static_cast<double>(width) && sourceY >= 0 &&
                          sourceY < static_cast<double>(height);
      const int64_t source =
          inside ? static_cast<int64_t>(sourceY) * width + static_cast<int64_t>(sourceX) : 0;
      for (int64_t plane = 0; plane < planes; ++plane)
        to[plane * size + y * width + x] = inside ? from[plane * size + source] : 0;
    }
}

void Augmenter::flip(bool upDown, uint32_t *values) const {
  for (int64_t plane = 0; plane < planes; ++plane) {
    uint32_t *image = values + plane * height * width;
    if (upDown)
      for (int64_t y = 0; y < height / 2; ++y)
        std::swap_ranges(image + y * width, image + (y + 1) * width,
                         image + (height - 1 - y) * width);
    else
      for (int64_t y = 0; y < height; ++y)
        std::reverse(image + y * width, image + (y + 1) * width);
  }
}

void Augmenter::erase(const Draws &draws, uint32_t *values) const {
  constexpr double leastArea = 0.02, mostArea = 0.33, leastRatio = 0.3, mostRatio = 3.3;
  constexpr uint64_t attempts = 10;
  const auto area = static_cast<double>(height * width);
  for (uint64_t attempt = 0; attempt < attempts; ++attempt) {
    const uint64_t at = 1 + 4 * attempt;
    const double share = area * (leastArea + (mostArea - leastArea) * draws.uniform(at));
    const double ratio =
        std::exp(std::log(leastRatio) + std::log(mostRatio / leastRatio) * draws.uniform(at + 1));
    const auto tall = static_cast<int64_t>(std::lround(std::sqrt(share * ratio))),
               wide = static_cast<int64_t>(std::lround(std::sqrt(share / ratio)));
    if (tall >= height || wide >= width)
      continue;
    const int64_t top = draws.below(at + 2, height - tall + 1),
                  left = draws.below(at + 3, width - wide + 1);
    for (int64_t plane = 0; plane < planes; ++plane)
      for (int64_t y = top; y < top + tall; ++y)
        std::fill_n(values + (plane * height + y) * width + left, wide, 0U);
    return;
  }
}

void Augmenter::addNoise(const Draws &draws, double std, uint32_t *values) const {
  const auto count = static_cast<size_t>(planes * height * width);
  auto *numbers = reinterpret_cast<float *>(values);
  // Four numbers come of one draw, 16 apart, as randomBits numbers them.
  for (size_t block = 0; block < count; block += 64)
    for (size_t lane = 0; lane < 16 && block + lane < count; ++lane) {
      const PhiloxWords words = philox(
          {static_cast<uint32_t>(block / 4 + lane), draws.example, draws.epoch, draws.purpose},
          draws.seed);
      for (size_t word = 0; word < 4; ++word)
        if (const size_t i = block + 16 * word + lane; i < count)
          numbers[i] += static_cast<float>(std * inverseNormal(openUniform(words[word])));
    }
}

} // namespace sinter::runtime
