//===- Initializers.cpp - the table of initializers, and the choice of one --------------------------===//
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/Nearest.h"

#include <cmath>
#include <fmt/format.h>
#include <map>
#include <set>

namespace sinter::semantics {

using namespace syntax;

Fans fansOf(const Type &type) {
  Fans fans;
  if (type.dims.empty())
    return fans;
  if (type.dims.size() == 1) {
    fans.in = fans.out = static_cast<double>(type.dims[0]);
    return fans;
  }
  double positions = 1;
  for (size_t i = 2; i < type.dims.size(); ++i)
    positions *= static_cast<double>(type.dims[i]);
  fans.out = static_cast<double>(type.dims[0]) * positions;
  fans.in = static_cast<double>(type.dims[1]) * positions;
  return fans;
}

namespace {

using Kind = Initializer::Kind;

/// What an entry makes its numbers from.
struct Facts {
  const BoundArguments *arguments; ///< null: every default
  Fans fans;
  double gain; ///< `gain:`, else the entry's
  double fan;  ///< what `fan:` says, else fan_in
  double argument(const char *name, double otherwise) const {
    return arguments ? arguments->number(name) : otherwise;
  }
};

enum class Family { Plain, He, Xavier, Zero };

struct InitializerEntry {
  Signature signature;
  double gain; ///< where none is written
  Family family;
  Initializer (*make)(const Facts &);
};

Initializer uniformWithin(double bound) { return {Kind::Uniform, -bound, bound, {}, ""}; }
Initializer normalOf(double deviation) { return {Kind::Normal, 0, deviation, {}, ""}; }

const std::vector<InitializerEntry> &initializers() {
  static const std::vector<InitializerEntry> table = [] {
    auto entry = [](const char *name, const char *text, double gain, Family family,
                    Initializer (*make)(const Facts &)) {
      return InitializerEntry{Signature::parse(name, text), gain, family, make};
    };
    const char *byFan = "gain?: positive, fan: in|out|average = in";
    const char *byGain = "gain?: positive";
    const double root2 = std::sqrt(2.0);
    return std::vector<InitializerEntry>{
        entry("zeros", "", 1, Family::Zero,
              [](const Facts &) { return Initializer{Kind::Constant, 0, 0, {}, ""}; }),
        entry("ones", "", 1, Family::Plain,
              [](const Facts &) { return Initializer{Kind::Constant, 1, 0, {}, ""}; }),
        entry("constant", "c: real", 1, Family::Plain,
              [](const Facts &facts) {
                return Initializer{Kind::Constant, facts.argument("c", 0), 0, {}, ""};
              }),
        entry("uniform", "a: real, b: real", 1, Family::Plain,
              [](const Facts &facts) {
                return Initializer{
                    Kind::Uniform, facts.argument("a", 0), facts.argument("b", 1), {}, ""};
              }),
        entry("normal", "mean: real, std: nonnegative", 1, Family::Plain,
              [](const Facts &facts) {
                return Initializer{
                    Kind::Normal, facts.argument("mean", 0), facts.argument("std", 1), {}, ""};
              }),
        entry("truncated_normal", "mean: real, std: nonnegative", 1, Family::Plain,
              [](const Facts &facts) {
                return Initializer{Kind::TruncatedNormal,
                                   facts.argument("mean", 0),
                                   facts.argument("std", 1),
                                   {},
                                   ""};
              }),
        entry("xavier_uniform", byGain, 1, Family::Xavier,
              [](const Facts &facts) {
                return uniformWithin(facts.gain * std::sqrt(6 / (facts.fans.in + facts.fans.out)));
              }),
        entry("xavier_normal", byGain, 1, Family::Xavier,
              [](const Facts &facts) {
                return normalOf(facts.gain * std::sqrt(2 / (facts.fans.in + facts.fans.out)));
              }),
        entry("he_uniform", byFan, root2, Family::He,
              [](const Facts &facts) {
                return uniformWithin(facts.gain * std::sqrt(3 / facts.fan));
              }),
        entry("he_normal", byFan, root2, Family::He,
              [](const Facts &facts) { return normalOf(facts.gain / std::sqrt(facts.fan)); }),
        entry("lecun_uniform", byFan, 1, Family::Plain,
              [](const Facts &facts) {
                return uniformWithin(facts.gain * std::sqrt(3 / facts.fan));
              }),
        entry("lecun_normal", byFan, 1, Family::Plain,
              [](const Facts &facts) { return normalOf(facts.gain / std::sqrt(facts.fan)); }),
        entry("orthogonal", byGain, 1, Family::Plain,
              [](const Facts &facts) {
                return Initializer{Kind::Orthogonal, facts.gain, 0, {}, ""};
              }),
        entry(
            "identity", byGain, 1, Family::Plain,
            [](const Facts &facts) { return Initializer{Kind::Identity, facts.gain, 0, {}, ""}; }),
    };
  }();
  return table;
}

const InitializerEntry *findInitializer(const std::string &name) {
  for (const InitializerEntry &each : initializers())
    if (each.signature.name == name)
      return &each;
  return nullptr;
}

Facts factsOf(const InitializerEntry &entry, const BoundArguments *arguments, const Type &type) {
  Facts facts{arguments, fansOf(type), entry.gain, 1};
  facts.fan = facts.fans.in;
  if (!arguments)
    return facts;
  if (entry.signature.find("gain") && arguments->given("gain"))
    facts.gain = arguments->number("gain");
  if (entry.signature.find("fan")) {
    const std::string &fan = arguments->string("fan");
    if (fan == "out")
      facts.fan = facts.fans.out;
    else if (fan == "average")
      facts.fan = (facts.fans.in + facts.fans.out) / 2;
  }
  return facts;
}

} // namespace

std::vector<std::string> initializerNames() {
  std::vector<std::string> names;
  for (const InitializerEntry &each : initializers())
    names.push_back(each.signature.name);
  return names;
}

bool isInitializer(const std::string &name) { return findInitializer(name) != nullptr; }

Initializer initializerNamed(const std::string &name, const Type &type) {
  if (name == "constant(0.25)") // PyTorch's for prelu
    return {Kind::Constant, 0.25, 0, {}, "constant"};
  if (name == "normal(0, 1)") // of embeddings
    return {Kind::Normal, 0, 1, {}, "normal"};
  if (name == "normal(0, 0.02)") // of positions
    return {Kind::Normal, 0, 0.02, {}, "normal"};
  const InitializerEntry &entry = *findInitializer(name);
  Initializer result = entry.make(factsOf(entry, nullptr, type));
  result.name = name;
  return result;
}

std::optional<Initializer> resolveInitializer(Evaluator &evaluator, const Expr &expr,
                                              const Type &type) {
  static const Arguments none;
  Engine &engine = evaluator.session.engine;
  const auto *path = dynCast<PathExpr>(expr);
  const auto *call = dynCast<CallExpr>(expr);
  if (expr.kind() == Expr::Kind::Error)
    return std::nullopt;
  if ((!path || !path->isName()) && !call) {
    engine.report(Diag::NotAnInitializer, expr.span, evaluator.session.text(expr.span))
        .help("for instance `he_normal` or `constant(0.1)`");
    return std::nullopt;
  }
  const Name &name = call ? call->callee.front() : path->names.front();
  // A model may take the initializer as a parameter: as it would be written here, or its name as a string.
  if (Binding *binding = evaluator.scope ? evaluator.scope->find(name.text) : nullptr;
      binding && path) {
    *binding->used = true;
    if (binding->value.poisoned() && !binding->isLayer)
      return std::nullopt;
    if (const Callable *passed = binding->value.get<Callable>()) {
      Evaluator there = evaluator.within(passed->scope);
      return resolveInitializer(there, *passed->expr, type);
    }
    if (const std::string *text = binding->value.get<std::string>())
      if (findInitializer(*text))
        return initializerNamed(*text, type);
  }
  const InitializerEntry *entry = findInitializer(name.text);
  if (!entry) {
    auto report = engine.report(Diag::UnknownInitializer, name.span, name.text);
    std::string help = didYouMean(name.text, initializerNames());
    report.help(help.empty() ? "it is one of " + alternatives(initializerNames()) : help);
    return std::nullopt;
  }
  std::optional<BoundArguments> bound =
      evaluator.bind(entry->signature, call ? call->arguments : none, name.span);
  if (!bound)
    return std::nullopt;
  Initializer result = entry->make(factsOf(*entry, &*bound, type));
  result.name = name.text;
  if (result.kind == Kind::Uniform && !(result.a <= result.b)) {
    engine.report(Diag::EmptyRange, expr.span, result.a, result.b);
    return std::nullopt;
  }
  if ((result.kind == Kind::Orthogonal || result.kind == Kind::Identity) && type.rank() < 2) {
    engine.report(Diag::NeedsMatrix, expr.span, name.text, type.str());
    return std::nullopt;
  }
  return result;
}

//===-- The choice -----------------------------------------------------------------------------------===//

namespace {

/// The activations that a weight reaches first, through everything linear.
struct Reached {
  bool rectifier = false; ///< relu and its kin: half of the signal is gone
  bool saturating = false;
  std::string firstSaturating, firstRectifier;
  bool hidden = false; ///< an activation or another weight follows
};

const std::set<std::string> rectifiers = {"relu", "leaky_relu", "elu", "gelu", "silu"};
const std::set<std::string> otherActivations = {
    "tanh", "sigmoid",       "softplus", "softmax",  "log_softmax", "exp",  "log", "sqrt",  "sin",
    "cos",  "cross_entropy", "mse",      "accuracy", "rnn",         "lstm", "gru", "argmax"};

/// Layers that begin with gates.
const std::set<std::string> recurrentLayers = {"rnn", "lstm", "gru"};

const std::set<std::string> weighted = {"dense", "conv2d", "conv1d", "conv_transpose2d", "matmul"};

/// All graphs of one model as one: what leaves a net goes on in those that call it.
class Follower {
public:
  Follower(const std::vector<const Graph *> &graphs, const std::vector<Net> *nets) {
    std::map<std::string, size_t> results; // of the net's name: its graph
    for (size_t g = 0; g < graphs.size(); ++g) {
      users.emplace_back(graphs[g]->types.size());
      for (const Operation &op : graphs[g]->operations)
        for (ValueId operand : op.operands)
          if (users[g][operand].empty() || users[g][operand].back() != &op)
            users[g][operand].push_back(&op);
    }
    for (size_t n = 0; nets && n < nets->size(); ++n)
      for (size_t g = 0; g < graphs.size(); ++g)
        for (const Operation &op : graphs[g]->operations)
          if (op.kind == "call" &&
              std::get<std::string>(op.attributes.at("net")) == (*nets)[n].name)
            for (size_t i = 0; i < op.results.size() && i < (*nets)[n].results.size(); ++i)
              onward[{n, (*nets)[n].results[i].second}].emplace_back(g, op.results[i]);
  }

  /// From one weight on: through its first use alone, and from there wherever the signal goes.
  Reached follow(size_t graph, ValueId weight) const {
    Reached reached;
    std::set<Spot> seen;
    std::vector<std::pair<Spot, bool>> waiting; // and whether a layer is behind
    auto through = [&](const Operation *op, size_t g, ValueId value, bool applied) {
      if (rectifiers.count(op->kind)) {
        reached.rectifier = reached.hidden = true;
        reached.firstRectifier = op->kind;
      } else if (op->kind == "where" && !op->path.empty()) { // prelu
        reached.rectifier = reached.hidden = true;
        reached.firstRectifier = "prelu";
      } else if (otherActivations.count(op->kind)) {
        bool gate = op->kind == "tanh" || op->kind == "sigmoid" || recurrentLayers.count(op->kind);
        reached.hidden |= gate;
        reached.saturating |= gate;
        if (gate)
          reached.firstSaturating = op->kind;
      } else if (op->kind == "attention" && op->operands[2] != value) {
        // Queries and keys end in a softmax; values are mixed, which is linear.
      } else if (op->kind != "stop_gradient" && op->kind != "call") {
        bool layer = weighted.count(op->kind) != 0;
        reached.hidden |= layer && applied;
        for (ValueId result : op->results)
          waiting.emplace_back(Spot{g, result}, applied || layer);
      }
    };
    if (!users[graph][weight].empty())
      through(users[graph][weight].front(), graph, weight, false);
    while (!waiting.empty()) {
      auto [spot, applied] = waiting.back();
      waiting.pop_back();
      if (!seen.insert(spot).second)
        continue;
      if (auto found = onward.find(spot); found != onward.end())
        for (Spot next : found->second)
          waiting.emplace_back(next, applied);
      for (const Operation *op : users[spot.first][spot.second])
        through(op, spot.first, spot.second, applied);
    }
    return reached;
  }

  /// Whether a layer or `@` takes the value as its weight, straight or transposed.
  bool isLayerWeight(size_t graph, ValueId value) const {
    if (users[graph][value].empty())
      return false;
    const Operation *op = users[graph][value].front();
    if (op->kind == "permute")
      return isLayerWeight(graph, op->results.front());
    return (weighted.count(op->kind) || recurrentLayers.count(op->kind)) &&
           (op->kind == "matmul" || op->operands[1] == value);
  }

private:
  using Spot = std::pair<size_t, ValueId>;                        // a graph, and a value of it
  std::vector<std::vector<std::vector<const Operation *>>> users; // by graph and value
  std::map<Spot, std::vector<Spot>> onward;
};

void warn(Session &session, const OwnedParameter &owned, const Reached &reached, bool layerWeight) {
  const Initializer &init = owned.parameter.initializer;
  const InitializerEntry *entry = findInitializer(init.name);
  if (!entry || owned.automatic || !layerWeight)
    return;
  Span place = owned.initializerPlace;
  if (entry->family == Family::He && reached.saturating && !reached.rectifier)
    session.engine.report(Diag::HeIntoSaturating, place, init.name, reached.firstSaturating)
        .help(init.name == "he_normal" ? "`xavier_normal`" : "`xavier_uniform`");
  if (entry->family == Family::Xavier && reached.rectifier)
    session.engine.report(Diag::XavierIntoRectifier, place, init.name, reached.firstRectifier)
        .help(init.name == "xavier_normal" ? "`he_normal`" : "`he_uniform`");
  if (init.kind != Kind::Constant || !reached.hidden || owned.parameter.type.rank() < 2)
    return;
  std::string why = "all units compute the same, and begin to differ only by what follows";
  if (init.a == 0)
    why = reached.firstRectifier == "relu"
              ? "behind `relu` all units are 0, no gradient passes, and the layer never learns"
              : "no signal passes to what follows, and no gradient to what stands before";
  session.engine.report(Diag::EqualUnits, place, init.name, why)
      .help(reached.rectifier ? "`he_normal` tells the units apart"
                              : "`xavier_uniform` tells the units apart");
}

} // namespace

void chooseInitializers(Session &session, ParameterStore &store,
                        const std::vector<const Graph *> &graphs, const std::vector<Net> *nets) {
  std::set<std::string> done;
  Follower follower(graphs, nets);
  for (size_t g = 0; g < graphs.size(); ++g) {
    for (const Operation &op : graphs[g]->operations) {
      if (op.kind != "read")
        continue;
      OwnedParameter *owned = store.find(std::get<std::string>(op.attributes.at("parameter")));
      if (!owned || !done.insert(owned->parameter.name).second)
        continue;
      Reached reached = follower.follow(g, op.results.front());
      if (owned->automatic)
        owned->parameter.initializer = initializerNamed(
            reached.rectifier ? "he_normal" : "xavier_uniform", owned->parameter.type);
      warn(session, *owned, reached, follower.isLayerWeight(g, op.results.front()));
    }
  }
}

} // namespace sinter::semantics
