//===- ModelProgram.cpp - data, train blocks, nets, stages: what stands around a graph --------===//
#include "dialects/model/ModelOps.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace sinter::model;

//===--- data ---------------------------------------------------------------------------------===//

static DictionaryAttr findField(DataOp data, StringRef name) {
  for (auto field : data.getFields().getAsRange<DictionaryAttr>())
    if (auto said = field.getAs<StringAttr>("name"); said && said.getValue() == name)
      return field;
  return {};
}

RankedTensorType DataOp::getFieldType(StringRef name) {
  DictionaryAttr field = findField(*this, name);
  auto type = field ? field.getAs<TypeAttr>("type") : TypeAttr();
  return type ? dyn_cast<RankedTensorType>(type.getValue()) : RankedTensorType();
}

int64_t DataOp::getFieldClasses(StringRef name) {
  DictionaryAttr field = findField(*this, name);
  auto classes = field ? field.getAs<IntegerAttr>("classes") : IntegerAttr();
  return classes ? classes.getInt() : 0;
}

/// (C4) for one loading op; `elements` numbers at most, where it has one a channel.
static LogicalResult verifyLoadingOp(DataOp data, Attribute attribute) {
  auto op = dyn_cast<DictionaryAttr>(attribute);
  auto kind = op ? op.getAs<StringAttr>("kind") : StringAttr();
  if (!kind)
    return data.emitOpError("(C4) a loading op has a kind");
  if (llvm::is_contained({"add", "multiply", "divide", "subtract_from", "divide_into", "power"},
                         kind.getValue())) {
    if (op.getAs<FloatAttr>("value"))
      return success();
    return data.emitOpError("(C4) loading op ") << kind << " has a `value`, a real";
  }
  if (kind.getValue() == "normalize") {
    auto mean = op.getAs<DenseF64ArrayAttr>("mean"), std = op.getAs<DenseF64ArrayAttr>("std");
    if (mean && std && mean.size() == std.size() && !mean.empty())
      return success();
    return data.emitOpError("(C4) normalize has `mean` and `std`, equally many numbers");
  }
  if (kind.getValue() == "standardize" || kind.getValue() == "bf16")
    return success();
  return data.emitOpError("(C4) no loading op is called ") << kind;
}

static LogicalResult verifyFill(DataOp data, Attribute attribute) {
  auto fill = dyn_cast<DictionaryAttr>(attribute);
  if (!fill || !fill.getAs<StringAttr>("kind") || !fill.getAs<StringAttr>("file") ||
      !fill.getAs<ArrayAttr>("fields") || !fill.getAs<ArrayAttr>("ops"))
    return data.emitOpError("a fill has `fields`, `kind`, `file` and `ops`");
  for (Attribute field : fill.getAs<ArrayAttr>("fields")) {
    auto name = dyn_cast<StringAttr>(field);
    if (!name || !data.getFieldType(name.getValue()))
      return data.emitOpError("(C2) fills ") << field << ", which is no field";
  }
  for (Attribute op : fill.getAs<ArrayAttr>("ops"))
    if (failed(verifyLoadingOp(data, op)))
      return failure();
  return success();
}

/// (C5) for one node.
static LogicalResult verifyKeep(DataOp data, DictionaryAttr keep) {
  auto op = keep ? keep.getAs<StringAttr>("op") : StringAttr();
  if (!op)
    return data.emitOpError("(C5) what is kept has an `op`");
  if (op.getValue() == "number") {
    if (keep.getAs<FloatAttr>("value"))
      return success();
    return data.emitOpError("(C5) a number has a `value`");
  }
  if (op.getValue() == "field") {
    auto name = keep.getAs<StringAttr>("field");
    auto type = name ? data.getFieldType(name.getValue()) : RankedTensorType();
    if (type && type.getNumElements() == 1)
      return success();
    return data.emitOpError("(C5) names ")
           << keep.get("field") << ", which is no field of one number";
  }
  const size_t count = llvm::is_contained({"neg", "not"}, op.getValue()) ? 1 : 2;
  if (!llvm::is_contained(
          {"neg", "not", "+", "-", "*", "/", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or"},
          op.getValue()))
    return data.emitOpError("(C5) nothing is kept by ") << op;
  auto args = keep.getAs<ArrayAttr>("args");
  if (!args || args.size() != count)
    return data.emitOpError("(C5) ") << op << " has " << count << " of `args`";
  for (Attribute operand : args)
    if (failed(verifyKeep(data, dyn_cast<DictionaryAttr>(operand))))
      return failure();
  return success();
}

/// (C6) for one block.
static LogicalResult verifyAugment(DataOp data, Attribute attribute) {
  auto augment = dyn_cast<DictionaryAttr>(attribute);
  auto fields = augment ? augment.getAs<ArrayAttr>("fields") : ArrayAttr();
  auto steps = augment ? augment.getAs<ArrayAttr>("steps") : ArrayAttr();
  if (!fields || !steps)
    return data.emitOpError("(C6) an augmentation has `fields` and `steps`");
  for (Attribute field : fields) {
    auto name = dyn_cast<StringAttr>(field);
    if (!name || !data.getFieldType(name.getValue()))
      return data.emitOpError("(C6) augments ") << field << ", which is no field";
  }
  for (Attribute each : steps) {
    auto step = dyn_cast<DictionaryAttr>(each);
    auto kind = step ? step.getAs<StringAttr>("kind") : StringAttr();
    if (!kind || !step.getAs<FloatAttr>("value") ||
        !llvm::is_contained({"random_crop", "flip_horizontal", "flip_vertical", "random_rotation",
                             "random_erase", "noise"},
                            kind.getValue()))
      return data.emitOpError("(C6) no augmentation is ") << each;
  }
  return success();
}

LogicalResult DataOp::verify() {
  llvm::StringSet<> names;
  for (Attribute attribute : getFields()) {
    auto field = dyn_cast<DictionaryAttr>(attribute);
    auto name = field ? field.getAs<StringAttr>("name") : StringAttr();
    if (!name)
      return emitOpError("(C1) a field has a name");
    auto type = getFieldType(name.getValue());
    if (!type || !type.hasStaticShape() ||
        !(type.getElementType().isF32() || type.getElementType().isInteger(32) ||
          type.getElementType().isInteger(1)))
      return emitOpError("(C1) field ") << name << " has a type, a tensor of f32, i32 or i1";
    if (!names.insert(name.getValue()).second)
      return emitOpError("(C1) has two fields called ") << name;
  }
  for (NamedAttribute part : getParts()) {
    if (!llvm::is_contained({"train", "test", "valid"}, part.getName().strref()))
      return emitOpError("(C3) a part is train, test or valid, not ") << part.getName();
    auto fills = dyn_cast<ArrayAttr>(part.getValue());
    if (!fills)
      return emitOpError("part ") << part.getName() << " is a list of fills";
    for (Attribute fill : fills)
      if (failed(verifyFill(*this, fill)))
        return failure();
  }
  if (!getParts().contains("train"))
    return emitOpError("(C3) has no train part");
  if (auto keep = getKeep(); keep && failed(verifyKeep(*this, *keep)))
    return failure();
  for (Attribute augment : getAugment().value_or(ArrayAttr::get(getContext(), {})))
    if (failed(verifyAugment(*this, augment)))
      return failure();
  return success();
}

//===--- train --------------------------------------------------------------------------------===//

/// The data that a block trains on, or null.
static DataOp findData(TrainOp train) {
  return dyn_cast_if_present<DataOp>(
      mlir::SymbolTable::lookupNearestSymbolFrom(train->getParentOp(), train.getDataAttr()));
}

LogicalResult TrainOp::verifyRegions() {
  if (!findData(*this))
    return emitOpError("(C1) trains on @") << getData() << ", which is no model.data";
  if (!lookupSymbol<NetOp>(getModel()))
    return emitOpError("(C2) trains @") << getModel() << ", which is no model.net of its body";
  if (getBody().getOps<StageOp>().empty())
    return emitOpError("has no model.stage");
  for (Operation &op : getBody().getOps())
    if (!isa<ParamOp, BufferOp, LoadOp, NetOp, StageOp>(op))
      return op.emitOpError("does not stand in a model.train");
  return success();
}

LogicalResult LoadOp::verify() {
  if (getFile().has_value() == getTrain().has_value())
    return emitOpError("(C1) names a file or a train, one of the two");
  if (!getRules().getAs<ArrayAttr>("parameters"))
    return emitOpError("(C2) `rules` has the list `parameters`");
  return success();
}

//===--- net ----------------------------------------------------------------------------------===//

ParseResult NetOp::parse(OpAsmParser &parser, OperationState &result) {
  auto functionType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                         function_interface_impl::VariadicFlag,
                         std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name), functionType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void NetOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false,
                                           getFunctionTypeAttrName(), getArgAttrsAttrName(),
                                           getResAttrsAttrName());
}

LogicalResult ReturnOp::verify() {
  auto net = cast<NetOp>((*this)->getParentOp());
  if (getOperandTypes() != TypeRange(net.getResultTypes()))
    return emitOpError("(C1) gives ")
           << getOperandTypes() << " where the net gives " << net.getResultTypes();
  return success();
}

//===--- stage --------------------------------------------------------------------------------===//

/// The parameter or buffer of the block around `op`, or null.
static Operation *findState(Operation *op, StringAttr name) {
  auto train = op->getParentOfType<TrainOp>();
  Operation *found = train ? train.lookupSymbol(name) : nullptr;
  return isa_and_present<ParamOp, BufferOp>(found) ? found : nullptr;
}

static LogicalResult verifyParameters(Operation *op, ArrayAttr parameters, StringRef constraint) {
  for (auto symbol : parameters.getAsRange<FlatSymbolRefAttr>())
    if (!isa_and_present<ParamOp>(findState(op, symbol.getAttr())))
      return op->emitOpError() << constraint << " names " << symbol << ", which is no model.param";
  return success();
}

LogicalResult StageOp::verifyRegions() {
  if (getEpochs().has_value() == getSteps().has_value())
    return emitOpError("(C1) the length is `epochs` or `steps`, exactly one");
  const auto objectives = llvm::range_size(getBody().getOps<ObjectiveOp>());
  if (objectives != 1)
    return emitOpError("(C2) has one model.objective, has ") << objectives;
  if (getBatch() < 1 || getAccumulate() < 1)
    return emitOpError("(C3) batch and accumulate are positive");
  llvm::StringSet<> frozen, optimized;
  if (getFrozen())
    for (auto name : getFrozen()->getAsRange<StringAttr>()) {
      if (!findState(*this, name))
        return emitOpError("(C4) freezes ") << name << ", which is no parameter or buffer";
      frozen.insert(name.getValue());
    }
  for (OptimizeOp optimizer : getBody().getOps<OptimizeOp>())
    for (StringRef name : optimizer.getParameters().getAsValueRange<FlatSymbolRefAttr>()) {
      if (frozen.contains(name))
        return optimizer.emitOpError("(C3) updates @") << name << ", which is frozen";
      if (!optimized.insert(name).second)
        return optimizer.emitOpError("(C3) updates @") << name << ", as another one does";
    }
  return success();
}

LogicalResult FieldOp::verify() {
  auto train = (*this)->getParentOfType<TrainOp>();
  auto data = train ? findData(train) : DataOp();
  if (!data) // told by the train block
    return success();
  if (data.getFieldType(getName()) != getType())
    return emitOpError("(C1) @") << data.getSymName() << " has no field \"" << getName()
                                 << "\" of type " << getType();
  return success();
}

LogicalResult RegularizeOp::verify() { return verifyParameters(*this, getParameters(), "(C1)"); }

LogicalResult CopyOp::verify() {
  if (getFrom().size() != getTo().size())
    return emitOpError("(C1) copies ") << getFrom().size() << " states to " << getTo().size();
  for (auto [from, to] : llvm::zip_equal(getFrom().getAsRange<FlatSymbolRefAttr>(),
                                         getTo().getAsRange<FlatSymbolRefAttr>())) {
    Operation *source = findState(*this, from.getAttr()), *target = findState(*this, to.getAttr());
    for (auto [name, state] : {std::pair(from, source), std::pair(to, target)})
      if (!state)
        return emitOpError("(C1) names ") << name << ", which is no parameter or buffer";
    if (source->getAttr("type") != target->getAttr("type"))
      return emitOpError("(C1) copies ") << from << " to " << to << ", whose type is another";
  }
  return success();
}

LogicalResult AverageOp::verify() {
  for (auto name : getStates().getAsRange<FlatSymbolRefAttr>()) {
    Operation *state = findState(*this, name.getAttr());
    if (!state || !state->getAttr("of"))
      return emitOpError("(C1) averages into ") << name << ", which is `of` nothing";
  }
  const double decay = getDecay().convertToDouble();
  if (!(decay >= 0 && decay < 1) || static_cast<int64_t>(getEvery()) < 1)
    return emitOpError("(C2) decay is from 0 to below 1, and every is positive");
  return success();
}

static constexpr StringRef schedules[] = {"constant", "step", "exponential", "cosine", "linear"};

LogicalResult ScheduleOp::verify() {
  if (!llvm::is_contained(schedules, getSchedule()))
    return emitOpError("no schedule is called \"") << getSchedule() << "\"";
  return success();
}

LogicalResult ConstrainOp::verify() {
  if (getKind() != "max_norm" && getKind() != "nonnegative")
    return emitOpError("(C1) kind is max_norm or nonnegative, is \"") << getKind() << "\"";
  if (getKind() == "max_norm" && !(getLimit().convertToDouble() > 0))
    return emitOpError("(C1) limit is above 0");
  return verifyParameters(*this, getParameters(), "(C2)");
}

LogicalResult OptimizeOp::verify() {
  const StringRef kind = getKind();
  if (!llvm::is_contained({"sgd", "adam", "adamw", "rmsprop", "adagrad", "lion"}, kind))
    return emitOpError("(C1) no optimizer is called \"") << kind << "\"";
  if (!llvm::is_contained(schedules, getSchedule()))
    return emitOpError("(C1) no schedule is called \"") << getSchedule() << "\"";
  if (llvm::is_contained({"adam", "adamw", "lion"}, kind) && !(getBeta1() && getBeta2()))
    return emitOpError("(C1) ") << kind << " has beta1 and beta2";
  if (llvm::is_contained({"adam", "adamw", "rmsprop", "adagrad"}, kind) && !getEps())
    return emitOpError("(C1) ") << kind << " has eps";
  if (kind == "rmsprop" && !getAlpha())
    return emitOpError("(C1) rmsprop has alpha");
  return verifyParameters(*this, getParameters(), "(C2)");
}

LogicalResult ClipOp::verify() {
  if (getKind() != "norm" && getKind() != "value")
    return emitOpError("(C1) kind is norm or value, is \"") << getKind() << "\"";
  if (getLimit().convertToDouble() <= 0)
    return emitOpError("(C2) limit is positive");
  return success();
}

//===--- sources ------------------------------------------------------------------------------===//

LogicalResult ReadOp::verify() {
  Operation *state = findState(*this, getParameterAttr().getAttr());
  if (!state)
    return emitOpError("(C1) reads @") << getParameter() << ", which is no parameter or buffer";
  Type type = cast<TypeAttr>(state->getAttr("type")).getValue();
  if (type != getType())
    return emitOpError("(C1) reads @")
           << getParameter() << " as " << getType() << ", it is " << type;
  return success();
}

LogicalResult CallOp::verify() {
  auto train = (*this)->getParentOfType<TrainOp>();
  auto net = train ? train.lookupSymbol<NetOp>(getNet()) : NetOp();
  if (!net)
    return emitOpError("(C1) calls @") << getNet() << ", which is no model.net of this block";
  if (getInputs().getTypes() != TypeRange(net.getArgumentTypes()) ||
      getOutputs().getTypes() != TypeRange(net.getResultTypes()))
    return emitOpError("(C1) @") << getNet() << " has type " << net.getFunctionType();
  return success();
}
