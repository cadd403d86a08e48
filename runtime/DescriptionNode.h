//===- DescriptionNode.h - checked reading of the program's description -----------------------===//
#pragma once

#include "runtime/Description.h"

#include <fmt/format.h>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinter::runtime {

/// Throws Error: at `path` of the description stands what the runtime does not take.
[[noreturn]] void refuse(const std::string &path, const std::string &what);

/// A JSON value that knows its path, so that every complaint can name it. All that reads throws Error where the value is not of
/// the kind asked for.
class Node {
public:
  Node(const nlohmann::json &value, std::string where) : json(value), path(std::move(where)) {}

  bool has(const char *key) const;
  Node at(const char *key) const;
  std::vector<Node> list(const char *key) const; ///< none where it is missing
  std::vector<Node> items() const;

  std::string text() const;
  bool truth() const;
  double number() const;
  int64_t integer(int64_t low = std::numeric_limits<int64_t>::min(),
                  int64_t high = std::numeric_limits<int64_t>::max()) const;
  uint64_t seed() const;

  std::string text(const char *key, const char *otherwise) const;
  bool truth(const char *key) const;
  double number(const char *key, double otherwise) const;
  std::vector<std::string> texts(const char *key) const;
  std::vector<double> numbers(const char *key) const;

  const nlohmann::json &json;
  std::string path;

private:
  const nlohmann::json &object() const;
};

/// Looks a word up among the allowed ones.
template <typename Enum>
Enum choose(const Node &node, std::initializer_list<std::pair<const char *, Enum>> choices) {
  const std::string word = node.text();
  for (const auto &[name, value] : choices)
    if (word == name)
      return value;
  refuse(node.path, fmt::format("`{}` is not known here", word));
}

/// A shape whose tensor of four-byte elements, `rows` times over, stays addressable.
Shape readShape(const Node &node, int64_t rows = 1);

/// How a tensor of `elements` lies in memory; none where it lies as it is written.
std::optional<Layout> readLayout(const Node &owner, int64_t elements);

/// An offset of `bytes` bytes that lie in `from` … `blockBytes` of a block.
uint64_t readOffset(const Node &node, uint64_t bytes, uint64_t from, uint64_t blockBytes,
                    uint64_t alignment);

/// A data block with its fields, parts and what happens to them while loading.
Data readData(const Node &node);

} // namespace sinter::runtime
