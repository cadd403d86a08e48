//===- ParserModel.cpp - models and what stands in them ---------------------------------------===//
#include "compiler/syntax/ParserState.h"

namespace sinter::syntax {
namespace {

const std::vector<std::string_view> statementWords = {"param", "buffer", "update", "layer", "let"};

/// Whether the last statement is a `let` with a line in it that begins with minus.
bool endsWithMinusLine(const ModelDeclaration &model, const SourceManager &sources) {
  const auto *let =
      model.statements.empty() ? nullptr : std::get_if<LetStatement>(&model.statements.back());
  if (!let)
    return false;
  const std::string_view text = sources.text(let->span);
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    const size_t first = text.find_first_not_of(" \t\r\n", at);
    if (first != std::string_view::npos && text[first] == '-')
      return true;
  }
  return false;
}

} // namespace

ModelDeclaration ParserState::parseModel() {
  ModelDeclaration model;
  const Span begin = here();
  advance();
  try {
    parseModelHeader(model);
    if (kind() != TokenKind::LeftBrace)
      panicExpected(model.hasResultType ? "`{`" : "`->` or `{`");
  } catch (Panic &) {
    model.broken = true;
    recoverHeader(begin);
  }
  model.header = since(begin);
  parseBlock("model", model.broken, [] { return false; }, [&] { parseModelStatement(model); });
  model.span = since(begin);
  if (!model.result) {
    // A `}` too many may have cut the result off; that is said already.
    if (!model.broken && (startsDeclaration() || kind() == TokenKind::EndOfFile))
      engine.report(Diag::NoResult, model.name.span, model.name.text)
          .help(endsWithMinusLine(model, engine.sources())
                    ? "a line that begins with `-` goes on with the one before: write `(-…)` for a "
                      "result that begins with minus"
                    : "the last statement is the result, an expression without a name");
    model.broken = true;
    model.result = std::make_unique<ErrorExpr>(last());
  }
  return model;
}

void ParserState::parseModelHeader(ModelDeclaration &model) {
  model.name = parseName();
  if (is(TokenKind::LeftBracket))
    parseList(TokenKind::LeftBracket, "a parameter", true, [&] {
      ModelParameter parameter;
      parameter.name = parseName();
      if (is(TokenKind::Assign) || is(TokenKind::Colon)) {
        expectAssign(parameter.name);
        parameter.defaultValue = parseExpr();
      }
      model.parameters.push_back(std::move(parameter));
    });
  if (is(TokenKind::LeftParen) && kind(1) == TokenKind::RightParen) {
    engine.report(Diag::NoInputs, join(here(), spanOf(token(1))), model.name.text)
        .help(fmt::format("`model {}(x: f32[784])`, for one", model.name.text));
    model.broken = true;
    advance();
    advance();
  } else {
    parseList(TokenKind::LeftParen, "an input", true, [&] {
      ModelInput input;
      input.name = parseName();
      expect(TokenKind::Colon);
      input.type = parseTensorType(false);
      model.inputs.push_back(std::move(input));
    });
  }
  if (take(TokenKind::Arrow)) {
    model.resultType = parseResultType();
    model.hasResultType = true;
  }
}

void ParserState::parseModelStatement(ModelDeclaration &model) {
  const Span begin = here();
  // A bare expression is the result and the last; one before it was not.
  const auto notLast = [&] {
    if (model.result && model.result->kind() != Expr::Kind::Error)
      engine.report(Diag::ResultNotLast, model.result->span)
          .help("name it with `let`, or take it out");
    if (model.result)
      model.broken = true;
    model.result = nullptr;
  };
  const std::string_view word = kind() == TokenKind::Name ? text() : std::string_view();
  if (word == "param" || word == "buffer") {
    notLast();
    const bool isParam = word == "param";
    advance();
    Name name = parseName();
    expect(TokenKind::Colon);
    TensorType type = parseTensorType(false);
    if (!is(TokenKind::Assign))
      panicExpected("`=`", isParam ? "a param has an initializer: `= xavier_uniform`"
                                   : "a buffer has a value: `= zeros`");
    advance();
    if (isParam) {
      if (kind() == TokenKind::Integer || kind() == TokenKind::Real)
        panicExpected("an initializer", fmt::format("`constant({})`", text()));
      ExprPtr initializer = parseCallOnly("an initializer");
      model.statements.emplace_back(
          ParamStatement{std::move(name), std::move(type), std::move(initializer), since(begin)});
    } else {
      ExprPtr value = parseExpr();
      model.statements.emplace_back(
          BufferStatement{std::move(name), std::move(type), std::move(value), since(begin)});
    }
  } else if (word == "update") {
    notLast();
    advance();
    Name name = parseName();
    expectAssign(name);
    ExprPtr value = parseExpr();
    model.statements.emplace_back(UpdateStatement{std::move(name), std::move(value), since(begin)});
  } else if (word == "layer") {
    notLast();
    advance();
    Name name = parseName();
    expectAssign(name);
    ExprPtr layer = parseLayer(Diag::NeedsLayer);
    model.statements.emplace_back(LayerStatement{std::move(name), std::move(layer), since(begin)});
  } else if (word == "let") {
    notLast();
    advance();
    model.statements.emplace_back(parseLet(begin));
  } else {
    if (parseMissingLet(model))
      return;
    notLast();
    model.result = std::make_unique<ErrorExpr>(begin);
    model.result = parseExpr();
  }
}

/// `h = …` and `lte h = …`: what begins like a statement and is none. True where it was taken as a
/// let.
bool ParserState::parseMissingLet(ModelDeclaration &model) {
  if (kind() != TokenKind::Name)
    return false;
  if (kind(1) == TokenKind::Name && !lineEnds(1))
    panicUnknownStatement("model", statementWords);
  if (kind(1) != TokenKind::Assign || lineEnds(1))
    return false;
  const Span begin = here();
  engine.report(Diag::MissingLet, begin, text()).help(fmt::format("`let {} = …`", text()));
  model.statements.emplace_back(parseLet(begin));
  return true;
}

} // namespace sinter::syntax
