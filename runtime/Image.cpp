#include "runtime/Image.h"

#include "runtime/Error.h"
#include "runtime/InputFile.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sinter::runtime {

bool isImageName(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower.ends_with(".gz"))
    lower.resize(lower.size() - 3);
  const char *const endings[] = {".png", ".pnm", ".pbm", ".pgm", ".ppm", ".jpg", ".jpeg"};
  return !lower.starts_with('.') && std::any_of(std::begin(endings), std::end(endings),
                                                [&](const char *e) { return lower.ends_with(e); });
}

Image readImage(const std::string &path, const std::string &place) {
  const std::string bytes = InputFile(path, place).readAll();
  try {
    if (bytes.starts_with("\x89PNG"))
      return decodePng(bytes);
    if (bytes.starts_with("\xFF\xD8\xFF"))
      return decodeJpeg(bytes);
    if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6')
      return decodePnm(bytes);
  } catch (const ImageProblem &problem) {
    throw DataError(fmt::format("{}: {}", path, problem.what), place);
  }
  throw DataError(fmt::format("{} is no picture that is read: PNG, JPEG or PNM", path), place);
}

namespace {

/// Which pixels of one axis make one of the result, and in what shares.
struct Taps {
  size_t first = 0;
  std::vector<float> weights;
};

/// A triangle filter, as wide as the pixels of the result or of the source, whichever is wider.
std::vector<Taps> tapsOf(size_t from, size_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = std::max(scale, 1.0);
  std::vector<Taps> all(to);
  for (size_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = static_cast<size_t>(std::max(center - support + 0.5, 0.0));
    const auto last = std::min(static_cast<size_t>(center + support + 0.5), from);
    double sum = 0;
    std::vector<double> weights;
    for (size_t j = first; j < last; ++j) {
      const double distance = std::abs((static_cast<double>(j) + 0.5 - center) / support);
      weights.push_back(std::max(1 - distance, 0.0));
      sum += weights.back();
    }
    all[i].first = first;
    for (double weight : weights)
      all[i].weights.push_back(static_cast<float>(weight / sum));
  }
  return all;
}

} // namespace

Image resized(const Image &image, size_t height, size_t width) {
  if (image.height == height && image.width == width)
    return image;
  const size_t channels = image.channels;
  const std::vector<Taps> across = tapsOf(image.width, width), down = tapsOf(image.height, height);
  std::vector<float> narrow(image.height * width * channels);
  for (size_t y = 0; y < image.height; ++y)
    for (size_t x = 0; x < width; ++x)
      for (size_t c = 0; c < channels; ++c) {
        const uint8_t *row =
            image.pixels.data() + (y * image.width + across[x].first) * channels + c;
        float sum = 0;
        for (size_t k = 0; k < across[x].weights.size(); ++k)
          sum += across[x].weights[k] * static_cast<float>(row[k * channels]);
        narrow[(y * width + x) * channels + c] = sum;
      }
  Image result{width, height, channels, std::vector<uint8_t>(height * width * channels)};
  for (size_t y = 0; y < height; ++y)
    for (size_t i = 0; i < width * channels; ++i) {
      float sum = 0;
      for (size_t k = 0; k < down[y].weights.size(); ++k)
        sum += down[y].weights[k] * narrow[(down[y].first + k) * width * channels + i];
      result.pixels[y * width * channels + i] =
          static_cast<uint8_t>(std::clamp(std::floor(sum + 0.5F), 0.0F, 255.0F));
    }
  return result;
}

void toPlanes(const Image &image, size_t channels, uint8_t *out) {
  const size_t pixels = image.width * image.height;
  const bool coloured = image.channels >= 3;
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t *pixel = image.pixels.data() + i * image.channels;
    if (channels == 1 && coloured) {
      constexpr uint32_t red = 19595, green = 38470, blue = 7471, half = 0x8000; // of 65536
      out[i] =
          static_cast<uint8_t>((pixel[0] * red + pixel[1] * green + pixel[2] * blue + half) >> 16);
      continue;
    }
    for (size_t c = 0; c < channels; ++c)
      out[c * pixels + i] = pixel[coloured ? c : 0];
  }
}

} // namespace sinter::runtime
