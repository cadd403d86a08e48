#include "compiler/syntax/Tree.h"

#include <array>

namespace sinter::syntax {

const Argument *Arguments::find(std::string_view name) const {
  for (const Argument &argument : list)
    if (argument.name.text == name)
      return &argument;
  return nullptr;
}

std::string_view spelling(BinaryOp op) {
  constexpr std::array<std::string_view, 14> texts = {"or", "and", "==", "!=", "<", "<=", ">",
                                                      ">=", "+",   "-",  "*",  "/", "@",  "**"};
  return texts[static_cast<size_t>(op)];
}

std::string_view spelling(ScalarKind kind) {
  constexpr std::array<std::string_view, 5> texts = {"f32", "bf16", "i32", "bool", "class"};
  return texts[static_cast<size_t>(kind)];
}

std::string_view spelling(PartKind kind) {
  constexpr std::array<std::string_view, 3> texts = {"train", "test", "valid"};
  return texts[static_cast<size_t>(kind)];
}

} // namespace sinter::syntax
