//===- Check.cpp - declarations first, then what they say ----------------------------------------------------===//
#include "compiler/semantics/Check.h"
#include "compiler/semantics/DataChecker.h"
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Initializers.h"
#include "compiler/semantics/Loads.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/semantics/TrainChecker.h"
#include "compiler/syntax/Parser.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

void collectWords(std::string_view text, std::set<std::string, std::less<>> &words) {
  auto isLetter = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_';
  };
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && isLetter(text[end]))
      ++end;
    if (end > i)
      words.emplace(text.substr(i, end - i));
    i = end + (end == i);
  }
}

/// Consts, data and models of all files share one name space.
void collectDeclarations(Session &session, const syntax::Program &program) {
  std::map<std::string, Span> seen;
  auto declare = [&](const Name &name) {
    if (!name)
      return false;
    auto [earlier, fresh] = seen.emplace(name.text, name.span);
    if (!fresh)
      session.engine.report(Diag::DuplicateName, name.span, name.text)
          .note(earlier->second, "the first one");
    return fresh;
  };
  for (const auto &file : program.files) {
    for (Span lost : file->lost)
      collectWords(session.sources.text(lost), session.lost);
    for (const Declaration &declaration : file->declarations) {
      if (const auto *constant = std::get_if<ConstDeclaration>(&declaration)) {
        if (declare(constant->name))
          session.constants[constant->name.text].declaration = constant;
      } else if (const auto *model = std::get_if<ModelDeclaration>(&declaration)) {
        if (declare(model->name))
          session.models[model->name.text] = model;
      } else if (const auto *data = std::get_if<DataDeclaration>(&declaration)) {
        if (declare(data->name))
          session.datas[data->name.text] = data;
      } else if (const auto *train = std::get_if<TrainDeclaration>(&declaration)) {
        if (file == program.files.front())
          session.trains.push_back(train);
      } else if (const auto *import = std::get_if<ImportDeclaration>(&declaration)) {
        session.fileMissing |= import->file == noFile;
      }
    }
  }
}

void applyDefines(Session &session) {
  for (const auto &[name, value] : session.options.defines) {
    if (auto found = session.constants.find(name); found != session.constants.end()) {
      found->second.define = value;
      continue;
    }
    if (session.mayBeLost(name))
      continue;
    std::vector<std::string> known;
    for (const auto &[each, constant] : session.constants)
      known.push_back(each);
    auto report = session.engine.report(Diag::UnknownDefine, Span{}, name);
    std::string help = didYouMean(name, known);
    if (help.empty() && !known.empty())
      help = "there is " + alternatives(known);
    if (!help.empty())
      report.help(help);
  }
}

/// Names alone, of a model whose types depend on how it is used.
void checkNamesOf(Session &session, const ModelDeclaration &model) {
  Frame frame;
  frame.model = &model;
  Evaluator evaluator(session);
  evaluator.scope = std::make_shared<Scope>();
  evaluator.frame = &frame;
  auto bind = [&](const Name &name) {
    Binding binding;
    binding.place = name.span;
    if (auto found = evaluator.scope->own().find(name.text); found != evaluator.scope->own().end())
      session.engine.report(Diag::DuplicateName, name.span, name.text)
          .note(found->second.place, "the first one");
    else
      evaluator.scope->bind(name.text, std::move(binding));
  };
  for (const ModelParameter &parameter : model.parameters) {
    if (parameter.defaultValue)
      evaluator.checkNames(*parameter.defaultValue);
    bind(parameter.name);
  }
  for (const ModelInput &input : model.inputs) {
    auto dimension = [&](const ExprPtr &dim) {
      const auto *name = dynCast<PathExpr>(dim);
      if (name && name->isName() && !evaluator.scope->find(name->names.front().text) &&
          !session.constants.count(name->names.front().text))
        bind(name->names.front());
      else
        evaluator.checkNames(*dim);
    };
    if (input.type.classCount)
      dimension(input.type.classCount);
    for (const ExprPtr &dim : input.type.dims)
      dimension(dim);
    bind(input.name);
  }
  for (const ModelStatement &statement : model.statements) {
    if (const auto *param = std::get_if<ParamStatement>(&statement)) {
      for (const ExprPtr &dim : param->type.dims)
        evaluator.checkNames(*dim);
      bind(param->name);
    } else if (const auto *buffer = std::get_if<BufferStatement>(&statement)) {
      for (const ExprPtr &dim : buffer->type.dims)
        evaluator.checkNames(*dim);
      bind(buffer->name);
    } else if (const auto *update = std::get_if<UpdateStatement>(&statement)) {
      evaluator.checkNames(*update->value);
    } else if (const auto *layer = std::get_if<LayerStatement>(&statement)) {
      evaluator.checkNames(*layer->layer);
      bind(layer->name);
    } else if (const auto *let = std::get_if<LetStatement>(&statement)) {
      evaluator.checkNames(*let->value);
      bind(let->name);
    }
    // `as` names may be used further down.
    struct Names {
      static void visit(const Expr &expr, Evaluator &evaluator) {
        const auto *pipe = dynCast<PipeExpr>(expr);
        if (!pipe)
          return;
        visit(*pipe->input, evaluator);
        for (const PipeExpr::Stage &stage : pipe->stages)
          if (stage.name && !evaluator.scope->find(stage.name.text))
            evaluator.scope->bind(stage.name.text, {});
      }
    };
    if (const auto *let = std::get_if<LetStatement>(&statement))
      Names::visit(*let->value, evaluator);
  }
  evaluator.checkNames(*model.result);
}

/// Whether a dimension is made of literals, consts and parameters alone.
bool isKnown(const Expr &dim, Evaluator &evaluator) {
  if (const auto *name = dynCast<PathExpr>(dim))
    return evaluator.scope->find(name->names.front().text) ||
           evaluator.session.constants.count(name->names.front().text);
  if (const auto *unary = dynCast<UnaryExpr>(dim))
    return isKnown(*unary->operand, evaluator);
  if (const auto *binary = dynCast<BinaryExpr>(dim))
    return isKnown(*binary->first, evaluator) &&
           std::all_of(binary->rest.begin(), binary->rest.end(),
                       [&](const auto &link) { return isKnown(*link.operand, evaluator); });
  if (const auto *call = dynCast<CallExpr>(dim))
    return std::all_of(call->arguments.list.begin(), call->arguments.list.end(),
                       [&](const Argument &each) { return isKnown(*each.value, evaluator); });
  return dim.kind() == Expr::Kind::Integer;
}

/// The types of all inputs, where they do not depend on how the model is used.
std::optional<std::vector<semantics::Type>> knownInputs(Session &session,
                                                        const ModelDeclaration &model) {
  Evaluator evaluator(session);
  evaluator.scope = std::make_shared<Scope>();
  for (const ModelParameter &parameter : model.parameters) {
    if (!parameter.defaultValue)
      return std::nullopt;
    Binding binding;
    if (!evaluator.isCallable(*parameter.defaultValue))
      binding.value = evaluator.evaluate(*parameter.defaultValue);
    evaluator.scope->bind(parameter.name.text, std::move(binding));
  }
  std::vector<semantics::Type> types;
  for (const ModelInput &input : model.inputs) {
    std::vector<const Expr *> dims;
    if (input.type.classCount)
      dims.push_back(input.type.classCount.get());
    for (const ExprPtr &dim : input.type.dims)
      dims.push_back(dim.get());
    for (const Expr *dim : dims) {
      const bool known = isKnown(*dim, evaluator);
      if (!known)
        return std::nullopt;
    }
    std::optional<semantics::Type> type = evaluator.type(input.type);
    if (!type)
      return std::nullopt;
    types.push_back(*type);
  }
  return types;
}

/// A model that no train block makes: in full where its types are all known, else its names.
void checkUnused(Session &session, const ModelDeclaration &model) {
  std::optional<std::vector<semantics::Type>> types = knownInputs(session, model);
  if (!types)
    return checkNamesOf(session, model);
  GraphBuilder graph;
  Instance root;
  ParameterStore store;
  std::vector<LayerRegularizer> regularizers;
  Evaluator evaluator(session);
  evaluator.graph = &graph;
  Evaluator::Inputs inputs;
  for (size_t i = 0; i < types->size(); ++i)
    inputs.emplace_back(Tensor{graph.emit("input", {}, {{"name", model.inputs[i].name.text}},
                                          (*types)[i], model.inputs[i].name.span)},
                        model.inputs[i].name.span);
  static const Arguments none;
  evaluator.runModel(model, none, std::move(inputs), nullptr, model.name.span, root, store,
                     &regularizers);
  checkColumns(session, graph);
  chooseInitializers(session, store, {&graph.graph});
}

/// An i32 label or token may be any number; the data's reader is told how many classes its logits,
/// or rows its embedding, have. It is always a field, or a view of one: nothing else makes an i32.
class LabelBounds {
public:
  LabelBounds(const Train &train, semantics::Data &data) : train(train), data(data) {}

  void run() {
    for (const Net &net : train.nets)
      visit(net.graph, &net);
    for (const semantics::Stage &stage : train.stages)
      visit(stage.graph, nullptr);
  }

private:
  void visit(const Graph &graph, const Net *net) {
    for (const Operation &op : graph.operations) {
      if (op.kind == "embedding") {
        bound(graph, net, op.operands[0], graph.type(op.operands[1]).dims[0]);
      } else if (op.kind == "cross_entropy" || op.kind == "accuracy" || op.kind == "top_k") {
        const auto axis = static_cast<size_t>(std::get<int64_t>(op.attributes.at("axis")));
        bound(graph, net, op.operands[1], graph.type(op.operands[0]).dims[axis]);
      }
    }
  }

  /// A value's numbers are to be below `limit`; `net` is null in a stage's graph.
  void bound(const Graph &graph, const Net *net, ValueId value, int64_t limit) {
    if (graph.type(value).scalar != Scalar::I32)
      return;
    const Operation &maker =
        *std::find_if(graph.operations.begin(), graph.operations.end(), [&](const Operation &each) {
          return std::find(each.results.begin(), each.results.end(), value) != each.results.end();
        });
    static const std::set<std::string> views = {"flatten", "reshape", "permute", "slice", "concat"};
    if (views.count(maker.kind)) {
      for (ValueId operand : maker.operands)
        bound(graph, net, operand, limit);
      return;
    }
    if (maker.kind == "call") { // a net's result
      const Net &called = *train.net(std::get<std::string>(maker.attributes.at("net")));
      const auto result = std::find(maker.results.begin(), maker.results.end(), value);
      return bound(called.graph, &called,
                   called.results[static_cast<size_t>(result - maker.results.begin())].second,
                   limit);
    }
    const auto &name = std::get<std::string>(maker.attributes.at("name"));
    if (net)
      return boundInput(*net, name, limit);
    for (Field &field : data.fields)
      if (field.name == name)
        field.labels = field.labels ? std::min(field.labels, limit) : limit;
  }

  /// An input of a net, wherever the net is called.
  void boundInput(const Net &net, const std::string &name, int64_t limit) {
    for (const semantics::Stage &stage : train.stages)
      for (const Operation &call : stage.graph.operations)
        if (call.kind == "call" && std::get<std::string>(call.attributes.at("net")) == net.name)
          for (size_t i = 0; i < net.inputs.size(); ++i)
            if (net.inputs[i].name == name)
              bound(stage.graph, nullptr, call.operands[i], limit);
  }

  const Train &train;
  semantics::Data &data;
};

} // namespace

std::optional<Program> check(const syntax::Program &program, SourceManager &sources, Engine &engine,
                             const Options &options) {
  Session session(sources, engine, options);
  collectDeclarations(session, program);
  applyDefines(session);
  Evaluator evaluator(session);
  for (auto &[name, constant] : session.constants)
    evaluator.constant(name, constant.declaration->name.span);

  Program result;
  std::map<std::string, CheckedData> datas;
  for (const auto &[name, declaration] : session.datas)
    datas.emplace(name, checkData(session, *declaration));
  std::map<std::string, Span> blocks;
  for (const TrainDeclaration *declaration : session.trains) {
    const Name &name = declaration->blockName();
    if (auto [earlier, fresh] = blocks.emplace(name.text, name.span); !fresh)
      engine.report(Diag::DuplicateName, name.span, name.text)
          .note(earlier->second, "the first one");
  }
  TrainsByName trains;
  std::vector<std::string> order;
  for (const TrainDeclaration *declaration : orderTrains(session)) {
    if (std::optional<Train> train = checkTrain(session, *declaration, datas, trains)) {
      LabelBounds(*train, datas.at(train->data).data).run();
      order.push_back(train->name);
      trains.emplace(train->name, std::move(*train));
    }
  }
  for (const auto &[name, model] : session.models)
    if (!session.instantiated.count(model))
      checkUnused(session, *model);
  if (engine.hasErrors())
    return std::nullopt;
  for (const std::string &name : order)
    result.trains.push_back(std::move(trains.at(name)));
  for (auto &[name, checked] : datas)
    result.datas.push_back(std::move(checked.data));
  return result;
}

std::optional<Program> check(const std::filesystem::path &root, SourceManager &sources,
                             Engine &engine, const Options &options) {
  std::unique_ptr<syntax::Program> program = parseProgram(root, sources, engine, {options.library});
  return program ? check(*program, sources, engine, options) : std::nullopt;
}

} // namespace sinter::semantics
