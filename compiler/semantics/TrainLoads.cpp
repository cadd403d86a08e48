//===- TrainLoads.cpp - the `load` lines of a train block and its stages ------------------------===//
#include "compiler/semantics/TrainBlock.h"

namespace sinter::semantics {

using namespace syntax;

std::vector<Load> TrainChecker::settleLoads(const std::vector<TrainStatement> &statements,
                                            const SelectorTable &selectors, bool &good) {
  std::vector<Load> loads;
  for (const TrainStatement &each : statements) {
    const auto *line = std::get_if<LoadStatement>(&each);
    if (!line)
      continue;
    const LoadTarget target{selectors, train.parameters, trained.root, train.model, ""};
    std::optional<Load> load;
    if (line->selector.present())
      load = checkLoad(session, target, &line->selector, line->source, line->options, line->span,
                       earlier);
    good &= load.has_value();
    if (load)
      loads.push_back(std::move(*load));
  }
  return loads;
}

/// Those outside the stages act once, before the first; a stage's own at its start.
void TrainChecker::settleLoads(const SelectorTable &selectors) {
  bool good = true;
  train.loads = settleLoads(declaration.statements, selectors, good);
  for (size_t i = 0; i < declaration.stages.size(); ++i)
    works[i]->stage.loads = settleLoads(declaration.stages[i].statements, selectors, good);
  works.front()->good &= good;
}

} // namespace sinter::semantics
