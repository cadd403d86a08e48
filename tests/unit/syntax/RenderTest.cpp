#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

namespace sinter::syntax {

TEST_CASE("a diagnostic shows what, where, the other place, and the way out") {
  SourceManager sources;
  Engine engine(sources);
  std::string text(120, '\n');
  text.insert(8, "  param W: f32[256, 784]");
  text += "  h |> dense(784, weight: W)";
  const FileId file = sources.add("gpt.sinter", text);
  const auto at = [&](std::string_view what, size_t from) {
    const size_t begin = text.find(what, from);
    return Span{file, static_cast<uint32_t>(begin), static_cast<uint32_t>(begin + what.size())};
  };
  engine.report(Diag::Unexpected, at("W)", 100).before(), "one `x`", "another")
      .label("f32[256, 784] here")
      .note(at("param", 0), "declared here")
      .help("use `transpose(W)`");
  CHECK(render(engine, false) == R"(error[E0120]: expected one `x`, found another
   ┌─ gpt.sinter:121:27
121│   h |> dense(784, weight: W)
   │                           ^ f32[256, 784] here
   ┌─ gpt.sinter:9:3
  9│   param W: f32[256, 784]
   │   ----- declared here
   = help: use `transpose(W)`
)");
}

TEST_CASE("a mark stands under its text, whatever stands before") {
  CHECK(Parsed("/* é大\t*/ .5").rendered().find("\n │       ^\n") == std::string::npos);
  const std::string wide = Parsed("const 大 = 1; const b = .5").rendered();
  CHECK(wide.find(" │       ^^\n") != std::string::npos);
  CHECK(wide.find(" │                         ^\n") != std::string::npos);
  const std::string tab = Parsed("\tconst b = .5").rendered();
  CHECK(tab.find("1│     const b = .5\n │               ^\n") != std::string::npos);
  CHECK(tab.find("test.sinter:1:12\n") != std::string::npos);
}

TEST_CASE("a long line is cut around the mark") {
  const std::string text =
      "const a = [" + std::string(100000, '1') + "x, " + std::string(1000, ' ') + "]";
  CHECK(Parsed(text).rendered().size() < 101000); // the message quotes the number
  const std::string listed =
      Parsed("// " + std::string(5000, '-') + "\xFF" + std::string(5000, '-')).rendered();
  CHECK(listed.size() < 1000);
  CHECK(listed.find("…-") != std::string::npos);
}

TEST_CASE("colour adds nothing but colour") {
  Parsed parsed("const a = .5\nconst b = 1 < 2 < 3\n");
  std::string coloured = render(parsed.engine, true);
  CHECK(coloured.find("\x1b[1;31merror[E0107]") != std::string::npos);
  for (size_t at; (at = coloured.find('\x1b')) != std::string::npos;)
    coloured.erase(at, coloured.find('m', at) - at + 1);
  CHECK(coloured == parsed.rendered());
}

TEST_CASE("no control character of a spec reaches the terminal") {
  const std::string text = Parsed("const a\x1b[31m = 1 // \x07\n").rendered();
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
}

TEST_CASE("diagnostics come in the order of the text, each once") {
  SourceManager sources;
  Engine engine(sources);
  const FileId file = sources.add("a.sinter", "abc\ndef\n");
  engine.report(Diag::ComparisonChain, {file, 4, 7});
  engine.report(Diag::ArgumentTwice, {file, 0, 3}, "x");
  engine.report(Diag::ComparisonChain, {file, 4, 7}).help("dropped with its diagnostic");
  engine.report(Diag::NoLibrary, Span{}, "y");
  const auto all = engine.sorted();
  REQUIRE(all.size() == 3);
  CHECK(all[0].kind == Diag::NoLibrary);
  CHECK(all[1].kind == Diag::ArgumentTwice);
  CHECK(all[2].helps.empty());
  CHECK(summary(engine) == "3 errors");
  CHECK(render(all[0], sources, false) ==
        "error[E0171]: there is no library here to import `y` from\n");
}

TEST_CASE("editors get the same as JSON") {
  Parsed parsed("const a = .5\n");
  const auto json = nlohmann::json::parse(renderJson(parsed.engine));
  REQUIRE(json.size() == 1);
  CHECK(json[0]["code"] == "E0107");
  CHECK(json[0]["severity"] == "error");
  CHECK(json[0]["line"] == 1);
  CHECK(json[0]["column"] == 11);
  CHECK(json[0]["endColumn"] == 12);
  CHECK(json[0]["helps"][0] == "`0.5`");
}

TEST_CASE("the nearest word is suggested, and only if it is near") {
  CHECK(nearest("optimise", {"objective", "optimize"}) == "optimize");
  CHECK(nearest("LeNet", {"lenet"}) == "lenet");
  CHECK(nearest("wieght", {"weight", "height"}) == "weight");
  CHECK(nearest("x", {"y", "z"}).empty());
  CHECK(nearest("anything", {"else"}).empty());
}

} // namespace sinter::syntax
