//===- NamePattern.h - selectors on the names of a file -----------------------------------------------===//
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sinter::runtime {

/// `a.b`, split at its points.
std::vector<std::string> splitName(std::string_view name);

/// Whether `name` is `path` or lies beneath it.
bool isAtOrBeneath(std::string_view name, std::string_view path);

/// A selector as text, `blocks.*.{query, key}.**`: `*` is one name, `**` any number of them. It matches a name that it
/// says in full, and every name beneath. `weights` at its end stands for tensors of two axes or more.
class NamePattern {
public:
  explicit NamePattern(std::string_view text);
  bool matches(std::string_view name, size_t rank) const;

private:
  struct Step {
    bool any = false, anyDepth = false;
    std::vector<std::string> names;
  };
  std::vector<Step> steps;
  bool matricesOnly = false;
};

} // namespace sinter::runtime
