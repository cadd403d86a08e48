//===- Printer.h - a tree as canonical source -------------------------------------------------===//
// Parsing what is printed gives the same tree again, up to spans. Comments and the author's layout
// are not kept.
#pragma once

#include "compiler/syntax/Tree.h"

#include <string>

namespace sinter::syntax {

std::string print(const File &file);
std::string print(const Declaration &declaration);
std::string print(const Expr &expr);
std::string print(const Type &type);
std::string print(const TensorType &type);
std::string print(const Selector &selector);

} // namespace sinter::syntax
