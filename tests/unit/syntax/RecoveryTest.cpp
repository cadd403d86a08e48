#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

namespace sinter::syntax {

TEST_CASE("five mistakes are five errors") {
  Parsed parsed(R"(const a = 1x
model M(x: f32[8]) {
  let b = f(x, )) + 1
  let c = x |> (f)
  lay d = dense(3)
  g(b, c = 3)
}
)");
  CHECK(parsed.said() == Said{"E0109 1:11", "E0122 3:17", "E0132 4:16", "E0127 5:3", "E0120 6:10"});
}

TEST_CASE("what was understood stays in the tree") {
  Parsed parsed("model M(x: f32) {\n  let a = )\n  let b = f(1x, y)\n  b\n}\nconst c = 1\n");
  REQUIRE(parsed.file->declarations.size() == 2);
  const auto &model = std::get<ModelDeclaration>(parsed.file->declarations[0]);
  CHECK(model.broken);
  REQUIRE(model.statements.size() == 1);
  const auto &call = std::get<LetStatement>(model.statements[0]).value->as<CallExpr>();
  CHECK(call.arguments.list[0].value->kind() == Expr::Kind::Error);
  CHECK(call.arguments.list[1].value->kind() == Expr::Kind::Path);
}

TEST_CASE("a lost bracket is one error, at the bracket") {
  CHECK(Parsed("model M(x: f32) {\n  let a = f(g(x)\n  a\n}\nconst b = 1").said() ==
        Said{"E0121 2:12"});
  CHECK(Parsed("model M(x: f32 {\n  x\n}\nconst b = .5").said() == Said{"E0121 1:8", "E0107 4:11"});
  CHECK(Parsed("model M(x: f32) {\n  x\n\nconst b = .5\n").said() ==
        Said{"E0121 1:17", "E0107 4:11"});
  CHECK(Parsed("train M on d {\n  stage a {\n    epochs 1\n  stage b {\n    epochs 1\n  }\n}\n")
            .said() == Said{"E0121 2:11"});
  CHECK(Parsed("model M(x: f32) {\n  let a = {b: x}}\n  a\n}\nconst b = .5").said() ==
        Said{"E0122 4:1", "E0107 5:11"});
  CHECK(Parsed("const a = [1, 2)\nconst b = .5").said() == Said{"E0121 1:11", "E0107 2:11"});
}

TEST_CASE("a header's error does not hide its block's") {
  CHECK(Parsed("data 3 {\n  x: flot\n}\n").said() == Said{"E0120 1:6", "E0150 2:6"});
  CHECK(Parsed("train M d {\n  batch .5\n}").said() == Said{"E0120 1:9", "E0107 2:9"});
}

TEST_CASE("after a hundred errors there is one more, and the last") {
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += "const = 1\n";
  Parsed parsed(text);
  CHECK(parsed.engine.errorCount() == 100);
  CHECK(parsed.engine.isFull());
  CHECK(parsed.engine.sorted().size() == 101);
  CHECK(parsed.engine.sorted().back().kind == Diag::TooManyErrors);
}

TEST_CASE("nesting has a limit, in every form that nests") {
  const auto nested = [](std::string_view open, std::string_view close, int levels) {
    std::string text = "const a = ";
    for (int i = 0; i < levels; ++i)
      text += open;
    text += "b";
    for (int i = 0; i < levels; ++i)
      text += close;
    return Parsed(text).said();
  };
  for (auto [open, close] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"(", ")"},
                                                                  {"[", "]"},
                                                                  {"f(", ")"},
                                                                  {"f[", "]"},
                                                                  {"{a: ", "}"},
                                                                  {"-", ""},
                                                                  {"not ", ""},
                                                                  {"2 ** ", ""},
                                                                  {"if a then b else ", ""}}) {
    INFO(open);
    CHECK(nested(open, close, 250).empty());
    const Said said = nested(open, close, 20000);
    REQUIRE(said.size() == 1);
    CHECK(said[0].starts_with("E0112"));
  }
  CHECK(nested("stack(2, ", ")", 20000).size() == 1);
}

TEST_CASE("large files of one mark end in time") {
  for (std::string_view unit : {"(", ")", "[)", "[](", "{\n", "}\n", "a.", "\"", "-", "+", ";",
                                "\xFF", "f(", "model M(x: f32) {\n", "[[[[)"}) {
    std::string text;
    while (text.size() < 1000000)
      text += unit;
    Parsed parsed(text);
    CHECK((parsed.engine.hasErrors() || unit == ";"));
  }
  std::string text;
  for (int i = 0; i < 300000; ++i)
    text += '[';
  for (int i = 0; i < 300000; ++i)
    text += ')';
  CHECK(Parsed(text).engine.hasErrors());
}

} // namespace sinter::syntax
