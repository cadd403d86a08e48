//===- Brackets.cpp - pairs brackets before anything else is read -----------------------------===//
// A lost bracket would make nonsense of all that follows. Paired up front, it is one error at the
// bracket, and the parser knows how far each one reaches: within `(` and `[` that are closed a
// newline means nothing, within others it ends the statement as if the bracket were not there.
//
// When braces do not come out even, the file is paired again and indentation decides: a `}` that
// begins its line closes the `{` whose line begins in the same column.
#include "compiler/syntax/Lexer.h"

#include <algorithm>

namespace sinter::syntax {
namespace {

bool isOpener(TokenKind kind) {
  return kind == TokenKind::LeftParen || kind == TokenKind::LeftBracket ||
         kind == TokenKind::LeftBrace;
}
bool isCloser(TokenKind kind) {
  return kind == TokenKind::RightParen || kind == TokenKind::RightBracket ||
         kind == TokenKind::RightBrace;
}
TokenKind closerOf(TokenKind opener) {
  return static_cast<TokenKind>(static_cast<int>(opener) + 1);
}

class Pairing {
public:
  Pairing(std::vector<Token> &tokens, FileId file, Engine &engine, bool byIndentation)
      : tokens(tokens), file(file), engine(engine), byIndentation(byIndentation),
        partners(tokens.size(), noPartner) {}

  void run() {
    for (uint32_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].newlineBefore)
        lineStart = i;
      if (isOpener(tokens[i].kind))
        stack.push_back({i, lineStart, false});
      else if (isCloser(tokens[i].kind))
        close(i);
      else if (tokens[i].cutOff)
        cutOff();
    }
    leave(0);
  }

  bool bracesEven() const { return evenBraces; }

  Partners finish() {
    for (uint32_t opener : unclosed) {
      const TokenKind kind = tokens[opener].kind;
      engine.report(Diag::Unclosed, span(opener), mark(kind), mark(closerOf(kind)));
    }
    for (auto [opener, closer] : mistyped) {
      const std::string_view found = mark(tokens[closer].kind);
      tokens[closer].kind = closerOf(tokens[opener].kind);
      engine
          .report(Diag::Unclosed, span(opener), mark(tokens[opener].kind),
                  mark(tokens[closer].kind))
          .note(span(closer), fmt::format("`{}` stands in its place", found));
    }
    for (uint32_t closer : unopened) {
      tokens[closer].reported = true;
      engine.report(Diag::Unopened, span(closer), mark(tokens[closer].kind));
    }
    return std::move(partners);
  }

private:
  /// How many open brackets a closer looks at; twice what may be nested, so that no file takes
  /// quadratic time.
  static constexpr size_t reach = 512;

  struct Open {
    uint32_t token, lineStart;
    bool excused; // its closer may be lost in a string that does not end
  };

  Span span(uint32_t token) const { return {file, tokens[token].begin, tokens[token].end}; }
  static std::string_view mark(TokenKind kind) {
    const std::string_view inQuotes = describe(kind);
    return inQuotes.substr(1, inQuotes.size() - 2);
  }
  uint32_t columnOf(uint32_t token) const {
    return engine.sources().lineColumn(file, tokens[token].begin).column;
  }

  /// Gives up on what was opened at or above this height.
  void leave(size_t height) {
    for (; stack.size() > height; stack.pop_back()) {
      evenBraces &= tokens[stack.back().token].kind != TokenKind::LeftBrace;
      if (!stack.back().excused)
        unclosed.push_back(stack.back().token);
    }
  }

  void close(uint32_t closer) {
    const TokenKind kind = tokens[closer].kind;
    // The innermost opener of this kind. `)` and `]` do not reach out of braces; `}` reaches over
    // what it finds open.
    size_t height = stack.size();
    const size_t deepest = height > reach ? height - reach : 0;
    while (height > 0 && closerOf(tokens[stack[height - 1].token].kind) != kind) {
      if (tokens[stack[height - 1].token].kind == TokenKind::LeftBrace) {
        height = 0;
        break;
      }
      if (--height == deepest)
        height = 0;
    }
    if (byIndentation && kind == TokenKind::RightBrace && height > 0 && lineStart == closer) {
      const uint32_t column = columnOf(closer);
      size_t fit = height;
      while (fit > deepest && (tokens[stack[fit - 1].token].kind != TokenKind::LeftBrace ||
                               columnOf(stack[fit - 1].lineStart) > column))
        --fit;
      if (fit > deepest && columnOf(stack[fit - 1].lineStart) == column)
        height = fit;
    }
    if (height > 0) {
      leave(height);
      pair(closer);
    } else if (!stack.empty() && kind != TokenKind::RightBrace &&
               tokens[stack.back().token].kind != TokenKind::LeftBrace) {
      mistyped.emplace_back(stack.back().token, closer);
      pair(closer);
    } else {
      evenBraces &= kind != TokenKind::RightBrace;
      unopened.push_back(closer);
    }
  }

  void pair(uint32_t closer) {
    partners[stack.back().token] = closer;
    partners[closer] = stack.back().token;
    stack.pop_back();
  }

  /// A string swallowed the rest of its line: brackets opened in that line end there without a
  /// word.
  void cutOff() {
    for (size_t height = stack.size(); height > 0 && stack[height - 1].lineStart == lineStart;
         --height)
      stack[height - 1].excused = true;
    while (!stack.empty() && stack.back().excused &&
           tokens[stack.back().token].kind != TokenKind::LeftBrace)
      stack.pop_back();
  }

  std::vector<Token> &tokens;
  FileId file;
  Engine &engine;
  bool byIndentation;
  bool evenBraces = true;
  uint32_t lineStart = 0;
  Partners partners;
  std::vector<Open> stack;
  std::vector<uint32_t> unclosed, unopened;
  std::vector<std::pair<uint32_t, uint32_t>> mistyped;
};

} // namespace

Partners pairBrackets(std::vector<Token> &tokens, FileId file, Engine &engine) {
  Pairing plain(tokens, file, engine, false);
  plain.run();
  if (plain.bracesEven())
    return plain.finish();
  Pairing indented(tokens, file, engine, true);
  indented.run();
  return indented.finish();
}

} // namespace sinter::syntax
