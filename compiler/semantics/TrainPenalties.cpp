//===- TrainPenalties.cpp - what holds weights back, and what is computed again ---------------===//
#include "compiler/semantics/Optimizers.h"
#include "compiler/semantics/TrainBlock.h"

#include <algorithm>

namespace sinter::semantics {

using namespace syntax;

/// λ1 Σ|e| + λ2 Σe² of one value, for an example's share of what training minimises.
static void addPenalty(StageWork &work, const Penalty &penalty, ValueId value, Span place) {
  const Type type = work.graph.type(value);
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < type.rank(); ++axis)
    axes.push_back(axis);
  auto add = [&](const char *size, std::optional<ValueId> factor) {
    if (!factor)
      return;
    ValueId sum = work.graph.emit(size, {value}, {}, type, place);
    if (!axes.empty())
      sum = work.graph.emit("sum", {sum}, {{"axes", axes}, {"keep", false}}, Type{}, place);
    work.stage.penalties.push_back(work.graph.emit("mul", {sum, *factor}, {}, Type{}, place));
  };
  add("abs", penalty.l1);
  add("square", penalty.l2);
}

void TrainChecker::settleRegularizers(StageWork &work, const SelectorTable &selectors) {
  Evaluator ofLayers(session), ofLines = evaluatorOf(work);
  auto add = [&](Regularizer regularizer, const std::vector<std::string> &parameters, Span place,
                 std::vector<Regularizer> &all) {
    for (const std::string &each : parameters)
      if (trains(work, each))
        regularizer.parameters.push_back(each);
    regularizer.place = place;
    if (!regularizer.parameters.empty())
      all.push_back(regularizer);
  };
  for (const LayerRegularizer &each : trained.regularizers) {
    ofLayers.scope = each.scope;
    for (const Expr *term : termsOf(*each.expr)) {
      std::optional<Regularizer> regularizer = resolveRegularizer(ofLayers, *term);
      work.good &= regularizer.has_value();
      if (regularizer)
        add(*regularizer, {each.parameter}, each.expr->span, work.stage.regularizers);
    }
  }
  for (const TrainStatement *line : work.lines) {
    const auto *regularize = std::get_if<RegularizeStatement>(line);
    if (!regularize || regularize->value)
      continue;
    std::optional<Selection> selection = selectors.select(regularize->selector);
    if (!selection)
      work.good = false;
    std::vector<std::string> parameters;
    if (selection)
      parameters.assign(selection->parameters.begin(), selection->parameters.end());
    for (const ExprPtr &term : regularize->terms) {
      std::optional<Penalty> penalty = resolvePenalty(ofLines, *term);
      work.good &= penalty.has_value();
      if (!penalty)
        continue;
      if (!penalty->scheduled) {
        add(penalty->numbers, parameters, regularize->span, work.stage.regularizers);
        continue;
      }
      // λ is a value of the graph, and so is what it is multiplied with. The mean over the batch leaves it as it is.
      add(penalty->numbers, parameters, regularize->span, work.scheduled);
      for (const std::string &each : parameters)
        if (trains(work, each))
          addPenalty(work, *penalty,
                     work.graph.emit("read", {}, {{"parameter", each}}, train.parameter(each)->type,
                                     regularize->span),
                     regularize->span);
    }
  }
}

/// `regularize value E with R`.
void TrainChecker::evaluatePenalty(StageWork &work, const RegularizeStatement &written) {
  Evaluator evaluator = evaluatorOf(work);
  std::optional<ValueId> value =
      evaluator.real(evaluator.evaluate(*written.value), written.value->span, "`regularize value`");
  work.good &= value.has_value();
  for (const ExprPtr &term : written.terms) {
    std::optional<Penalty> penalty = resolvePenalty(evaluator, *term);
    if (penalty && penalty->numbers.proximal) {
      engine.report(Diag::ProximalValue, term->span)
          .help("`regularize SELECTOR with l1(…, proximal: true)` is of parameters");
      penalty.reset();
    }
    work.good &= penalty.has_value();
    if (value && penalty)
      addPenalty(work, *penalty, *value, written.span);
  }
}

void TrainChecker::settleConstraints(StageWork &work, const SelectorTable &selectors) {
  Evaluator evaluator(session);
  for (const TrainStatement *line : work.lines) {
    const auto *constrain = std::get_if<ConstrainStatement>(line);
    if (!constrain)
      continue;
    std::optional<Selection> selection = selectors.select(constrain->selector);
    std::optional<Constraint> constraint = resolveConstraint(evaluator, *constrain->constraint);
    work.good &= selection && constraint;
    if (!selection || !constraint)
      continue;
    // A unit has incoming weights where a weight has two axes or more.
    auto concerns = [&](const std::string &name) {
      const Parameter *parameter = train.parameter(name);
      return parameter->trained && (constraint->kind != "max_norm" || parameter->type.rank() >= 2);
    };
    bool any = false;
    for (const std::string &each : selection->parameters) {
      any |= concerns(each);
      if (concerns(each) && trains(work, each))
        constraint->parameters.push_back(each);
    }
    if (!any) {
      engine
          .report(Diag::ConstrainsNothing, constrain->selector.path.span, constraint->kind,
                  session.text(constrain->selector.path.span))
          .help("`constrain **.weights to max_norm(3)`");
      work.good = false;
    }
    constraint->place = constrain->span;
    if (!constraint->parameters.empty())
      work.stage.constraints.push_back(*constraint);
  }
}

/// Selected instances that stand in no selected one; a stack's elements each for themselves, and so
/// the instances of the whole model.
void TrainChecker::settleRecompute(StageWork &work, const SelectorTable &selectors) {
  std::set<std::string> layers;
  for (const TrainStatement *line : work.lines) {
    const auto *recompute = std::get_if<RecomputeStatement>(line);
    if (!recompute)
      continue;
    std::optional<Selection> selection = selectors.select(recompute->selector);
    work.good &= selection.has_value();
    if (!selection)
      continue;
    if (selection->layers.empty()) {
      const Span place = recompute->selector.path.span;
      engine.report(Diag::RecomputesNoLayer, place, session.text(place))
          .help("the selector of a layer: `recompute blocks.*`");
      work.good = false;
    }
    layers.insert(selection->layers.begin(), selection->layers.end());
  }
  if (layers.empty())
    return;
  auto isNumber = [](const std::string &name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  };
  auto isStack = [&](const std::string &path) {
    return std::any_of(trained.store.layerPaths.begin(), trained.store.layerPaths.end(),
                       [&](const std::string &each) {
                         return each.size() > path.size() && each.starts_with(path + ".") &&
                                isNumber(
                                    each.substr(path.size() + 1,
                                                each.find('.', path.size() + 1) - path.size() - 1));
                       });
  };
  for (const std::string &layer : layers) {
    bool covered = false;
    for (size_t dot = layer.find('.'); dot != std::string::npos; dot = layer.find('.', dot + 1)) {
      std::string outer = layer.substr(0, dot);
      covered |= layers.count(outer) != 0 && !isStack(outer);
    }
    if (!covered && !isStack(layer))
      work.stage.recompute.push_back(layer);
  }
  const std::set<std::string> all(trained.store.layerPaths.begin(), trained.store.layerPaths.end());
  if (layers == all)
    work.stage.recompute.push_back(""); // `**`: the model's own functions too
}

void TrainChecker::warnOfDecay(StageWork &work) {
  std::map<std::string, Span> byPenalty;
  // One warning a line: the scale of a norm suffers most.
  auto warnNorms = [&](const std::vector<std::string> &parameters, Span place, const char *what) {
    auto first = [&](std::initializer_list<Role> roles) {
      return std::find_if(parameters.begin(), parameters.end(), [&](const std::string &each) {
        return std::find(roles.begin(), roles.end(), train.parameter(each)->role) != roles.end();
      });
    };
    const std::string help = "the selector `**.weights` leaves norms and biases out";
    if (auto norm = first({Role::NormScale}); norm != parameters.end())
      engine.report(Diag::DecayOfNorm, place, what, *norm).help(help);
    else if (auto bias = first({Role::Bias, Role::NormShift}); bias != parameters.end())
      engine.report(Diag::DecayOfBias, place, what, *bias).help(help);
  };
  for (const auto *regularizers : {&work.stage.regularizers, &work.scheduled})
    for (const Regularizer &each : *regularizers) {
      if (each.l2 == 0)
        continue;
      warnNorms(each.parameters, each.place, "l2");
      for (const std::string &parameter : each.parameters)
        byPenalty.emplace(parameter, each.place);
    }
  for (const Optimizer &each : work.stage.optimizers) {
    if (std::get<double>(each.attributes.at("weight_decay")) == 0)
      continue;
    warnNorms(each.parameters, each.place, "weight decay");
    for (const std::string &parameter : each.parameters)
      if (auto both = byPenalty.find(parameter); both != byPenalty.end()) {
        engine.report(Diag::DecayTwice, each.place, parameter).note(both->second, "l2 here");
        break;
      }
  }
  for (const Regularizer &each : work.stage.regularizers)
    for (const Optimizer &optimizer : work.stage.optimizers)
      if (each.proximal && optimizer.kind != "sgd")
        for (const std::string &parameter : each.parameters)
          if (std::find(optimizer.parameters.begin(), optimizer.parameters.end(), parameter) !=
              optimizer.parameters.end()) {
            engine.report(Diag::ProximalNeedsSgd, each.place, optimizer.kind)
                .note(optimizer.place, "which trains `" + parameter + "`");
            work.good = false;
            break;
          }
}

} // namespace sinter::semantics
