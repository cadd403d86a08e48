#include "runtime/DescriptionNode.h"

#include "runtime/Error.h"

#include <set>

namespace sinter::runtime {

void refuse(const std::string &path, const std::string &what) {
  throw Error(
      fmt::format("the program's description does not fit the runtime: {}: {}", path, what));
}

bool Node::has(const char *key) const {
  return object().contains(key) && !object().at(key).is_null();
}

Node Node::at(const char *key) const {
  if (!has(key))
    refuse(path, fmt::format("`{}` is missing", key));
  return {object().at(key), fmt::format("{}.{}", path, key)};
}

std::vector<Node> Node::list(const char *key) const {
  return has(key) ? at(key).items() : std::vector<Node>();
}

std::vector<Node> Node::items() const {
  if (!json.is_array())
    refuse(path, "a list is needed");
  std::vector<Node> nodes;
  for (size_t i = 0; i < json.size(); ++i)
    nodes.emplace_back(json[i], fmt::format("{}[{}]", path, i));
  return nodes;
}

std::string Node::text() const {
  if (!json.is_string())
    refuse(path, "a string is needed");
  return json.get<std::string>();
}

bool Node::truth() const {
  if (!json.is_boolean())
    refuse(path, "true or false is needed");
  return json.get<bool>();
}

double Node::number() const {
  if (!json.is_number())
    refuse(path, "a number is needed");
  return json.get<double>();
}

int64_t Node::integer(int64_t low, int64_t high) const {
  if (!json.is_number_integer() ||
      (json.is_number_unsigned() &&
       json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())))
    refuse(path, "an integer is needed");
  const auto value = json.get<int64_t>();
  if (value < low || value > high)
    refuse(path, fmt::format("{} does not lie in {} … {}", value, low, high));
  return value;
}

uint64_t Node::seed() const {
  if (json.is_number_unsigned())
    return json.get<uint64_t>();
  return static_cast<uint64_t>(integer(0));
}

std::string Node::text(const char *key, const char *otherwise) const {
  return has(key) ? at(key).text() : otherwise;
}

bool Node::truth(const char *key) const { return has(key) && at(key).truth(); }
double Node::number(const char *key, double otherwise) const {
  return has(key) ? at(key).number() : otherwise;
}

std::vector<std::string> Node::texts(const char *key) const {
  std::vector<std::string> all;
  for (const Node &node : list(key))
    all.push_back(node.text());
  return all;
}

std::vector<double> Node::numbers(const char *key) const {
  std::vector<double> all;
  for (const Node &node : list(key))
    all.push_back(node.number());
  return all;
}

const nlohmann::json &Node::object() const {
  if (!json.is_object())
    refuse(path, "an object is needed");
  return json;
}

Shape readShape(const Node &node, int64_t rows) {
  Shape shape;
  int64_t elements = rows;
  for (const Node &dim : node.items()) {
    shape.push_back(dim.integer(1, std::numeric_limits<int32_t>::max()));
    if (elements > std::numeric_limits<int64_t>::max() / 8 / shape.back())
      refuse(node.path, "the tensor is too large");
    elements *= shape.back();
  }
  return shape;
}

std::optional<Layout> readLayout(const Node &owner, int64_t elements) {
  if (!owner.has("layout"))
    return std::nullopt;
  const Node node = owner.at("layout");
  Layout layout;
  layout.view = readShape(node.at("view"));
  std::set<int> seen;
  for (const Node &axis : node.at("perm").items()) {
    const auto last = static_cast<int64_t>(layout.view.size()) - 1;
    layout.perm.push_back(static_cast<int>(axis.integer(0, last)));
    if (!seen.insert(layout.perm.back()).second)
      refuse(axis.path, "an axis stands twice");
  }
  if (layout.perm.size() != layout.view.size())
    refuse(node.path, "view and perm differ in length");
  if (elementsOf(layout.view) != elements)
    refuse(node.path, fmt::format("the view has {} elements, the tensor {}",
                                  elementsOf(layout.view), elements));
  return layout;
}

uint64_t readOffset(const Node &node, uint64_t bytes, uint64_t from, uint64_t blockBytes,
                    uint64_t alignment) {
  const auto offset = static_cast<uint64_t>(node.integer(0));
  if (offset % alignment != 0)
    refuse(node.path, fmt::format("{} is no multiple of {}", offset, alignment));
  if (offset < from || offset > blockBytes || bytes > blockBytes - offset)
    refuse(node.path, fmt::format("bytes {} … {} do not lie in {} … {}", offset, offset + bytes,
                                  from, blockBytes));
  return offset;
}

} // namespace sinter::runtime
