#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

#include <random>

namespace sinter::syntax {
namespace {

/// What comes out must be usable, whatever went in.
void survive(const std::string &text) {
  Parsed parsed(text);
  const std::string rendered = render(parsed.engine, true) + renderJson(parsed.engine);
  const std::string printed = print(*parsed.file);
  if (parsed.engine.hasErrors())
    return;
  Parsed again(printed);
  INFO(text << "\n----\n" << printed << again.rendered());
  REQUIRE_FALSE(again.engine.hasErrors());
  REQUIRE(print(*again.file) == printed);
}

const std::vector<std::string> pieces = {
    "(",      ")",    "[",  "]",  "{",  "}",    ",",        ":",      ";",
    ".",      "..",   "=",  "=>", "->", "|>",   "==",       "<",      "+",
    "-",      "*",    "**", "/",  "@",  "if ",  " then ",   " else ", " and ",
    " not ",  " as ", "\n", "\"", "\\", "//",   "let ",     "model ", "train ",
    "stack(", "_",    "0",  ".5", "1e", "\xFF", "\xC3\xA9", "\r\n",   "epochs "};

} // namespace

TEST_CASE("every prefix of a spec is answered") {
  for (const std::string &text : corpus)
    for (size_t length = 0; length <= text.size(); ++length)
      survive(text.substr(0, length));
}

TEST_CASE("no mutation of a spec breaks the parser") {
  std::mt19937 random(20);
  const auto below = [&](size_t bound) { return random() % bound; };
  for (int round = 0; round < 6000; ++round) {
    std::string text = corpus[below(corpus.size())];
    for (size_t edits = 1 + below(6); edits > 0; --edits) {
      const size_t at = below(text.size() + 1);
      switch (below(4)) {
      case 0:
        text.insert(at, pieces[below(pieces.size())]);
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        if (at < text.size())
          text[at] = static_cast<char>(below(256));
        break;
      default:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
      }
    }
    survive(text);
  }
}

TEST_CASE("random pieces and random bytes break nothing either") {
  std::mt19937 random(21);
  for (int round = 0; round < 6000; ++round) {
    std::string text;
    for (size_t length = random() % 60; length > 0; --length)
      text += round % 4 ? pieces[random() % pieces.size()]
                        : std::string(1, static_cast<char>(random() % 256));
    survive(text);
  }
}

} // namespace sinter::syntax
