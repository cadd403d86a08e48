#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

namespace sinter::syntax {
namespace {

/// Prints a model's body as it was read, one statement a line.
std::string body(const std::string &text) {
  Parsed parsed("model M(x: f32) {\n" + text + "\n}\n");
  if (parsed.engine.hasErrors())
    return parsed.said().front();
  std::string printed = print(parsed.file->declarations.front());
  printed = printed.substr(printed.find('\n') + 1);
  return printed.substr(0, printed.rfind('}'));
}

std::string trainBody(const std::string &text) {
  Parsed parsed("train M on d {\n" + text + "\n}\n");
  if (parsed.engine.hasErrors())
    return parsed.said().front();
  std::string printed = print(parsed.file->declarations.front());
  printed = printed.substr(printed.find('\n') + 1);
  return printed.substr(0, printed.rfind('}'));
}

} // namespace

TEST_CASE("a newline ends a statement, and so do ; and }") {
  CHECK(body("let a = x\nlet b = a\nb") == "  let a = x\n  let b = a\n  b\n");
  CHECK(body(";;let a = x; let b = a;\n;b;") == "  let a = x\n  let b = a\n  b\n");
  CHECK(Parsed("model M(x: f32) { x } model N(x: f32) { x };const a = 1").said().empty());
  CHECK(trainBody("stage a { epochs 1 } stage b { epochs 2 }") ==
        "  stage a {\n    epochs 1\n  }\n  stage b {\n    epochs 2\n  }\n");
}

TEST_CASE("a newline is dropped within brackets and the braces of a record") {
  CHECK(body("f\n(x)") == "E0160 2:1");
  CHECK(body("f(\nx\n,\ny\n)") == "  f(x, y)\n");
  CHECK(body("(f\n(x)\n+ y)") == "  f(x) + y\n");
  CHECK(body("{\na: x,\nb\n: x\n}") == "  {a: x, b: x}\n");
  CHECK(body("[\nx\n]") == "  [x]\n");
  CHECK(trainBody("freeze a.{\nb,\nc\n}\nepochs 1") == "  freeze a.{b, c}\n  epochs 1\n");
}

TEST_CASE("a newline is dropped after what needs more") {
  CHECK(body("let a =\nx +\ny\na") == "  let a = x + y\n  a\n");
  CHECK(body("x |>\nf") == "  x |> f\n");
  CHECK(body("if c then\nx else\ny") == "  if c then x else y\n");
  CHECK(body("x *\ny **\nz") == "  x * y ** z\n");
  CHECK(body("param w:\nf32 = zeros\nw") == "  param w: f32 = zeros\n  w\n");
  CHECK(Parsed("model M(x: f32) ->\nf32 {\nx\n}").said().empty());
  // but neither after a statement's word nor after a unary minus
  CHECK(body("let\na = x\na") == "E0120 2:4");
  CHECK(trainBody("seed\n7") == "E0120 2:5");
  CHECK(body("let a = (-\nx)\na") == "  let a = -x\n  a\n");
  CHECK(body("let a = -\nx\na") == "E0120 2:10");
}

TEST_CASE("a line that begins with an operator goes on with the one before") {
  CHECK(body("x\n|> f\n\n// comment\n|> g as h\nas i") == "E0134 7:1");
  CHECK(body("x\n  |> f\n\n  // comment\n  |> g\n  as h") == "  x |> f |> g as h\n");
  CHECK(body("let a = x\n+ y\n- z\na") == "  let a = x + y - z\n  a\n");
  CHECK(body("let a = x\n(-a)") == "  let a = x\n  (-a)\n");
  CHECK(body("let a = if c\nthen x\nelse y\nand z\na") ==
        "  let a = if c then x else y and z\n  a\n");
  CHECK(body("-x") == "  (-x)\n");
  // not is no binary operator
  CHECK(body("let a = x\nnot a") == "  let a = x\n  not a\n");
}

TEST_CASE("a line that begins with a bracket begins a statement") {
  CHECK(body("let a = f\n(x)") == "  let a = f\n  x\n");
  CHECK(body("let a = f\n[x]") == "  let a = f\n  [x]\n");
  CHECK(body("let a = f\n{b: x}") == "  let a = f\n  {b: x}\n");
  CHECK(Parsed("model M(x: f32)\n{\nx\n}").said() == Said{"E0125 2:1"});
}

TEST_CASE("the stars of a selector end with their line") {
  CHECK(trainBody("freeze **\nepochs 1") == "  freeze **\n  epochs 1\n");
  CHECK(trainBody("freeze a.*\nepochs 1") == "  freeze a.*\n  epochs 1\n");
  CHECK(trainBody("freeze ** except *.bias\nepochs 1") ==
        "  freeze ** except *.bias\n  epochs 1\n");
}

} // namespace sinter::syntax
