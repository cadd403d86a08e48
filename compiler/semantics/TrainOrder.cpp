//===- TrainOrder.cpp - which train block runs when ---------------------------------------------===//
#include "compiler/semantics/Loads.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>

namespace sinter::semantics {

using namespace syntax;

namespace {

/// Every `from train NAME` of a block, in the order of the text.
std::vector<const Name *> blocksNamedIn(const TrainDeclaration &block) {
  std::vector<const Name *> names;
  const auto add = [&](const std::vector<TrainStatement> &statements) {
    for (const TrainStatement &each : statements) {
      const WeightSource *source = nullptr;
      if (const auto *load = std::get_if<LoadStatement>(&each))
        source = &load->source;
      else if (const auto *teacher = std::get_if<TeacherStatement>(&each))
        source = &teacher->source;
      if (source && source->trainBlock)
        names.push_back(&source->trainBlock);
    }
  };
  add(block.statements);
  for (const syntax::Stage &stage : block.stages)
    add(stage.statements);
  return names;
}

class TrainOrder {
public:
  explicit TrainOrder(Session &session) : session(session) {}

  std::vector<const TrainDeclaration *> run() {
    for (const TrainDeclaration *block : session.trains)
      byName.emplace(block->blockName().text, block);
    for (const TrainDeclaration *block : session.trains)
      visit(*block);
    return std::move(order);
  }

private:
  void visit(const TrainDeclaration &block) {
    if (std::find(order.begin(), order.end(), &block) != order.end())
      return;
    open.push_back(&block);
    for (const Name *name : blocksNamedIn(block)) {
      const auto found = byName.find(name->text);
      if (found == byName.end())
        unknown(*name);
      else if (std::find(open.begin(), open.end(), found->second) != open.end())
        circle(*name, *found->second);
      else
        visit(*found->second);
    }
    open.pop_back();
    order.push_back(&block);
  }

  void unknown(const Name &name) {
    if (session.mayBeLost(name.text))
      return;
    std::vector<std::string> known;
    for (const auto &[each, block] : byName)
      known.push_back(each);
    auto report = session.engine.report(Diag::UnknownTrainBlock, name.span, name.text);
    std::string help = didYouMean(name.text, known);
    report.help(help.empty() ? "there is " + alternatives(known) : help);
  }

  void circle(const Name &name, const TrainDeclaration &first) {
    auto report = session.engine.report(Diag::TrainCircle, name.span, first.blockName().text);
    const auto begin = std::find(open.begin(), open.end(), &first);
    for (auto each = begin; each != open.end() && open.end() - begin > 1; ++each)
      report.note((*each)->blockName().span, "one of the blocks that wait for each other");
    report.help("`load ** from \"FILE.safetensors\"` begins from weights of an earlier run");
  }

  Session &session;
  std::map<std::string, const TrainDeclaration *> byName;
  std::vector<const TrainDeclaration *> open, order;
};

} // namespace

std::vector<const TrainDeclaration *> orderTrains(Session &session) {
  return TrainOrder(session).run();
}

} // namespace sinter::semantics
