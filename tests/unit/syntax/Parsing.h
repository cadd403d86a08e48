//===- Parsing.h - what the tests of the syntax share -----------------------------------------===//
#pragma once

#include "compiler/syntax/Parser.h"
#include "compiler/syntax/Printer.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sinter::syntax {

/// A text and what became of it.
struct Parsed {
  explicit Parsed(std::string text) : engine(sources) {
    file = parseFile(sources.add("test.sinter", std::move(text)), engine);
  }
  SourceManager sources;
  Engine engine;
  std::unique_ptr<File> file;

  /// "E0107 1:13", in the order of the text.
  std::vector<std::string> said() const {
    std::vector<std::string> result;
    for (const Diagnostic &diagnostic : engine.sorted()) {
      const auto [line, column] = sources.lineColumn(diagnostic.span);
      result.push_back(fmt::format("{} {}:{}", diagnostic.info().code, line, column));
    }
    return result;
  }
  std::string rendered() const { return render(engine, false); }
};

using Said = std::vector<std::string>;

/// An expression with every grouping shown: "(+ (* a b) c)". Independent of the printer's
/// parentheses.
std::string shape(const Expr &expr);
/// The shape of the expression in `const x = …`, or what was said about it.
std::string shapeOf(const std::string &text);

/// Specs that hold every form of the grammar.
extern const std::vector<std::string> corpus;

} // namespace sinter::syntax
