//===- Instance.h - layers and models that exist, and the parameters they own -----------------===//
#pragma once

#include "compiler/semantics/Program.h"
#include "compiler/semantics/Value.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sinter::semantics {

/// Where a thing stands in the source, level by level: what parameters are sorted by.
using Order = std::vector<int64_t>;

/// A parameter, and how its initial values come about.
struct OwnedParameter {
  Parameter parameter;
  Order order;
  bool automatic = false; ///< the initializer is still to be chosen from what the weight feeds
  Place initializerPlace; ///< of a written one
  bool ownedByLayer = false;
};

struct ParameterStore {
  std::deque<OwnedParameter> all;      ///< a deque, so that pointers stay good
  std::vector<std::string> layerPaths; ///< every instance, layers without parameters too

  /// As they stand in the source.
  std::vector<const OwnedParameter *> sorted() const;

  OwnedParameter *find(const std::string &name) {
    for (OwnedParameter &each : all)
      if (each.parameter.name == name)
        return &each;
    return nullptr;
  }
};

/// What stands under a parameter's name in an instance: its own, or the one that is tied to it.
struct Owned {
  OwnedParameter *parameter = nullptr; ///< null where it is tied to an expression
  bool transposed = false;             ///< the name means its transpose
  std::set<std::string> behind;        ///< the parameters that such an expression is made of
};

/// One layer or model that exists. It is made at its first use; a later use finds it by its name.
struct Instance {
  std::string path; ///< "" for the trained model itself, "Big:" for a teacher
  std::string kind; ///< "dense", "stack", or the model's name
  Order order;
  Place place;
  std::map<std::string, std::unique_ptr<Instance>> children;
  std::map<std::string, Owned> owned; ///< by the last name
  bool regularized = false;           ///< its `regularize:` has been noted
  Callable applied;                   ///< what it is, with the names of its latest use

  std::string pathOf(const std::string &name) const {
    return path.empty() || path.back() == ':' ? path + name : path + "." + name;
  }
};

/// `regularize:` of a layer, to be added to every stage.
struct LayerRegularizer {
  std::string parameter;
  const syntax::Expr *expr = nullptr;
  std::shared_ptr<Scope> scope; ///< the names it was written among
};

} // namespace sinter::semantics
