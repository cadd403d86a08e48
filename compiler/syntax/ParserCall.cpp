//===- ParserCall.cpp - names, calls, layers and arguments ------------------------------------===//
#include "compiler/syntax/ParserState.h"

#include <algorithm>
#include <array>

namespace sinter::syntax {
namespace {

constexpr std::array<std::string_view, 4> units = {"epochs", "epoch", "steps", "step"};

} // namespace

/// NAME { "." (NAME | INT) } [ […] ] [ (…) ]
ExprPtr ParserState::parsePathOrCall() {
  const Span begin = here();
  std::vector<Name> names;
  const bool wrong = token().reported;
  names.push_back(parseName());
  if (names.front().text == "stack" && is(TokenKind::LeftParen))
    return parseStack(std::move(names.front()));
  while (take(TokenKind::Dot))
    names.push_back(parsePathName());
  const Span callee = since(begin);
  if (!is(TokenKind::LeftParen) && !is(TokenKind::LeftBracket)) {
    if (wrong)
      return std::make_unique<ErrorExpr>(callee);
    return std::make_unique<PathExpr>(callee, std::move(names));
  }
  auto call = std::make_unique<CallExpr>(begin);
  call->callee = std::move(names);
  call->calleeSpan = callee;
  if (is(TokenKind::LeftBracket))
    call->parameters = parseArguments(TokenKind::LeftBracket);
  if (is(TokenKind::LeftParen))
    call->arguments = parseArguments(TokenKind::LeftParen);
  call->span = since(begin);
  if (wrong && !is(TokenKind::LeftParen))
    return std::make_unique<ErrorExpr>(call->span);
  if (is(TokenKind::LeftParen)) {
    // dense(10)(x), as elsewhere
    const std::string_view layer = engine.sources().text(call->span);
    const Span second = here();
    const Arguments inputs = parseArguments(TokenKind::LeftParen);
    const std::string_view input = engine.sources().text(inputs.span);
    auto report = engine.report(Diag::CallOfCall, second);
    if (layer.size() + input.size() <= 80 && inputs.list.size() == 1 && !inputs.list[0].name)
      report.help(fmt::format("`{} |> {}`", engine.sources().text(inputs.list[0].span), layer));
    else
      report.help("a layer is applied with `|>`");
    return std::make_unique<ErrorExpr>(since(begin));
  }
  return call;
}

/// stack(N, LAYER), stack(N, i => LAYER), both with `shared: …`
ExprPtr ParserState::parseStack(Name word) {
  auto stack = std::make_unique<StackExpr>(word.span);
  constexpr std::string_view example = "`stack(4, dense(10))`, `stack(4, i => Block[i])`";
  open(TokenKind::LeftParen);
  const Deeper deeper(*this);
  const auto panicForm = [&] {
    if (!alreadyReported())
      engine.report(Diag::StackForm, here()).help(std::string(example));
    throw Panic();
  };
  const auto argumentName = [&] { return is(TokenKind::Name) && kind(1) == TokenKind::Colon; };
  if (atCloser(TokenKind::RightParen) || argumentName())
    panicForm();
  stack->count = parseExpr();
  if (!take(TokenKind::Comma) || atCloser(TokenKind::RightParen) || argumentName())
    panicForm();
  if (is(TokenKind::Name) && kind(1) == TokenKind::FatArrow) {
    stack->index = parseName();
    advance();
  }
  stack->layer = parseLayer(Diag::NeedsLayer);
  if (take(TokenKind::Comma) && !atCloser(TokenKind::RightParen)) {
    if (!isWord("shared"))
      panicExpected("`shared: true`");
    advance();
    expect(TokenKind::Colon);
    stack->shared = parseExpr();
    take(TokenKind::Comma);
  }
  if (!atCloser(TokenKind::RightParen))
    panicExpected("`)`");
  close(TokenKind::RightParen);
  stack->span = since(word.span);
  return stack;
}

ExprPtr ParserState::parseLayer(Diag diagnosis) {
  if (is(TokenKind::Name) && text() != "_")
    return parsePathOrCall();
  // `layer down = if … then A else B`, `stack(2, i => if i == 0 then A else B)`
  if (is(TokenKind::If) && diagnosis == Diag::NeedsLayer)
    return parseIf([&] { return parseLayer(Diag::NeedsLayer); });
  if (alreadyReported())
    throw Panic();
  if (diagnosis == Diag::PipeNeedsFunction) {
    auto report = engine.report(Diag::PipeNeedsFunction, foundSpan(), found());
    if (is(TokenKind::LeftParen) && kind(1) == TokenKind::Name && kind(2) == TokenKind::RightParen)
      report.help(fmt::format("without parentheses: `|> {}`", text(1)));
  } else
    engine.report(Diag::NeedsLayer, foundSpan(), found());
  throw Panic();
}

ExprPtr ParserState::parseCallOnly(std::string_view wanted) {
  if (is(TokenKind::Name) && text() != "_")
    return parsePathOrCall();
  panicExpected(wanted);
}

Arguments ParserState::parseArguments(TokenKind opener, bool ofLoad) {
  Arguments arguments;
  arguments.present = true;
  const bool parameters = opener == TokenKind::LeftBracket;
  arguments.span = parseList(opener, "an argument", parameters, [&] {
    Argument argument = parseArgument(ofLoad);
    if (argument.name && arguments.find(argument.name.text))
      engine.report(Diag::ArgumentTwice, argument.name.span, argument.name.text)
          .note(arguments.find(argument.name.text)->name.span, "first here");
    else if (!argument.name && !arguments.list.empty() && arguments.list.back().name)
      engine.report(Diag::PositionalAfterNamed, argument.span)
          .note(arguments.list.back().span, "a named one")
          .help("name it, or move it to the front");
    arguments.list.push_back(std::move(argument));
  });
  return arguments;
}

Argument ParserState::parseArgument(bool ofLoad) {
  Argument argument;
  const Span begin = here();
  if (is(TokenKind::Name) && (kind(1) == TokenKind::Colon || kind(1) == TokenKind::Assign)) {
    argument.name = parseName();
    if (is(TokenKind::Assign))
      engine.report(Diag::Unexpected, here(), "`:`", "`=`")
          .help(fmt::format("`{}: …`", argument.name.text));
    advance();
  }
  const bool selector =
      ofLoad && (argument.name.text == "transpose" || argument.name.text == "except");
  argument.value = selector ? parseSelectorArgument() : parseArgumentValue();
  argument.span = since(begin);
  return argument;
}

ExprPtr ParserState::parseArgumentValue() {
  const Span begin = here();
  if (is(TokenKind::Name) && kind(1) == TokenKind::FatArrow) {
    engine.report(Diag::LambdaOutsideStack, spanOf(token(1)));
    advance();
    advance();
    return parseExpr();
  }
  const bool number = kind() == TokenKind::Integer || kind() == TokenKind::Name;
  if (number && !lineEnds() && kind(1) == TokenKind::Name && !lineEnds(1) &&
      std::find(units.begin(), units.end(), text(1)) != units.end()) {
    ExprPtr count;
    if (kind() == TokenKind::Integer) {
      count = parseNumber();
    } else {
      Name name = parseName();
      const Span span = name.span;
      std::vector<Name> names;
      names.push_back(std::move(name));
      count = std::make_unique<PathExpr>(span, std::move(names));
    }
    const TimeUnit unit = text().starts_with("epoch") ? TimeUnit::Epochs : TimeUnit::Steps;
    advance();
    return std::make_unique<CountExpr>(since(begin), std::move(count), unit);
  }
  if (is(TokenKind::LeftBrace) && kind(1) == TokenKind::String)
    return parseMap();
  tupleAllowed = true;
  ExprPtr value = is(TokenKind::If) ? parseIf() : parsePipe(true);
  tupleAllowed = false;
  if (!take(TokenKind::DotDot))
    return value;
  ExprPtr last = parseExpr();
  return std::make_unique<RangeExpr>(since(begin), std::move(value), std::move(last));
}

} // namespace sinter::syntax
