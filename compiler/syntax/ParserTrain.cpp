//===- ParserTrain.cpp - train blocks, stages and their statements ----------------------------===//
#include "compiler/syntax/ParserState.h"

#include <algorithm>

namespace sinter::syntax {
namespace {

const std::vector<std::string_view> statementWords = {
    "seed",      "objective", "let",     "regularize", "constrain", "recompute",
    "freeze",    "unfreeze",  "teacher", "share",      "load",      "optimize",
    "rate",      "clip",      "batch",   "accumulate", "epochs",    "steps",
    "precision", "report",    "stop",    "keep",       "stage",
};

} // namespace

TrainDeclaration ParserState::parseTrain() {
  TrainDeclaration train;
  const Span begin = here();
  advance();
  try {
    parseTrainHeader(train);
    if (kind() != TokenKind::LeftBrace)
      panicExpected("`{`");
  } catch (Panic &) {
    train.broken = true;
    recoverHeader(begin);
  }
  parseBlock(
      "train block", train.broken, [] { return false; },
      [&] {
        if (isWord("stage"))
          train.stages.push_back(parseStage());
        else
          train.statements.push_back(parseTrainStatement(false));
      });
  train.span = since(begin);
  return train;
}

void ParserState::parseTrainHeader(TrainDeclaration &train) {
  if (is(TokenKind::Name) && kind(1) == TokenKind::Colon) {
    train.name = parseName();
    expect(TokenKind::Colon);
  }
  train.model = parseModelReference();
  expectWord("on");
  train.data = parseName("the name of a data block");
}

ModelReference ParserState::parseModelReference() {
  ModelReference model;
  const Span begin = here();
  model.name = parseName("the name of a model");
  if (is(TokenKind::LeftBracket))
    model.parameters = parseArguments(TokenKind::LeftBracket);
  model.span = since(begin);
  return model;
}

Stage ParserState::parseStage() {
  Stage stage;
  const Span begin = here();
  advance();
  try {
    stage.name = parseName();
    if (kind() != TokenKind::LeftBrace)
      panicExpected("`{`");
  } catch (Panic &) {
    stage.broken = true;
    recoverHeader(begin);
  }
  const auto outside = [&] {
    return token().newlineBefore && kind() == TokenKind::Name && text() == "stage";
  };
  parseBlock("stage", stage.broken, outside,
             [&] { stage.statements.push_back(parseTrainStatement(true)); });
  stage.span = since(begin);
  return stage;
}

TrainStatement ParserState::parseTrainStatement(bool inStage) {
  const Span begin = here();
  const std::string_view word = kind() == TokenKind::Name ? text() : std::string_view();
  const bool known =
      std::find(statementWords.begin(), statementWords.end(), word) != statementWords.end();
  if (!known || (inStage && word == "stage"))
    panicUnknownStatement(inStage ? "stage" : "train block", statementWords);
  advance();

  const auto value = [&] { return parseExpr(); };
  const auto selector = [&] { return parseSelector(); };
  // Each form is built in two steps because the span ends where its last part does.
  if (word == "seed") {
    ExprPtr seed = value();
    return SeedStatement{std::move(seed), since(begin)};
  }
  if (word == "objective") {
    ExprPtr objective = value();
    return ObjectiveStatement{std::move(objective), since(begin)};
  }
  if (word == "let")
    return parseLet(begin);
  if (word == "regularize")
    return parseRegularize(begin);
  if (word == "constrain") {
    Selector what = selector();
    expectWord("to");
    ExprPtr constraint = parseCallOnly("a constraint");
    return ConstrainStatement{std::move(what), std::move(constraint), since(begin)};
  }
  if (word == "recompute") {
    Selector what = selector();
    return RecomputeStatement{std::move(what), since(begin)};
  }
  if (word == "freeze" || word == "unfreeze") {
    Selector what = selector();
    return FreezeStatement{word == "unfreeze", std::move(what), since(begin)};
  }
  if (word == "teacher")
    return parseTeacher(begin);
  if (word == "share")
    return parseShare(begin);
  if (word == "load")
    return parseLoad(begin);
  if (word == "optimize")
    return parseOptimize(begin);
  if (word == "rate") {
    Selector what = selector();
    expect(TokenKind::Assign);
    ExprPtr rate = value();
    return RateStatement{std::move(what), std::move(rate), since(begin)};
  }
  if (word == "clip") {
    const bool byNorm = isWord("norm");
    if (!byNorm && !isWord("value"))
      panicExpected("`norm` or `value`", "`clip norm 1.0`");
    advance();
    ExprPtr limit = value();
    return ClipStatement{byNorm, std::move(limit), since(begin)};
  }
  if (word == "batch")
    return parseBatch(begin);
  if (word == "accumulate") {
    ExprPtr count = value();
    return AccumulateStatement{std::move(count), since(begin)};
  }
  if (word == "epochs" || word == "steps") {
    ExprPtr count = value();
    return LengthStatement{word == "epochs" ? TimeUnit::Epochs : TimeUnit::Steps, std::move(count),
                           since(begin)};
  }
  if (word == "precision")
    return parsePrecision(begin);
  if (word == "report")
    return parseReport(begin);
  if (word == "stop")
    return parseStop(begin);
  expectWord("best");
  Measure measure = parseMeasure();
  return KeepBestStatement{std::move(measure), since(begin)};
}

TrainStatement ParserState::parseRegularize(Span begin) {
  RegularizeStatement regularize;
  // A layer may be called `value`; then a point or `with` follows.
  if (isWord("value") && kind(1) != TokenKind::Dot && !isWordAhead(1, "with") &&
      !isWordAhead(1, "except")) {
    advance();
    regularize.value = parseExpr();
  } else {
    regularize.selector = parseSelector();
  }
  expectWord("with");
  do
    regularize.terms.push_back(parseCallOnly("a regularizer"));
  while (take(TokenKind::Plus));
  regularize.span = since(begin);
  return regularize;
}

TrainStatement ParserState::parseTeacher(Span begin) {
  TeacherStatement teacher;
  teacher.name = parseName();
  expectAssign(teacher.name);
  if (isWord("ema") && kind(1) == TokenKind::LeftParen) {
    teacher.isAverage = true;
    advance();
    teacher.arguments = parseArguments(TokenKind::LeftParen);
  } else {
    teacher.model = parseModelReference();
    if (!isWord("from"))
      panicExpected("`from`",
                    "a teacher's weights come from somewhere: `from \"weights.safetensors\"`");
    teacher.source = parseSource();
    if (is(TokenKind::LeftParen))
      teacher.arguments = parseArguments(TokenKind::LeftParen, true);
  }
  teacher.span = since(begin);
  return teacher;
}

WeightSource ParserState::parseSource() {
  WeightSource result;
  expectWord("from");
  result.span = here();
  if (is(TokenKind::String)) {
    const Token path = token();
    advance();
    if (path.cutOff)
      throw Panic();
    result.file = stringValue(textOf(path));
  } else if (takeWord("train")) {
    result.trainBlock = parseName("the name of a train block");
    result.span = result.trainBlock.span;
  } else {
    panicExpected("a string or `train`", "`from \"file.safetensors\"`, `from train NAME`");
  }
  return result;
}

TrainStatement ParserState::parseShare(Span begin) {
  ShareStatement share;
  // A layer may be called `copy`, too.
  if (isWord("copy") && !isWordAhead(1, "with") && kind(1) != TokenKind::Dot) {
    share.copy = true;
    advance();
  }
  share.selector = parseSelector();
  expectWord("with");
  share.with = parseSelectorPath();
  share.span = since(begin);
  return share;
}

TrainStatement ParserState::parseLoad(Span begin) {
  LoadStatement load;
  load.selector = parseSelector();
  load.source = parseSource();
  if (is(TokenKind::LeftParen))
    load.options = parseArguments(TokenKind::LeftParen, true);
  load.span = since(begin);
  return load;
}

TrainStatement ParserState::parseOptimize(Span begin) {
  OptimizeStatement optimize;
  // `head.weight with adam(…)` or `adam(…)`: what follows the path tells.
  const size_t start = position;
  if (is(TokenKind::Name) && text() != "_")
    while (kind() == TokenKind::Name && kind(1) == TokenKind::Dot && !lineEnds(1) &&
           (kind(2) == TokenKind::Name || kind(2) == TokenKind::Integer)) {
      advance();
      advance();
    }
  const bool plain = kind() == TokenKind::Name && !isWordAhead(1, "with") &&
                     !isWordAhead(1, "except") && kind(1) != TokenKind::Dot;
  position = start;
  newlineDropped = false;
  if (startsSelector() && !plain) {
    optimize.selector = parseSelector();
    expectWord("with");
  }
  optimize.optimizer = parseCallOnly("an optimizer");
  optimize.span = since(begin);
  return optimize;
}

TrainStatement ParserState::parseBatch(Span begin) {
  BatchStatement batch;
  batch.size = parseExpr();
  if (takeWord("drop")) {
    expectWord("last");
    batch.dropLast = true;
  }
  if (takeWord("order")) {
    expectWord("sequential");
    batch.sequential = true;
  }
  batch.span = since(begin);
  return batch;
}

TrainStatement ParserState::parsePrecision(Span begin) {
  PrecisionStatement precision;
  if (isWord("bf16"))
    precision.scalar = ScalarKind::BF16;
  else if (!isWord("f32"))
    panicExpected("`f32` or `bf16`");
  advance();
  precision.span = since(begin);
  return precision;
}

TimeUnit ParserState::parseUnit(std::initializer_list<std::string_view> allowed) {
  for (std::string_view word : allowed)
    if (takeWord(word))
      return word.starts_with("epoch") ? TimeUnit::Epochs : TimeUnit::Steps;
  panicExpected(fmt::format("`{}`", *allowed.begin()));
}

TrainStatement ParserState::parseReport(Span begin) {
  ReportStatement report;
  report.value = parseExprWithoutAs();
  if (take(TokenKind::As))
    report.name = parseName();
  if (takeWord("every")) {
    report.every = parseExpr();
    parseUnit({"steps", "step"});
  }
  report.span = since(begin);
  return report;
}

TrainStatement ParserState::parseStop(Span begin) {
  StopStatement stop;
  expectWord("when");
  stop.measure = parseMeasure();
  expectWord("has");
  expect(TokenKind::Not);
  expectWord("improved");
  expectWord("for");
  stop.patience = parseExpr();
  parseUnit({"epochs", "epoch"});
  stop.span = since(begin);
  return stop;
}

Measure ParserState::parseMeasure() {
  Measure measure;
  const Span begin = here();
  const std::optional<PartKind> part = is(TokenKind::Name) ? partNamed(text()) : std::nullopt;
  if (!part)
    panicExpected("`train`, `valid` or `test`", "`valid.loss`, for one");
  measure.part = *part;
  advance();
  expect(TokenKind::Dot);
  measure.metric = parseName("the name of a report, or `loss`");
  measure.span = since(begin);
  return measure;
}

} // namespace sinter::syntax
