//===- Dump.h - a checked program as text, for tests and for people --------------------------===//
#pragma once

#include "compiler/semantics/Program.h"

#include <string>

namespace sinter::semantics {

/// Everything a Program says but places, a line a thing, in a fixed order.
std::string dump(const Program &program);

std::string dump(const Graph &graph, const std::string &indent);
std::string dump(const Parameter &parameter);
std::string dump(const Attribute &attribute);

} // namespace sinter::semantics
