//===- Npy.h - NumPy's file format ------------------------------------------------------------===//
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
#pragma once

#include "runtime/Records.h"

#include <span>

namespace sinter::runtime {

/// Reads an array whose first axis counts records: u1, b1, i1, i2, i4, i8, f2, f4 or f8,
/// little-endian, C order; gzip or not. Throws DataError.
Records readNpy(const std::string &path, const std::string &place);

/// Writes a C-ordered array, beside and renamed. Throws Error; an older file then stays whole.
void writeNpy(const std::string &path, const Shape &shape, std::span<const float> values);
void writeNpy(const std::string &path, const Shape &shape, std::span<const int32_t> values);

} // namespace sinter::runtime
