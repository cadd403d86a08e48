//===- Loads.h - `load` and the order of train blocks ------------------------------------------===//
#pragma once

#include "compiler/semantics/Instance.h"
#include "compiler/semantics/Selectors.h"
#include "compiler/semantics/Session.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinter::semantics {

/// Checked train blocks by name.
using TrainsByName = std::map<std::string, Train>;

/// What a `load` goes into: the parameters of one instance of a model.
struct LoadTarget {
  const SelectorTable &selectors;
  const std::vector<Parameter> &parameters; ///< by their names beneath the instance
  const Instance &root;
  std::string model;  ///< as messages call it
  std::string prefix; ///< stands before the parameters' names in Train::parameters
};

/// `load S from … (…)`. Without a selector (a teacher's line) everything is loaded. Looks into a file that is there, and into
/// the block that it names; null after an error. `earlier`: the blocks that run before this one.
std::optional<Load> checkLoad(Session &session, const LoadTarget &target,
                              const syntax::Selector *selector, const syntax::WeightSource &source,
                              const syntax::Arguments &options, Span place,
                              const TrainsByName &earlier);

/// The session's train blocks in the order in which they run: that of the file, moved only as far as `from train` asks.
/// Reports blocks that are not there, and circles.
std::vector<const syntax::TrainDeclaration *> orderTrains(Session &session);

} // namespace sinter::semantics
