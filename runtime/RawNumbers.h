//===- RawNumbers.h - numbers as array files hold them ----------------------------------------===//
#pragma once

#include "runtime/Records.h"

#include <optional>
#include <string_view>

namespace sinter::runtime {

/// What a file's numbers are and how each lies there.
struct NumberFormat {
  enum class Kind { Unsigned, Signed, Real, BFloat };
  Kind kind = Kind::Unsigned;
  size_t width = 1; ///< bytes: 1, 2, 4 or 8
  bool bigEndian = false;
};

/// `<f4`, `|u1`, `>i8` as NumPy writes them; none for what is not read (complex, text, objects).
std::optional<NumberFormat> numpyFormat(std::string_view descr);

/// `F32`, `U8`, `BF16` as safetensors writes them; none for what is not read.
std::optional<NumberFormat> tensorFormat(std::string_view dtype);

/// The bytes that `dims` numbers of a file take; none if that is more than `most`.
std::optional<uint64_t> bytesOf(const Shape &dims, size_t width, uint64_t most);

/// Gives the records their numbers: bytes stay bytes, other integers are i32, reals f32. Throws
/// DataError for an integer beyond 32 bits, naming its record.
void setNumbers(Records &records, std::vector<uint8_t> raw, const NumberFormat &format);

} // namespace sinter::runtime
