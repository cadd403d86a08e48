//===- TrainChecker.cpp - a train block: what stands once, stages, and the whole --------------===//
#include "compiler/semantics/TrainChecker.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/TrainBlock.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

bool TrainChecker::findModelAndData() {
  bool good = true;
  const Name &wanted = declaration.model.name;
  if (auto found = session.models.find(wanted.text); found != session.models.end()) {
    model = found->second;
  } else {
    good = false;
    std::vector<std::string> known;
    for (const auto &[name, each] : session.models)
      known.push_back(name);
    if (!session.mayBeLost(wanted.text)) {
      auto report = engine.report(Diag::UnknownModel, wanted.span, wanted.text);
      std::string help = didYouMean(wanted.text, known);
      if (help.empty() && !known.empty())
        help = "there is " + alternatives(known);
      if (!help.empty())
        report.help(help);
    }
  }
  if (auto found = datas.find(declaration.data.text); found != datas.end()) {
    data = &found->second;
  } else {
    good = false;
    std::vector<std::string> known;
    for (const auto &[name, each] : datas)
      known.push_back(name);
    if (declaration.data && !session.mayBeLost(declaration.data.text)) {
      auto report = engine.report(Diag::UnknownData, declaration.data.span, declaration.data.text);
      std::string help = didYouMean(declaration.data.text, known);
      if (help.empty() && !known.empty())
        help = "there is " + alternatives(known);
      if (!help.empty())
        report.help(help);
    }
  }
  return good;
}

/// Sorts out what stands once, and says what this version does not know.
void TrainChecker::collect(const std::vector<TrainStatement> &statements, Single &single,
                           bool inStage) {
  auto once = [&](auto &slot, const auto &statement, const char *word) {
    if (slot)
      engine.report(Diag::StatementTwice, statement.span, word).note(slot->span, "the first one");
    else
      slot = &statement;
  };
  for (const TrainStatement &each : statements) {
    if (const auto *seed = std::get_if<SeedStatement>(&each)) {
      if (inStage)
        engine.report(Diag::SeedInStage, seed->span);
      else
        once(single.seed, *seed, "seed");
    } else if (const auto *objective = std::get_if<ObjectiveStatement>(&each)) {
      once(single.objective, *objective, "objective");
    } else if (const auto *batch = std::get_if<BatchStatement>(&each)) {
      once(single.batch, *batch, "batch");
    } else if (const auto *accumulate = std::get_if<AccumulateStatement>(&each)) {
      once(single.accumulate, *accumulate, "accumulate");
    } else if (const auto *length = std::get_if<LengthStatement>(&each)) {
      once(single.length, *length, "epochs` or `steps");
    } else if (const auto *precision = std::get_if<PrecisionStatement>(&each)) {
      once(single.precision, *precision, "precision");
    } else if (const auto *clip = std::get_if<ClipStatement>(&each)) {
      once(single.clip, *clip, "clip");
    } else if (const auto *stop = std::get_if<StopStatement>(&each)) {
      once(single.stop, *stop, "stop when");
    } else if (const auto *keep = std::get_if<KeepBestStatement>(&each)) {
      once(single.keepBest, *keep, "keep best");
    }
  }
}

void TrainChecker::makeStages() {
  collect(declaration.statements, block, false);
  auto add = [&](const Name &name, const std::vector<TrainStatement> *own, Span place) {
    auto work = std::make_unique<StageWork>();
    work->stage.name = name.text;
    work->nameSpan = name.span;
    work->stage.place = place;
    work->single = block;
    for (const TrainStatement &each : declaration.statements)
      work->lines.push_back(&each);
    work->blockLines = work->lines.size();
    if (own) {
      Single single;
      collect(*own, single, true);
      work->single.override(single);
      for (const TrainStatement &each : *own)
        work->lines.push_back(&each);
    }
    works.push_back(std::move(work));
  };
  std::map<std::string, Span> seen;
  for (const syntax::Stage &stage : declaration.stages) {
    if (auto [first, fresh] = seen.emplace(stage.name.text, stage.name.span); !fresh)
      engine.report(Diag::DuplicateName, stage.name.span, stage.name.text)
          .note(first->second, "the first one");
    add(stage.name, &stage.statements, stage.span);
  }
  if (declaration.stages.empty())
    add({}, nullptr, declaration.span);
}

/// One error for the block where no stage has the statement, else one for each that lacks it.
void TrainChecker::missing(StageWork &work, const char *statement, const std::string &help,
                           bool (*has)(const StageWork &)) {
  work.good = false;
  bool lost = declaration.broken;
  for (const syntax::Stage &stage : declaration.stages)
    lost |= stage.broken;
  if (lost)
    return;
  bool someHave =
      std::any_of(works.begin(), works.end(), [&](const auto &each) { return has(*each); });
  if (someHave)
    engine.report(Diag::MissingStatement, work.nameSpan, "stage", statement).help(help);
  else if (&work == works.front().get())
    engine.report(Diag::MissingStatement, declaration.model.name.span, "block", statement)
        .help(help);
}

void TrainChecker::settleStage(StageWork &work, const SelectorTable &selectors) {
  settleFrozen(work, selectors);
  settleRegularizers(work, selectors);
  settleConstraints(work, selectors);
  settleRecompute(work, selectors);
  settleOptimizers(work, selectors);
  warnOfDecay(work);
}

std::optional<Train> TrainChecker::run() {
  size_t before = engine.errorCount();
  if (!findModelAndData())
    return std::nullopt;
  train.name = declaration.blockName().text;
  train.model = model->name.text;
  train.data = data->data.name;
  train.place = declaration.span;
  trained.model = model;
  trained.parameters = &declaration.model.parameters;
  trained.name = trained.root.kind = train.model;
  makeStages();
  declareTeachers();
  if (block.seed) {
    Evaluator evaluator(session);
    std::optional<int64_t> seed = evaluator.integer(*block.seed->value, "`seed`");
    if (seed && *seed < 0)
      engine.report(Diag::BelowLeast, block.seed->value->span, "`seed`", 0, *seed);
    train.seed = static_cast<uint64_t>(seed.value_or(0));
  }
  for (auto &work : works) {
    settleLengths(*work); // `pairwise` needs the batch
    evaluateStage(*work);
  }
  // The names that selectors mean are known only where the model is.
  if (trained.complete()) {
    std::vector<std::string> others;
    for (const auto &teacher : teachers)
      others.push_back(teacher->statement->name.text);
    SelectorTable selectors(session, trained.store, train.model, "", others);
    settleShares(selectors);
    finishParameters();
    for (auto &work : works)
      settleStage(*work, selectors);
    settleLoads(selectors);
    finishTeachers();
  }
  if (!trained.complete())
    for (auto &work : works)
      checkLines(*work);
  for (auto &work : works)
    settleMeasures(*work);
  bool good = engine.errorCount() == before && trained.complete();
  for (auto &work : works) {
    good &= work->good;
    work->stage.graph = std::move(work->graph.graph);
    train.stages.push_back(std::move(work->stage));
  }
  return good ? std::optional(std::move(train)) : std::nullopt;
}

std::optional<Train> checkTrain(Session &session, const TrainDeclaration &declaration,
                                const std::map<std::string, CheckedData> &datas,
                                const TrainsByName &earlier) {
  return TrainChecker(session, declaration, datas, earlier).run();
}

} // namespace sinter::semantics