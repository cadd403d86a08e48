//===- Session.cpp - source text for messages ---------------------------------------------------===//
#include "compiler/semantics/Session.h"

#include <algorithm>

namespace sinter::semantics {

std::string Session::text(Span span) const {
  std::string_view source = sources.text(span);
  if (source.find('\n') == std::string_view::npos)
    return std::string(source);
  std::string line;
  bool inString = false;
  for (size_t i = 0; i < source.size(); ++i) {
    char letter = source[i];
    if (inString) { // a string ends on its line
      line += letter;
      if (letter == '\\' && i + 1 < source.size())
        line += source[++i];
      inString = letter != '"';
      continue;
    }
    if (source.substr(i, 2) == "//")
      i = std::min(source.find('\n', i), source.size() - 1), letter = ' ';
    if (letter == '\n' || letter == '\r' || letter == '\t')
      letter = ' ';
    if (letter == ' ' && (line.empty() || line.back() == ' ' || line.back() == '('))
      continue;
    inString = letter == '"';
    line += letter;
  }
  return line;
}

} // namespace sinter::semantics
