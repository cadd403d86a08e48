//===- Teachers.cpp - instances beside the trained one, and what it shares with them ----------===//
// A teacher is another instance of a model, with names of its own ("Big:features.weight"), whose layers are in inference
// mode and of which nothing is trained. What is shared with one outside the stages is one parameter of two names; within a
// stage its values are copied where the stage begins, and it is frozen there, which comes to the same.
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/TrainBlock.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

//===-- Declarations --------------------------------------------------------------------------===//

void TrainChecker::declareTeachers() {
  std::map<std::string, TeacherWork *> ofBlock;
  auto declare = [&](const std::vector<TrainStatement> &statements, const std::string &stage,
                     std::map<std::string, TeacherWork *> &scope) {
    for (const TrainStatement &each : statements) {
      const auto *statement = std::get_if<TeacherStatement>(&each);
      if (!statement)
        continue;
      std::unique_ptr<TeacherWork> teacher = makeTeacher(*statement, stage);
      auto [first, fresh] = scope.emplace(statement->name.text, teacher.get());
      if (!fresh)
        engine.report(Diag::DuplicateName, statement->name.span, statement->name.text)
            .note(first->second->statement->name.span, "the first one");
      teachers.push_back(std::move(teacher));
    }
  };
  declare(declaration.statements, "", ofBlock);
  for (size_t i = 0; i < works.size(); ++i) {
    works[i]->teachers = ofBlock;
    if (!declaration.stages.empty())
      declare(declaration.stages[i].statements, works[i]->stage.name, works[i]->teachers);
  }
}

std::unique_ptr<TeacherWork> TrainChecker::makeTeacher(const TeacherStatement &statement,
                                                       const std::string &stage) {
  auto teacher = std::make_unique<TeacherWork>();
  teacher->statement = &statement;
  ModelInstance &instance = teacher->instance;
  instance.name = statement.name.text;
  instance.prefix = (stage.empty() ? "" : stage + ".") + statement.name.text + ":";
  instance.root.path = instance.prefix;
  if (statement.name.text == model->name.text) {
    engine.report(Diag::TeacherNamedAsModel, statement.name.span, statement.name.text)
        .note(declaration.model.name.span, "trained here")
        .help(fmt::format("`teacher Old{} = …`", statement.name.text));
    teacher->good = false;
  }
  for (const Field &each : data->data.fields)
    if (each.name == statement.name.text) {
      engine.report(Diag::DuplicateName, statement.name.span, statement.name.text)
          .note(each.place, "the first one");
      teacher->good = false;
    }
  if (statement.isAverage) {
    instance.model = model;
    instance.parameters = &declaration.model.parameters;
    instance.root.kind = model->name.text;
    teacher->good &= settleAverage(*teacher);
    return teacher;
  }
  const Name &wanted = statement.model.name;
  auto found = session.models.find(wanted.text);
  if (found == session.models.end()) {
    teacher->good = false;
    std::vector<std::string> known;
    for (const auto &[name, each] : session.models)
      known.push_back(name);
    if (!session.mayBeLost(wanted.text)) {
      auto report = engine.report(Diag::UnknownModel, wanted.span, wanted.text);
      if (std::string help = didYouMean(wanted.text, known); !help.empty())
        report.help(help);
    }
    return teacher;
  }
  instance.model = found->second;
  instance.parameters = &statement.model.parameters;
  instance.root.kind = wanted.text;
  return teacher;
}

/// `ema(MODEL, decay: d, every: n)`.
bool TrainChecker::settleAverage(TeacherWork &teacher) {
  static const Signature signature =
      Signature::parse("ema", "model: field, decay: probability, every: count = 1");
  Evaluator evaluator(session);
  Span span{teacher.statement->span.file, teacher.statement->arguments.span.begin,
            teacher.statement->arguments.span.begin};
  std::optional<BoundArguments> bound =
      evaluator.bind(signature, teacher.statement->arguments, span);
  if (!bound)
    return false;
  teacher.decay = bound->number("decay");
  teacher.every = bound->integer("every");
  const Expr &of = *bound->expr("model");
  const auto *path = dynCast<PathExpr>(of);
  if (path && path->isName(model->name.text))
    return true;
  if (of.kind() != Expr::Kind::Error)
    engine.report(Diag::AverageOfOther, of.span, model->name.text, session.text(of.span))
        .help(fmt::format("`ema({}, decay: {})`", model->name.text, teacher.decay));
  return false;
}

//===-- Uses ----------------------------------------------------------------------------------===//

/// Teachers, lets and fields of a stage are told apart by their names.
void TrainChecker::checkTeacherNames(StageWork &work) {
  for (const TrainStatement *line : work.lines) {
    const auto *share = std::get_if<ShareStatement>(line);
    if (!share || share->with.steps.empty())
      continue;
    const SelectorStep &first = share->with.steps.front();
    auto found = first.kind == SelectorStep::Kind::Name
                     ? work.teachers.find(first.names.front().text)
                     : work.teachers.end();
    if (found == work.teachers.end()) {
      std::string written = session.text(first.span);
      std::vector<std::string> known;
      for (const auto &[name, teacher] : work.teachers)
        known.push_back(name);
      auto report = engine.report(Diag::UnknownTeacher, first.span, written);
      std::string help = didYouMean(written, known);
      if (help.empty())
        help = known.empty()
                   ? fmt::format("declare it above: `teacher {} = … from \"weights.safetensors\"`",
                                 first.kind == SelectorStep::Kind::Name ? written : "Big")
                   : "there is " + alternatives(known);
      report.help(help);
      work.good = false;
      continue;
    }
    TeacherWork &teacher = *found->second;
    teacher.named = true;
    if (!teacher.good)
      continue;
    if (teacher.statement->isAverage) {
      engine.report(Diag::ShareWithAverage, share->span, teacher.instance.name, model->name.text)
          .note(teacher.statement->span, "declared here");
      work.good = false;
      continue;
    }
    // Its parameters must be known even where no objective names it.
    if (!teacher.instance.ran)
      if (std::optional<std::vector<ValueId>> operands =
              fieldsFor(work, teacher.instance, first.span))
        runNet(work, teacher.instance, *operands, first.span,
               std::vector<Span>(operands->size(), first.span));
  }
}

Value TrainChecker::callTeacher(StageWork &work, TeacherWork &teacher,
                                const Evaluator::Inputs *inputs, Span place) {
  teacher.named = true;
  if (!teacher.good)
    return Poison{};
  return callModel(work, teacher.instance, inputs, place);
}

/// An average is saved with the weights, and may be loaded from there: it is kept where no line names it, too. What it is
/// called on is what the trained model is.
void TrainChecker::keepAverages(StageWork &work) {
  for (auto &[name, teacher] : work.teachers) {
    if (!teacher->statement->isAverage || !teacher->good || teacher->named)
      continue;
    const auto &operations = work.graph.graph.operations;
    const auto call = std::find_if(operations.begin(), operations.end(), [&](const Operation &op) {
      return op.kind == "call" &&
             trained.netColumns.count(std::get<std::string>(op.attributes.at("net"))) != 0;
    });
    if (call == operations.end())
      continue;
    teacher->named = true;
    const std::vector<ValueId> operands = call->operands;
    const Span place = teacher->statement->span;
    runNet(work, teacher->instance, operands, place, std::vector<Span>(operands.size(), place));
  }
}

//===-- Sharing -------------------------------------------------------------------------------===//

/// The plain names that a path begins with: what stands below them is what two paths have in common.
static std::string plainBeginning(const SelectorPath &path, size_t from) {
  std::string result;
  for (size_t i = from; i < path.steps.size(); ++i) {
    const SelectorStep &step = path.steps[i];
    if (step.kind != SelectorStep::Kind::Name ||
        (i + 1 == path.steps.size() && step.names.front().text == "weights"))
      break;
    result += (result.empty() ? "" : ".") + step.names.front().text;
  }
  return result;
}

/// `name` without `path` in front of it: "" where it is the path, nothing where it is not beneath it.
static std::optional<std::string> below(const std::string &name, const std::string &path) {
  if (path.empty())
    return name;
  if (name == path)
    return "";
  if (name.starts_with(path + "."))
    return name.substr(path.size() + 1);
  return std::nullopt;
}

void TrainChecker::settleShares(const SelectorTable &selectors) {
  std::set<const TrainStatement *> done;
  for (auto &work : works)
    for (size_t i = 0; i < work->lines.size(); ++i)
      if (const auto *share = std::get_if<ShareStatement>(work->lines[i]))
        settleShare(*work, *share, i < work->blockLines && done.insert(work->lines[i]).second,
                    selectors);
}

/// `once`: a line outside the stages that is met for the first time.
void TrainChecker::settleShare(StageWork &work, const ShareStatement &share, bool once,
                               const SelectorTable &selectors) {
  if (share.with.steps.empty() || !share.selector.present())
    return;
  const SelectorStep &first = share.with.steps.front();
  auto named = first.kind == SelectorStep::Kind::Name ? work.teachers.find(first.names.front().text)
                                                      : work.teachers.end();
  if (named == work.teachers.end() || !named->second->instance.complete() ||
      named->second->statement->isAverage)
    return;
  TeacherWork &teacher = *named->second;
  bool ofBlock = false;
  for (size_t i = 0; i < work.blockLines; ++i)
    ofBlock |= std::get_if<ShareStatement>(work.lines[i]) == &share;
  // What was told of once is not told of again by each stage.
  bool isFirst = once || !ofBlock;
  std::optional<Selection> mine = selectors.select(share.selector);
  SelectorTable table(session, teacher.instance.store, teacher.instance.name,
                      teacher.instance.prefix);
  SelectorPath path = share.with;
  path.steps.erase(path.steps.begin());
  if (!path.steps.empty())
    path.span = join(path.steps.front().span, path.steps.back().span);
  std::optional<Selection> others;
  if (path.steps.empty()) {
    others.emplace();
    for (const OwnedParameter &each : teacher.instance.store.all)
      others->parameters.insert(each.parameter.name);
  } else {
    others = table.select(path);
  }
  if (!mine || !others) {
    work.good = false;
    return;
  }
  std::string here = plainBeginning(share.selector.path, 0), there = plainBeginning(path, 0);
  Copy copy;
  copy.place = share.span;
  std::vector<std::string> missing;
  for (const OwnedParameter *owned : trained.store.sorted()) {
    if (!mine->parameters.count(owned->parameter.name))
      continue;
    Parameter &parameter = trained.store.find(owned->parameter.name)->parameter;
    // Under any of its names; the transposed ones among those of a tied parameter match their like.
    std::vector<Alias> own{{parameter.name, false}};
    own.insert(own.end(), parameter.aliases.begin(), parameter.aliases.end());
    OwnedParameter *twin = nullptr;
    std::string wanted;
    bool turned = false;
    for (const Alias &name : own) {
      std::optional<std::string> rest = below(name.name, here);
      if (!rest || twin)
        continue;
      wanted = there + (there.empty() || rest->empty() ? "" : ".") + *rest;
      for (OwnedParameter &each : teacher.instance.store.all) {
        std::vector<Alias> theirs{{each.parameter.name, false}};
        theirs.insert(theirs.end(), each.parameter.aliases.begin(), each.parameter.aliases.end());
        for (const Alias &other : theirs)
          if (other.name == teacher.instance.prefix + wanted &&
              others->parameters.count(each.parameter.name)) {
            twin = &each;
            turned = other.transposed != name.transposed;
          }
      }
    }
    if (!twin || twin->parameter.trained != parameter.trained) {
      missing.push_back(wanted.empty() ? parameter.name : wanted);
      continue;
    }
    if (twin->parameter.type != parameter.type || turned) {
      engine
          .report(Diag::ShareShape, share.span, parameter.name, parameter.type.str(), wanted,
                  teacher.instance.name, twin->parameter.type.str())
          .note(parameter.place, parameter.type.str())
          .note(twin->parameter.place, twin->parameter.type.str());
      work.good = false;
      continue;
    }
    // Of several that share one of the teacher's, the first is it; the others are frozen copies.
    auto tied = teacher.shared.find(twin->parameter.name);
    bool another = tied != teacher.shared.end() && tied->second != parameter.name;
    if (!share.copy && ofBlock && !another) {
      bool taken =
          tied == teacher.shared.end() &&
          std::any_of(parameter.aliases.begin(), parameter.aliases.end(),
                      [](const Alias &each) { return each.name.find(':') != std::string::npos; });
      if (taken) {
        engine.report(Diag::SharedTwice, share.span, parameter.name);
        work.good = false;
        continue;
      }
      if (tied == teacher.shared.end()) {
        teacher.shared.emplace(twin->parameter.name, parameter.name);
        parameter.aliases.push_back({twin->parameter.name, false});
        for (const Alias &each : twin->parameter.aliases)
          parameter.aliases.push_back(each);
      }
    } else if (isFirst) {
      copy.to.push_back(parameter.name);
      copy.from.push_back(another ? tied->second : twin->parameter.name);
    }
    if (!share.copy)
      work.shared.insert(parameter.name);
  }
  if (!missing.empty()) {
    constexpr size_t most = 3;
    std::string some;
    for (size_t i = 0; i < missing.size() && i < most; ++i)
      some += (i ? ", `" : "`") + missing[i] + "`";
    if (missing.size() > most)
      some += fmt::format(" and {} more", missing.size() - most);
    auto report = engine.report(Diag::ShareMissing, share.span, teacher.instance.name, some);
    report.note(teacher.statement->span, "declared here");
    report.help(
        "name the part of each that they have in common: `share features with Big.features`");
    work.good = false;
  }
  if (!copy.to.empty())
    work.stage.copies.push_back(std::move(copy));
  if (!share.copy)
    work.stage.frozenLayers.insert(mine->layers.begin(), mine->layers.end());
}

/// Nothing may ask that what is shared be trained.
void TrainChecker::checkShared(StageWork &work, const SelectorTable &selectors) {
  if (work.shared.empty())
    return;
  const ShareStatement *share = nullptr;
  for (const TrainStatement *line : work.lines)
    if (const auto *each = std::get_if<ShareStatement>(line); each && !each->copy)
      share = each;
  auto check = [&](const Selector &selector, Span span, bool all) {
    std::optional<Selection> selection = selectors.select(selector);
    if (!selection)
      return; // told by who asks for it
    const std::string *first = nullptr;
    size_t count = 0;
    for (const std::string &each : selection->parameters)
      if (work.shared.count(each)) {
        first = first ? first : &each;
        ++count;
      }
    if (!first || (all && count != selection->parameters.size()))
      return;
    engine.report(Diag::SharedIsTrained, span, *first, session.text(share->with.steps.front().span))
        .note(share->span, "shared here, hence frozen")
        .help(fmt::format("`share copy {} with {}` starts from its values and trains",
                          session.text(share->selector.span), session.text(share->with.span)));
    work.good = false;
  };
  for (const TrainStatement *line : work.lines) {
    if (const auto *freeze = std::get_if<FreezeStatement>(line); freeze && freeze->unfreeze)
      check(freeze->selector, freeze->span, false);
    else if (const auto *optimize = std::get_if<OptimizeStatement>(line);
             optimize && optimize->selector.present())
      check(optimize->selector, optimize->span, true);
  }
}

//===-- What comes of them --------------------------------------------------------------------===//

/// An average has all that the trained model has, whether or not its nets read it.
static void mirror(const ModelInstance &trained, ModelInstance &instance) {
  for (const OwnedParameter &each : trained.store.all) {
    OwnedParameter *found = instance.store.find(instance.prefix + each.parameter.name);
    if (!found) {
      instance.store.all.push_back(each);
      found = &instance.store.all.back();
      found->parameter.name = instance.prefix + each.parameter.name;
      found->parameter.aliases.clear();
    }
    found->parameter.averageOf = each.parameter.name;
  }
}

/// A teacher's weights, all of them, by its line.
std::optional<Load> TrainChecker::loadOf(const TeacherWork &teacher) {
  // By the names that a file has: those beneath the teacher.
  const std::string &prefix = teacher.instance.prefix;
  ParameterStore own = teacher.instance.store;
  std::vector<Parameter> parameters;
  for (OwnedParameter &each : own.all) {
    each.parameter.name.erase(0, prefix.size());
    for (Alias &alias : each.parameter.aliases)
      alias.name.erase(0, prefix.size());
    parameters.push_back(each.parameter);
  }
  for (std::string &path : own.layerPaths)
    path.erase(0, prefix.size());
  const SelectorTable selectors(session, own, teacher.instance.model->name.text);
  const LoadTarget target{selectors, parameters, teacher.instance.root,
                          teacher.instance.model->name.text, prefix};
  return checkLoad(session, target, nullptr, teacher.statement->source,
                   teacher.statement->arguments, teacher.statement->span, earlier);
}

void TrainChecker::finishTeachers() {
  for (auto &each : teachers) {
    TeacherWork &teacher = *each;
    ModelInstance &instance = teacher.instance;
    const bool average = teacher.statement->isAverage;
    if (teacher.good && !teacher.named && !engine.hasErrors())
      engine.report(Diag::UnusedTeacher, teacher.statement->name.span, instance.name);
    if (!teacher.good || !instance.complete())
      continue;
    if (average)
      mirror(trained, instance);
    Teacher result;
    result.name = instance.prefix.substr(0, instance.prefix.size() - 1);
    result.model = instance.model->name.text;
    result.place = teacher.statement->span;
    if (!average)
      if (std::optional<Load> load = loadOf(teacher))
        train.loads.push_back(std::move(*load));
    Average advance;
    advance.decay = teacher.decay;
    advance.every = teacher.every;
    advance.place = teacher.statement->span;
    for (const OwnedParameter *owned : instance.store.sorted()) {
      if (teacher.shared.count(owned->parameter.name))
        continue;
      Parameter parameter = owned->parameter;
      // What it begins with comes from elsewhere.
      parameter.initializer = initializerNamed("zeros", parameter.type);
      if (average && parameter.averageOf.empty()) {
        engine.report(Diag::AverageDiffers, teacher.statement->span, instance.name,
                      parameter.name.substr(instance.prefix.size()), model->name.text);
        return;
      }
      if (average) {
        const Parameter &source = *train.parameter(parameter.averageOf);
        if (source.type != parameter.type) {
          engine
              .report(Diag::ShareShape, teacher.statement->span, source.name, source.type.str(),
                      source.name, instance.name, parameter.type.str())
              .note(source.place, "declared here");
          return;
        }
        advance.states.push_back(parameter.name);
      }
      result.parameters.push_back(std::move(parameter));
    }
    for (Net &net : train.nets) {
      // A teacher's buffers stay, or are copies of the trained model's.
      if (net.name.starts_with(instance.prefix))
        std::erase_if(net.graph.operations,
                      [](const Operation &op) { return op.kind == "update"; });
      for (Operation &op : net.graph.operations)
        if (op.kind == "read")
          if (auto same = teacher.shared.find(std::get<std::string>(op.attributes.at("parameter")));
              same != teacher.shared.end())
            op.attributes["parameter"] = same->second;
    }
    for (auto &work : works) {
      auto visible = work->teachers.find(instance.name);
      if (visible == work->teachers.end() || visible->second != &teacher)
        continue;
      work->stage.frozenLayers.insert(instance.store.layerPaths.begin(),
                                      instance.store.layerPaths.end());
      if (average)
        work->stage.averages.push_back(advance);
      else
        for (const Parameter &parameter : result.parameters)
          work->stage.frozen.insert(parameter.name);
    }
    train.teachers.push_back(std::move(result));
  }
}

} // namespace sinter::semantics
