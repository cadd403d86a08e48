//===- Functions.h - the built-in functions, losses and measures -------------------------------===//
// One table entry declares a function: its arguments, and the operations it stands for with their shapes.
#pragma once

#include "compiler/semantics/Evaluator.h"

#include <string>
#include <vector>

namespace sinter::semantics {

struct FunctionEntry {
  Signature signature;
  /// Emits the operations. Arguments have been matched and checked by kind; shapes have not.
  Value (*apply)(Evaluator &, const BoundArguments &);
  /// For numbers known at build time; null where there is no such use. Reports nothing: an empty result means that
  /// the function has no value there.
  std::optional<Value> (*fold)(const std::vector<Value> &) = nullptr;
  std::string finish;   ///< a measure: what is done to the mean over the set
  bool upwards = false; ///< a measure of which more is better
};

const FunctionEntry *findFunction(const std::string &name);
std::vector<std::string> functionNames();

/// The parts of the table, one file each.
std::vector<FunctionEntry> pointwiseFunctions(); // PointwiseFunctions.cpp
std::vector<FunctionEntry> shapeFunctions();     // ShapeFunctions.cpp
std::vector<FunctionEntry> losses();             // Losses.cpp

/// a @ b: numpy's rule over the per-example shapes.
Value matrixProduct(Evaluator &evaluator, ValueId a, Span aSpan, ValueId b, Span bSpan, Span place);

/// Axis `axis` of a value of this rank, counted from 0; reports one that is not there.
std::optional<int64_t> resolveAxis(Evaluator &evaluator, int64_t axis, int64_t rank, Span place);

/// What stands where `pairwise` has no example: below any number that occurs, and finite, so that nothing times zero is a NaN.
constexpr double absent = 1e30;

/// x, with `value` in the columns of `pairwise` that a smaller batch lacks; x itself where it has no such columns.
ValueId maskColumns(GraphBuilder &graph, ValueId x, double value, Span place);

/// Tells of an operation that takes the columns of `pairwise` and is none that can; whether all is well.
bool checkColumns(Session &session, const GraphBuilder &graph);

/// sum, mean, max, min over axes.
Value reduce(Evaluator &evaluator, const std::string &kind, ValueId x, std::vector<int64_t> axes,
             bool keep, Span place);

} // namespace sinter::semantics
