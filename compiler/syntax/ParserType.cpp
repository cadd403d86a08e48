//===- ParserType.cpp - types and dimensions --------------------------------------------------===//
#include "compiler/syntax/ParserState.h"

#include <array>

namespace sinter::syntax {
namespace {

/// Names that other languages have for our types, and types that we have none for.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> foreignScalars = {{
    {"float", "f32"},
    {"float32", "f32"},
    {"double", "f32"},
    {"f64", "f32"},
    {"f16", "bf16"},
    {"half", "bf16"},
    {"bfloat16", "bf16"},
    {"int", "i32"},
    {"int32", "i32"},
    {"i64", "i32"},
}};

} // namespace

TensorType ParserState::parseTensorType(bool ofResult) {
  TensorType type;
  const Span begin = here();
  if (is(TokenKind::LeftBrace)) {
    const size_t errors = engine.errorCount();
    std::vector<Type::Field> fields;
    parseRecordType(fields);
    if (errors == engine.errorCount())
      engine.report(Diag::RecordTypeHere, since(begin));
    type.broken = true;
    type.span = since(begin);
    return type;
  }
  const bool reported = token().reported;
  const Name word = parseName("a type");
  type.scalarSpan = word.span;
  bool known = false;
  for (ScalarKind scalar :
       {ScalarKind::F32, ScalarKind::BF16, ScalarKind::I32, ScalarKind::Bool, ScalarKind::Class})
    if (word.text == spelling(scalar)) {
      type.scalar = scalar;
      known = true;
    }
  if (!known) {
    type.broken = true;
    if (!reported) {
      std::string_view meant = nearest(word.text, {"f32", "bf16", "i32", "bool", "class"});
      for (const auto &[foreign, ours] : foreignScalars)
        if (word.text == foreign)
          meant = ours;
      auto report = engine.report(Diag::UnknownScalar, word.span, word.text);
      report.help(meant.empty() ? "the types are `f32`, `bf16`, `i32`, `bool` and `class[N]`"
                                : fmt::format("`{}`{}", meant, meant == "class" ? "[N]" : ""));
    }
  }
  if (type.scalar == ScalarKind::Class) {
    if (!is(TokenKind::LeftBracket))
      panicExpected("`[`", "`class[10]` is a label from 0 to 9");
    open(TokenKind::LeftBracket);
    type.classCount = parseDimension(ofResult);
    if (is(TokenKind::Comma))
      panicExpected("`]`", "64 labels of 73 classes are `class[73][64]`");
    close(TokenKind::RightBracket);
  }
  if (is(TokenKind::LeftBracket)) {
    if (kind(1) == TokenKind::RightBracket) {
      advance();
      panicExpected("a dimension", fmt::format("`{}` alone is a scalar", word.text));
    }
    parseList(TokenKind::LeftBracket, "a dimension", true,
              [&] { type.dims.push_back(parseDimension(ofResult)); });
  }
  type.span = since(begin);
  return type;
}

ExprPtr ParserState::parseDimension(bool ofResult) {
  if (!isWord("_"))
    return parseExpr();
  advance();
  const Span span = last();
  if (ofResult)
    return std::make_unique<OpenExpr>(span);
  engine.report(Diag::OpenDimension, span)
      .help("give it a name: it is bound from the actual input");
  return std::make_unique<ErrorExpr>(span);
}

void ParserState::parseRecordType(std::vector<Type::Field> &fields) {
  parseList(TokenKind::LeftBrace, "a name", true, [&] {
    Type::Field field;
    field.name = parseName();
    expect(TokenKind::Colon);
    field.type = parseResultType();
    fields.push_back(std::move(field));
  });
}

Type ParserState::parseResultType() {
  Type type;
  const Span begin = here();
  if (is(TokenKind::LeftBrace)) {
    std::vector<Type::Field> fields;
    parseRecordType(fields);
    type.form = std::move(fields);
  } else {
    type.form = parseTensorType(true);
  }
  type.span = since(begin);
  return type;
}

} // namespace sinter::syntax
