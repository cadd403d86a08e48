//===- TrainChecker.cpp - objective, stages, and who is trained by what ------------------------------------===//
#include "compiler/semantics/TrainChecker.h"
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/Optimizers.h"
#include "compiler/semantics/Selectors.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

/// What may stand once in a block and once in a stage, whose own then counts.
struct Single {
  const ObjectiveStatement *objective = nullptr;
  const SeedStatement *seed = nullptr;
  const BatchStatement *batch = nullptr;
  const AccumulateStatement *accumulate = nullptr;
  const LengthStatement *length = nullptr;
  const PrecisionStatement *precision = nullptr;
  const ClipStatement *clip = nullptr;
  const StopStatement *stop = nullptr;
  const KeepBestStatement *keepBest = nullptr;

  void override(const Single &own) {
    auto take = [](auto &mine, const auto &other) { mine = other ? other : mine; };
    take(objective, own.objective);
    take(batch, own.batch);
    take(accumulate, own.accumulate);
    take(length, own.length);
    take(precision, own.precision);
    take(clip, own.clip);
    take(stop, own.stop);
    take(keepBest, own.keepBest);
  }
};

/// One stage on its way: the lines that hold for it, then what they come to.
struct StageWork {
  Stage stage;
  Single single;
  Span nameSpan;                             ///< of the stage's name
  std::vector<const TrainStatement *> lines; ///< those outside the stages first
  GraphBuilder graph;
  std::map<std::string, ValueId> fields;
  std::map<std::vector<ValueId>, Value> calls;
  std::shared_ptr<Scope> scope;
  bool good = true;
};

class TrainChecker {
public:
  TrainChecker(Session &session, const TrainDeclaration &declaration,
               const std::map<std::string, CheckedData> &datas)
      : session(session), engine(session.engine), declaration(declaration), datas(datas) {}

  std::optional<Train> run();

private:
  bool findModelAndData();
  void collect(const std::vector<TrainStatement> &statements, Single &single, bool inStage);
  void makeStages();
  void evaluateStage(StageWork &work);
  void evaluateReport(StageWork &work, const ReportStatement &report);
  Evaluator evaluatorOf(StageWork &work);
  std::optional<ValueId> scalar(StageWork &work, const Expr &expr, const Value &value,
                                const char *what);
  std::optional<Value> field(StageWork &work, const std::string &name, Span place);
  Value callModel(StageWork &work, const Evaluator::Inputs *inputs, Span place);
  void missing(StageWork &work, const char *statement, const std::string &help,
               bool (*has)(const StageWork &));
  Value runNet(StageWork &work, const std::vector<ValueId> &operands, Span place,
               const std::vector<Span> &spans);
  void finishParameters();
  void checkLines(StageWork &work);
  void settleStage(StageWork &work, const SelectorTable &selectors);
  void settleLengths(StageWork &work);
  void settleFrozen(StageWork &work, const SelectorTable &selectors);
  void settleRegularizers(StageWork &work, const SelectorTable &selectors);
  void settleOptimizers(StageWork &work, const SelectorTable &selectors);
  void settleMeasures(StageWork &work);
  void warnOfDecay(StageWork &work);
  std::optional<Measure> measure(StageWork &work, const syntax::Measure &written);
  bool trains(const StageWork &work, const std::string &parameter) const;
  std::optional<int64_t> positive(const Expr &expr, const std::string &what);

  Session &session;
  Engine &engine;
  const TrainDeclaration &declaration;
  const std::map<std::string, CheckedData> &datas;
  const ModelDeclaration *model = nullptr;
  const CheckedData *data = nullptr;

  Train train;
  Instance root;
  ParameterStore store;
  std::vector<LayerRegularizer> layerRegularizers;
  std::map<std::string, Value>
      netShapes; ///< by input types: the results, as values of the net's graph
  std::map<std::string, std::string> netNames;
  bool modelRan = false;
  bool modelBroken = false; ///< so parameters may be missing
  Single block;
  std::vector<std::unique_ptr<StageWork>> works;
  TrainNames names;
};

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
      if (std::string help = didYouMean(wanted.text, known); !help.empty())
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
      if (std::string help = didYouMean(declaration.data.text, known); !help.empty())
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
  auto notYet = [&](const auto &statement, const char *what) {
    engine.report(Diag::NotSupported, statement.span, what);
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
      if (precision->scalar != ScalarKind::F32)
        notYet(*precision, "`precision bf16`");
    } else if (const auto *clip = std::get_if<ClipStatement>(&each)) {
      once(single.clip, *clip, "clip");
    } else if (const auto *stop = std::get_if<StopStatement>(&each)) {
      once(single.stop, *stop, "stop when");
    } else if (const auto *keep = std::get_if<KeepBestStatement>(&each)) {
      once(single.keepBest, *keep, "keep best");
    } else if (const auto *teacher = std::get_if<TeacherStatement>(&each)) {
      notYet(*teacher, "`teacher`");
    } else if (const auto *share = std::get_if<ShareStatement>(&each)) {
      notYet(*share, "`share`");
    } else if (const auto *load = std::get_if<LoadStatement>(&each)) {
      notYet(*load, "`load`");
    } else if (const auto *constrain = std::get_if<ConstrainStatement>(&each)) {
      notYet(*constrain, "`constrain`");
    } else if (const auto *recompute = std::get_if<RecomputeStatement>(&each)) {
      notYet(*recompute, "`recompute`");
    } else if (const auto *regularize = std::get_if<RegularizeStatement>(&each);
               regularize && regularize->value) {
      notYet(*regularize, "`regularize value`");
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
    if (auto [earlier, fresh] = seen.emplace(stage.name.text, stage.name.span); !fresh)
      engine.report(Diag::DuplicateName, stage.name.span, stage.name.text)
          .note(earlier->second, "the first one");
    add(stage.name, &stage.statements, stage.span);
  }
  if (declaration.stages.empty())
    add({}, nullptr, declaration.span);
}

std::optional<Value> TrainChecker::field(StageWork &work, const std::string &name, Span place) {
  if (data->poisoned.count(name))
    return Value(Poison{});
  for (const Field &each : data->data.fields) {
    if (each.name != name)
      continue;
    auto found = work.fields.find(name);
    if (found == work.fields.end())
      found = work.fields
                  .emplace(name, work.graph.emit("input", {}, {{"name", name}}, each.type, place))
                  .first;
    return Value(Tensor{found->second});
  }
  return std::nullopt;
}

Evaluator TrainChecker::evaluatorOf(StageWork &work) {
  names.model = model->name.text;
  names.fields.clear();
  for (const Field &each : data->data.fields)
    names.fields.push_back(each.name);
  names.field = [this, &work](const std::string &name, Span place) {
    return field(work, name, place);
  };
  names.call = [this, &work](const Evaluator::Inputs *inputs, Span place) {
    return callModel(work, inputs, place);
  };
  Evaluator evaluator(session);
  evaluator.scope = work.scope;
  evaluator.graph = &work.graph;
  evaluator.train = &names;
  return evaluator;
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

/// The results of a net as values of the graph that calls it.
static Value mapResults(const Value &shape, const std::vector<ValueId> &ids, size_t &next) {
  const Record *record = shape.get<Record>();
  if (!record)
    return Tensor{ids[next++]};
  Record result;
  for (const auto &[name, each] : *record)
    result.emplace_back(name, mapResults(each, ids, next));
  return result;
}

static bool listResults(const Value &value, const std::string &name,
                        std::vector<std::pair<std::string, ValueId>> &results) {
  if (const Tensor *tensor = value.get<Tensor>()) {
    results.emplace_back(name, tensor->id);
    return true;
  }
  const Record *record = value.get<Record>();
  if (!record)
    return false;
  for (const auto &[each, inner] : *record)
    if (!listResults(inner, name.empty() ? each : name + "." + each, results))
      return false;
  return true;
}

Value TrainChecker::runNet(StageWork &work, const std::vector<ValueId> &operands, Span place,
                           const std::vector<Span> &spans) {
  std::string key;
  for (ValueId operand : operands)
    key += work.graph.type(operand).str() + ";";
  if (auto known = netShapes.find(key); known != netShapes.end())
    return known->second;
  GraphBuilder graph;
  Evaluator caller(session);
  caller.graph = &graph;
  Evaluator::Inputs inputs;
  Net net;
  size_t count = std::min(operands.size(), model->inputs.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    std::string name = i < count ? model->inputs[i].name.text : "";
    Span where = i < count ? model->inputs[i].name.span : place;
    const Type &type = work.graph.type(operands[i]);
    inputs.emplace_back(Tensor{graph.emit("input", {}, {{"name", name}}, type, where)}, spans[i]);
    net.inputs.push_back({name, type, where});
  }
  size_t before = engine.errorCount();
  Value result = caller.runModel(*model, declaration.model.parameters, std::move(inputs), nullptr,
                                 place, root, store, &layerRegularizers);
  modelRan = true;
  modelBroken |= model->broken || result.poisoned() || engine.errorCount() != before;
  if (!result.poisoned() && !listResults(result, "", net.results))
    result = Poison{};
  if (!result.poisoned()) {
    net.name = model->name.text;
    if (!train.nets.empty())
      net.name += std::to_string(train.nets.size() + 1);
    net.graph = std::move(graph.graph);
    net.place = model->span;
    netNames[key] = net.name;
    train.nets.push_back(std::move(net));
  }
  netShapes[key] = result;
  return result;
}

Value TrainChecker::callModel(StageWork &work, const Evaluator::Inputs *inputs, Span place) {
  std::vector<ValueId> operands;
  std::vector<Span> spans;
  if (inputs) {
    Evaluator evaluator = evaluatorOf(work);
    for (const auto &[value, span] : *inputs) {
      std::optional<ValueId> id = evaluator.tensor(value, span, "`" + model->name.text + "`");
      if (!id)
        return Poison{};
      operands.push_back(*id);
      spans.push_back(span);
    }
  } else {
    for (const ModelInput &input : model->inputs) {
      std::optional<Value> value = field(work, input.name.text, place);
      if (!value && session.mayBeLost(input.name.text))
        return Poison{};
      if (!value) {
        std::vector<std::string> known;
        for (const Field &each : data->data.fields)
          known.push_back(each.name);
        auto report = engine.report(Diag::NoFieldForInput, place, model->name.text, input.name.text,
                                    data->data.name);
        report.note(input.name.span, "declared here");
        if (!known.empty())
          report.help(fmt::format("`{}({})`", model->name.text, known.front()));
        return Poison{};
      }
      if (value->poisoned())
        return Poison{};
      operands.push_back(value->get<Tensor>()->id);
      spans.push_back(place);
    }
  }
  // One value on one batch is computed once.
  if (auto known = work.calls.find(operands); known != work.calls.end())
    return known->second;
  Value shape = runNet(work, operands, place, spans);
  Value result = Poison{};
  if (!shape.poisoned()) {
    std::string key;
    for (ValueId operand : operands)
      key += work.graph.type(operand).str() + ";";
    const Net *net = train.net(netNames.at(key));
    std::vector<Type> types;
    for (const auto &[name, value] : net->results)
      types.push_back(net->graph.type(value));
    size_t next = 0;
    result = mapResults(shape, work.graph.emitCall(net->name, operands, types, place), next);
  }
  work.calls[operands] = result;
  return result;
}

std::optional<ValueId> TrainChecker::scalar(StageWork &work, const Expr &expr, const Value &value,
                                            const char *what) {
  std::optional<ValueId> id = evaluatorOf(work).real(value, expr.span, what);
  if (!id)
    return std::nullopt;
  const Type &type = work.graph.type(*id);
  if (type.rank() == 0)
    return id;
  engine.report(Diag::NotOneNumber, expr.span, what, type.str())
      .help(fmt::format("`mean({})`", session.text(expr.span)));
  return std::nullopt;
}

void TrainChecker::evaluateReport(StageWork &work, const ReportStatement &written) {
  // `report f(…)` and `report x |> f(…)` take f's name.
  const Expr *last = written.value.get();
  if (const auto *pipe = dynCast<PipeExpr>(last); pipe && !pipe->stages.empty())
    last = pipe->stages.back().function.get();
  const auto *call = dynCast<CallExpr>(last);
  const auto *bare = dynCast<PathExpr>(last);
  std::string function;
  Evaluator evaluator = evaluatorOf(work);
  if (call) {
    function = call->callee.front().text;
    evaluator.measure = call->calleeSpan;
  } else if (bare && last != written.value.get()) {
    function = bare->names.front().text;
    evaluator.measure = bare->span;
  }
  const FunctionEntry *entry = findFunction(function);
  Value value = evaluator.evaluate(*written.value);
  std::optional<ValueId> id = scalar(work, *written.value, value, "`report`");
  if (!id)
    work.good = false;
  Report report;
  report.place = written.span;
  report.value = id.value_or(0);
  report.finish = entry ? entry->finish : "";
  report.upwards = entry && entry->upwards;
  report.name = written.name ? written.name.text : entry ? function : "value";
  auto taken = [&](const std::string &name) {
    return name == "loss" || std::any_of(work.stage.reports.begin(), work.stage.reports.end(),
                                         [&](const Report &each) { return each.name == name; });
  };
  if (written.name && taken(report.name)) {
    engine.report(Diag::ReportName, written.name.span, report.name);
    work.good = false;
  }
  std::string base = report.name;
  for (int number = 2; !written.name && taken(report.name); ++number)
    report.name = base + std::to_string(number);
  if (written.every) {
    positive(*written.every, "`every`");
    engine.report(Diag::NotSupported, written.every->span, "a report `every` so many steps");
    work.good = false;
  }
  work.stage.reports.push_back(report);
}

void TrainChecker::evaluateStage(StageWork &work) {
  work.scope = std::make_shared<Scope>();
  Evaluator evaluator = evaluatorOf(work);
  for (const TrainStatement *line : work.lines) {
    const auto *let = std::get_if<LetStatement>(line);
    if (!let)
      continue;
    Binding binding;
    binding.place = let->name.span;
    binding.value = evaluator.evaluate(*let->value);
    Binding *earlier = work.scope->find(let->name.text);
    bool isField =
        std::find(names.fields.begin(), names.fields.end(), let->name.text) != names.fields.end();
    if (earlier || isField) {
      auto report = engine.report(Diag::DuplicateName, let->name.span, let->name.text);
      if (earlier)
        report.note(earlier->place, "the first one");
    }
    work.scope->bind(let->name.text, std::move(binding));
  }
  if (!work.single.objective) {
    missing(work, "objective", fmt::format("`objective cross_entropy({}(…), …)`", model->name.text),
            [](const StageWork &each) { return each.single.objective != nullptr; });
  } else {
    const Expr &expr = *work.single.objective->value;
    Value value = evaluator.evaluate(expr);
    std::optional<ValueId> id = scalar(work, expr, value, "`objective`");
    work.good &= id.has_value();
    work.stage.objective = id.value_or(0);
    for (const Operation &op : work.graph.graph.operations)
      if (id && op.kind == "accuracy") {
        engine.report(Diag::NoDerivative, op.place, "accuracy")
            .help("`objective cross_entropy(…)` trains, `report accuracy(…)` measures");
        work.good = false;
      }
    if (id && !modelRan) {
      engine.report(Diag::ObjectiveWithoutModel, expr.span, model->name.text);
      work.good = false;
    }
  }
  for (const TrainStatement *line : work.lines)
    if (const auto *report = std::get_if<ReportStatement>(line))
      evaluateReport(work, *report);
}

void TrainChecker::finishParameters() {
  std::vector<const Graph *> graphs;
  for (const Net &net : train.nets)
    graphs.push_back(&net.graph);
  chooseInitializers(session, store, graphs);
  std::vector<const OwnedParameter *> sorted;
  for (const OwnedParameter &owned : store.all)
    sorted.push_back(&owned);
  std::sort(sorted.begin(), sorted.end(), [](const OwnedParameter *a, const OwnedParameter *b) {
    return std::tie(a->order, a->parameter.name) < std::tie(b->order, b->parameter.name);
  });
  for (const OwnedParameter *owned : sorted)
    train.parameters.push_back(owned->parameter);
}

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
    if (count.value_or(1) > 1)
      engine.report(Diag::NotSupported, single.accumulate->span, "`accumulate` above 1");
    work.good &= count == 1;
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
  // A layer all of whose own parameters and buffers are frozen by name is frozen itself.
  for (const std::string &layer : store.layerPaths) {
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
  if (exists && !any && last) {
    engine.report(Diag::EverythingFrozen, last->span, model->name.text);
    work.good = false;
  } else if (!exists) {
    engine.report(Diag::NothingToTrain, declaration.model.name.span, model->name.text);
    work.good = false;
  }
}

void TrainChecker::settleRegularizers(StageWork &work, const SelectorTable &selectors) {
  Evaluator evaluator(session);
  auto add = [&](const Expr &term, const std::vector<std::string> &parameters, Span place) {
    std::optional<Regularizer> regularizer = resolveRegularizer(evaluator, term);
    if (!regularizer) {
      work.good = false;
      return;
    }
    for (const std::string &each : parameters)
      if (trains(work, each))
        regularizer->parameters.push_back(each);
    regularizer->place = place;
    if (!regularizer->parameters.empty())
      work.stage.regularizers.push_back(*regularizer);
  };
  for (const LayerRegularizer &each : layerRegularizers) {
    evaluator.scope = each.scope;
    for (const Expr *term : termsOf(*each.expr))
      add(*term, {each.parameter}, each.expr->span);
  }
  evaluator.scope.reset();
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
    for (const ExprPtr &term : regularize->terms)
      add(*term, parameters, regularize->span);
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

void TrainChecker::warnOfDecay(StageWork &work) {
  std::map<std::string, Span> byPenalty;
  auto warnNorms = [&](const std::vector<std::string> &parameters, Span place, const char *what) {
    for (const std::string &each : parameters)
      if (train.parameter(each)->role == Role::NormScale) {
        engine.report(Diag::DecayOfNorm, place, what, each)
            .help("the selector `**.weights` leaves norms and biases out");
        return;
      }
  };
  for (const Regularizer &each : work.stage.regularizers) {
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
  Evaluator evaluator(session);
  for (const TrainStatement *line : work.lines) {
    if (const auto *optimize = std::get_if<OptimizeStatement>(line))
      resolveOptimizer(evaluator, *optimize->optimizer);
    else if (const auto *regularize = std::get_if<RegularizeStatement>(line))
      for (const ExprPtr &term : regularize->terms)
        resolveRegularizer(evaluator, *term);
    else if (const auto *rate = std::get_if<RateStatement>(line))
      evaluator.number(*rate->value, "`rate`");
  }
}

void TrainChecker::settleStage(StageWork &work, const SelectorTable &selectors) {
  settleFrozen(work, selectors);
  settleRegularizers(work, selectors);
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
  root.kind = train.model;
  makeStages();
  if (block.seed) {
    Evaluator evaluator(session);
    std::optional<int64_t> seed = evaluator.integer(*block.seed->value, "`seed`");
    if (seed && *seed < 0)
      engine.report(Diag::BelowLeast, block.seed->value->span, "`seed`", 0, *seed);
    train.seed = static_cast<uint64_t>(seed.value_or(0));
  }
  for (auto &work : works)
    evaluateStage(*work);
  // The names that selectors mean are known only where the model is.
  if (modelRan && !modelBroken) {
    finishParameters();
    SelectorTable selectors(session, store, train.model);
    for (auto &work : works)
      settleStage(*work, selectors);
  }
  if (!modelRan || modelBroken)
    for (auto &work : works)
      checkLines(*work);
  for (auto &work : works) {
    settleLengths(*work);
    settleMeasures(*work);
  }
  bool good = engine.errorCount() == before && modelRan && !modelBroken;
  for (auto &work : works) {
    good &= work->good;
    work->stage.graph = std::move(work->graph.graph);
    train.stages.push_back(std::move(work->stage));
  }
  return good ? std::optional(std::move(train)) : std::nullopt;
}

} // namespace

std::optional<Train> checkTrain(Session &session, const TrainDeclaration &declaration,
                                const std::map<std::string, CheckedData> &datas) {
  return TrainChecker(session, declaration, datas).run();
}

} // namespace sinter::semantics
