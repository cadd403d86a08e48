//===- Tree.h - the syntax tree ---------------------------------------------------------------===//
// What a file says, before anyone asks what it means. Every node has the span of its text.
//
// Expressions and what may stand as an argument's value are one hierarchy: switch over
// `expr.kind()` and use `expr.as<Call>()`, or ask `dynCast<Call>(expr)`. Statements are variants.
// No pointer named below is null unless its comment says "may be null", and no Name is empty unless
// its comment says "may be absent".
//
// After a syntax error the tree still holds what was understood: a value that was not is an
// ErrorExpr, which is no cause for a second message, and a declaration that lost a statement says
// `broken`.
//
// The depth of a tree is bounded (the parser's limit of nesting), so a walk may recurse.
#pragma once

#include "compiler/syntax/Source.h"

#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinter::syntax {

/// A name and where it stands. In a path it may be a number ("0").
struct Name {
  std::string text;
  Span span;

  bool present() const { return !text.empty(); }
  explicit operator bool() const { return present(); }
};

//===-- Expressions ---------------------------------------------------------------------------===//

class Expr {
public:
  enum class Kind {
    Error,    // not understood; already reported
    Integer,  // 64
    Real,     // 0.5
    String,   // "a"
    Boolean,  // true
    Open,     // _ as a dimension of a result
    Path,     // x, embed.weight, same
    Call,     // dense(10), Block[64, stride: 2], Block[64](x), enc.blocks.0(x)
    Stack,    // stack(4, i => Block[i])
    Member,   // Small(image).features
    List,     // [1, 2], and (1, 2) in an argument
    Record,   // {logits: a, features: b}
    Map,      // {"a": "b"}                 arguments only
    Range,    // 0..63                      arguments only
    Count,    // 2 epochs                   arguments only
    Selector, // **.weight except head.*    transpose: and except: of load only
    Unary,    // -x, not x
    Binary,   // a + b - c
    If,       // if c then a else b
    Pipe,     // x |> f |> g as h
  };

  virtual ~Expr() = default;
  Kind kind() const { return theKind; }

  template <typename T> const T &as() const {
    assert(theKind == T::nodeKind);
    return static_cast<const T &>(*this);
  }
  template <typename T> T &as() {
    assert(theKind == T::nodeKind);
    return static_cast<T &>(*this);
  }

  Span span;

protected:
  Expr(Kind kind, Span span) : span(span), theKind(kind) {}

private:
  Kind theKind;
};

using ExprPtr = std::unique_ptr<Expr>;

/// The node as a T, or null when it is another kind (or null itself).
template <typename T> const T *dynCast(const Expr *expr) {
  return expr && expr->kind() == T::nodeKind ? static_cast<const T *>(expr) : nullptr;
}
template <typename T> const T *dynCast(const Expr &expr) { return dynCast<T>(&expr); }
template <typename T> const T *dynCast(const ExprPtr &expr) { return dynCast<T>(expr.get()); }

template <Expr::Kind kind_> class ExprOf : public Expr {
public:
  static constexpr Kind nodeKind = kind_;

protected:
  explicit ExprOf(Span span) : Expr(kind_, span) {}
};

/// `name: value` or `value`.
struct Argument {
  Name name; // may be absent: positional
  ExprPtr value;
  Span span;
};

/// The arguments between ( ) or [ ]. Positional ones come first.
struct Arguments {
  bool present = false; // `relu` has none, `relu()` has an empty list
  std::vector<Argument> list;
  Span span; // with the brackets

  /// The value given by this name, or null.
  const Argument *find(std::string_view name) const;
};

struct ErrorExpr : ExprOf<Expr::Kind::Error> {
  explicit ErrorExpr(Span span) : ExprOf(span) {}
};

struct IntegerExpr : ExprOf<Expr::Kind::Integer> {
  IntegerExpr(Span span, int64_t value) : ExprOf(span), value(value) {}
  int64_t value; // never negative: -3 is a Unary
};

struct RealExpr : ExprOf<Expr::Kind::Real> {
  RealExpr(Span span, double value) : ExprOf(span), value(value) {}
  double value; // finite
};

struct StringExpr : ExprOf<Expr::Kind::String> {
  StringExpr(Span span, std::string value) : ExprOf(span), value(std::move(value)) {}
  std::string value; // escapes undone
};

struct BooleanExpr : ExprOf<Expr::Kind::Boolean> {
  BooleanExpr(Span span, bool value) : ExprOf(span), value(value) {}
  bool value;
};

struct OpenExpr : ExprOf<Expr::Kind::Open> {
  explicit OpenExpr(Span span) : ExprOf(span) {}
};

/// A name, or names joined by points. What it means (a value, a layer, a parameter, a choice) is
/// for semantics.
struct PathExpr : ExprOf<Expr::Kind::Path> {
  PathExpr(Span span, std::vector<Name> names) : ExprOf(span), names(std::move(names)) {}
  std::vector<Name> names; // at least one; the first is no number

  bool isName() const { return names.size() == 1; }
  bool isName(std::string_view text) const { return isName() && names.front().text == text; }
};

/// A name with `[…]`, `(…)` or both; with neither it is a PathExpr.
struct CallExpr : ExprOf<Expr::Kind::Call> {
  explicit CallExpr(Span span) : ExprOf(span) {}
  std::vector<Name> callee; // at least one
  Span calleeSpan;
  Arguments parameters; // […]
  Arguments arguments;  // (…)
};

/// stack(count, layer), stack(count, index => layer), stack(count, layer, shared: shared)
struct StackExpr : ExprOf<Expr::Kind::Stack> {
  explicit StackExpr(Span span) : ExprOf(span) {}
  ExprPtr count;
  Name index;     // may be absent
  ExprPtr layer;  // a Path, Call or Stack
  ExprPtr shared; // may be null
};

/// Reads what a call or a value in parentheses returns: `Small(image).features`. A plain `a.b` is a
/// PathExpr.
struct MemberExpr : ExprOf<Expr::Kind::Member> {
  MemberExpr(Span span, ExprPtr base, std::vector<Name> names)
      : ExprOf(span), base(std::move(base)), names(std::move(names)) {}
  ExprPtr base;
  std::vector<Name> names; // at least one
};

struct ListExpr : ExprOf<Expr::Kind::List> {
  ListExpr(Span span, std::vector<ExprPtr> elements)
      : ExprOf(span), elements(std::move(elements)) {}
  std::vector<ExprPtr> elements; // SelectorExprs in `except: [a.*, b]` of load
};

struct RecordExpr : ExprOf<Expr::Kind::Record> {
  struct Field {
    Name name;
    ExprPtr value;
  };
  explicit RecordExpr(Span span) : ExprOf(span) {}
  std::vector<Field> fields; // at least one
};

struct MapExpr : ExprOf<Expr::Kind::Map> {
  struct Entry {
    std::string key, value; // escapes undone
    Span keySpan, valueSpan;
  };
  explicit MapExpr(Span span) : ExprOf(span) {}
  std::vector<Entry> entries; // at least one
};

/// first..last, both included.
struct RangeExpr : ExprOf<Expr::Kind::Range> {
  RangeExpr(Span span, ExprPtr first, ExprPtr last)
      : ExprOf(span), first(std::move(first)), last(std::move(last)) {}
  ExprPtr first, last;
};

enum class TimeUnit { Steps, Epochs };

/// `100 steps`, `warm epochs`: a number and its unit. A number without one is a plain expression.
struct CountExpr : ExprOf<Expr::Kind::Count> {
  CountExpr(Span span, ExprPtr number, TimeUnit unit)
      : ExprOf(span), number(std::move(number)), unit(unit) {}
  ExprPtr number; // an Integer, or a Path of one name
  TimeUnit unit;
};

enum class UnaryOp { Negate, Not };

struct UnaryExpr : ExprOf<Expr::Kind::Unary> {
  UnaryExpr(Span span, UnaryOp op, ExprPtr operand)
      : ExprOf(span), op(op), operand(std::move(operand)) {}
  UnaryOp op;
  ExprPtr operand;
};

enum class BinaryOp {
  Or,
  And,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Add,
  Subtract,
  Multiply,
  Divide,
  MatMul,
  Power,
};

/// "+", "and", ...
std::string_view spelling(BinaryOp op);

/// Operators of one level, applied from left to right: `a - b + c` is first = a, rest = {- b, + c}.
/// One node for a whole chain, so that a sum of ten thousand terms is wide and not deep.
/// Comparisons and `**` have exactly one link.
struct BinaryExpr : ExprOf<Expr::Kind::Binary> {
  struct Link {
    BinaryOp op;
    Span opSpan;
    ExprPtr operand;
  };
  BinaryExpr(Span span, ExprPtr first) : ExprOf(span), first(std::move(first)) {}
  ExprPtr first;
  std::vector<Link> rest; // at least one

  /// The text of the chain up to and with link `index`, for a message about that operator.
  Span spanUpTo(size_t index) const { return join(first->span, rest[index].operand->span); }
};

struct IfExpr : ExprOf<Expr::Kind::If> {
  explicit IfExpr(Span span) : ExprOf(span) {}
  ExprPtr condition, thenBranch, elseBranch;
};

/// input [as name] { |> function [as name] }. Either there is a stage or the input is named.
struct PipeExpr : ExprOf<Expr::Kind::Pipe> {
  struct Stage {
    ExprPtr function; // a Path, Call or Stack; an Error after an error
    Name name;        // may be absent: the `as` after it
    Span span;        // of the function, with its `as`
  };
  explicit PipeExpr(Span span) : ExprOf(span) {}
  ExprPtr input;
  Name inputName; // may be absent; where present the input is a Path, Call or Stack
  std::vector<Stage> stages;

  /// The text from the input through stage `index`.
  Span spanUpTo(size_t index) const { return join(input->span, stages[index].function->span); }
};

//===-- Selectors -----------------------------------------------------------------------------===//

struct SelectorStep {
  enum class Kind { Name, Any /* * */, AnyDepth /* ** */, Set /* {a, b} */ };
  Kind kind = Kind::Name;
  std::vector<Name> names; // one for Name, at least one for Set, else none
  Span span;
};

struct SelectorPath {
  std::vector<SelectorStep> steps; // empty only after a syntax error
  Span span;
};

struct Selector {
  SelectorPath path;
  SelectorPath except; // may be without steps: nothing excepted
  Span span;

  /// False where a syntax error left nothing.
  bool present() const { return !path.steps.empty(); }
};

struct SelectorExpr : ExprOf<Expr::Kind::Selector> {
  explicit SelectorExpr(Selector selector) : ExprOf(selector.span), selector(std::move(selector)) {}
  Selector selector;
};

//===-- Types ---------------------------------------------------------------------------------===//

enum class ScalarKind { F32, BF16, I32, Bool, Class };

std::string_view spelling(ScalarKind kind);

/// f32[1, 28, 28], class[10], class[73][64], f32
struct TensorType {
  ScalarKind scalar = ScalarKind::F32;
  Span scalarSpan;
  ExprPtr classCount;        // null unless scalar is Class
  std::vector<ExprPtr> dims; // Open only in a model's result
  Span span;
  bool broken = false; // not understood; already reported
};

struct Type {
  struct Field;
  std::variant<TensorType, std::vector<Field>> form;
  Span span;

  bool isRecord() const { return form.index() == 1; }
  bool broken() const { return !isRecord() && tensor().broken; }
  const TensorType &tensor() const { return std::get<0>(form); }
  const std::vector<Field> &fields() const { return std::get<1>(form); }
};

struct Type::Field {
  Name name;
  Type type;
};

//===-- Data ----------------------------------------------------------------------------------===//

struct FieldStatement {
  Name name;
  TensorType type;
  Span span;
};

enum class PartKind { Train, Test, Valid };

std::string_view spelling(PartKind kind);

/// `image = idx("…") / 255`, `x, y = synthetic(100)`, `cifar("…")`
struct Fill {
  std::vector<Name> names; // none where the source fills fields of its own names
  ExprPtr value;
  Span span;
};

struct PartStatement {
  PartKind part = PartKind::Train;
  Span keyword;
  std::vector<Fill> fills;
  Span span;
};

struct SplitStatement {
  std::vector<ExprPtr> shares; // one or three
  Arguments options;           // seed:, stratify:
  Span span;
};

struct KeepStatement {
  ExprPtr condition;
  Span span;
};

struct TakeStatement {
  ExprPtr count;
  Span span;
};

struct AugmentStatement {
  std::vector<Name> fields;   // none: `image`
  std::vector<ExprPtr> steps; // Paths or Calls
  Span span;
};

using DataStatement = std::variant<FieldStatement, PartStatement, SplitStatement, KeepStatement,
                                   TakeStatement, AugmentStatement>;

//===-- Models --------------------------------------------------------------------------------===//

struct ModelParameter {
  Name name;
  ExprPtr defaultValue; // may be null
};

struct ModelInput {
  Name name;
  TensorType type;
};

struct ParamStatement {
  Name name;
  TensorType type;
  ExprPtr initializer; // a Path or Call
  Span span;
};

struct BufferStatement {
  Name name;
  TensorType type;
  ExprPtr value;
  Span span;
};

struct UpdateStatement {
  Name name;
  ExprPtr value;
  Span span;
};

struct LayerStatement {
  Name name;
  ExprPtr layer; // a Path, Call or Stack
  Span span;
};

struct LetStatement {
  Name name;
  ExprPtr value;
  Span span;
};

using ModelStatement =
    std::variant<ParamStatement, BufferStatement, UpdateStatement, LayerStatement, LetStatement>;

//===-- Training ------------------------------------------------------------------------------===//

/// A model as a train block names it: `LeNet`, `ResNet[18]`.
struct ModelReference {
  Name name;
  Arguments parameters; // […]
  Span span;
};

/// from "file" or from train NAME: one of the two is there.
struct WeightSource {
  std::string file; // escapes undone; empty where a train block is named
  Name trainBlock;  // may be absent
  Span span;        // of the string or of the name
};

struct Measure {
  PartKind part = PartKind::Valid;
  Name metric;
  Span span;
};

struct SeedStatement {
  ExprPtr value;
  Span span;
};

struct ObjectiveStatement {
  ExprPtr value;
  Span span;
};

/// regularize SELECTOR with R + …, or regularize value EXPR with R + …
struct RegularizeStatement {
  Selector selector;          // not present where a value is there
  ExprPtr value;              // may be null
  std::vector<ExprPtr> terms; // Paths or Calls
  Span span;
};

struct ConstrainStatement {
  Selector selector;
  ExprPtr constraint; // a Path or Call
  Span span;
};

struct RecomputeStatement {
  Selector selector;
  Span span;
};

struct FreezeStatement {
  bool unfreeze = false;
  Selector selector;
  Span span;
};

/// teacher NAME = MODEL from SOURCE (options), or teacher NAME = ema(arguments)
struct TeacherStatement {
  Name name;
  bool isAverage = false;
  ModelReference model; // not for an average
  WeightSource source;  // not for an average
  Arguments arguments;  // load's options, or what stands in ema(…)
  Span span;
};

struct ShareStatement {
  bool copy = false;
  Selector selector;
  SelectorPath with; // its first step is the teacher's name
  Span span;
};

struct LoadStatement {
  Selector selector;
  WeightSource source;
  Arguments options; // strip:, rename: a Map, transpose: and except: a Selector or a List of them
  Span span;
};

struct OptimizeStatement {
  Selector selector; // not present: everything
  ExprPtr optimizer; // a Path or Call
  Span span;
};

struct RateStatement {
  Selector selector;
  ExprPtr value;
  Span span;
};

struct ClipStatement {
  bool byNorm = true; // else by value
  ExprPtr limit;
  Span span;
};

struct BatchStatement {
  ExprPtr size;
  bool dropLast = false;
  bool sequential = false;
  Span span;
};

struct AccumulateStatement {
  ExprPtr count;
  Span span;
};

/// epochs N, steps N
struct LengthStatement {
  TimeUnit unit = TimeUnit::Epochs;
  ExprPtr count;
  Span span;
};

struct PrecisionStatement {
  ScalarKind scalar = ScalarKind::F32; // F32 or BF16
  Span span;
};

struct ReportStatement {
  ExprPtr value;
  Name name;     // may be absent
  ExprPtr every; // in steps; may be null
  Span span;
};

struct StopStatement {
  Measure measure;
  ExprPtr patience; // in epochs
  Span span;
};

struct KeepBestStatement {
  Measure measure;
  Span span;
};

using TrainStatement =
    std::variant<SeedStatement, ObjectiveStatement, LetStatement, RegularizeStatement,
                 ConstrainStatement, RecomputeStatement, FreezeStatement, TeacherStatement,
                 ShareStatement, LoadStatement, OptimizeStatement, RateStatement, ClipStatement,
                 BatchStatement, AccumulateStatement, LengthStatement, PrecisionStatement,
                 ReportStatement, StopStatement, KeepBestStatement>;

struct Stage {
  Name name;
  std::vector<TrainStatement> statements;
  Span span;
  bool broken = false;
};

//===-- Declarations and files ----------------------------------------------------------------===//

struct ImportDeclaration {
  std::string path; // as said
  Span pathSpan;
  Span span;
  FileId file = noFile; // what it led to; set by parseProgram
};

struct ConstDeclaration {
  Name name;
  ExprPtr value;
  Span span;
};

struct DataDeclaration {
  Name name;
  std::vector<DataStatement> statements;
  Span span; // of the whole block
  bool broken = false;
};

struct ModelDeclaration {
  Name name;
  std::vector<ModelParameter> parameters;
  std::vector<ModelInput> inputs;
  bool hasResultType = false;
  Type resultType; // where hasResultType
  std::vector<ModelStatement> statements;
  ExprPtr result; // an Error where the model does not end with an expression
  Span span;      // of the whole block
  Span header;    // from `model` to before the block
  bool broken = false;
};

struct TrainDeclaration {
  Name name; // may be absent: then the block is named like the model
  ModelReference model;
  Name data;
  std::vector<TrainStatement> statements; // those outside the stages, in order
  std::vector<Stage> stages;
  Span span; // of the whole block
  bool broken = false;

  const Name &blockName() const { return name ? name : model.name; }
};

using Declaration = std::variant<ImportDeclaration, ConstDeclaration, DataDeclaration,
                                 ModelDeclaration, TrainDeclaration>;

struct File {
  FileId id = noFile;
  std::vector<Declaration> declarations; // in the order of the text
  /// A top-level statement was lost to a syntax error.
  bool broken = false;
  /// The text of each statement and header that was lost to a syntax error: a name that is missing
  /// elsewhere and stands in there may be declared there.
  std::vector<Span> lost;
};

/// The root file first, then what it imports, each once, in the order in which they are first
/// named.
struct Program {
  std::vector<std::unique_ptr<File>> files;
  const File &root() const { return *files.front(); }
};

/// The span of any statement or declaration.
template <typename Variant> Span spanOf(const Variant &node) {
  return std::visit([](const auto &form) { return form.span; }, node);
}

} // namespace sinter::syntax
