//===- TrainGraphs.cpp - objectives and reports on data, and the model they name --------------===//
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/TrainBlock.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace sinter::semantics {

using namespace syntax;

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
  names.models = {model->name.text};
  for (const auto &[name, teacher] : work.teachers)
    names.models.push_back(name);
  names.fields.clear();
  for (const Field &each : data->data.fields)
    names.fields.push_back(each.name);
  names.field = [this, &work](const std::string &name, Span place) {
    return field(work, name, place);
  };
  names.call = [this, &work](const std::string &name, const Evaluator::Inputs *inputs, Span place) {
    auto teacher = work.teachers.find(name);
    return teacher == work.teachers.end() ? callModel(work, trained, inputs, place)
                                          : callTeacher(work, *teacher->second, inputs, place);
  };
  Evaluator evaluator(session);
  evaluator.scope = work.scope;
  evaluator.graph = &work.graph;
  evaluator.train = &names;
  return evaluator;
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

std::string TrainChecker::netKey(const StageWork &work, const ModelInstance &instance,
                                 const std::vector<ValueId> &operands) const {
  std::string key;
  for (ValueId operand : operands)
    key += work.graph.type(operand).str() + ";";
  return instance.batchMatters ? key + std::to_string(work.graph.batch) : key;
}

Value TrainChecker::runNet(StageWork &work, ModelInstance &instance,
                           const std::vector<ValueId> &operands, Span place,
                           const std::vector<Span> &spans) {
  std::string key = netKey(work, instance, operands);
  if (auto known = instance.netShapes.find(key); known != instance.netShapes.end())
    return known->second;
  const ModelDeclaration &declared = *instance.model;
  GraphBuilder graph;
  graph.batch = work.graph.batch;
  Evaluator caller(session);
  caller.graph = &graph;
  Evaluator::Inputs inputs;
  Net net;
  size_t count = std::min(operands.size(), declared.inputs.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    std::string name = i < count ? declared.inputs[i].name.text : "";
    Span where = i < count ? declared.inputs[i].name.span : place;
    const Type &type = work.graph.type(operands[i]);
    inputs.emplace_back(Tensor{graph.emit("input", {}, {{"name", name}}, type, where)}, spans[i]);
    net.inputs.push_back({name, type, where});
  }
  size_t before = engine.errorCount();
  Value result = caller.runModel(declared, *instance.parameters, std::move(inputs), nullptr, place,
                                 instance.root, instance.store, &instance.regularizers);
  instance.ran = true;
  instance.broken |= declared.broken || result.poisoned() || engine.errorCount() != before;
  if (!result.poisoned() && !listResults(result, "", net.results))
    result = Poison{};
  if (!result.poisoned()) {
    instance.broken |= !checkColumns(session, graph);
    std::vector<bool> columns;
    for (const auto &[name, value] : net.results)
      columns.push_back(graph.hasColumns(value));
    for (const Operation &op : graph.graph.operations)
      instance.batchMatters |= op.kind == "pairwise";
    key = netKey(work, instance, operands);
    net.name = instance.prefix + declared.name.text;
    if (!instance.netNames.empty())
      net.name += std::to_string(instance.netNames.size() + 1);
    net.graph = std::move(graph.graph);
    if (!instance.prefix.empty()) // a teacher does not move by itself
      std::erase_if(net.graph.operations, [](const Operation &op) { return op.kind == "update"; });
    net.place = declared.span;
    instance.netNames[key] = net.name;
    instance.netColumns[net.name] = std::move(columns);
    train.nets.push_back(std::move(net));
  }
  instance.netShapes[key] = result;
  return result;
}

std::optional<std::vector<ValueId>>
TrainChecker::fieldsFor(StageWork &work, const ModelInstance &instance, Span place) {
  std::vector<ValueId> operands;
  for (const ModelInput &input : instance.model->inputs) {
    std::optional<Value> value = field(work, input.name.text, place);
    if (!value && session.mayBeLost(input.name.text))
      return std::nullopt;
    if (!value) {
      std::vector<std::string> known;
      for (const Field &each : data->data.fields)
        known.push_back(each.name);
      auto report = engine.report(Diag::NoFieldForInput, place, instance.name, input.name.text,
                                  data->data.name);
      report.note(input.name.span, "declared here");
      if (!known.empty())
        report.help(fmt::format("`{}({})`", instance.name, known.front()));
      return std::nullopt;
    }
    if (value->poisoned())
      return std::nullopt;
    operands.push_back(value->get<Tensor>()->id);
  }
  return operands;
}

Value TrainChecker::callModel(StageWork &work, ModelInstance &instance,
                              const Evaluator::Inputs *inputs, Span place) {
  std::vector<ValueId> operands;
  std::vector<Span> spans;
  if (inputs) {
    Evaluator evaluator = evaluatorOf(work);
    for (const auto &[value, span] : *inputs) {
      std::optional<ValueId> id = evaluator.tensor(value, span, "`" + instance.name + "`");
      if (!id)
        return Poison{};
      operands.push_back(*id);
      spans.push_back(span);
    }
  } else {
    std::optional<std::vector<ValueId>> found = fieldsFor(work, instance, place);
    if (!found)
      return Poison{};
    operands = *found;
    spans.assign(operands.size(), place);
  }
  // One value on one batch is computed once, in however many ways its inputs are written.
  std::pair<const ModelInstance *, std::vector<ValueId>> key(&instance, {});
  for (ValueId operand : operands)
    key.second.push_back(work.graph.canonical(operand));
  if (auto known = work.calls.find(key); known != work.calls.end())
    return known->second;
  Value shape = runNet(work, instance, operands, place, spans);
  Value result = Poison{};
  if (!shape.poisoned()) {
    const Net *net = train.net(instance.netNames.at(netKey(work, instance, operands)));
    std::vector<Type> types;
    for (const auto &[name, value] : net->results)
      types.push_back(net->graph.type(value));
    size_t next = 0;
    result = mapResults(
        shape,
        work.graph.emitCall(net->name, operands, types, instance.netColumns.at(net->name), place),
        next);
  }
  work.calls[key] = result;
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
    std::optional<int64_t> every = positive(*written.every, "`every`");
    work.good &= every.has_value();
    report.everySteps = every.value_or(0);
  }
  work.stage.reports.push_back(report);
}

/// An accuracy or a top_k that a value is made of; null where there is none.
static const Operation *measureBehind(const Graph &graph, ValueId value) {
  std::set<ValueId> needed{value};
  for (auto op = graph.operations.rbegin(); op != graph.operations.rend(); ++op) {
    if (std::none_of(op->results.begin(), op->results.end(),
                     [&](ValueId result) { return needed.count(result) != 0; }))
      continue;
    if (op->kind == "accuracy" || op->kind == "top_k")
      return &*op;
    needed.insert(op->operands.begin(), op->operands.end());
  }
  return nullptr;
}

/// Whether a call of the trained model stands above a value, and not behind what passes no gradient alone.
bool TrainChecker::dependsOnModel(const Graph &graph, ValueId value) const {
  std::set<ValueId> needed{value};
  for (auto op = graph.operations.rbegin(); op != graph.operations.rend(); ++op) {
    if (std::none_of(op->results.begin(), op->results.end(),
                     [&](ValueId result) { return needed.count(result) != 0; }))
      continue;
    if (op->kind == "call")
      for (const auto &[types, net] : trained.netNames)
        if (std::get<std::string>(op->attributes.at("net")) == net)
          return true;
    static const std::set<std::string> flat = {"stop_gradient", "argmax",    "one_hot",
                                               "equal",         "not_equal", "less",
                                               "less_equal",    "greater",   "greater_equal"};
    if (!flat.count(op->kind))
      needed.insert(op->operands.begin() + (op->kind == "where" ? 1 : 0), op->operands.end());
  }
  return false;
}

void TrainChecker::evaluateStage(StageWork &work) {
  work.scope = std::make_shared<Scope>();
  work.graph.batch = work.stage.batch;
  Evaluator evaluator = evaluatorOf(work);
  checkTeacherNames(work);
  for (const TrainStatement *line : work.lines) {
    const auto *let = std::get_if<LetStatement>(line);
    if (!let)
      continue;
    Binding binding;
    binding.place = let->name.span;
    binding.value = evaluator.evaluate(*let->value);
    Binding *above = work.scope->find(let->name.text);
    auto teacher = work.teachers.find(let->name.text);
    bool isTeacher = teacher != work.teachers.end();
    bool isField =
        std::find(names.fields.begin(), names.fields.end(), let->name.text) != names.fields.end();
    if (above || isField || isTeacher) {
      auto report = engine.report(Diag::DuplicateName, let->name.span, let->name.text);
      if (above)
        report.note(above->place, "the first one");
      else if (isTeacher)
        report.note(teacher->second->statement->name.span, "the first one");
    }
    if (!isTeacher)
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
    if (const Operation *measure = id ? measureBehind(work.graph.graph, *id) : nullptr) {
      engine.report(Diag::NoDerivative, measure->place, measure->kind)
          .help(fmt::format("`objective cross_entropy(…)` trains, `report {}(…)` measures",
                            measure->kind));
      work.good = false;
    }
    if (id && !dependsOnModel(work.graph.graph, *id)) {
      engine.report(Diag::ObjectiveWithoutModel, expr.span, model->name.text)
          .help("comparisons, `argmax` and `stop_gradient` pass no gradient on");
      work.good = false;
    }
  }
  for (const TrainStatement *line : work.lines) {
    if (const auto *report = std::get_if<ReportStatement>(line))
      evaluateReport(work, *report);
    if (const auto *regularize = std::get_if<RegularizeStatement>(line);
        regularize && regularize->value)
      evaluatePenalty(work, *regularize);
  }
  keepAverages(work);
  work.good &= checkColumns(session, work.graph);
}

std::vector<const OwnedParameter *> ParameterStore::sorted() const {
  std::vector<const OwnedParameter *> list;
  for (const OwnedParameter &owned : all)
    list.push_back(&owned);
  std::sort(list.begin(), list.end(), [](const OwnedParameter *a, const OwnedParameter *b) {
    return std::tie(a->order, a->parameter.name) < std::tie(b->order, b->parameter.name);
  });
  return list;
}

void TrainChecker::finishParameters() {
  std::vector<const Graph *> graphs;
  for (const Net &net : train.nets)
    graphs.push_back(&net.graph);
  for (const auto &work : works)
    graphs.push_back(&work->graph.graph);
  chooseInitializers(session, trained.store, graphs, &train.nets);
  for (const OwnedParameter *owned : trained.store.sorted())
    train.parameters.push_back(owned->parameter);
}

} // namespace sinter::semantics
