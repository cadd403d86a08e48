//===- IdxReader.h - the format of MNIST and its kin ------------------------------------------===//
// Big-endian: two zero bytes, a type, the number of dimensions, the dimensions as u32, the numbers
// (http://yann.lecun.com/exdb/mnist). The first dimension counts records. Types: u8, i8, i16, i32,
// f32, f64.
#pragma once

#include "runtime/Records.h"

namespace sinter::runtime {

/// Reads a whole file, gzip or not. Throws DataError for a missing, cut off, damaged, short or
/// overlong file.
Records readIdx(const std::string &path, const std::string &place);

} // namespace sinter::runtime
