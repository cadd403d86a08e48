//===- ParserExpr.cpp - expressions, loosest first --------------------------------------------===//
#include "compiler/syntax/ParserState.h"

#include <algorithm>

namespace sinter::syntax {
namespace {

BinaryOp binaryOp(TokenKind kind) {
  switch (kind) {
  case TokenKind::Or:
    return BinaryOp::Or;
  case TokenKind::And:
    return BinaryOp::And;
  case TokenKind::Equal:
    return BinaryOp::Equal;
  case TokenKind::NotEqual:
    return BinaryOp::NotEqual;
  case TokenKind::Less:
    return BinaryOp::Less;
  case TokenKind::LessEqual:
    return BinaryOp::LessEqual;
  case TokenKind::Greater:
    return BinaryOp::Greater;
  case TokenKind::GreaterEqual:
    return BinaryOp::GreaterEqual;
  case TokenKind::Plus:
    return BinaryOp::Add;
  case TokenKind::Minus:
    return BinaryOp::Subtract;
  case TokenKind::Star:
    return BinaryOp::Multiply;
  case TokenKind::Slash:
    return BinaryOp::Divide;
  case TokenKind::At:
    return BinaryOp::MatMul;
  default:
    return BinaryOp::Power;
  }
}

bool isComparison(TokenKind kind) {
  return kind >= TokenKind::Equal && kind <= TokenKind::GreaterEqual;
}

bool isOperator(TokenKind kind) {
  return (kind >= TokenKind::Equal && kind <= TokenKind::At) || kind == TokenKind::And ||
         kind == TokenKind::Or;
}

/// What an expression is, for a message.
std::string_view nounOf(const Expr &expr) {
  switch (expr.kind()) {
  case Expr::Kind::Integer:
  case Expr::Kind::Real:
  case Expr::Kind::Count:
    return "a number";
  case Expr::Kind::String:
    return "a string";
  case Expr::Kind::Boolean:
    return "a truth value";
  case Expr::Kind::List:
    return "a list";
  case Expr::Kind::Record:
    return "a record";
  case Expr::Kind::Member:
    return "a value";
  case Expr::Kind::If:
    return "an `if`";
  case Expr::Kind::Pipe:
    return "a value in parentheses";
  default:
    return "the result of an operator";
  }
}

bool mayBeLayer(const Expr &expr) {
  return expr.kind() == Expr::Kind::Path || expr.kind() == Expr::Kind::Call ||
         expr.kind() == Expr::Kind::Stack || expr.kind() == Expr::Kind::Error;
}

/// Text that is short enough to be shown in a help line.
bool quotable(std::string_view text) {
  return text.size() <= 60 && text.find('\n') == std::string_view::npos;
}

} // namespace

ExprPtr ParserState::parseExpr() {
  tupleAllowed = false;
  return is(TokenKind::If) ? parseIf() : parsePipe(true);
}

ExprPtr ParserState::parseExprWithoutAs() {
  tupleAllowed = false;
  return is(TokenKind::If) ? parseIf() : parsePipe(false);
}

ExprPtr ParserState::parseIf() {
  return parseIf([&] { return parseExpr(); });
}

ExprPtr ParserState::parseIf(const std::function<ExprPtr()> &parseBranch) {
  const Deeper deeper(*this);
  const Span begin = here();
  auto expr = std::make_unique<IfExpr>(begin);
  expect(TokenKind::If);
  expr->condition = parseExpr();
  expect(TokenKind::Then);
  expr->thenBranch = parseBranch();
  if (!is(TokenKind::Else))
    panicExpected("`else`", "both branches are needed: `if … then … else …`");
  advance();
  expr->elseBranch = parseBranch();
  expr->span = since(begin);
  return expr;
}

ExprPtr ParserState::parsePipe(bool withAs) {
  const Span begin = here();
  ExprPtr input = parseOr();
  const auto asHere = [&] { return withAs && is(TokenKind::As); };
  if (!is(TokenKind::Pipe) && !asHere())
    return input;
  auto pipe = std::make_unique<PipeExpr>(begin);
  pipe->input = std::move(input);
  if (asHere())
    pipe->inputName = parseAs(*pipe->input);
  while (take(TokenKind::Pipe)) {
    PipeExpr::Stage stage;
    const Span stageBegin = here();
    stage.function = parseLayer(Diag::PipeNeedsFunction);
    if (asHere())
      stage.name = parseAs(*stage.function);
    stage.span = since(stageBegin);
    pipe->stages.push_back(std::move(stage));
  }
  pipe->span = since(begin);
  if (isOperator(kind()) && !lineEnds())
    reportOperatorAfterPipe(*pipe);
  return pipe;
}

/// `x |> f + y`: neither reading is obvious, so the author says which. Reads on, to find what else
/// is wrong.
void ParserState::reportOperatorAfterPipe(const PipeExpr &pipe) {
  const Span opSpan = here();
  const std::string op(text());
  const std::string_view left = engine.sources().text(pipe.span);
  while (isOperator(kind()) && !lineEnds()) {
    advance();
    parseNot();
  }
  const std::string_view right =
      engine.sources().text(Span{file, opSpan.end, std::max(opSpan.end, last().end)});
  auto report = engine.report(Diag::OperatorAfterPipe, opSpan, op);
  if (quotable(left) && quotable(right))
    report.help(fmt::format("`({}) {}{}`", left, op, right));
  else
    report.help("put everything before it in parentheses");
}

/// `as NAME`, and what may not follow it.
Name ParserState::parseAs(const Expr &named) {
  const Span as = here();
  advance();
  Name name = parseName();
  if (!mayBeLayer(named))
    engine.report(Diag::AsNeedsLayer, as, nounOf(named))
        .help(fmt::format("a value is named with `let {} = …`", name.text));
  while (is(TokenKind::As)) {
    engine.report(Diag::AsTwice, here(), name.text);
    advance();
    parseName();
  }
  return name;
}

void ParserState::takeLink(BinaryExpr &chain, ExprPtr (ParserState::*operand)()) {
  const BinaryOp op = binaryOp(kind());
  const Span opSpan = here();
  advance();
  newlineDropped = true; // `*` too: here it is an operator
  ExprPtr right = (this->*operand)();
  chain.rest.push_back({op, opSpan, std::move(right)});
  chain.span = since(chain.first->span);
}

ExprPtr ParserState::parseChain(ExprPtr (ParserState::*operand)(),
                                std::initializer_list<TokenKind> operators) {
  const auto operatorHere = [&] {
    return std::find(operators.begin(), operators.end(), kind()) != operators.end() && !lineEnds();
  };
  ExprPtr first = (this->*operand)();
  if (!operatorHere())
    return first;
  const Span begin = first->span;
  auto chain = std::make_unique<BinaryExpr>(begin, std::move(first));
  while (operatorHere())
    takeLink(*chain, operand);
  return chain;
}

ExprPtr ParserState::parseOr() { return parseChain(&ParserState::parseAnd, {TokenKind::Or}); }

ExprPtr ParserState::parseAnd() { return parseChain(&ParserState::parseNot, {TokenKind::And}); }

ExprPtr ParserState::parseNot() {
  if (!is(TokenKind::Not))
    return parseComparison();
  const Deeper deeper(*this);
  const Span begin = here();
  advance();
  ExprPtr operand = parseNot();
  return std::make_unique<UnaryExpr>(since(begin), UnaryOp::Not, std::move(operand));
}

ExprPtr ParserState::parseComparison() {
  ExprPtr first = parseSum();
  if (!isComparison(kind()) || lineEnds())
    return first;
  const Span begin = first->span;
  auto comparison = std::make_unique<BinaryExpr>(begin, std::move(first));
  takeLink(*comparison, &ParserState::parseSum);
  if (isComparison(kind()) && !lineEnds()) {
    const Span second = here();
    const std::string_view middle = engine.sources().text(comparison->rest[0].operand->span);
    auto report = engine.report(Diag::ComparisonChain, second);
    report.note(comparison->rest[0].opSpan, "the first comparison");
    if (quotable(middle))
      report.help(fmt::format("say both, joined by `and`: `… and {} {} …`", middle, text()));
    while (isComparison(kind()) && !lineEnds()) {
      advance();
      parseSum();
    }
  }
  return comparison;
}

ExprPtr ParserState::parseSum() {
  return parseChain(&ParserState::parseProduct, {TokenKind::Plus, TokenKind::Minus});
}

ExprPtr ParserState::parseProduct() {
  return parseChain(&ParserState::parseUnary, {TokenKind::Star, TokenKind::Slash, TokenKind::At});
}

ExprPtr ParserState::parseUnary() {
  if (!is(TokenKind::Minus))
    return parsePower();
  const Deeper deeper(*this);
  const Span begin = here();
  advance();
  newlineDropped = false; // only a binary operator goes on in the next line
  ExprPtr operand = parseUnary();
  return std::make_unique<UnaryExpr>(since(begin), UnaryOp::Negate, std::move(operand));
}

ExprPtr ParserState::parsePower() {
  ExprPtr base = parsePostfix();
  if (!is(TokenKind::StarStar))
    return base;
  const Deeper deeper(*this);
  const Span begin = base->span;
  auto power = std::make_unique<BinaryExpr>(begin, std::move(base));
  takeLink(*power, &ParserState::parseUnary);
  return power;
}

ExprPtr ParserState::parsePostfix() {
  ExprPtr base = parsePrimary();
  if (is(TokenKind::Dot) &&
      (base->kind() == Expr::Kind::Integer || base->kind() == Expr::Kind::Real)) {
    const Span number = base->span;
    const std::string_view digits = engine.sources().text(number);
    if (!alreadyReported())
      engine.report(Diag::PointWithoutDigit, join(number, here()))
          .help(fmt::format("`{}.0`", digits));
    advance();
    if (is(TokenKind::Name) && token().begin == last().end)
      advance(); // `1.e5` is one mistake
    return std::make_unique<ErrorExpr>(since(number));
  }
  if (!is(TokenKind::Dot))
    return base;
  const Span begin = base->span;
  std::vector<Name> names;
  while (take(TokenKind::Dot))
    names.push_back(parsePathName());
  if (is(TokenKind::LeftParen) || is(TokenKind::LeftBracket))
    panicExpected("the end of the value", "a value's part is not called: name it with `let` first");
  return std::make_unique<MemberExpr>(since(begin), std::move(base), std::move(names));
}

ExprPtr ParserState::parseNumber() {
  const Token number = token();
  advance();
  const Span span = last();
  if (number.reported)
    return std::make_unique<ErrorExpr>(span);
  if (number.kind == TokenKind::Integer)
    return std::make_unique<IntegerExpr>(span, integerValue(textOf(number)).value_or(0));
  return std::make_unique<RealExpr>(span, realValue(textOf(number)).value_or(0));
}

ExprPtr ParserState::parsePrimary() {
  constexpr std::string_view wanted = "an expression";
  const bool tuples = std::exchange(tupleAllowed, false);
  if (lineEnds())
    panicExpected(wanted);
  if (newlineDropped && startsNextStatement()) {
    // `let a =`, and on the next line `let b = …`
    engine.report(Diag::Unexpected, last().after(), wanted, "the end of the line");
    throw Panic();
  }
  switch (kind()) {
  case TokenKind::Integer:
  case TokenKind::Real:
    return parseNumber();
  case TokenKind::String: {
    const Token string = token();
    advance();
    if (string.cutOff && newlinesCount())
      throw Panic(); // the rest of the line is lost in it
    if (string.reported)
      return std::make_unique<ErrorExpr>(last());
    return std::make_unique<StringExpr>(last(), stringValue(textOf(string)));
  }
  case TokenKind::True:
  case TokenKind::False: {
    const bool value = kind() == TokenKind::True;
    advance();
    return std::make_unique<BooleanExpr>(last(), value);
  }
  case TokenKind::Name:
    return parsePathOrCall();
  case TokenKind::LeftParen:
    tupleAllowed = tuples;
    return parseParenthesised();
  case TokenKind::LeftBracket: {
    std::vector<ExprPtr> elements;
    const Span span = parseList(TokenKind::LeftBracket, wanted, false, [&] {
      tupleAllowed = tuples;
      elements.push_back(is(TokenKind::If) ? parseIf() : parsePipe(true));
    });
    return std::make_unique<ListExpr>(span, std::move(elements));
  }
  case TokenKind::LeftBrace:
    return parseBraced();
  case TokenKind::If: {
    engine.report(Diag::IfInOperand, here()).help("`(if … then … else …)`");
    return parseIf();
  }
  case TokenKind::Dot:
    if (kind(1) == TokenKind::Integer && !token(1).newlineBefore) {
      engine.report(Diag::PointWithoutDigit, here()).help(fmt::format("`0.{}`", text(1)));
      const Span begin = here();
      advance();
      advance();
      return std::make_unique<ErrorExpr>(since(begin));
    }
    panicExpected(wanted);
  default:
    panicExpected(wanted);
  }
}

/// `(x)`, or `(a, b)` as an argument.
ExprPtr ParserState::parseParenthesised() {
  const bool tuples = std::exchange(tupleAllowed, false);
  const Span begin = here();
  open(TokenKind::LeftParen);
  const Deeper deeper(*this);
  if (atCloser(TokenKind::RightParen))
    panicExpected("an expression");
  const auto element = [&] {
    tupleAllowed = tuples;
    return is(TokenKind::If) ? parseIf() : parsePipe(true);
  };
  ExprPtr first = element();
  if (!is(TokenKind::Comma)) {
    if (!atCloser(TokenKind::RightParen))
      panicExpected("`)`");
    close(TokenKind::RightParen);
    first->span = since(begin);
    return first;
  }
  std::vector<ExprPtr> elements;
  elements.push_back(std::move(first));
  while (take(TokenKind::Comma) && !atCloser(TokenKind::RightParen))
    elements.push_back(element());
  if (!atCloser(TokenKind::RightParen))
    panicExpected("`,` or `)`");
  close(TokenKind::RightParen);
  if (!tuples)
    engine.report(Diag::OnlyAnArgument, since(begin), "a list in `( )`")
        .help("here it is written `[a, b]`");
  return std::make_unique<ListExpr>(since(begin), std::move(elements));
}

ExprPtr ParserState::parseBraced() {
  if (kind(1) == TokenKind::String) {
    ExprPtr map = parseMap();
    engine.report(Diag::OnlyAnArgument, map->span, "a map");
    return map;
  }
  return parseRecord();
}

ExprPtr ParserState::parseRecord() {
  auto record = std::make_unique<RecordExpr>(here());
  record->span = parseList(TokenKind::LeftBrace, "a name", true, [&] {
    Name name = parseName();
    if (is(TokenKind::Assign)) {
      engine.report(Diag::Unexpected, here(), "`:`", "`=`").help(fmt::format("`{}: …`", name.text));
      advance();
    } else {
      expect(TokenKind::Colon);
    }
    ExprPtr value = parseExpr();
    record->fields.push_back({std::move(name), std::move(value)});
  });
  return record;
}

ExprPtr ParserState::parseMap() {
  auto map = std::make_unique<MapExpr>(here());
  const auto string = [&](Span &span) {
    if (!is(TokenKind::String))
      panicExpected("a string");
    span = here();
    std::string value = stringValue(text());
    advance();
    return value;
  };
  map->span = parseList(TokenKind::LeftBrace, "a string", true, [&] {
    MapExpr::Entry entry;
    entry.key = string(entry.keySpan);
    expect(TokenKind::Colon);
    entry.value = string(entry.valueSpan);
    map->entries.push_back(std::move(entry));
  });
  return map;
}

} // namespace sinter::syntax
