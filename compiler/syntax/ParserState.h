//===- ParserState.h - the parser, private to this folder -------------------------------------===//
// Recursive descent over the tokens of one file. ParserCore.cpp moves through them and recovers;
// the others follow the grammar: ParserExpr.cpp, ParserCall.cpp, ParserType.cpp,
// ParserSelector.cpp, and one per declaration.
//
// An error is reported where it is found. If there is a way on that cannot mislead (a `:` for a
// `=`), it is taken. Else a Panic leaves for the nearest place that knows how to go on: the next
// argument, the next statement.
#pragma once

#include "compiler/syntax/Lexer.h"
#include "compiler/syntax/Parser.h"

#include <functional>
#include <initializer_list>
#include <utility>

namespace sinter::syntax {

/// Thrown after an error was reported; caught where parsing can go on.
struct Panic {};

class ParserState {
public:
  ParserState(FileId file, Engine &engine);

  std::unique_ptr<File> parseWholeFile();
  ExprPtr parseWholeExpression();

private:
  static constexpr int maxNesting = 256;

  //===-- Tokens (ParserCore.cpp) --===//
  const Token &token(size_t ahead = 0) const {
    return tokens[std::min<size_t>(position + ahead, tokens.size() - 1)];
  }
  TokenKind kind(size_t ahead = 0) const { return token(ahead).kind; }
  std::string_view textOf(const Token &which) const {
    return source.substr(which.begin, which.end - which.begin);
  }
  std::string_view text(size_t ahead = 0) const { return textOf(token(ahead)); }
  Span spanOf(const Token &which) const { return {file, which.begin, which.end}; }
  Span here() const { return spanOf(token()); }
  /// The token just taken.
  Span last() const { return position ? spanOf(tokens[position - 1]) : here().before(); }
  /// From the start of `begin` to the end of what was just taken.
  Span since(Span begin) const { return join(begin, last()); }

  /// A newline before the token means something: no closed bracket is open.
  bool newlinesCount() const { return brackets.empty() || partners[brackets.back()] == noPartner; }
  /// A newline before the token `ahead` ends the statement.
  bool lineEnds(size_t ahead = 0) const;
  /// The statement may end here.
  bool atEnd() const;
  bool is(TokenKind wanted) const { return kind() == wanted && !lineEnds(); }
  bool isWord(std::string_view word) const { return is(TokenKind::Name) && text() == word; }
  bool isWordAhead(size_t ahead, std::string_view word) const {
    return kind(ahead) == TokenKind::Name && text(ahead) == word && !lineEnds(ahead);
  }

  void advance();
  bool take(TokenKind wanted);
  bool takeWord(std::string_view word);
  void expect(TokenKind wanted);
  void expectWord(std::string_view word);
  /// Takes a bracket and makes it the innermost.
  void open(TokenKind opener);
  void close(TokenKind closer);
  bool atCloser(TokenKind closer) const { return kind() == closer && !lineEnds(); }

  //===-- Errors (ParserCore.cpp) --===//
  /// What stands here, for "found …".
  std::string found() const;
  /// Its place: the end of the line before where a line or the file ends.
  Span foundSpan() const;
  /// Reports that `wanted` should stand here, and panics. Says nothing where the cause was
  /// reported.
  [[noreturn]] void panicExpected(std::string_view wanted, std::string_view help = {});
  /// What stands here was reported already.
  bool alreadyReported() const;
  [[noreturn]] void panicTooDeep();
  /// Leaves the statement that began at token `start` for its end.
  void recoverStatement(size_t start);
  /// Leaves an argument or element for the next comma or the closer. False where the bracket is not
  /// closed.
  bool recoverElement(size_t bracketHeight);
  /// Notes that what stands from token `start` to here was not understood.
  void lose(size_t start);
  void skipToken();

  /// One level deeper until it goes out of scope.
  class Deeper {
  public:
    explicit Deeper(ParserState &parser) : parser(parser) {
      if (++parser.depth > maxNesting) {
        --parser.depth;
        parser.panicTooDeep();
      }
    }
    ~Deeper() { --parser.depth; }
    Deeper(const Deeper &) = delete;
    Deeper &operator=(const Deeper &) = delete;

  private:
    ParserState &parser;
  };

  //===-- Lists and blocks (ParserCore.cpp) --===//
  /// opener element { "," element } [","] closer. The span is of the whole. `wanted` names an
  /// element; with `atLeastOne` an empty list is an error.
  Span parseList(TokenKind opener, std::string_view wanted, bool atLeastOne,
                 const std::function<void()> &element);
  /// "{" { statement end } "}". `outside` says that the statement here belongs to what is around,
  /// for a block whose end is missing.
  void parseBlock(std::string_view what, bool &broken, const std::function<bool()> &outside,
                  const std::function<void()> &statement);
  /// Goes on with the block after an error in its header, which is lost; panics where there is no
  /// block in this line.
  void recoverHeader(Span begin);
  void expectEnd();
  bool startsDeclaration() const;
  /// A line that cannot go on with the one before, though a newline is dropped there.
  bool startsNextStatement() const;

  //===-- Names --===//
  Name parseName(std::string_view what = "a name");
  Name parsePathName();
  /// "=", with a word where ":" stands in its place.
  void expectAssign(const Name &name);

  //===-- Expressions (ParserExpr.cpp) --===//
  ExprPtr parseExpr();
  /// For `report`, whose `as` is its own.
  ExprPtr parseExprWithoutAs();
  ExprPtr parseIf();
  /// With branches of another form: layers.
  ExprPtr parseIf(const std::function<ExprPtr()> &parseBranch);
  ExprPtr parsePipe(bool withAs);
  ExprPtr parseOr();
  ExprPtr parseAnd();
  ExprPtr parseNot();
  ExprPtr parseComparison();
  ExprPtr parseSum();
  ExprPtr parseProduct();
  ExprPtr parseUnary();
  ExprPtr parsePower();
  ExprPtr parsePostfix();
  ExprPtr parsePrimary();
  ExprPtr parseParenthesised();
  ExprPtr parseBraced();
  ExprPtr parseRecord();
  ExprPtr parseMap();
  ExprPtr parseNumber();
  ExprPtr parseChain(ExprPtr (ParserState::*operand)(), std::initializer_list<TokenKind> operators);
  void takeLink(BinaryExpr &chain, ExprPtr (ParserState::*operand)());
  void reportOperatorAfterPipe(const PipeExpr &pipe);
  Name parseAs(const Expr &named);

  //===-- Calls, layers, arguments (ParserCall.cpp) --===//
  ExprPtr parsePathOrCall();
  ExprPtr parseStack(Name word);
  /// A path, a call or a stack: what may be piped into, and what `layer` and `stack` take.
  ExprPtr parseLayer(Diag diagnosis);
  /// A path or a call where grammar wants nothing else: an initializer, an optimizer, a
  /// regularizer.
  ExprPtr parseCallOnly(std::string_view wanted);
  Arguments parseArguments(TokenKind opener, bool ofLoad = false);
  Argument parseArgument(bool ofLoad);
  ExprPtr parseArgumentValue();

  //===-- Types (ParserType.cpp) --===//
  Type parseResultType();
  TensorType parseTensorType(bool ofResult);
  ExprPtr parseDimension(bool ofResult);
  void parseRecordType(std::vector<Type::Field> &fields);

  //===-- Selectors (ParserSelector.cpp) --===//
  Selector parseSelector();
  SelectorPath parseSelectorPath();
  void parseSelectorStep(SelectorPath &path);
  ExprPtr parseSelectorArgument();
  bool startsSelector() const;

  //===-- Declarations (ParserFile.cpp, ParserData.cpp, ParserModel.cpp, ParserTrain.cpp) --===//
  void parseDeclaration(File &into);
  void parseUnknownDeclaration(File &into);
  ImportDeclaration parseImport();
  ConstDeclaration parseConst();

  DataDeclaration parseData();
  void parseDataStatement(DataDeclaration &data);
  PartStatement parsePart(bool &broken);
  Fill parseFill();
  SplitStatement parseSplit();
  AugmentStatement parseAugment(bool &broken);

  ModelDeclaration parseModel();
  void parseModelHeader(ModelDeclaration &model);
  void parseModelStatement(ModelDeclaration &model);
  bool parseMissingLet(ModelDeclaration &model);

  TrainDeclaration parseTrain();
  void parseTrainHeader(TrainDeclaration &train);
  ModelReference parseModelReference();
  Stage parseStage();
  TrainStatement parseTrainStatement(bool inStage);
  TrainStatement parseRegularize(Span begin);
  TrainStatement parseTeacher(Span begin);
  TrainStatement parseShare(Span begin);
  TrainStatement parseLoad(Span begin);
  TrainStatement parseOptimize(Span begin);
  TrainStatement parseBatch(Span begin);
  TrainStatement parsePrecision(Span begin);
  TrainStatement parseReport(Span begin);
  TrainStatement parseStop(Span begin);
  WeightSource parseSource();
  Measure parseMeasure();
  TimeUnit parseUnit(std::initializer_list<std::string_view> allowed);
  LetStatement parseLet(Span begin);
  [[noreturn]] void panicUnknownStatement(std::string_view block,
                                          const std::vector<std::string_view> &statements);

  FileId file;
  Engine &engine;
  std::string_view source;
  std::vector<Token> tokens;
  Partners partners;
  size_t position = 0;
  std::vector<Span> lost;         // becomes the file's
  std::vector<uint32_t> brackets; // open since the statement began, by token
  bool newlineDropped = false;    // the token just taken goes on in the next line
  bool blockEnded = false;        // the token just taken closed a block
  bool tupleAllowed = false;      // `(a, b)` may stand where an expression begins
  int depth = 0;
};

/// The part that a word names.
std::optional<PartKind> partNamed(std::string_view word);

} // namespace sinter::syntax
