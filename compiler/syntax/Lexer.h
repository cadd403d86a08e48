//===- Lexer.h - text to tokens ---------------------------------------------------------------===//
// Tokens carry no values, only their places: a token is twelve bytes, so that a file of 16 MiB
// fits. A newline is no token but a flag on the token after it; whether it ends a statement is for
// the parser to say.
#pragma once

#include "compiler/syntax/Diagnostics.h"
#include "compiler/syntax/Source.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinter::syntax {

enum class TokenKind : uint8_t {
  EndOfFile,
  Unknown, // reported
  Name,
  Integer,
  Real,
  String,
  // words that are never names
  If,
  Then,
  Else,
  And,
  Or,
  Not,
  As,
  True,
  False,
  // marks
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  Comma,
  Colon,
  Semicolon,
  Dot,
  DotDot,
  Assign,   // =
  FatArrow, // =>
  Arrow,    // ->
  Pipe,     // |>
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Plus,
  Minus,
  Star,
  StarStar,
  Slash,
  At,
};

struct Token {
  TokenKind kind = TokenKind::EndOfFile;
  bool newlineBefore = false; // the first of its line
  bool reported = false;      // something is wrong with it, and has been said
  bool cutOff = false; // a string that does not end, so that closing brackets may be lost in it
  uint32_t begin = 0, end = 0;
};

/// The tokens of a file, the last one EndOfFile. Reports what is no token.
std::vector<Token> lex(FileId file, Engine &engine);

/// The partner of each bracket, by index; noPartner for every other token and for brackets without
/// one.
inline constexpr uint32_t noPartner = UINT32_MAX;
using Partners = std::vector<uint32_t>;

/// Pairs the brackets, and reports those that have no partner. A closer of the wrong kind is
/// reported and made right; one that closes nothing is marked as reported.
Partners pairBrackets(std::vector<Token> &tokens, FileId file, Engine &engine);

/// "`|>`", "`=`", "a name", ... for messages.
std::string_view describe(TokenKind kind);

/// The next line goes on with the statement if it begins with this.
bool continuesLine(TokenKind kind);
/// The statement goes on in the next line if this ends a line. `*` and `**` do, but not in a
/// selector.
bool continuesAfter(TokenKind kind);

/// The value of an Integer token's text; nothing where it exceeds 2^63 - 1.
std::optional<int64_t> integerValue(std::string_view text);
/// The value of a Real token's text; nothing where it is not finite.
std::optional<double> realValue(std::string_view text);
/// The value of a String token's text, quotes included; unknown escapes stay as they are.
std::string stringValue(std::string_view text);
/// The text as a string of the language, with quotes and escapes.
std::string quoteString(std::string_view value);

} // namespace sinter::syntax
