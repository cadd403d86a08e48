//===- Value.h - what an expression of the language comes to ---------------------------------===//
#pragma once

#include "compiler/semantics/Program.h"
#include "compiler/syntax/Tree.h"

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinter::semantics {

class Scope;
struct Instance;
struct Value;

/// The value of what was wrong. It has been reported; nothing that follows from it is.
struct Poison {};

/// A value of one example, made by an operation of the graph at hand.
struct Tensor {
  ValueId id;
};

using List = std::vector<Value>;
using Record = std::vector<std::pair<std::string, Value>>;

/// A layer or function that waits for its input: `relu`, `leaky_relu(0.1)`, `Block[64]`, `stack(…)`, with the names
/// it was written among.
struct Callable {
  const syntax::Expr *expr = nullptr;
  std::shared_ptr<Scope> scope;
};

struct Value {
  std::variant<Poison, int64_t, double, bool, std::string, Tensor, List, Record, Callable> form;

  Value() = default;
  template <typename Form>
    requires(!std::is_same_v<std::decay_t<Form>, Value>)
  Value(Form form) : form(std::move(form)) {} // NOLINT: every form is a value

  template <typename Form> const Form *get() const { return std::get_if<Form>(&form); }
  bool poisoned() const { return form.index() == 0; }
  bool isNumber() const { return get<int64_t>() || get<double>(); }
  double number() const {
    const int64_t *integer = get<int64_t>();
    return integer ? static_cast<double>(*integer) : *get<double>();
  }
};

/// A name of a model's body, of a train block or of a stack's index.
struct Binding {
  Value value;
  Callable layer;            ///< a `layer` statement: what it says
  Instance *owner = nullptr; ///< and the model instance that it belongs to
  bool isLayer = false;
  bool calledWithInputs =
      false; ///< `layer` is a call with its first inputs: `Block[64](x) as block`
  std::shared_ptr<bool> used = std::make_shared<bool>(false); ///< shared by copies
  syntax::Span place;
};

/// Names, innermost first. Shared, because a Callable keeps the names it was written among.
class Scope {
public:
  explicit Scope(std::shared_ptr<Scope> parent = nullptr) : parent(std::move(parent)) {}

  Binding *find(const std::string &name) {
    for (Scope *each = this; each; each = each->parent.get())
      if (auto found = each->names.find(name); found != each->names.end())
        return &found->second;
    return nullptr;
  }
  Binding &bind(const std::string &name, Binding binding) {
    return names[name] = std::move(binding);
  }
  std::vector<std::string> visible() const {
    std::vector<std::string> result;
    for (const Scope *each = this; each; each = each->parent.get())
      for (const auto &[name, binding] : each->names)
        result.push_back(name);
    return result;
  }
  std::map<std::string, Binding> &own() { return names; }

private:
  std::map<std::string, Binding> names;
  std::shared_ptr<Scope> parent;
};

} // namespace sinter::semantics
