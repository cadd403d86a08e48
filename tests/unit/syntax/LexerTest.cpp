#include "compiler/syntax/Lexer.h"
#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

namespace sinter::syntax {
namespace {

/// The tokens' texts, and "|" before each that begins a line.
std::string tokensOf(const std::string &text) {
  SourceManager sources;
  Engine engine(sources);
  const FileId file = sources.add("test.sinter", text);
  std::string result;
  for (const Token &token : lex(file, engine)) {
    result += token.newlineBefore && token.begin > 0 ? " |" : " ";
    result += token.kind == TokenKind::EndOfFile
                  ? "end"
                  : text.substr(token.begin, token.end - token.begin);
  }
  return result.substr(1) + (engine.hasErrors() ? " !" : "");
}

} // namespace

TEST_CASE("the longest mark wins") {
  CHECK(tokensOf("a**b*c") == "a ** b * c end");
  CHECK(tokensOf("a|>b=>c->d==e!=f<=g>=h") == "a |> b => c -> d == e != f <= g >= h end");
  CHECK(tokensOf("***") == "** * end");
  CHECK(tokensOf("a=-b") == "a = - b end");
}

TEST_CASE("a number takes a point only with a digit on both sides") {
  CHECK(tokensOf("0..63") == "0 .. 63 end");
  CHECK(tokensOf("1.5..2.5") == "1.5 .. 2.5 end");
  CHECK(tokensOf("1_000 0.5 1e-3 2.5E+7 1e5") == "1_000 0.5 1e-3 2.5E+7 1e5 end");
  CHECK(tokensOf("blocks.0.1.weight") == "blocks . 0 . 1 . weight end");
  CHECK(tokensOf("1x") == "1x end !");
  CHECK(tokensOf("1_") == "1_ end !");
  CHECK(tokensOf("1__0") == "1__0 end !");
  CHECK(tokensOf("1e") == "1e end !");
  CHECK(tokensOf("1e+") == "1e+ end !");
}

TEST_CASE("numbers have the values that they spell") {
  CHECK(integerValue("1_000") == 1000);
  CHECK(integerValue("9223372036854775807") == INT64_MAX);
  CHECK_FALSE(integerValue("9223372036854775808"));
  CHECK(realValue("1e-3") == 1e-3);
  CHECK(realValue("1_0.5") == 10.5);
  CHECK(realValue("1e-999") == 0.0);
  CHECK_FALSE(realValue("1e999"));
}

TEST_CASE("comments end with their line, and strings hold no comments") {
  CHECK(tokensOf("a // b\nc") == "a |c end");
  CHECK(tokensOf("a // b") == "a end");
  CHECK(tokensOf("\"// no\" b") == "\"// no\" b end");
}

TEST_CASE("strings know four escapes") {
  CHECK(stringValue(R"("a\"b\\c\nd\te")") == "a\"b\\c\nd\te");
  CHECK(tokensOf(R"("\q")") == R"("\q" end !)");
  CHECK(tokensOf("\"open\nb") == "\"open |b end !");
  CHECK(tokensOf("\"open\\") == "\"open\\ end !");
  const std::string all = "a\"b\\c\nd\te";
  CHECK(stringValue(quoteString(all)) == all);
}

TEST_CASE("a BOM and CRLF are fine, and do not move a column") {
  Parsed parsed("\xEF\xBB\xBF"
                "const a = 1\r\nconst b = \"x\"\r\nconst c = .5\r\n");
  CHECK(parsed.said() == Said{"E0107 3:11"});
  CHECK(parsed.file->declarations.size() == 3);
  Parsed first("\xEF\xBB\xBF"
               "const a = .5");
  CHECK(first.said() == Said{"E0107 1:11"});
}

TEST_CASE("what is not UTF-8 is one error, wherever it stands") {
  CHECK(Parsed("// \xFC\nconst a = \"\xFC\"\nconst b\xFC = 1\n").said() == Said{"E0103 1:4"});
  CHECK(Parsed("\xC0\x80").said() == Said{"E0103 1:1"});
  CHECK(Parsed("const s = \"größe, 大きさ\"").said().empty());
}

} // namespace sinter::syntax
