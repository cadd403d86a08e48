#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

namespace sinter::syntax {

std::string shape(const Expr &expr) {
  const auto arguments = [](const Arguments &list, const char *brackets) {
    if (!list.present)
      return std::string();
    std::string text(1, brackets[0]);
    for (const Argument &argument : list.list)
      text += (text.size() > 1 ? " " : "") +
              (argument.name ? argument.name.text + ":" : std::string()) + shape(*argument.value);
    return text + brackets[1];
  };
  if (const auto *binary = dynCast<BinaryExpr>(expr)) {
    std::string text = shape(*binary->first);
    for (const BinaryExpr::Link &link : binary->rest)
      text = fmt::format("({} {} {})", spelling(link.op), text, shape(*link.operand));
    return text;
  }
  if (const auto *unary = dynCast<UnaryExpr>(expr))
    return fmt::format("({} {})", unary->op == UnaryOp::Not ? "not" : "neg",
                       shape(*unary->operand));
  if (const auto *branch = dynCast<IfExpr>(expr))
    return fmt::format("(if {} {} {})", shape(*branch->condition), shape(*branch->thenBranch),
                       shape(*branch->elseBranch));
  if (const auto *pipe = dynCast<PipeExpr>(expr)) {
    std::string text = shape(*pipe->input) + (pipe->inputName ? "=" + pipe->inputName.text : "");
    for (const PipeExpr::Stage &stage : pipe->stages)
      text = fmt::format("(|> {} {}{})", text, shape(*stage.function),
                         stage.name ? "=" + stage.name.text : "");
    return text;
  }
  if (const auto *call = dynCast<CallExpr>(expr)) {
    std::string callee;
    for (const Name &name : call->callee)
      callee += (callee.empty() ? "" : ".") + name.text;
    return callee + arguments(call->parameters, "[]") + arguments(call->arguments, "()");
  }
  if (const auto *member = dynCast<MemberExpr>(expr)) {
    std::string text = "(. " + shape(*member->base);
    for (const Name &name : member->names)
      text += " " + name.text;
    return text + ")";
  }
  if (const auto *list = dynCast<ListExpr>(expr)) {
    std::string text = "(list";
    for (const ExprPtr &element : list->elements)
      text += " " + shape(*element);
    return text + ")";
  }
  if (const auto *range = dynCast<RangeExpr>(expr))
    return fmt::format("(.. {} {})", shape(*range->first), shape(*range->last));
  return print(expr);
}

std::string shapeOf(const std::string &text) {
  Parsed parsed("const x = " + text + "\n");
  if (parsed.engine.hasErrors())
    return parsed.said().front();
  if (parsed.file->declarations.size() != 1)
    return "not one declaration";
  return shape(*std::get<ConstDeclaration>(parsed.file->declarations[0]).value);
}

TEST_CASE("each level binds tighter than the one before it") {
  // Loosest first: if, |>, or, and, not, comparisons, sums, products, minus, power, call.
  CHECK(shapeOf("if a or b then c |> f else d |> g") == "(if (or a b) (|> c f) (|> d g))");
  CHECK(shapeOf("a or b |> f") == "(|> (or a b) f)");
  CHECK(shapeOf("a + b |> relu") == "(|> (+ a b) relu)");
  CHECK(shapeOf("a or b and c") == "(or a (and b c))");
  CHECK(shapeOf("a and b or c") == "(or (and a b) c)");
  CHECK(shapeOf("not a and b") == "(and (not a) b)");
  CHECK(shapeOf("not a == b") == "(not (== a b))");
  CHECK(shapeOf("a + b < c - d") == "(< (+ a b) (- c d))");
  CHECK(shapeOf("a + b * c") == "(+ a (* b c))");
  CHECK(shapeOf("a @ b + c / d") == "(+ (@ a b) (/ c d))");
  CHECK(shapeOf("-a * b") == "(* (neg a) b)");
  CHECK(shapeOf("a * -b") == "(* a (neg b))");
  CHECK(shapeOf("-x ** 2") == "(neg (** x 2))");
  CHECK(shapeOf("2 ** -i") == "(** 2 (neg i))");
  CHECK(shapeOf("16 * 2 ** i") == "(* 16 (** 2 i))");
  CHECK(shapeOf("f(x).y ** 2") == "(** (. f(x) y) 2)");
}

TEST_CASE("operators of one level go left, powers right") {
  CHECK(shapeOf("a - b + c - d") == "(- (+ (- a b) c) d)");
  CHECK(shapeOf("a / b * c @ d") == "(@ (* (/ a b) c) d)");
  CHECK(shapeOf("a ** b ** c") == "(** a (** b c))");
  CHECK(shapeOf("a ** -b ** c") == "(** a (neg (** b c)))");
  CHECK(shapeOf("a |> f |> g") == "(|> (|> a f) g)");
  CHECK(shapeOf("a or b or c") == "(or (or a b) c)");
  CHECK(shapeOf("(a - (b - c))") == "(- a (- b c))");
  CHECK(shapeOf("not not a") == "(not (not a))");
  CHECK(shapeOf("--a") == "(neg (neg a))");
  CHECK(shapeOf("if a then b else if c then d else e") == "(if a b (if c d e))");
}

TEST_CASE("comparisons do not chain") {
  CHECK(shapeOf("a < b < c") == "E0130 1:17");
  CHECK(shapeOf("a == b == c == d") == "E0130 1:18");
  CHECK(shapeOf("(a < b) == c") == "(== (< a b) c)");
}

TEST_CASE("as names the layer just before it") {
  CHECK(shapeOf("x |> dense(3) as a |> relu |> f[2](3) as b") ==
        "(|> (|> (|> x dense(3)=a) relu) f[2](3)=b)");
  CHECK(shapeOf("Block[64](x) as block |> f") == "(|> Block[64](x)=block f)");
  CHECK(shapeOf("x |> stack(2, f) as s") == "(|> x stack(2, f)=s)");
  CHECK(shapeOf("a + b as c") == "E0133 1:17");
  CHECK(shapeOf("x |> f as a as b") == "E0134 1:23");
}

TEST_CASE("an operator after a piped function is an error") {
  CHECK(shapeOf("x |> f + y") == "E0131 1:18");
  CHECK(shapeOf("x |> f == y") == "E0131 1:18");
  CHECK(shapeOf("x |> f and y") == "E0131 1:18");
  CHECK(shapeOf("(x |> f) + y") == "(+ (|> x f) y)");
  Parsed parsed("const a = x |> f + y * 2");
  CHECK(parsed.engine.sorted()[0].helps == std::vector<std::string>{"`(x |> f) + y * 2`"});
}

TEST_CASE("paths hold numbers, and a number in a path is a name") {
  CHECK(shapeOf("blocks.0.1.weight") == "blocks.0.1.weight");
  CHECK(shapeOf("enc.blocks.0(x)") == "enc.blocks.0(x)");
  CHECK(shapeOf("f(x).0.1") == "(. f(x) 0 1)");
  CHECK(shapeOf("(a.b).c") == "(. a.b c)");
}

TEST_CASE("arguments take what expressions do not") {
  CHECK(shapeOf("f(a, b: c, d: e + 1,)") == "f(a b:c d:(+ e 1))");
  CHECK(shapeOf("csv(f, columns: 0..63)") == "csv(f columns:(.. 0 63))");
  CHECK(shapeOf("csv(f, columns: -3..-1)") == "csv(f columns:(.. (neg 3) (neg 1)))");
  CHECK(shapeOf("f(a: (1, 2), b: (1,), c: (1), d: [(1, 2)])") ==
        "f(a:(list 1 2) b:(list 1) c:1 d:(list (list 1 2)))");
  CHECK(shapeOf("f(2 epochs, n: warm steps, m: 1 step)") == "f(2 epochs n:warm steps m:1 steps)");
  CHECK(shapeOf("f({\"a\": \"b\", \"c\\n\": \"d\",})") == "f({\"a\": \"b\", \"c\\n\": \"d\"})");
  CHECK(shapeOf("f({a: 1, b: c})") == "f({a: 1, b: c})");
  CHECK(shapeOf("Block[64, stride: 2](x)") == "Block[64 stride:2](x)");
  CHECK(shapeOf("f()") == "f()");
  CHECK(shapeOf("f(if: 3)") == "E0120 1:15");
}

TEST_CASE("a stack holds a count, an index, a layer and whether it is shared") {
  Parsed parsed("const x = stack(4, i => stack(2, B[i](3)), shared: true)");
  REQUIRE_FALSE(parsed.engine.hasErrors());
  const auto &stack =
      std::get<ConstDeclaration>(parsed.file->declarations[0]).value->as<StackExpr>();
  CHECK(print(*stack.count) == "4");
  CHECK(stack.index.text == "i");
  CHECK(stack.layer->kind() == Expr::Kind::Stack);
  CHECK(print(*stack.shared) == "true");
}

TEST_CASE("a chain of many operators is one wide node") {
  std::string text = "const x = 1";
  for (int i = 0; i < 100000; ++i)
    text += " + 1";
  Parsed parsed(text);
  CHECK_FALSE(parsed.engine.hasErrors());
  const auto &sum =
      std::get<ConstDeclaration>(parsed.file->declarations[0]).value->as<BinaryExpr>();
  CHECK(sum.rest.size() == 100000);
}

TEST_CASE("every node has the span of its text") {
  Parsed parsed("const x = a + f(b, c: 2) |> g as h");
  const auto &pipe = std::get<ConstDeclaration>(parsed.file->declarations[0]).value->as<PipeExpr>();
  CHECK(parsed.sources.text(pipe.span) == "a + f(b, c: 2) |> g as h");
  CHECK(parsed.sources.text(pipe.spanUpTo(0)) == "a + f(b, c: 2) |> g");
  const auto &sum = pipe.input->as<BinaryExpr>();
  CHECK(parsed.sources.text(sum.span) == "a + f(b, c: 2)");
  const auto &call = sum.rest[0].operand->as<CallExpr>();
  CHECK(parsed.sources.text(call.arguments.list[1].span) == "c: 2");
  CHECK(parsed.sources.text(call.arguments.span) == "(b, c: 2)");
}

TEST_CASE("an expression alone can be read, for a flag") {
  SourceManager sources;
  Engine engine(sources);
  CHECK(shape(*parseExpression(sources.add("-D", "2 * n"), engine)) == "(* 2 n)");
  CHECK_FALSE(engine.hasErrors());
  CHECK(parseExpression(sources.add("-D", "2 2"), engine)->kind() == Expr::Kind::Error);
  CHECK(engine.errorCount() == 1);
}

} // namespace sinter::syntax
