#include "compiler/syntax/Lexer.h"

#include "compiler/syntax/Utf8.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sinter::syntax {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isWord(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Not in our alphabet, but meant as part of a word: one error for the word, not one a letter.
bool isForeignLetter(char32_t c) {
  return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) &&
         !(c >= 0x3000 && c <= 0x303F) && c != 0xFEFF;
}

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

// The longest first.
constexpr Spelling marks[] = {
    {"|>", TokenKind::Pipe},         {"=>", TokenKind::FatArrow},  {"->", TokenKind::Arrow},
    {"==", TokenKind::Equal},        {"!=", TokenKind::NotEqual},  {"<=", TokenKind::LessEqual},
    {">=", TokenKind::GreaterEqual}, {"**", TokenKind::StarStar},  {"..", TokenKind::DotDot},
    {"(", TokenKind::LeftParen},     {")", TokenKind::RightParen}, {"[", TokenKind::LeftBracket},
    {"]", TokenKind::RightBracket},  {"{", TokenKind::LeftBrace},  {"}", TokenKind::RightBrace},
    {",", TokenKind::Comma},         {":", TokenKind::Colon},      {";", TokenKind::Semicolon},
    {".", TokenKind::Dot},           {"=", TokenKind::Assign},     {"<", TokenKind::Less},
    {">", TokenKind::Greater},       {"+", TokenKind::Plus},       {"-", TokenKind::Minus},
    {"*", TokenKind::Star},          {"/", TokenKind::Slash},      {"@", TokenKind::At},
};

constexpr Spelling words[] = {
    {"if", TokenKind::If},   {"then", TokenKind::Then}, {"else", TokenKind::Else},
    {"and", TokenKind::And}, {"or", TokenKind::Or},     {"not", TokenKind::Not},
    {"as", TokenKind::As},   {"true", TokenKind::True}, {"false", TokenKind::False},
};

/// What people write elsewhere for something that we write differently, and what to read it as.
struct Foreign {
  std::string_view text;
  TokenKind meant; // Unknown: nothing to go on with
  std::string_view help;
};
constexpr Foreign foreigners[] = {
    {"&&", TokenKind::And, "write `and`"},
    {"||", TokenKind::Or, "write `or`"},
    {"!", TokenKind::Not, "write `not`"},
    {"^", TokenKind::StarStar, "a power is written `**`"},
    {"%", TokenKind::Unknown, "a remainder is written `mod(a, b)`"},
    {"×", TokenKind::Star, "write `*`"},
    {"−", TokenKind::Minus, "write `-`"},
    {"–", TokenKind::Minus, "write `-`"},
    {"→", TokenKind::Arrow, "write `->`"},
    {"≤", TokenKind::LessEqual, "write `<=`"},
    {"≥", TokenKind::GreaterEqual, "write `>=`"},
    {"≠", TokenKind::NotEqual, "write `!=`"},
    {"|", TokenKind::Unknown, "a value is piped with `|>`"},
    {"?", TokenKind::Unknown, "a choice is written `if … then … else …`"},
    {"“", TokenKind::Unknown, "strings stand in plain double quotes: `\"…\"`"},
    {"”", TokenKind::Unknown, "strings stand in plain double quotes: `\"…\"`"},
    {"‘", TokenKind::Unknown, "strings stand in plain double quotes: `\"…\"`"},
    {"’", TokenKind::Unknown, "strings stand in plain double quotes: `\"…\"`"},
};

class Lexer {
public:
  Lexer(FileId file, Engine &engine)
      : file(file), engine(engine), text(engine.sources().text(file)) {}

  std::vector<Token> run() {
    if (text.starts_with(byteOrderMark))
      at = byteOrderMark.size();
    while (skipBlank(), at < text.size() && !engine.isFull())
      token();
    at = engine.isFull() ? text.size() : at;
    emit(TokenKind::EndOfFile, at);
    return std::move(tokens);
  }

private:
  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  bool startsWith(std::string_view what) const { return text.substr(at).starts_with(what); }
  Span span(size_t begin, size_t end) const {
    return {file, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
  }

  Token &emit(TokenKind kind, size_t begin, bool reported = false) {
    tokens.push_back({kind, newline || tokens.empty(), reported, false,
                      static_cast<uint32_t>(begin), static_cast<uint32_t>(at)});
    newline = false;
    return tokens.back();
  }

  /// One cause, one error: a file in another encoding has bad bytes all over.
  void reportNotUtf8(size_t where) {
    if (!std::exchange(saidNotUtf8, true))
      engine.report(Diag::NotUtf8, span(where, where + 1)).help("save the file as UTF-8");
  }

  void toEndOfLine() {
    while (at < text.size() && text[at] != '\n')
      step();
  }

  /// One code point on, which may be malformed.
  CodePoint step() {
    const CodePoint point = decodeUtf8(text, at);
    if (!point.valid)
      reportNotUtf8(at);
    at += point.length;
    return point;
  }

  void skipBlank() {
    for (; at < text.size();) {
      const char c = text[at];
      if (c == '\n')
        newline = true;
      else if (startsWith("//")) {
        toEndOfLine();
        continue;
      } else if (c != ' ' && c != '\t' && c != '\r' && c != '\f' && c != '\v')
        return;
      ++at;
    }
  }

  void token() {
    if (isDigit(text[at]))
      return number();
    if (isWord(text[at]))
      return word();
    if (text[at] == '"')
      return string();
    if (startsWith("/*"))
      return foreignComment();
    for (const Spelling &mark : marks)
      if (startsWith(mark.text)) {
        const size_t begin = at;
        at += mark.text.size();
        emit(mark.kind, begin);
        return;
      }
    stray();
  }

  void word() {
    const size_t begin = at;
    bool strange = false;
    while (at < text.size()) {
      if (isWord(text[at])) {
        ++at;
        continue;
      }
      if (static_cast<uint8_t>(text[at]) < 0x80)
        break;
      const CodePoint point = decodeUtf8(text, at);
      if (point.valid && !isForeignLetter(point.value))
        break;
      if (point.valid && !strange)
        engine
            .report(Diag::StrayCharacter, span(at, at + point.length),
                    text.substr(at, point.length))
            .help("names are made of the letters a to z, A to Z, digits and `_`");
      strange = true;
      step();
    }
    const std::string_view spelled = text.substr(begin, at - begin);
    TokenKind kind = TokenKind::Name;
    for (const Spelling &candidate : words)
      if (spelled == candidate.text)
        kind = candidate.kind;
    emit(kind, begin, strange);
  }

  void digits() {
    while (isDigit(peek()) || (peek() == '_' && isDigit(peek(1))))
      ++at;
  }

  void number() {
    const size_t begin = at;
    // In a path a number is a name, and `0.1` two of them.
    if (!tokens.empty() && tokens.back().kind == TokenKind::Dot) {
      while (isDigit(peek()))
        ++at;
      emit(TokenKind::Integer, begin, lettersAfter(begin));
      return;
    }
    TokenKind kind = TokenKind::Integer;
    digits();
    if (peek() == '.' && isDigit(peek(1))) {
      kind = TokenKind::Real;
      ++at;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      const size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if (isDigit(peek(1 + sign))) {
        kind = TokenKind::Real;
        at += 1 + sign;
        while (isDigit(peek()))
          ++at;
      } else if (!isWord(peek(1))) {
        const std::string_view mantissa = text.substr(begin, at - begin);
        at += 1 + sign;
        engine.report(Diag::ExponentWithoutDigit, span(begin, at))
            .help(fmt::format("`{}e-3`, for one", mantissa));
        emit(TokenKind::Real, begin, true);
        return;
      }
    }
    if (lettersAfter(begin)) {
      emit(kind, begin, true);
      return;
    }
    const std::string_view spelled = text.substr(begin, at - begin);
    if (kind == TokenKind::Integer && !integerValue(spelled)) {
      engine.report(Diag::NumberTooLarge, span(begin, at), "an integer is at most 2^63 - 1");
      emit(kind, begin, true);
    } else if (kind == TokenKind::Real && !realValue(spelled)) {
      engine.report(Diag::NumberTooLarge, span(begin, at), "a real is at most 1.797e308");
      emit(kind, begin, true);
    } else {
      emit(kind, begin);
    }
  }

  /// Takes and reports letters that stand right after a number.
  bool lettersAfter(size_t begin) {
    if (!isWord(peek()))
      return false;
    const size_t end = at;
    while (isWord(peek()))
      ++at;
    auto report =
        engine.report(Diag::LettersAfterNumber, span(begin, at), text.substr(begin, at - begin));
    const std::string_view letters = text.substr(end, at - end);
    if (letters == "epochs" || letters == "epoch" || letters == "steps" || letters == "step")
      report.help(
          fmt::format("put a space between: `{} {}`", text.substr(begin, end - begin), letters));
    else
      report.help("a name begins with a letter, and a number holds digits alone");
    return true;
  }

  void string() {
    const size_t begin = at++;
    bool wrong = false;
    while (at < text.size() && text[at] != '\n') {
      if (text[at] == '"') {
        ++at;
        emit(TokenKind::String, begin, wrong);
        return;
      }
      if (text[at] != '\\') {
        step();
        continue;
      }
      const char escaped = peek(1);
      if (escaped == '"' || escaped == '\\' || escaped == 'n' || escaped == 't') {
        at += 2;
        continue;
      }
      const size_t backslash = at++;
      if (at < text.size() && text[at] != '\n' && text[at] != '\r') {
        step();
        engine
            .report(Diag::UnknownEscape, span(backslash, at),
                    text.substr(backslash, at - backslash))
            .help("the escapes are `\\\"`, `\\\\`, `\\n` and `\\t`; a backslash itself is `\\\\`");
        wrong = true;
      }
    }
    if (text[at - 1] == '\r')
      --at;
    engine.report(Diag::UnterminatedString, span(begin, at)).help("end it with `\"`");
    emit(TokenKind::String, begin, true).cutOff = true;
  }

  void foreignComment() {
    const size_t begin = at;
    const size_t end = text.find("*/", at + 2);
    engine.report(Diag::StrayCharacter, span(begin, begin + 2), "/*")
        .help("a comment is `//` to the end of the line");
    for (at = begin + 2; at < (end == std::string_view::npos ? text.size() : end + 2); ++at)
      newline |= text[at] == '\n';
  }

  void stray() {
    const size_t begin = at;
    for (const Foreign &foreign : foreigners) {
      if (!startsWith(foreign.text))
        continue;
      at += foreign.text.size();
      engine.report(Diag::StrayCharacter, span(begin, at), foreign.text)
          .help(std::string(foreign.help));
      emit(foreign.meant, begin, foreign.meant == TokenKind::Unknown);
      return;
    }
    const CodePoint point = step();
    if (!point.valid) {
      emit(TokenKind::Unknown, begin, true);
      return;
    }
    if (isForeignLetter(point.value)) {
      at = begin;
      return word();
    }
    const std::string_view spelled = text.substr(begin, at - begin);
    const bool visible = point.value > 0x20 && point.value != 0x7F && point.value != 0xA0 &&
                         point.value != 0xFEFF && !(point.value >= 0x2000 && point.value <= 0x200F);
    const std::string name = visible ? std::string(spelled)
                                     : fmt::format("U+{:04X}", static_cast<uint32_t>(point.value));
    auto report = engine.report(Diag::StrayCharacter, span(begin, at), name);
    if (spelled == "#") {
      report.help("a comment is `//` to the end of the line");
      toEndOfLine();
    } else if (spelled == "'") {
      report.help("strings stand in double quotes: `\"…\"`");
      const size_t end = text.substr(at, text.find('\n', at) - at).find('\'');
      if (end != std::string_view::npos)
        at += end + 1;
      emit(TokenKind::String, begin, true);
    } else if (!visible) {
      report.help("write a space, or nothing");
    } else {
      emit(TokenKind::Unknown, begin, true);
    }
  }

  FileId file;
  Engine &engine;
  std::string_view text;
  size_t at = 0;
  bool newline = true;
  bool saidNotUtf8 = false;
  std::vector<Token> tokens;
};

std::string withoutUnderscores(std::string_view text) {
  std::string digits(text);
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  return digits;
}

} // namespace

std::vector<Token> lex(FileId file, Engine &engine) { return Lexer(file, engine).run(); }

std::string_view describe(TokenKind kind) {
  switch (kind) {
  case TokenKind::EndOfFile:
    return "the end of the file";
  case TokenKind::Unknown:
    return "something unknown";
  case TokenKind::Name:
    return "a name";
  case TokenKind::Integer:
    return "an integer";
  case TokenKind::Real:
    return "a number";
  case TokenKind::String:
    return "a string";
  default:
    break;
  }
  // The tables are static, so views into this one stay valid.
  static const std::vector<std::string> inQuotes = [] {
    std::vector<std::string> result(static_cast<size_t>(TokenKind::At) + 1);
    for (const Spelling &mark : marks)
      result[static_cast<size_t>(mark.kind)] = fmt::format("`{}`", mark.text);
    for (const Spelling &word : words)
      result[static_cast<size_t>(word.kind)] = fmt::format("`{}`", word.text);
    return result;
  }();
  return inQuotes[static_cast<size_t>(kind)];
}

bool continuesLine(TokenKind kind) {
  switch (kind) {
  case TokenKind::Then:
  case TokenKind::Else:
  case TokenKind::And:
  case TokenKind::Or:
  case TokenKind::As:
  case TokenKind::Pipe:
    return true;
  default:
    return kind >= TokenKind::Equal && kind <= TokenKind::At;
  }
}

bool continuesAfter(TokenKind kind) {
  switch (kind) {
  case TokenKind::As:
    return false;
  case TokenKind::Comma:
  case TokenKind::Colon:
  case TokenKind::Assign:
  case TokenKind::Arrow:
    return true;
  default:
    return continuesLine(kind);
  }
}

std::optional<int64_t> integerValue(std::string_view text) {
  const std::string digits = withoutUnderscores(text);
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec != std::errc() || result.ptr != digits.data() + digits.size())
    return std::nullopt;
  return value;
}

std::optional<double> realValue(std::string_view text) {
  const std::string digits = withoutUnderscores(text);
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  // Out of range is also what is too small to be told from zero.
  const size_t exponent = digits.find_first_of("eE");
  if (result.ec == std::errc::result_out_of_range && exponent != std::string::npos &&
      digits[exponent + 1] == '-')
    return 0.0;
  if (result.ec != std::errc() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::string stringValue(std::string_view text) {
  text.remove_prefix(std::min<size_t>(1, text.size()));
  if (text.ends_with('"'))
    text.remove_suffix(1);
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      value += text[i];
      continue;
    }
    switch (text[++i]) {
    case 'n':
      value += '\n';
      break;
    case 't':
      value += '\t';
      break;
    case '"':
    case '\\':
      value += text[i];
      break;
    default:
      value += {'\\', text[i]};
    }
  }
  return value;
}

std::string quoteString(std::string_view value) {
  std::string text = "\"";
  for (char c : value) {
    if (c == '\n')
      text += "\\n";
    else if (c == '\t')
      text += "\\t";
    else if (c == '"' || c == '\\')
      text += {'\\', c};
    else
      text += c;
  }
  return text + '"';
}

} // namespace sinter::syntax
