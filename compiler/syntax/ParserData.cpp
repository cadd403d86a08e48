//===- ParserData.cpp - where examples come from ----------------------------------------------===//
#include "compiler/syntax/ParserState.h"

#include <algorithm>

namespace sinter::syntax {

std::optional<PartKind> partNamed(std::string_view word) {
  for (PartKind part : {PartKind::Train, PartKind::Test, PartKind::Valid})
    if (word == spelling(part))
      return part;
  return std::nullopt;
}

namespace {

const std::vector<std::string_view> statementWords = {"train", "test", "valid",  "split",
                                                      "keep",  "take", "augment"};

bool isStatementWord(std::string_view word) {
  return std::find(statementWords.begin(), statementWords.end(), word) != statementWords.end();
}

} // namespace

DataDeclaration ParserState::parseData() {
  DataDeclaration data;
  const Span begin = here();
  advance();
  try {
    data.name = parseName();
    if (!is(TokenKind::LeftBrace) && kind() != TokenKind::LeftBrace)
      panicExpected("`{`");
  } catch (Panic &) {
    data.broken = true;
    recoverHeader(begin);
  }
  parseBlock("data block", data.broken, [] { return false; }, [&] { parseDataStatement(data); });
  data.span = since(begin);
  return data;
}

void ParserState::parseDataStatement(DataDeclaration &data) {
  const Span begin = here();
  const std::string_view word = kind() == TokenKind::Name ? text() : std::string_view();
  if (isStatementWord(word) && kind(1) == TokenKind::Colon) {
    engine.report(Diag::ReservedName, here(), word)
        .help(fmt::format("in a data block `{0}` begins a statement; a field may be `{0}_`", word));
    throw Panic();
  }
  if (partNamed(word)) {
    data.statements.emplace_back(parsePart(data.broken));
  } else if (word == "split") {
    data.statements.emplace_back(parseSplit());
  } else if (word == "keep") {
    advance();
    expectWord("where");
    ExprPtr condition = parseExpr();
    data.statements.emplace_back(KeepStatement{std::move(condition), since(begin)});
  } else if (word == "take") {
    advance();
    ExprPtr count = parseExpr();
    data.statements.emplace_back(TakeStatement{std::move(count), since(begin)});
  } else if (word == "augment") {
    data.statements.emplace_back(parseAugment(data.broken));
  } else if (kind() == TokenKind::Name && kind(1) == TokenKind::Colon) {
    FieldStatement field;
    field.name = parseName();
    expect(TokenKind::Colon);
    field.type = parseTensorType(false);
    field.span = since(begin);
    data.statements.emplace_back(std::move(field));
  } else if (kind() >= TokenKind::If && kind() <= TokenKind::False) {
    parseName(); // says that it is no name
  } else {
    panicUnknownStatement("data block", statementWords);
  }
}

PartStatement ParserState::parsePart(bool &broken) {
  PartStatement part;
  const Span begin = here();
  part.part = *partNamed(text());
  part.keyword = begin;
  advance();
  const auto outside = [&] {
    return token().newlineBefore && kind() == TokenKind::Name && isStatementWord(text()) &&
           kind(1) != TokenKind::Assign && kind(1) != TokenKind::Comma;
  };
  parseBlock("part", broken, outside, [&] { part.fills.push_back(parseFill()); });
  part.span = since(begin);
  return part;
}

Fill ParserState::parseFill() {
  Fill fill;
  const Span begin = here();
  size_t names = 0;
  while (kind(names) == TokenKind::Name && kind(names + 1) == TokenKind::Comma)
    names += 2;
  if (kind(names) == TokenKind::Name &&
      (kind(names + 1) == TokenKind::Assign || (names == 0 && kind(1) == TokenKind::Colon))) {
    do
      fill.names.push_back(parseName());
    while (take(TokenKind::Comma));
    expectAssign(fill.names.back());
  }
  fill.value = parseExpr();
  fill.span = since(begin);
  return fill;
}

SplitStatement ParserState::parseSplit() {
  SplitStatement split;
  const Span begin = here();
  advance();
  do
    split.shares.push_back(parseExpr());
  while (take(TokenKind::Comma));
  if (is(TokenKind::LeftParen)) {
    split.options = parseArguments(TokenKind::LeftParen);
  } else if (split.shares.back()->kind() == Expr::Kind::Call) {
    // `split share (seed: 0)` reads like a call of `share`, but a number takes no such arguments.
    auto &call = split.shares.back()->as<CallExpr>();
    const auto isOption = [](const Argument &argument) {
      return argument.name.text == "seed" || argument.name.text == "stratify";
    };
    if (call.callee.size() == 1 && !call.parameters.present && !call.arguments.list.empty() &&
        std::all_of(call.arguments.list.begin(), call.arguments.list.end(), isOption)) {
      split.options = std::move(call.arguments);
      const Span callee = call.calleeSpan;
      split.shares.back() = std::make_unique<PathExpr>(callee, std::move(call.callee));
    }
  }
  split.span = since(begin);
  if (split.shares.size() != 1 && split.shares.size() != 3)
    engine.report(Diag::SplitShares, split.span, split.shares.size())
        .help("`split 0.8` cuts off a test set, `split 0.8, 0.1, 0.1` a valid and a test set");
  return split;
}

AugmentStatement ParserState::parseAugment(bool &broken) {
  AugmentStatement augment;
  const Span begin = here();
  advance();
  if (is(TokenKind::Name))
    do
      augment.fields.push_back(parseName());
    while (take(TokenKind::Comma));
  const auto outside = [&] {
    return token().newlineBefore && kind() == TokenKind::Name && isStatementWord(text());
  };
  parseBlock("augment block", broken, outside,
             [&] { augment.steps.push_back(parseCallOnly("an augmentation")); });
  augment.span = since(begin);
  return augment;
}

} // namespace sinter::syntax
