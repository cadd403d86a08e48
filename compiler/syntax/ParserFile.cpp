//===- ParserFile.cpp - a file and its smaller declarations -----------------------------------===//
#include "compiler/syntax/ParserState.h"

namespace sinter::syntax {

std::unique_ptr<File> ParserState::parseWholeFile() {
  auto result = std::make_unique<File>();
  result->id = file;
  while (kind() != TokenKind::EndOfFile && !engine.isFull()) {
    const size_t start = position;
    newlineDropped = true;
    blockEnded = false;
    brackets.clear();
    try {
      if (!take(TokenKind::Semicolon)) {
        parseDeclaration(*result);
        expectEnd();
      }
    } catch (Panic &) {
      result->broken = true;
      recoverStatement(start);
      // To the next declaration: what stands between belongs to the one that was not understood.
      const auto declares = [&] {
        return startsDeclaration() ||
               (token().newlineBefore && kind() == TokenKind::Name &&
                (text() == "const" || text() == "model" || text() == "import"));
      };
      while (kind() != TokenKind::EndOfFile && kind() != TokenKind::Semicolon && !declares())
        skipToken();
      lose(start);
    }
  }
  result->lost = std::move(lost);
  return result;
}

ExprPtr ParserState::parseWholeExpression() {
  newlineDropped = true;
  const Span begin = here();
  try {
    ExprPtr expr = parseExpr();
    if (kind() != TokenKind::EndOfFile)
      panicExpected("the end");
    return expr;
  } catch (Panic &) {
    return std::make_unique<ErrorExpr>(begin);
  }
}

void ParserState::parseDeclaration(File &into) {
  if (isWord("import"))
    into.declarations.emplace_back(parseImport());
  else if (isWord("const"))
    into.declarations.emplace_back(parseConst());
  else if (isWord("data"))
    into.declarations.emplace_back(parseData());
  else if (isWord("model"))
    into.declarations.emplace_back(parseModel());
  else if (isWord("train"))
    into.declarations.emplace_back(parseTrain());
  else
    parseUnknownDeclaration(into);
}

void ParserState::parseUnknownDeclaration(File &into) {
  const Token unknown = token();
  const std::string what = found();
  // A `}` too many ends a block early and leaves its rest here. That one was reported, and is what
  // is wrong.
  const bool reported = alreadyReported();
  bool leftOver = false;
  const size_t start = position;
  do {
    leftOver = kind() == TokenKind::RightBrace && partners[position] == noPartner;
    skipToken();
  } while (!leftOver && kind() != TokenKind::EndOfFile && !startsDeclaration());
  position = start;
  if (!reported && !leftOver) {
    auto report = engine.report(Diag::UnknownDeclaration, spanOf(unknown), what);
    const std::string_view meant =
        nearest(textOf(unknown), {"import", "const", "data", "model", "train"});
    const std::string_view word = textOf(unknown);
    if (!meant.empty())
      report.help(fmt::format("`{}`", meant));
    else if (word == "def" || word == "class" || word == "fn" || word == "func" ||
             word == "function" || word == "struct")
      report.help("`model NAME(x: f32[784]) -> f32[10] { … }`, for one");
    else if (word == "from")
      report.help("`import \"file.sinter\"` brings all of its names");
    else if (word == "let" || word == "var")
      report.help("`const NAME = …`");
  }
  throw Panic();
}

ImportDeclaration ParserState::parseImport() {
  ImportDeclaration import;
  const Span begin = here();
  advance();
  if (!is(TokenKind::String))
    panicExpected("a string", "`import \"other.sinter\"`");
  import.pathSpan = here();
  if (!token().reported)
    import.path = stringValue(text());
  advance();
  import.span = since(begin);
  return import;
}

ConstDeclaration ParserState::parseConst() {
  ConstDeclaration result;
  const Span begin = here();
  advance();
  result.name = parseName();
  result.value = std::make_unique<ErrorExpr>(here());
  expectAssign(result.name);
  result.value = parseExpr();
  result.span = since(begin);
  return result;
}

void ParserState::panicUnknownStatement(std::string_view block,
                                        const std::vector<std::string_view> &statements) {
  if (kind() != TokenKind::Name)
    panicExpected(fmt::format("a statement of a {}", block));
  if (!alreadyReported()) {
    auto report = engine.report(Diag::UnknownStatement, here(), block, text());
    const std::string_view meant = nearest(text(), statements);
    if (!meant.empty())
      report.help(fmt::format("`{}`", meant));
    else if (text() == "return")
      report.help("the last statement is the result: it stands without a word before it");
    else if (text() == "from" || text() == "import")
      report.help("`import` stands outside the blocks");
    else if (kind(1) == TokenKind::Assign)
      report.help(fmt::format("`let {} = …` names a value", text()));
  }
  throw Panic();
}

LetStatement ParserState::parseLet(Span begin) {
  LetStatement let;
  let.name = parseName();
  expectAssign(let.name);
  let.value = parseExpr();
  let.span = since(begin);
  return let;
}

} // namespace sinter::syntax
