//===- ProgramToModel.cpp - checked program to model dialect ----------------------------------===//
// The model dialect names ops, operands and attributes as the program does, so a graph goes over by
// one rule for all kinds; only what stands around graphs is written out.
#include "compiler/lower/ProgramToModel.h"

#include "dialects/model/ModelOps.h"
#include "dialects/train/TrainDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"

#include <filesystem>

using namespace mlir;

namespace sinter::lower {
namespace {

class Builder {
public:
  Builder(const syntax::SourceManager &sources, MLIRContext &context)
      : sources(sources), builder(&context) {}

  OwningOpRef<ModuleOp> build(const semantics::Program &program, syntax::FileId spec,
                              StringRef name) {
    const std::string &path = sources.path(spec);
    OwningOpRef<ModuleOp> module =
        ModuleOp::create(FileLineColLoc::get(builder.getContext(), path, 1, 1), name);
    builder.setInsertionPointToEnd(module->getBody());
    for (const semantics::Data &data : program.datas)
      buildData(data);
    for (const semantics::Train &train : program.trains)
      if (failed(buildTrain(train)))
        return {};
    if (failed(verify(*module)))
      return {};
    return module;
  }

private:
  //===--- places and types -------------------------------------------------------------------===//

  Location at(semantics::Place place, StringRef layer = "") {
    Location location = builder.getUnknownLoc();
    if (place.valid()) {
      const syntax::LineColumn lineColumn = sources.lineColumn(place);
      location = FileLineColLoc::get(builder.getContext(), sources.path(place.file),
                                     lineColumn.line, lineColumn.column);
    }
    if (layer.empty())
      return location;
    return NameLoc::get(builder.getStringAttr(layer), location);
  }
  StringAttr text(semantics::Place place) {
    return builder.getStringAttr(place.valid() ? sources.describe(place) : std::string());
  }

  RankedTensorType type(const semantics::Type &type) {
    switch (type.scalar) {
    case semantics::Scalar::F32:
    case semantics::Scalar::BF16: // stored and computed in f32
      return RankedTensorType::get(type.dims, builder.getF32Type());
    case semantics::Scalar::I32:
    case semantics::Scalar::Class:
      return RankedTensorType::get(type.dims, builder.getI32Type());
    case semantics::Scalar::Bool:
      return RankedTensorType::get(type.dims, builder.getI1Type());
    }
    llvm_unreachable("every scalar is handled");
  }

  ArrayAttr strings(const auto &names) {
    SmallVector<Attribute> attributes;
    for (const std::string &name : names)
      attributes.push_back(builder.getStringAttr(name));
    return builder.getArrayAttr(attributes);
  }
  ArrayAttr symbols(const std::vector<std::string> &names) {
    SmallVector<Attribute> attributes;
    for (const std::string &name : names)
      attributes.push_back(FlatSymbolRefAttr::get(builder.getContext(), name));
    return builder.getArrayAttr(attributes);
  }

  Attribute attribute(const semantics::Attribute &value) {
    struct Convert {
      Builder &self;
      Attribute operator()(bool v) { return self.builder.getBoolAttr(v); }
      Attribute operator()(int64_t v) { return self.builder.getI64IntegerAttr(v); }
      Attribute operator()(double v) { return self.builder.getF64FloatAttr(v); }
      Attribute operator()(const std::string &v) { return self.builder.getStringAttr(v); }
      Attribute operator()(const std::vector<int64_t> &v) {
        return self.builder.getDenseI64ArrayAttr(v);
      }
      Attribute operator()(const std::vector<double> &v) {
        return self.builder.getDenseF64ArrayAttr(v);
      }
      Attribute operator()(const std::vector<std::string> &v) { return self.strings(v); }
    };
    return std::visit(Convert{*this}, value);
  }

  //===--- data -------------------------------------------------------------------------------===//

  Attribute loadingOp(const semantics::LoadOp &op) {
    using Kind = semantics::LoadOp::Kind;
    static constexpr const char *names[] = {"add",           "multiply",    "divide",
                                            "subtract_from", "divide_into", "power",
                                            "normalize",     "standardize", "bf16"};
    SmallVector<NamedAttribute> entries{
        builder.getNamedAttr("kind", builder.getStringAttr(names[static_cast<int>(op.kind)]))};
    if (op.kind == Kind::Normalize) {
      entries.push_back(builder.getNamedAttr("mean", builder.getDenseF64ArrayAttr(op.mean)));
      entries.push_back(builder.getNamedAttr("std", builder.getDenseF64ArrayAttr(op.std)));
    } else if (op.kind != Kind::Standardize && op.kind != Kind::Bf16) {
      entries.push_back(builder.getNamedAttr("value", builder.getF64FloatAttr(op.value)));
    }
    return builder.getDictionaryAttr(entries);
  }

  /// A program finds its data wherever it is started.
  static std::string absolute(const std::string &path) {
    return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
  }
  static std::string fileOf(const semantics::Source &source) { return absolute(source.resolved); }

  Attribute fill(const semantics::Fill &fill) {
    SmallVector<Attribute> ops;
    for (const semantics::LoadOp &op : fill.operations)
      ops.push_back(loadingOp(op));
    SmallVector<NamedAttribute> entries{
        builder.getNamedAttr("fields", strings(fill.fields)),
        builder.getNamedAttr("kind", builder.getStringAttr(fill.source.kind)),
        builder.getNamedAttr("file", builder.getStringAttr(absolute(fill.source.resolved))),
        builder.getNamedAttr("ops", builder.getArrayAttr(ops)),
        builder.getNamedAttr("place", text(fill.place))};
    for (const auto &[name, value] : fill.source.attributes)
      entries.push_back(builder.getNamedAttr(name, attribute(value)));
    if (!fill.source.moreFiles.empty()) {
      std::vector<std::string> more;
      for (const std::string &file : fill.source.moreFiles)
        more.push_back(absolute(file));
      entries.push_back(builder.getNamedAttr("more_files", strings(more)));
    }
    return builder.getDictionaryAttr(entries);
  }

  DictionaryAttr keep(const semantics::Keep &keep) {
    SmallVector<NamedAttribute> entries{builder.getNamedAttr("op", builder.getStringAttr(keep.op))};
    if (keep.op == "number")
      entries.push_back(builder.getNamedAttr("value", builder.getF64FloatAttr(keep.value)));
    if (keep.op == "field")
      entries.push_back(builder.getNamedAttr("field", builder.getStringAttr(keep.field)));
    SmallVector<Attribute> operands;
    for (const semantics::Keep &operand : keep.operands)
      operands.push_back(this->keep(operand));
    if (!operands.empty())
      entries.push_back(builder.getNamedAttr("args", builder.getArrayAttr(operands)));
    return builder.getDictionaryAttr(entries);
  }

  ArrayAttr augments(const std::vector<semantics::Augment> &augments) {
    SmallVector<Attribute> blocks;
    for (const semantics::Augment &augment : augments) {
      SmallVector<Attribute> steps;
      for (const semantics::Augment::Step &step : augment.steps)
        steps.push_back(builder.getDictionaryAttr(
            {builder.getNamedAttr("kind", builder.getStringAttr(step.kind)),
             builder.getNamedAttr("value", builder.getF64FloatAttr(step.value))}));
      blocks.push_back(
          builder.getDictionaryAttr({builder.getNamedAttr("fields", strings(augment.fields)),
                                     builder.getNamedAttr("steps", builder.getArrayAttr(steps))}));
    }
    return blocks.empty() ? ArrayAttr() : builder.getArrayAttr(blocks);
  }

  void buildData(const semantics::Data &data) {
    SmallVector<Attribute> fields;
    for (const semantics::Field &field : data.fields) {
      SmallVector<NamedAttribute> entries{
          builder.getNamedAttr("name", builder.getStringAttr(field.name)),
          builder.getNamedAttr("type", TypeAttr::get(type(field.type)))};
      if (field.type.classes > 0)
        entries.push_back(
            builder.getNamedAttr("classes", builder.getI64IntegerAttr(field.type.classes)));
      if (field.labels > 0)
        entries.push_back(builder.getNamedAttr("labels", builder.getI64IntegerAttr(field.labels)));
      fields.push_back(builder.getDictionaryAttr(entries));
    }
    SmallVector<NamedAttribute> parts;
    for (const auto &[name, fills] : data.parts) {
      SmallVector<Attribute> list;
      for (const semantics::Fill &each : fills)
        list.push_back(fill(each));
      parts.push_back(builder.getNamedAttr(name, builder.getArrayAttr(list)));
    }
    DictionaryAttr split;
    if (data.split)
      split = builder.getDictionaryAttr(
          {builder.getNamedAttr("train", builder.getF64FloatAttr(data.split->train)),
           builder.getNamedAttr("valid", builder.getF64FloatAttr(data.split->valid)),
           builder.getNamedAttr("test", builder.getF64FloatAttr(data.split->test)),
           builder.getNamedAttr("seed", builder.getI64IntegerAttr(data.split->seed)),
           builder.getNamedAttr("stratify", builder.getStringAttr(data.split->stratify)),
           builder.getNamedAttr("place", text(data.split->place))});
    model::DataOp::create(
        builder, at(data.place), data.name, data.seed, builder.getArrayAttr(fields),
        builder.getDictionaryAttr(parts), split, data.keep ? keep(*data.keep) : DictionaryAttr(),
        data.take ? builder.getI64IntegerAttr(*data.take) : IntegerAttr(), augments(data.augments));
  }

  //===--- train blocks -----------------------------------------------------------------------===//

  LogicalResult buildTrain(const semantics::Train &train) {
    OpBuilder::InsertionGuard guard(builder);
    auto op = model::TrainOp::create(builder, at(train.place), train.name, train.model, train.data,
                                     train.seed);
    builder.createBlock(&op.getBody());
    marksParts = llvm::any_of(
        train.stages, [](const semantics::Stage &stage) { return !stage.recompute.empty(); });
    for (const semantics::Parameter &parameter : train.parameters)
      if (failed(buildParameter(parameter)))
        return failure();
    for (const semantics::Teacher &teacher : train.teachers)
      for (const semantics::Parameter &parameter : teacher.parameters)
        if (failed(buildParameter(parameter, teacher.name)))
          return failure();
    for (const semantics::Load &load : train.loads)
      buildLoad(load);
    for (const semantics::Net &net : train.nets)
      if (failed(buildNet(net)))
        return failure();
    for (const semantics::Stage &stage : train.stages)
      if (failed(buildStage(train, stage)))
        return failure();
    return success();
  }

  LogicalResult buildParameter(const semantics::Parameter &parameter, StringRef teacher = "") {
    using Kind = semantics::Initializer::Kind;
    static constexpr train::Distribution distributions[] = {
        train::Distribution::Constant,   train::Distribution::Uniform,
        train::Distribution::Normal,     train::Distribution::TruncatedNormal,
        train::Distribution::Orthogonal, train::Distribution::Identity,
        train::Distribution::Values};
    static constexpr const char *roles[] = {"weight",    "bias",      "norm_scale", "norm_shift",
                                            "embedding", "recurrent", "buffer",     "other"};
    const semantics::Initializer &initializer = parameter.initializer;
    auto init = train::InitAttr::get(
        builder.getContext(), distributions[static_cast<int>(initializer.kind)], initializer.a,
        initializer.b,
        initializer.kind == Kind::Values ? builder.getDenseF64ArrayAttr(initializer.values)
                                         : DenseF64ArrayAttr());
    std::vector<std::string> aliases;
    for (const semantics::Alias &alias : parameter.aliases)
      aliases.push_back(alias.str());
    auto also = aliases.empty() ? ArrayAttr() : strings(aliases);
    auto chosen = initializer.name.empty() ? StringAttr() : builder.getStringAttr(initializer.name);
    auto role = builder.getStringAttr(roles[static_cast<int>(parameter.role)]);
    const Location location = at(parameter.place, parameter.name);
    auto name = builder.getStringAttr(parameter.name);
    auto typeAttribute = TypeAttr::get(type(parameter.type));
    auto ofTeacher = teacher.empty() ? StringAttr() : builder.getStringAttr(teacher);
    auto of = parameter.averageOf.empty()
                  ? FlatSymbolRefAttr()
                  : FlatSymbolRefAttr::get(builder.getContext(), parameter.averageOf);
    if (parameter.trained)
      model::ParamOp::create(builder, location, name, typeAttribute, init, role, also, chosen,
                             ofTeacher, of);
    else
      model::BufferOp::create(builder, location, name, typeAttribute, init, role, also, chosen,
                              ofTeacher, of);
    return success();
  }

  /// Where the builder stands: in a block, or in a stage.
  void buildLoad(const semantics::Load &load) {
    const runtime::LoadRules &rules = load.rules;
    NamedAttrList entries;
    auto list = [&](StringRef name, const std::vector<std::string> &values) {
      if (!values.empty())
        entries.set(name, strings(values));
    };
    auto word = [&](StringRef name, const std::string &value) {
      if (!value.empty())
        entries.set(name, builder.getStringAttr(value));
    };
    entries.set("parameters", strings(rules.parameters));
    list("left", rules.left);
    list("except", rules.except);
    list("transposed", rules.transposed);
    word("beneath", rules.beneath);
    word("strip", rules.strip);
    if (rules.whole)
      entries.set("whole", builder.getBoolAttr(true));
    SmallVector<Attribute> rename, fileNames;
    for (const auto &[from, to] : rules.rename)
      rename.push_back(strings(std::vector<std::string>{from, to}));
    if (!rename.empty())
      entries.set("rename", builder.getArrayAttr(rename));
    for (const runtime::FileName &each : rules.fileNames)
      fileNames.push_back(
          builder.getDictionaryAttr({builder.getNamedAttr("name", builder.getStringAttr(each.name)),
                                     builder.getNamedAttr("parts", strings(each.parts))}));
    if (!fileNames.empty())
      entries.set("file_names", builder.getArrayAttr(fileNames));
    model::LoadOp::create(
        builder, at(load.place),
        load.file.empty() ? StringAttr() : builder.getStringAttr(absolute(load.resolved)),
        load.block.empty() ? FlatSymbolRefAttr()
                           : FlatSymbolRefAttr::get(builder.getContext(), load.block),
        load.prefix.empty() ? StringAttr() : builder.getStringAttr(load.prefix), StringAttr(),
        entries.getDictionary(builder.getContext()));
  }

  LogicalResult buildNet(const semantics::Net &net) {
    OpBuilder::InsertionGuard guard(builder);
    SmallVector<Type> inputs, results;
    SmallVector<Attribute> inputAttributes, resultAttributes;
    for (const semantics::Input &input : net.inputs) {
      inputs.push_back(type(input.type));
      SmallVector<NamedAttribute> entries{
          builder.getNamedAttr("model.name", builder.getStringAttr(input.name))};
      if (input.type.scalar == semantics::Scalar::Class)
        entries.push_back(
            builder.getNamedAttr("model.classes", builder.getI64IntegerAttr(input.type.classes)));
      inputAttributes.push_back(builder.getDictionaryAttr(entries));
    }
    for (const auto &[name, value] : net.results) {
      results.push_back(type(net.graph.type(value)));
      resultAttributes.push_back(builder.getDictionaryAttr(
          builder.getNamedAttr("model.name", builder.getStringAttr(name))));
    }
    auto op = model::NetOp::create(
        builder, at(net.place), net.name, builder.getFunctionType(inputs, results),
        builder.getArrayAttr(inputAttributes), builder.getArrayAttr(resultAttributes));
    Block *block = builder.createBlock(&op.getBody());
    for (const semantics::Input &input : net.inputs)
      block->addArgument(type(input.type), at(input.place, input.name));

    auto source = [&](const std::string &name, Location, Type) -> Value {
      for (auto [i, input] : llvm::enumerate(net.inputs))
        if (input.name == name)
          return block->getArgument(i);
      return {};
    };
    SmallVector<Value> values;
    if (failed(buildGraph(net.graph, source, values)))
      return failure();
    SmallVector<Value> returned;
    for (const auto &[name, value] : net.results)
      returned.push_back(values[value]);
    model::ReturnOp::create(builder, at(net.place), returned);
    return success();
  }

  //===--- graphs -----------------------------------------------------------------------------===//

  /// Adds the ops of a graph where the builder stands; `values` by ValueId. `source` gives what an
  /// `input` stands for.
  LogicalResult
  buildGraph(const semantics::Graph &graph,
             llvm::function_ref<Value(const std::string &name, Location, Type)> source,
             SmallVectorImpl<Value> &values) {
    values.assign(graph.types.size(), Value());
    for (const semantics::Operation &operation : graph.operations) {
      const Location location = at(operation.place, operation.path);
      if (operation.kind == "input") {
        const auto &name = std::get<std::string>(operation.attributes.at("name"));
        const semantics::ValueId id = operation.results.front();
        values[id] = source(name, location, type(graph.type(id)));
        if (!values[id])
          return emitError(location) << "the program's graph has no input `" << name << "`";
        continue;
      }
      if (failed(buildOperation(graph, operation, location, values)))
        return failure();
    }
    return success();
  }

  LogicalResult buildOperation(const semantics::Graph &graph, const semantics::Operation &operation,
                               Location location, SmallVectorImpl<Value> &values) {
    OperationState state(location, "model." + operation.kind);
    if (!state.name.isRegistered())
      return emitError(location) << "the model dialect has no op `" << operation.kind << "`";
    for (semantics::ValueId operand : operation.operands)
      state.operands.push_back(values[operand]);
    for (semantics::ValueId result : operation.results)
      state.types.push_back(type(graph.type(result)));
    for (const auto &[name, value] : operation.attributes) {
      const bool isSymbol =
          ((operation.kind == "read" || operation.kind == "update") && name == "parameter") ||
          (operation.kind == "call" && name == "net");
      state.addAttribute(name, isSymbol ? Attribute(FlatSymbolRefAttr::get(
                                              builder.getContext(), std::get<std::string>(value)))
                                        : attribute(value));
    }
    if (marksParts)
      state.addAttribute("within", builder.getStringAttr(operation.within));
    if (llvm::is_contained(state.name.getAttributeNames(), "layer"))
      state.addAttribute("layer", builder.getStringAttr(operation.path));
    Operation *op = builder.create(state);
    for (auto [id, result] : llvm::zip_equal(operation.results, op->getResults()))
      values[id] = result;
    return success();
  }

  //===--- stages -----------------------------------------------------------------------------===//

  static std::string measure(const semantics::Measure &measure) {
    return measure.set + "." + measure.name;
  }

  LogicalResult buildStage(const semantics::Train &train, const semantics::Stage &stage) {
    OpBuilder::InsertionGuard guard(builder);
    auto op = model::StageOp::create(
        builder, at(stage.place), builder.getStringAttr(stage.name.empty() ? "main" : stage.name),
        builder.getI64IntegerAttr(stage.batch),
        stage.length.epochs ? builder.getF64FloatAttr(stage.length.value) : FloatAttr(),
        stage.length.epochs ? IntegerAttr()
                            : builder.getI64IntegerAttr(static_cast<int64_t>(stage.length.value)),
        stage.dropLast ? builder.getUnitAttr() : UnitAttr(),
        stage.sequential ? builder.getUnitAttr() : UnitAttr(),
        builder.getI64IntegerAttr(stage.accumulate),
        stage.frozen.empty() ? ArrayAttr() : strings(stage.frozen),
        stage.frozenLayers.empty() ? ArrayAttr() : strings(stage.frozenLayers),
        stage.stop ? builder.getStringAttr(measure(stage.stop->measure)) : StringAttr(),
        stage.stop && stage.stop->measure.upwards ? builder.getUnitAttr() : UnitAttr(),
        stage.stop ? builder.getI64IntegerAttr(stage.stop->patience) : IntegerAttr(),
        stage.keepBest ? builder.getStringAttr(measure(*stage.keepBest)) : StringAttr(),
        stage.keepBest && stage.keepBest->upwards ? builder.getUnitAttr() : UnitAttr(),
        stage.recompute.empty() ? ArrayAttr() : strings(stage.recompute),
        stage.bf16 ? builder.getUnitAttr() : UnitAttr());
    builder.createBlock(&op.getBody());
    for (const semantics::Load &load : stage.loads)
      buildLoad(load);

    auto source = [&](const std::string &name, Location location, Type fieldType) -> Value {
      return model::FieldOp::create(builder, location, fieldType, name);
    };
    SmallVector<Value> values;
    if (failed(buildGraph(stage.graph, source, values)))
      return failure();

    const Location location = values[stage.objective].getLoc();
    model::ObjectiveOp::create(builder, location, values[stage.objective]);
    for (semantics::ValueId penalty : stage.penalties)
      model::PenaltyOp::create(builder, values[penalty].getLoc(), values[penalty]);
    for (const semantics::Report &report : stage.reports)
      model::ReportOp::create(builder, at(report.place), report.name, values[report.value],
                              report.upwards, report.finish, report.everySteps);
    for (const semantics::Regularizer &regularizer : stage.regularizers)
      if (!regularizer.parameters.empty())
        model::RegularizeOp::create(builder, at(regularizer.place),
                                    builder.getF64FloatAttr(regularizer.l1),
                                    builder.getF64FloatAttr(regularizer.l2),
                                    regularizer.proximal ? builder.getUnitAttr() : UnitAttr(),
                                    symbols(regularizer.parameters));
    for (const semantics::Constraint &constraint : stage.constraints)
      model::ConstrainOp::create(builder, at(constraint.place), constraint.kind,
                                 APFloat(constraint.limit), symbols(constraint.parameters));
    for (const semantics::Optimizer &optimizer : stage.optimizers)
      if (!optimizer.parameters.empty())
        buildOptimizer(optimizer);
    if (stage.clip.kind != semantics::Clip::Kind::None)
      model::ClipOp::create(builder, at(stage.place),
                            stage.clip.kind == semantics::Clip::Kind::Norm ? "norm" : "value",
                            APFloat(stage.clip.limit));
    for (const semantics::Copy &copy : stage.copies)
      model::CopyOp::create(builder, at(copy.place), symbols(copy.from), symbols(copy.to));
    for (const semantics::Average &average : stage.averages)
      model::AverageOp::create(builder, at(average.place), symbols(average.states),
                               APFloat(average.decay), average.every);
    return success();
  }

  void buildOptimizer(const semantics::Optimizer &optimizer) {
    static constexpr const char *schedules[] = {"constant", "step", "exponential", "cosine",
                                                "linear"};
    OperationState state(at(optimizer.place), model::OptimizeOp::getOperationName());
    auto real = [&](StringRef name, double value) {
      state.addAttribute(name, builder.getF64FloatAttr(value));
    };
    auto count = [&](StringRef name, const semantics::Count &value) {
      real(name, value.value);
      if (value.epochs)
        state.addAttribute((name + "_epochs").str(), builder.getUnitAttr());
    };
    state.addAttribute("kind", builder.getStringAttr(optimizer.kind));
    state.addAttribute("parameters", symbols(optimizer.parameters));
    if (!optimizer.spared.empty())
      state.addAttribute("spared", strings(optimizer.spared));
    real("rate", optimizer.rate.rate);
    state.addAttribute("schedule",
                       builder.getStringAttr(schedules[static_cast<int>(optimizer.rate.kind)]));
    real("by", optimizer.rate.by);
    real("floor", optimizer.rate.floor);
    real("to", optimizer.rate.to);
    count("every", optimizer.rate.every);
    count("warmup", optimizer.rate.warmup);
    real("factor", optimizer.rateFactor);
    for (const auto &[name, value] : optimizer.attributes) {
      if (const bool *flag = std::get_if<bool>(&value)) {
        if (*flag)
          state.addAttribute(name, builder.getUnitAttr());
      } else if (llvm::is_contained(state.name.getAttributeNames(), name)) {
        state.addAttribute(name, attribute(value));
      }
    }
    builder.create(state);
  }

  const syntax::SourceManager &sources;
  OpBuilder builder;
  bool marksParts = false; ///< ops say which instance they are part of: some stage recomputes
};

} // namespace

OwningOpRef<ModuleOp> programToModel(const semantics::Program &program,
                                     const syntax::SourceManager &sources, syntax::FileId spec,
                                     StringRef name, MLIRContext &context) {
  context.loadDialect<model::ModelDialect>();
  return Builder(sources, context).build(program, spec, name);
}

} // namespace sinter::lower
