//===- Evaluator.h - expressions, calls and layers, wherever they stand -----------------------===//
// One evaluator for consts, dimensions, the bodies of models, objectives and loading arithmetic. What differs is
// what is there: a graph to put operations into, a model's instance to make layers in, a train block's names.
#pragma once

#include "compiler/semantics/GraphBuilder.h"
#include "compiler/semantics/Instance.h"
#include "compiler/semantics/Session.h"
#include "compiler/semantics/Signature.h"
#include "compiler/semantics/Value.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace sinter::semantics {

class BoundArguments;
struct LayerEntry;
struct FunctionEntry;

/// One evaluation of one model's body.
struct Frame {
  Instance *instance = nullptr;
  const syntax::ModelDeclaration *model = nullptr;
  ParameterStore *store = nullptr;
  std::vector<LayerRegularizer> *regularizers = nullptr;
  std::map<std::string, int64_t> counters; ///< of automatic names, by kind
  std::map<std::string, Span> automatic;   ///< the automatic names given
  int depth = 0;
};

/// What names mean in a train block beyond its lets.
struct TrainNames {
  std::vector<std::string> models; ///< the trained one, then teachers
  /// The value of a data field, or nothing.
  std::function<std::optional<Value>(const std::string &, Span)> field;
  /// One of the models on inputs; without any, on the fields named like its inputs.
  std::function<Value(const std::string &, const std::vector<std::pair<Value, Span>> *, Span)> call;
  std::vector<std::string> fields;

  bool isModel(const std::string &name) const {
    return std::find(models.begin(), models.end(), name) != models.end();
  }
};

/// What a layer is to be called.
struct NameRequest {
  std::string given; ///< "": the next automatic one
  Span place;
  bool byAs = false;
};

class Evaluator {
public:
  explicit Evaluator(Session &session) : session(session) {}

  Session &session;
  std::shared_ptr<Scope> scope;
  GraphBuilder *graph = nullptr; ///< null: only what is known at build time
  Frame *frame = nullptr;        ///< null outside a model's body
  TrainNames *train = nullptr;   ///< null outside a train block
  bool exactDivision = false;    ///< in a dimension
  bool withoutInputs =
      false;    ///< what is applied next stands in the spec with inputs of an earlier use
  Span measure; ///< the name of the call that a `report` consists of

  Evaluator within(std::shared_ptr<Scope> inner) const {
    Evaluator other = *this;
    other.scope = std::move(inner);
    return other;
  }
  Evaluator atBuildTime() const {
    Evaluator other = *this;
    other.graph = nullptr;
    return other;
  }

  //===- Expressions.cpp
  Value evaluate(const syntax::Expr &expr);
  /// Values known at build time; null after an error (which has been reported) or poison.
  std::optional<int64_t> integer(const syntax::Expr &expr, const std::string &what);
  std::optional<double> number(const syntax::Expr &expr, const std::string &what);
  std::optional<bool> condition(const syntax::Expr &expr);
  std::optional<std::string> string(const syntax::Expr &expr, const std::string &what);
  std::string describe(const Value &value) const;

  Value binary(syntax::BinaryOp op, const Value &left, Span leftSpan, const Value &right,
               Span rightSpan, Span place);
  /// A comparison of labels, integers or booleans; nothing where neither side is one.
  std::optional<Value> compareLabels(syntax::BinaryOp op, const std::string &shown,
                                     const Value &left, Span leftSpan, const Value &right,
                                     Span rightSpan, Span place);
  /// A number becomes a constant. Null for what is neither a number nor a tensor; `who` then takes the blame.
  std::optional<ValueId> tensor(const Value &value, Span place, const std::string &who);
  /// The same, and it must be f32.
  std::optional<ValueId> real(const Value &value, Span place, const std::string &who);
  Value emit(std::string kind, std::vector<ValueId> operands, Attributes attributes, Type result,
             Span place);
  /// Element-wise with broadcasting; reports shapes that do not fit.
  Value broadcast(const std::string &kind, const std::string &shown, ValueId left, Span leftSpan,
                  ValueId right, Span rightSpan, Span place);

  //===- Dimensions.cpp
  std::optional<int64_t> dimension(const syntax::Expr &expr);
  std::optional<Type> type(const syntax::TensorType &type);
  bool checkSize(const Type &type, Span place);

  //===- Names.cpp
  Value path(const syntax::PathExpr &expr);
  Value constant(const std::string &name, Span place);
  /// Reads `.a.b` of records.
  Value members(Value base, const std::vector<syntax::Name> &names, size_t from, Span place);
  void unknownName(const syntax::Name &name);
  void otherModel(const syntax::Name &name);
  /// Says that names are unknown, without evaluating anything: for branches not taken and models not used.
  void checkNames(const syntax::Expr &expr);

  //===- Calls.cpp
  using Inputs = std::vector<std::pair<Value, Span>>;
  Value call(const syntax::CallExpr &expr);
  Value pipe(const syntax::PipeExpr &expr);
  /// Applies what may stand to the right of `|>`: a function, or a layer that gets a name and an instance.
  Value apply(const syntax::Expr &layer, Inputs inputs, Span place, const NameRequest &name);
  /// Applies a layer in an instance that is there already.
  Value applyIn(const syntax::Expr &layer, Inputs inputs, Span place, Instance &instance);
  /// What a layer's or function's arguments say, where the input is not known after an error: they
  /// are right or wrong whatever it is.
  void checkArguments(const syntax::Expr &layer, Inputs inputs, Span place, Instance &instance);
  Value applyStack(const syntax::StackExpr &stack, Inputs inputs, Span place, Instance &instance);
  Value applyFunction(const FunctionEntry &function, const syntax::Arguments &arguments,
                      Inputs inputs, Span nameSpan);
  /// The model whose bare name this is: one that was passed as a parameter takes its own `[…]` at each use.
  const syntax::ModelDeclaration *modelNamed(const syntax::Expr &expr) const;
  /// The branch that is taken of `if … then LAYER else LAYER`, any other layer itself; null after an error.
  const syntax::Expr *chosenLayer(const syntax::Expr &layer);
  /// A layer within an instance that has been used, such as `enc.conv1`.
  Value usePart(Instance &instance, const std::vector<syntax::Name> &names, size_t from,
                Inputs inputs, Span place);
  Value useBuiltPart(Instance &whole, Instance &part, Inputs inputs, syntax::Span place);
  Value useDeclared(Binding &binding, const std::vector<syntax::Name> &names, Inputs inputs,
                    Span place);
  /// The instance of this name in the frame's model, made where it is not there yet; null after an error.
  Instance *child(const std::string &kind, const NameRequest &name, Span place);
  /// Lets a name that `as` has given be used further down.
  void bindAs(const NameRequest &name, const syntax::Expr &layer);
  static Instance &childOf(Instance &parent, ParameterStore &store, const std::string &name,
                           const std::string &kind, int64_t order, Span place);
  /// What automatic names of this layer begin with; "" for a function and for a layer that has a name.
  std::string kindOf(const syntax::Expr &layer);
  /// Evaluates positional arguments behind the inputs; false after a named one, which has been reported.
  bool appendPositional(Inputs &inputs, const syntax::Arguments &arguments, const std::string &who);

  //===- Arguments.cpp
  /// Matches arguments with a signature, evaluates and checks each; null after an error. Inputs come first; the
  /// first `skip` arguments are among them already.
  std::optional<BoundArguments> bind(const Signature &signature, const syntax::Arguments &arguments,
                                     Span nameSpan, Inputs inputs = {}, size_t skip = 0);
  void unknownArgument(const Signature &signature, const syntax::Name &name);

  //===- Models.cpp
  /// Runs a model's body on inputs, in an instance that may have run before.
  /// `more`: what stands in the call's parentheses, behind the inputs; may be null.
  Value runModel(const syntax::ModelDeclaration &model, const syntax::Arguments &parameters,
                 Inputs inputs, const syntax::Arguments *more, Span place, Instance &instance,
                 ParameterStore &store, std::vector<LayerRegularizer> *regularizers);

  //===- Weights.cpp
  /// A parameter of an instance: made at the first use, or what `tie` says. Null after an error. Without a written
  /// initializer `fallback` names it; without that it is chosen later. `place`: of this use.
  std::optional<ValueId> weight(Instance &instance, const std::string &name, const Type &type,
                                Role role, const syntax::Expr *initializer, const char *fallback,
                                const syntax::Expr *tie, const std::string &who, Span place,
                                Span declared);
  std::optional<ValueId> read(const OwnedParameter &parameter, Span place,
                              const std::string &layerPath);

  /// The layer or function of this name: what the scope, the file and the built-ins say, in this order.
  bool isCallableName(const std::string &name);
  /// Whether a model's parameter of this value is a layer, a function or an initializer, and no number.
  bool isCallable(const syntax::Expr &expr);
  /// An initializer, which no name of the scope and no constant hides.
  bool isInitializerName(const std::string &name) const;
  const syntax::ModelDeclaration *model(const std::string &name) const;
};

/// The arguments of one call of a built-in.
class BoundArguments {
public:
  struct Item {
    Value value;                        ///< of all kinds but Lazy
    const syntax::Expr *expr = nullptr; ///< null for a default and for an input of the pipe
    Span span;
    bool given = false;
  };

  const Item &item(const std::string &name) const { return items.at(name); }
  bool given(const std::string &name) const { return items.at(name).given; }
  const syntax::Expr *expr(const std::string &name) const {
    auto found = items.find(name);
    return found == items.end() ? nullptr : found->second.expr;
  }
  Span span(const std::string &name) const { return items.at(name).span; }
  int64_t integer(const std::string &name) const { return *items.at(name).value.get<int64_t>(); }
  double number(const std::string &name) const { return items.at(name).value.number(); }
  bool boolean(const std::string &name) const { return *items.at(name).value.get<bool>(); }
  const std::string &string(const std::string &name) const {
    return *items.at(name).value.get<std::string>();
  }
  ValueId tensor(const std::string &name) const { return items.at(name).value.get<Tensor>()->id; }
  /// An integer twice, or two integers.
  std::vector<int64_t> pair(const std::string &name) const;
  std::vector<int64_t> integers(const std::string &name) const;
  std::vector<double> reals(const std::string &name) const;

  std::map<std::string, Item> items;
  Span place;    ///< of the whole call
  Span nameSpan; ///< of what is called
};

} // namespace sinter::semantics
