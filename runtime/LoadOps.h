//===- LoadOps.h - what happens to a record's numbers while loading ---------------------------===//
#pragma once

#include "runtime/Dataset.h"
#include "runtime/Records.h"

#include <span>

namespace sinter::runtime {

/// Makes a column of a file's records: they take the field's shape, and go through `ops`, none of
/// which is standardize. Bytes that become f32 stay bytes, behind a table. Throws DataError naming
/// file and record: records of another size, a number that is none or not finite, integers that
/// leave 32 bits or do not divide.
Column makeColumn(const Field &field, Records records, std::span<const LoadOp> ops);

/// Applies further ops to an f32 column that holds its numbers. `statistics` serves standardize.
void applyOps(Column &column, std::span<const LoadOp> ops, const Statistics *statistics);

/// Mean and standard deviation (of the whole, divided by n) of each element over the column's
/// records, summed in f64; the deviation of a constant element is 1.
Statistics measure(const Column &column);

/// Throws DataError if a value of a class field lies outside 0 … classes-1.
void checkClasses(const Column &column);

} // namespace sinter::runtime
