//===- Nearest.h - the names that were perhaps meant ----------------------------------------===//
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sinter::semantics {

/// How many letters are to be added, dropped, changed or swapped with a neighbour to make b of a.
size_t editDistance(std::string_view a, std::string_view b);

/// At most `count` of the names, nearest first, and only those near enough to be a slip of the fingers (or of
/// which `name` is a part).
std::vector<std::string> nearest(std::string_view name, const std::vector<std::string> &names,
                                 size_t count = 3);

/// "`a`", "`a` or `b`", "`a`, `b` or `c`"; "" of nothing.
std::string alternatives(const std::vector<std::string> &names);

/// "1 input", "2 inputs".
std::string counted(size_t count, std::string_view what);

/// "did you mean `a` or `b`?", or "" where nothing is near.
std::string didYouMean(std::string_view name, const std::vector<std::string> &names);

} // namespace sinter::semantics
