//===- Records.h - what a file holds, before the spec's loading steps -------------------------===//
#pragma once

#include "runtime/Description.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace sinter::runtime {

/// Records of equal size, in the file's order and with its numbers: bytes stay bytes, smaller and
/// larger integers are i32, reals f32.
struct Records {
  using Values = std::variant<std::vector<uint8_t>, std::vector<int32_t>, std::vector<float>>;

  int64_t count = 0;
  Shape shape;   ///< of one record
  Values values; ///< [count, elements]
  std::string file, place;
  std::vector<uint32_t> lines; ///< of each record, from 1, where the file has lines

  int64_t elements() const { return elementsOf(shape); }

  /// `record 17 of train-labels.gz`, counted from 0, or `line 18 of digits.csv`, counted from 1.
  std::string where(size_t record) const;

  /// Throws a DataError about one record: `record 17 of FILE: message`.
  [[noreturn]] void fail(size_t record, const std::string &message) const;
};

} // namespace sinter::runtime
