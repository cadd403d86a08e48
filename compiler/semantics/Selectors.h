//===- Selectors.h - which parameters and layers a selector means ------------------------------------===//
#pragma once

#include "compiler/semantics/Instance.h"
#include "compiler/semantics/Session.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sinter::semantics {

struct Selection {
  std::set<std::string> parameters; ///< and buffers, by primary name
  std::set<std::string> layers;     ///< instance paths, each one beneath a selected layer too
};

/// Whether `weights` as a selector's last name means it: a matrix or kernel, no norm and no bias.
bool isKernel(const Parameter &parameter);

/// The names of one trained model. A tied parameter answers to each of its names.
class SelectorTable {
public:
  /// `prefix`: what all names begin with, and no selector. `teachers`: names that a selector may be mistaken to begin with.
  SelectorTable(Session &session, const ParameterStore &store, std::string model,
                const std::string &prefix = "", std::vector<std::string> teachers = {});

  /// Null where a part of it matches nothing, which is an error that suggests the nearest names.
  std::optional<Selection> select(const syntax::Selector &selector) const;
  std::optional<Selection> select(const syntax::SelectorPath &path) const;

private:
  struct Node {
    std::vector<std::string> names;
    const Parameter *parameter; ///< null: a layer
    std::string path;
  };

  void suggest(const syntax::SelectorPath &path) const;

  Session &session;
  std::string model;
  std::vector<std::string> teachers;
  std::vector<Node> nodes;
};

} // namespace sinter::semantics
