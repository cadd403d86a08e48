//===- Dataset.h - examples in memory ---------------------------------------------------------===//
#pragma once

#include "runtime/Description.h"
#include "runtime/Records.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace sinter::runtime {

/// What standardize takes off and divides by, one number for each element of a record.
struct Statistics {
  std::vector<float> mean, std;
};

/// What loading learns from the train part and a checkpoint keeps, by field name.
struct Preprocessing {
  std::map<std::string, Statistics> statistics;
  std::map<std::string, std::vector<std::string>> words; ///< sorted; a class column's

  std::string toJson() const;
  /// Throws Error.
  static Preprocessing fromJson(const std::string &json);
};

/// A text whose examples are windows of it.
struct Windows {
  std::shared_ptr<const std::vector<int32_t>> ids; ///< of the whole file
  size_t begin = 0, length = 0;                    ///< this part of it
  size_t shift = 0; ///< 1: the characters that follow those of the window
};

/// All values of one field, in the saved order of its shape.
struct Column {
  Field field;
  size_t count = 0;
  /// [count, elements]: f32 or i32 as the field is, or bytes that stand for the f32 in `tables`.
  Records::Values values;
  /// [tableCount, 256]: a byte's f32, for all elements or for each index of axis 0.
  std::vector<float> tables;
  std::optional<Windows> windows; ///< text, in place of values
  Records origin;                 ///< file, place and lines, without values
  std::vector<uint32_t> position; ///< of each example in the file; empty: its own number

  size_t elements() const { return static_cast<size_t>(field.elements()); }

  /// Writes one example: `elements` f32 or i32.
  void copyExample(size_t example, void *out) const;

  /// Text: the window that begins here, counted from the part's first character; it is one of
  /// `starts()`.
  void copyWindow(size_t start, void *out) const;
  size_t starts() const { return windows->length - elements(); }

  /// Text: keeps `length` characters from `from` on.
  void cutText(size_t from, size_t length);

  /// Tells the processor that this example is copied soon: shuffled examples lie anywhere in memory.
  void prefetch(size_t example) const;

  /// The value of a field of one number.
  double valueAt(size_t example) const;

  /// Keeps these examples, in this order.
  void select(std::span<const uint32_t> examples);

  /// Throws DataError about one example: `record 17 of FILE: message`.
  [[noreturn]] void fail(size_t example, const std::string &message) const;
};

/// The examples of `train`, `valid` or `test`; one column a field, in the order of Data::fields.
struct PartData {
  std::string name;
  std::vector<Column> columns;

  size_t count() const { return columns.empty() ? 0 : columns[0].count; }
  bool isText() const { return !columns.empty() && columns[0].windows; }
  void select(std::span<const uint32_t> examples);
};

struct Dataset {
  std::vector<PartData> parts; ///< train first
  Preprocessing preprocessing;

  const PartData *part(std::string_view name) const;
};

/// Examples drawn from the field's type: f32 from N(0, 1), classes and integers evenly. The same
/// for one seed.
PartData syntheticPart(const Data &data, const std::string &name, size_t count, uint64_t seed);
Column syntheticColumn(const Field &field, const std::string &purpose, size_t count, uint64_t seed);

} // namespace sinter::runtime
