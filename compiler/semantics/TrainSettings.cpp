//===- TrainSettings.cpp - lengths, freezing, optimizers and measures -------------------------===//
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/Optimizers.h"
#include "compiler/semantics/TrainBlock.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

std::optional<int64_t> TrainChecker::positive(const Expr &expr, const std::string &what) {
  Evaluator evaluator(session);
  std::optional<int64_t> value = evaluator.integer(expr, what);
  if (value && *value < 1) {
    engine.report(Diag::BelowLeast, expr.span, what, 1, *value);
    return std::nullopt;
  }
  return value;
}

bool TrainChecker::trains(const StageWork &work, const std::string &parameter) const {
  const Parameter *found = train.parameter(parameter);
  return found && found->trained && !work.stage.frozen.count(found->name);
}

void TrainChecker::settleLengths(StageWork &work) {
  Single &single = work.single;
  Stage &stage = work.stage;
  if (single.batch) {
    std::optional<int64_t> size = positive(*single.batch->size, "`batch`");
    work.good &= size.has_value();
    stage.batch = size.value_or(1);
    stage.dropLast = single.batch->dropLast;
    stage.sequential = single.batch->sequential;
  }
  if (single.accumulate) {
    std::optional<int64_t> count = positive(*single.accumulate->count, "`accumulate`");
    work.good &= count.has_value();
    stage.accumulate = count.value_or(1);
  }
  if (single.length) {
    stage.length.epochs = single.length->unit == TimeUnit::Epochs;
    std::optional<int64_t> count =
        positive(*single.length->count, stage.length.epochs ? "`epochs`" : "`steps`");
    work.good &= count.has_value();
    stage.length.value = static_cast<double>(count.value_or(1));
  } else {
    missing(work, "epochs` or `steps", "`epochs 5`",
            [](const StageWork &each) { return each.single.length != nullptr; });
  }
  stage.bf16 = single.precision && single.precision->scalar == ScalarKind::BF16;
  if (single.clip) {
    Evaluator evaluator(session);
    std::optional<double> limit = evaluator.number(*single.clip->limit, "`clip`");
    if (limit && !(*limit > 0)) {
      engine.report(Diag::NotAboveZero, single.clip->limit->span, "`clip`", *limit);
      limit.reset();
    }
    work.good &= limit.has_value();
    stage.clip = {single.clip->byNorm ? Clip::Kind::Norm : Clip::Kind::Value, limit.value_or(1)};
  }
}

void TrainChecker::settleFrozen(StageWork &work, const SelectorTable &selectors) {
  checkShared(work, selectors);
  const FreezeStatement *last = nullptr;
  for (const TrainStatement *line : work.lines) {
    const auto *freeze = std::get_if<FreezeStatement>(line);
    if (!freeze)
      continue;
    std::optional<Selection> selection = selectors.select(freeze->selector);
    if (!selection) {
      work.good = false;
      continue;
    }
    for (const std::string &each : selection->parameters)
      freeze->unfreeze ? (void)work.stage.frozen.erase(each) : (void)work.stage.frozen.insert(each);
    for (const std::string &each : selection->layers)
      freeze->unfreeze ? (void)work.stage.frozenLayers.erase(each)
                       : (void)work.stage.frozenLayers.insert(each);
    if (!freeze->unfreeze)
      last = freeze;
  }
  work.stage.frozen.insert(work.shared.begin(), work.shared.end());
  // A layer all of whose own parameters and buffers are frozen by name is frozen itself.
  for (const std::string &layer : trained.store.layerPaths) {
    bool owns = false, all = true;
    for (const Parameter &each : train.parameters) {
      size_t dot = each.name.rfind('.');
      if (dot == std::string::npos || each.name.substr(0, dot) != layer)
        continue;
      owns = true;
      all &= work.stage.frozen.count(each.name) != 0;
    }
    if (owns && all)
      work.stage.frozenLayers.insert(layer);
  }
  bool any = false, exists = false;
  for (const Parameter &each : train.parameters) {
    exists |= each.trained;
    any |= trains(work, each.name);
  }
  if (exists && !any) {
    engine.report(Diag::EverythingFrozen, last ? last->span : declaration.model.name.span,
                  model->name.text);
    work.good = false;
  } else if (!exists) {
    engine.report(Diag::NothingToTrain, declaration.model.name.span, model->name.text);
    work.good = false;
  }
}

void TrainChecker::settleOptimizers(StageWork &work, const SelectorTable &selectors) {
  Evaluator evaluator(session);
  std::vector<Optimizer> written;
  std::map<std::string, size_t> chosen; // by parameter: the last line that selects it
  std::map<std::string, double> factors;
  bool understood = true;
  for (const TrainStatement *line : work.lines) {
    if (const auto *optimize = std::get_if<OptimizeStatement>(line)) {
      std::optional<Optimizer> optimizer = resolveOptimizer(evaluator, *optimize->optimizer);
      std::optional<Selection> selection;
      if (optimize->selector.present())
        selection = selectors.select(optimize->selector);
      understood &= optimizer && (selection || !optimize->selector.present());
      if (!optimizer)
        continue;
      written.push_back(*optimizer);
      written.back().place = optimize->span;
      for (const Parameter &each : train.parameters)
        if (!optimize->selector.present() || (selection && selection->parameters.count(each.name)))
          chosen[each.name] = written.size() - 1;
    } else if (const auto *rate = std::get_if<RateStatement>(line)) {
      std::optional<Selection> selection = selectors.select(rate->selector);
      std::optional<double> factor = evaluator.number(*rate->value, "`rate`");
      if (factor && *factor < 0) {
        engine.report(Diag::BelowLeast, rate->value->span, "`rate`", 0, *factor);
        factor.reset();
      }
      understood &= selection && factor;
      if (selection && factor)
        for (const std::string &each : selection->parameters)
          factors[each] = *factor;
    }
  }
  work.good &= understood;
  std::vector<std::string> without;
  std::map<std::pair<size_t, double>, size_t> groups;
  for (const Parameter &each : train.parameters) {
    if (!trains(work, each.name))
      continue;
    auto found = chosen.find(each.name);
    if (found == chosen.end()) {
      without.push_back(each.name);
      continue;
    }
    double factor = factors.count(each.name) ? factors.at(each.name) : 1;
    auto [group, fresh] =
        groups.emplace(std::pair(found->second, factor), work.stage.optimizers.size());
    if (fresh) {
      work.stage.optimizers.push_back(written[found->second]);
      work.stage.optimizers.back().rateFactor = factor;
    }
    work.stage.optimizers[group->second].parameters.push_back(each.name);
  }
  for (const Parameter &each : train.parameters)
    if (auto found = chosen.find(each.name);
        each.trained && work.stage.frozen.count(each.name) && found != chosen.end())
      for (const auto &[group, index] : groups)
        if (group.first == found->second) {
          work.stage.optimizers[index].spared.push_back(each.name);
          break;
        }
  if (!without.empty() && understood && !declaration.broken) {
    bool none = written.empty();
    if (none) {
      missing(work, "optimize", "`optimize adam(lr: 1e-3)`", [](const StageWork &each) {
        return std::any_of(each.lines.begin(), each.lines.end(), [](const TrainStatement *line) {
          return std::holds_alternative<OptimizeStatement>(*line);
        });
      });
    } else {
      constexpr size_t most = 3;
      std::string some;
      for (size_t i = 0; i < without.size() && i < most; ++i)
        some += (i ? ", `" : "`") + without[i] + "`";
      if (without.size() > most)
        some += fmt::format(" and {} more", without.size() - most);
      engine.report(Diag::NoOptimizer, declaration.model.name.span, some)
          .note(train.parameter(without.front())->place, "declared here")
          .help("an `optimize` line without a selector above the others, or `freeze` them");
    }
    work.good = false;
  }
}

std::optional<semantics::Measure> TrainChecker::measure(StageWork &work,
                                                        const syntax::Measure &written) {
  semantics::Measure result;
  result.set = spelling(written.part);
  result.name = written.metric.text;
  result.place = written.span;
  if (!data->data.has(result.set)) {
    engine.report(Diag::NoSuchSet, written.span, data->data.name, result.set)
        .note(data->data.place, "declared here");
    return std::nullopt;
  }
  if (result.name == "loss")
    return result;
  std::vector<std::string> known{"loss"};
  for (const Report &each : work.stage.reports) {
    known.push_back(each.name);
    if (each.name == result.name) {
      result.upwards = each.upwards;
      return result;
    }
  }
  auto report = engine.report(Diag::UnknownMeasure, written.metric.span, result.name);
  std::string help = didYouMean(result.name, known);
  report.help(help.empty() ? fmt::format("there is {}", alternatives(known)) : help);
  return std::nullopt;
}

void TrainChecker::settleMeasures(StageWork &work) {
  if (work.single.keepBest) {
    work.stage.keepBest = measure(work, work.single.keepBest->measure);
    work.good &= work.stage.keepBest.has_value();
  }
  if (!work.single.stop)
    return;
  const StopStatement &stop = *work.single.stop;
  std::optional<semantics::Measure> watched = measure(work, stop.measure);
  std::optional<int64_t> patience = positive(*stop.patience, "`for`");
  if (!watched || !patience) {
    work.good = false;
    return;
  }
  if (watched->set == "test")
    engine.report(Diag::StopOnTest, stop.measure.span)
        .help("cut a `valid` set off with `split 0.9, 0.1, 0`, and watch that");
  work.stage.stop = StopRule{*watched, *patience};
  if (!work.stage.keepBest)
    work.stage.keepBest = watched;
}

/// What lines say apart from their selectors, where those cannot be told right from wrong.
void TrainChecker::checkLines(StageWork &work) {
  Evaluator evaluator(session), ofLines = evaluatorOf(work);
  for (const TrainStatement *line : work.lines) {
    if (const auto *optimize = std::get_if<OptimizeStatement>(line))
      resolveOptimizer(evaluator, *optimize->optimizer);
    else if (const auto *regularize = std::get_if<RegularizeStatement>(line))
      for (const ExprPtr &term : regularize->terms)
        resolvePenalty(ofLines, *term);
    else if (const auto *constrain = std::get_if<ConstrainStatement>(line))
      resolveConstraint(evaluator, *constrain->constraint);
    else if (const auto *rate = std::get_if<RateStatement>(line))
      evaluator.number(*rate->value, "`rate`");
  }
}

} // namespace sinter::semantics
