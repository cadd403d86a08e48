//===- ParserSelector.cpp - dotted paths with *, ** and {a, b} --------------------------------===//
#include "compiler/syntax/ParserState.h"

namespace sinter::syntax {

bool ParserState::startsSelector() const {
  switch (kind()) {
  case TokenKind::Name:
  case TokenKind::Integer:
  case TokenKind::Real: // 0.1 is two names
  case TokenKind::Star:
  case TokenKind::StarStar:
  case TokenKind::LeftBrace:
    return !lineEnds();
  default:
    return false;
  }
}

Selector ParserState::parseSelector() {
  Selector selector;
  const Span begin = here();
  selector.path = parseSelectorPath();
  if (takeWord("except"))
    selector.except = parseSelectorPath();
  selector.span = since(begin);
  return selector;
}

SelectorPath ParserState::parseSelectorPath() {
  SelectorPath path;
  const Span begin = here();
  if (!startsSelector()) {
    if (!alreadyReported())
      engine.report(Diag::SelectorExpected, foundSpan(), found())
          .help("`**` selects everything, `head.*` what stands right beneath `head`");
    throw Panic();
  }
  do
    parseSelectorStep(path);
  while (take(TokenKind::Dot));
  path.span = since(begin);
  return path;
}

void ParserState::parseSelectorStep(SelectorPath &path) {
  SelectorStep step;
  step.span = here();
  switch (kind()) {
  case TokenKind::Star:
    step.kind = SelectorStep::Kind::Any;
    advance();
    break;
  case TokenKind::StarStar:
    step.kind = SelectorStep::Kind::AnyDepth;
    advance();
    break;
  case TokenKind::LeftBrace:
    step.kind = SelectorStep::Kind::Set;
    step.span = parseList(TokenKind::LeftBrace, "a name or a number", true,
                          [&] { step.names.push_back(parsePathName()); });
    break;
  case TokenKind::Real: {
    // The lexer took `0.1` for a number; here it is the step 1 beneath the step 0.
    const std::string_view spelled = text();
    const size_t point = spelled.find('.');
    if (token().reported || lineEnds() ||
        spelled.find_first_not_of("0123456789.") != std::string_view::npos)
      panicExpected("a name or a number");
    const uint32_t begin = token().begin;
    const auto middle = static_cast<uint32_t>(begin + point);
    const Span first{file, begin, middle}, second{file, middle + 1, token().end};
    path.steps.push_back(
        {SelectorStep::Kind::Name, {{std::string(spelled.substr(0, point)), first}}, first});
    step.span = second;
    step.names.push_back({std::string(spelled.substr(point + 1)), second});
    advance();
    break;
  }
  default:
    step.names.push_back(parsePathName());
  }
  path.steps.push_back(std::move(step));
}

/// What `transpose:` and `except:` of load take: a selector, or a list of them.
ExprPtr ParserState::parseSelectorArgument() {
  if (!is(TokenKind::LeftBracket) && !is(TokenKind::LeftParen))
    return std::make_unique<SelectorExpr>(parseSelector());
  std::vector<ExprPtr> elements;
  const Span span = parseList(kind(), "a selector", true, [&] {
    elements.push_back(std::make_unique<SelectorExpr>(parseSelector()));
  });
  return std::make_unique<ListExpr>(span, std::move(elements));
}

} // namespace sinter::syntax
