//===- Jpeg.cpp - JPEG pictures by libjpeg-turbo ----------------------------------------------===//
#include "runtime/Image.h"

#include <csetjmp>
#include <cstdio>
#include <fmt/format.h>
// In this order: the first needs <cstdio>, the second the first.
#include <jpeglib.h>

#include <jerror.h>

namespace sinter::runtime {

namespace {

/// The library reports errors by a call that must not return.
struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

void stop(j_common_ptr info) {
  auto *errors = reinterpret_cast<Errors *>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->back, 1);
}

/// What is missing, the library would paint grey.
void warn(j_common_ptr info, int /*level*/) {
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
      code == JWRN_MUST_RESYNC)
    stop(info);
}

/// Decodes into an image; false with the library's message. Nothing that has a destructor lives here,
/// for a jump passes it by.
bool decode(std::string_view bytes, Image &image, Errors &errors) {
  jpeg_decompress_struct info{};
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = stop;
  errors.base.emit_message = warn;
  if (setjmp(errors.back)) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  if (uint64_t{info.image_width} * info.image_height > mostPixels)
    ERREXIT1(&info, JERR_IMAGE_TOO_BIG, static_cast<int>(JPEG_MAX_DIMENSION));
  info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&info);
  image.width = info.output_width;
  image.height = info.output_height;
  image.channels = static_cast<size_t>(info.output_components);
  image.pixels.resize(image.width * image.height * image.channels);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = image.pixels.data() + info.output_scanline * image.width * image.channels;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

} // namespace

Image decodeJpeg(std::string_view bytes) {
  Image image;
  Errors errors{};
  if (!decode(bytes, image, errors))
    throw ImageProblem{fmt::format("it is damaged: {}", errors.message)};
  return image;
}

} // namespace sinter::runtime
