//===- Image.h - pictures in memory, and their files ------------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinter::runtime {

/// Bytes from 0 to 255, row by row, the channels of a pixel beside each other: 1 grey, 2 grey and
/// alpha, 3 red, green and blue, 4 these and alpha.
struct Image {
  size_t width = 0, height = 0, channels = 0;
  std::vector<uint8_t> pixels;
};

/// No picture is larger than this many pixels.
inline constexpr uint64_t mostPixels = uint64_t{1} << 28;

/// Whether a file of this name is taken for a picture: .png .pnm .pbm .pgm .ppm .jpg .jpeg, with .gz
/// behind it or not.
bool isImageName(std::string_view name);

/// Reads a picture, gzip or not; what it is, its first bytes say. Throws DataError.
Image readImage(const std::string &path, const std::string &place);

/// What is wrong with a picture, for `readImage` to say with the file's name.
struct ImageProblem {
  std::string what;
};

/// Each throws ImageProblem.
Image decodePng(std::string_view bytes);  ///< ISO 15948: every type and depth, interlaced or not
Image decodePnm(std::string_view bytes);  ///< P1 to P6
Image decodeJpeg(std::string_view bytes); ///< baseline and progressive

/// The picture at another size: bilinear, and averaging where it becomes smaller, as Pillow does it.
Image resized(const Image &image, size_t height, size_t width);

/// The picture as [channels, height, width], 1 channel (grey, by BT.601) or 3; alpha is left out.
void toPlanes(const Image &image, size_t channels, uint8_t *out);

} // namespace sinter::runtime
