//===- Npy.h - NumPy's file format ------------------------------------------------------------===//
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
#pragma once

#include "runtime/InputFile.h"
#include "runtime/RawNumbers.h"

#include <span>

namespace sinter::runtime {

/// What stands before an array's numbers.
struct NpyHeader {
  NumberFormat format;
  bool fortranOrder = false; ///< the first axis runs fastest
  Shape dims;                ///< at least one; the first counts records
};

/// Throws DataError for what is no array of numbers.
NpyHeader readNpyHeader(ByteSource &file);

/// Reads an array whose first axis counts records: bool, integers, f2, f4 or f8 of either byte
/// order, in C or Fortran order. Throws DataError.
Records readNpy(ByteSource &file);
/// The same of a file, gzip or not.
Records readNpy(const std::string &path, const std::string &place);

/// Writes a C-ordered array, beside and renamed. Throws Error; an older file then stays whole.
void writeNpy(const std::string &path, const Shape &shape, std::span<const float> values);
void writeNpy(const std::string &path, const Shape &shape, std::span<const int32_t> values);

} // namespace sinter::runtime
