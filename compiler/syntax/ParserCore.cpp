//===- ParserCore.cpp - moving through tokens, and getting back on the road -------------------===//
#include "compiler/syntax/ParserState.h"

#include <algorithm>

namespace sinter::syntax {

ParserState::ParserState(FileId file, Engine &engine)
    : file(file), engine(engine), source(engine.sources().text(file)), tokens(lex(file, engine)),
      partners(pairBrackets(tokens, file, engine)) {}

//===-- Tokens --------------------------------------------------------------------------------===//

bool ParserState::lineEnds(size_t ahead) const {
  const Token &next = token(ahead);
  if (next.kind == TokenKind::EndOfFile)
    return true;
  if (!next.newlineBefore || !newlinesCount() || (ahead == 0 && newlineDropped))
    return false;
  return !continuesLine(next.kind);
}

bool ParserState::atEnd() const {
  return blockEnded || kind() == TokenKind::Semicolon || kind() == TokenKind::RightBrace ||
         lineEnds();
}

void ParserState::advance() {
  newlineDropped =
      continuesAfter(kind()) && kind() != TokenKind::Star && kind() != TokenKind::StarStar;
  blockEnded = false;
  if (position + 1 < tokens.size())
    ++position;
}

bool ParserState::take(TokenKind wanted) {
  if (!is(wanted))
    return false;
  advance();
  return true;
}

bool ParserState::takeWord(std::string_view word) {
  if (!isWord(word))
    return false;
  advance();
  return true;
}

void ParserState::expect(TokenKind wanted) {
  if (!take(wanted))
    panicExpected(describe(wanted));
}

void ParserState::expectWord(std::string_view word) {
  if (!takeWord(word))
    panicExpected(fmt::format("`{}`", word));
}

void ParserState::open(TokenKind opener) {
  if (!is(opener))
    panicExpected(describe(opener));
  brackets.push_back(static_cast<uint32_t>(position));
  advance();
}

void ParserState::close(TokenKind closer) {
  expect(closer);
  brackets.pop_back();
}

//===-- Errors --------------------------------------------------------------------------------===//

std::string ParserState::found() const {
  if (kind() == TokenKind::EndOfFile)
    return std::string(describe(TokenKind::EndOfFile));
  if (lineEnds())
    return "the end of the line";
  constexpr size_t enough = 40;
  if (text().size() > enough)
    return std::string(describe(kind()));
  return fmt::format("`{}`", text());
}

Span ParserState::foundSpan() const { return lineEnds() && position ? last().after() : here(); }

bool ParserState::alreadyReported() const {
  // A bracket without a partner was reported, and is the likely cause of whatever does not fit
  // behind it.
  return token().reported || engine.isFull() ||
         std::any_of(brackets.begin(), brackets.end(),
                     [&](uint32_t bracket) { return partners[bracket] == noPartner; }) ||
         (position && tokens[position - 1].cutOff);
}

void ParserState::panicExpected(std::string_view wanted, std::string_view help) {
  if (!alreadyReported()) {
    auto report = engine.report(Diag::Unexpected, foundSpan(), wanted, found());
    if (!help.empty())
      report.help(std::string(help));
  }
  throw Panic();
}

void ParserState::panicTooDeep() {
  engine.report(Diag::NestingTooDeep, here(), maxNesting)
      .help("give a part of it a name with `let`");
  throw Panic();
}

void ParserState::skipToken() {
  const uint32_t partner = partners[position];
  newlineDropped = blockEnded = false;
  position = partner != noPartner && partner > position ? partner : position;
  if (position + 1 < tokens.size())
    ++position;
}

void ParserState::recoverStatement(size_t start) {
  for (uint32_t bracket : brackets)
    if (partners[bracket] != noPartner)
      position = std::max<size_t>(position, partners[bracket] + 1);
  brackets.clear();
  newlineDropped = blockEnded = false;
  if (position <= start) {
    position = start;
    skipToken();
  }
  const auto closes = [&] {
    return kind() == TokenKind::RightBrace && partners[position] != noPartner;
  };
  while (kind() != TokenKind::EndOfFile && kind() != TokenKind::Semicolon && !closes() &&
         !(token().newlineBefore && !continuesLine(kind())))
    skipToken();
  lose(start);
}

void ParserState::lose(size_t start) {
  if (position > start)
    lost.push_back(join(spanOf(tokens[start]), spanOf(tokens[position - 1])));
}

bool ParserState::recoverElement(size_t bracketHeight) {
  if (partners[brackets[bracketHeight - 1]] == noPartner)
    return false;
  // Out of what was opened within the element.
  for (size_t i = bracketHeight; i < brackets.size(); ++i)
    if (partners[brackets[i]] != noPartner)
      position = std::max<size_t>(position, partners[brackets[i]] + 1);
  brackets.resize(bracketHeight);
  const uint32_t closer = partners[brackets.back()];
  while (position < closer && kind() != TokenKind::Comma)
    skipToken();
  newlineDropped = blockEnded = false;
  return true;
}

//===-- Lists and blocks ----------------------------------------------------------------------===//

Span ParserState::parseList(TokenKind opener, std::string_view wanted, bool atLeastOne,
                            const std::function<void()> &element) {
  const Span begin = here();
  const auto closer = static_cast<TokenKind>(static_cast<int>(opener) + 1);
  open(opener);
  const Deeper deeper(*this);
  const size_t height = brackets.size();
  if (atLeastOne && atCloser(closer))
    panicExpected(wanted);
  while (!atCloser(closer)) {
    const size_t start = position;
    try {
      element();
      if (!atCloser(closer) && !is(TokenKind::Comma))
        panicExpected(fmt::format("`,` or {}", describe(closer)));
    } catch (Panic &) {
      if (!recoverElement(height) || engine.isFull())
        throw;
      lose(start);
    }
    if (!take(TokenKind::Comma) && position == start)
      break;
  }
  close(closer);
  return since(begin);
}

void ParserState::parseBlock(std::string_view what, bool &broken,
                             const std::function<bool()> &outside,
                             const std::function<void()> &statement) {
  if (kind() == TokenKind::LeftBrace && lineEnds()) {
    engine.report(Diag::BlockOnNextLine, here())
        .note(last(), fmt::format("the header of this {} ends here", what))
        .help("write the `{` at the end of that line");
    newlineDropped = true;
  }
  if (!is(TokenKind::LeftBrace))
    panicExpected("`{`");
  const bool closed = partners[position] != noPartner;
  const std::vector<uint32_t> around = std::exchange(brackets, {});
  advance();
  while (kind() != TokenKind::RightBrace && kind() != TokenKind::EndOfFile && !engine.isFull()) {
    if (!closed && (startsDeclaration() || outside()))
      break;
    const size_t start = position;
    try {
      newlineDropped = true; // nothing came before that a newline could end
      blockEnded = false;
      if (!take(TokenKind::Semicolon)) {
        statement();
        expectEnd();
      }
    } catch (Panic &) {
      broken = true;
      recoverStatement(start);
    }
  }
  brackets = around;
  if (kind() == TokenKind::RightBrace)
    advance();
  broken |= !closed;
  blockEnded = true;
}

void ParserState::recoverHeader(Span begin) {
  for (uint32_t bracket : brackets)
    if (partners[bracket] != noPartner)
      position = std::max<size_t>(position, partners[bracket] + 1);
  brackets.clear();
  newlineDropped = true;
  for (size_t first = position; kind() != TokenKind::LeftBrace; skipToken())
    if (kind() == TokenKind::EndOfFile || kind() == TokenKind::Semicolon ||
        (position != first && token().newlineBefore))
      throw Panic();
  newlineDropped = true;
  lost.push_back(since(begin));
}

void ParserState::expectEnd() {
  if (atEnd()) {
    take(TokenKind::Semicolon);
    return;
  }
  if (!alreadyReported()) {
    auto report = engine.report(Diag::StatementGoesOn, here(), found());
    if (kind() == TokenKind::Assign)
      report.help("`==` compares");
    else if (kind() == TokenKind::Name)
      report.help(fmt::format("`; {}` begins another statement", text().substr(0, 40)));
  }
  throw Panic();
}

bool ParserState::startsDeclaration() const {
  if (!token().newlineBefore || kind() != TokenKind::Name)
    return false;
  if (text() == "import")
    return kind(1) == TokenKind::String;
  if (text() == "train")
    return kind(1) == TokenKind::Name;
  return (text() == "const" || text() == "data" || text() == "model") && kind(1) == TokenKind::Name;
}

bool ParserState::startsNextStatement() const {
  if (!newlinesCount() || !token().newlineBefore)
    return false;
  if (startsDeclaration())
    return true;
  return kind() == TokenKind::Name && kind(1) == TokenKind::Name &&
         (text() == "let" || text() == "layer" || text() == "param" || text() == "buffer" ||
          text() == "update");
}

//===-- Names ---------------------------------------------------------------------------------===//

Name ParserState::parseName(std::string_view what) {
  if (lineEnds())
    panicExpected(what);
  if (kind() == TokenKind::Name && text() != "_") {
    Name name{std::string(text()), here()};
    advance();
    return name;
  }
  if ((kind() >= TokenKind::If && kind() <= TokenKind::False) || text() == "_") {
    if (!alreadyReported())
      engine.report(Diag::ReservedName, here(), text())
          .help(fmt::format("`{}_`, for one", text() == "_" ? "x" : text()));
    throw Panic();
  }
  panicExpected(what);
}

Name ParserState::parsePathName() {
  if (is(TokenKind::Integer)) {
    Name name{std::string(text()), here()};
    advance();
    return name;
  }
  return parseName("a name or a number");
}

void ParserState::expectAssign(const Name &name) {
  if (take(TokenKind::Assign))
    return;
  if (!is(TokenKind::Colon))
    panicExpected(describe(TokenKind::Assign), fmt::format("`{} = …`", name.text));
  engine.report(Diag::Unexpected, here(), "`=`", "`:`").help(fmt::format("`{} = …`", name.text));
  advance();
}

} // namespace sinter::syntax
