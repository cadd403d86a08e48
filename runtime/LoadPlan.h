//===- LoadPlan.h - the tensors of a file and the parameters they go to -----------------------------===//
// Names and shapes alone, so that the checker can plan what the training program will do. All that does not fit is found
// in one go.
#pragma once

#include "runtime/Description.h"
#include "runtime/LoadRules.h"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace sinter::runtime {

/// A tensor that a file has, by the name it has there.
struct TensorInfo {
  Shape shape;
  std::string dtype;  ///< F32, F16, …
  std::string stored; ///< another tensor of which this is a further name; "": it stands for itself
  bool transposed = false; ///< and which it is the transpose of
};
using TensorTable = std::map<std::string, TensorInfo>;

/// A parameter or buffer to load into.
struct Target {
  std::string name;
  Shape shape;
  std::vector<Alias> aliases;
};

/// One tensor, or rows of one, that goes into one target. Its last two axes are swapped where `swapFirst` says so, then
/// rows `from` up to `from + rows` are taken, then axes are swapped where `swapLast` says so.
struct LoadPiece {
  size_t target = 0;
  std::string tensor; ///< as stored
  std::string shown;  ///< as the file calls it
  bool swapFirst = false, swapLast = false;
  bool cut = false;
  int64_t from = 0, rows = 0;
};

struct LoadPlan {
  std::vector<LoadPiece> pieces; ///< two of one target must agree
  std::vector<std::string> problems, leftOver;
  std::string help; ///< what would make names meet; or ""
};

LoadPlan planLoad(const LoadRules &rules, const TensorTable &file, std::span<const Target> targets);

/// Axes as they are with the last two swapped; a tensor of fewer stays as it is.
Shape swapped(Shape shape);

} // namespace sinter::runtime
