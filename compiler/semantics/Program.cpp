//===- Program.cpp - small questions that a checked program answers -------------------------===//
#include "compiler/semantics/Program.h"

#include <algorithm>

namespace sinter::semantics {

int64_t Type::elements() const {
  int64_t product = 1;
  for (int64_t dim : dims)
    product *= dim;
  return product;
}

std::string Type::str() const {
  std::string text;
  switch (scalar) {
  case Scalar::F32:
    text = "f32";
    break;
  case Scalar::BF16:
    text = "bf16";
    break;
  case Scalar::I32:
    text = "i32";
    break;
  case Scalar::Bool:
    text = "bool";
    break;
  case Scalar::Class:
    text = "class[" + std::to_string(classes) + "]";
    break;
  }
  if (dims.empty())
    return text;
  text += "[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

std::string Alias::str() const { return transposed ? "transpose(" + name + ")" : name; }

bool Data::has(const std::string &part) const {
  if (parts.count(part))
    return true;
  return split && ((part == "valid" && split->valid > 0) || (part == "test" && split->test > 0));
}

const Parameter *Train::parameter(const std::string &wanted) const {
  for (const Parameter &each : parameters)
    if (each.name == wanted ||
        std::any_of(each.aliases.begin(), each.aliases.end(),
                    [&](const Alias &alias) { return alias.name == wanted; }))
      return &each;
  return nullptr;
}

const Net *Train::net(const std::string &wanted) const {
  for (const Net &each : nets)
    if (each.name == wanted)
      return &each;
  return nullptr;
}

const Data *Program::data(const std::string &wanted) const {
  for (const Data &each : datas)
    if (each.name == wanted)
      return &each;
  return nullptr;
}

} // namespace sinter::semantics
