//===- Step.cpp - states, runs, stages, steps and their commit --------------------------------===//
#include "dialects/train/TrainOps.h"

#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace sinter::train;

//===--- state --------------------------------------------------------------------------------===//

ArrayRef<int64_t> StateOp::getSavedShape() {
  if (auto layout = getLayout())
    return layout->getShape();
  return cast<RankedTensorType>(getType()).getShape();
}

LogicalResult StateOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  const Distribution distribution = getInit().getDistribution();
  if ((distribution == Distribution::Orthogonal || distribution == Distribution::Identity) &&
      getSavedShape().size() < 2)
    return emitOpError("(C1) a state that begins ")
           << stringifyDistribution(distribution) << " has rank 2 or more, has "
           << getSavedShape().size();
  const auto values = getInit().getValues();
  if ((distribution == Distribution::Values) != static_cast<bool>(values) ||
      (values && values.size() != type.getNumElements()))
    return emitOpError("(C1) a state that begins with values has one for each of its ")
           << type.getNumElements() << " elements, has " << (values ? values.size() : 0);
  if (!llvm::is_contained({"parameter", "buffer", "teacher", "optimizer"}, getKind()))
    return emitOpError(
               "(C2) kind is \"parameter\", \"buffer\", \"teacher\" or \"optimizer\", is \"")
           << getKind() << "\"";
  if (getKind() != "teacher" && (getKind() == "optimizer") != getOf().has_value())
    return emitOpError("(C2) `of` stands exactly where kind is \"optimizer\"");
  if (auto layout = getLayout();
      layout && llvm::product_of(layout->getShape()) != type.getNumElements())
    return emitOpError("(C3) layout has ") << llvm::product_of(layout->getShape())
                                           << " elements, the type has " << type.getNumElements();
  return success();
}

LogicalResult StateOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getOf())
    return success();
  auto of = symbols.lookupNearestSymbolFrom<StateOp>(*this, getOfAttr());
  if (!of || (of.getKind() != "parameter" && of.getKind() != "buffer"))
    return emitOpError("(C2) `of` must name a parameter or buffer, names @") << *getOf();
  return success();
}

//===--- run and stage ------------------------------------------------------------------------===//

LogicalResult RunOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom(*this, getDataAttr()))
    return emitOpError("trains on data that is not declared: @") << getData();
  return success();
}

LogicalResult StageOp::verify() {
  if (getEpochs().has_value() == getSteps().has_value())
    return emitOpError("(C1) length is `epochs` or `steps`, exactly one");
  if (getBatch() < 1)
    return emitOpError("batch must be positive, is ") << getBatch();
  const size_t reports = getReports() ? getReports()->size() : 0;
  if (getFinish() && getFinish()->size() != reports)
    return emitOpError("(C3) `finish` has ")
           << getFinish()->size() << " entries for " << reports << " reports";
  if (getAscending() && getAscending()->size() != reports)
    return emitOpError("(C3) `ascending` has ")
           << getAscending()->size() << " entries for " << reports << " reports";
  if (getEvery() && static_cast<size_t>(getEvery()->size()) != reports)
    return emitOpError("(C3) `every` has ")
           << getEvery()->size() << " entries for " << reports << " reports";
  if ((static_cast<int64_t>(getAccumulate()) > 1) != getUpdate().has_value())
    return emitOpError("(C4) `update` stands exactly where accumulate is above 1");
  return success();
}

LogicalResult StageOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto check = [&](FlatSymbolRefAttr name, StringRef kind) -> LogicalResult {
    Operation *named = symbols.lookupNearestSymbolFrom(*this, name);
    if (named && named->getDialect() != (*this)->getDialect() &&
        named->getAttrOfType<StringAttr>("kind") == kind)
      return success(); // a step of a floor below, which verifies its own
    auto step = dyn_cast_if_present<StepOp>(named);
    if (!step || step.getKind() != kind)
      return emitOpError("(C2) ") << name << " must be a train.step of kind \"" << kind << "\"";
    if (kind == "update")
      return success();
    if (step.getBatch() != static_cast<int64_t>(getBatch()))
      return emitOpError("(C2) ") << name << " is a step of " << step.getBatch()
                                  << " examples, the batch has " << getBatch();
    if (kind == "predict")
      return success();
    SmallVector<Attribute> expected{StringAttr::get(getContext(), "loss")};
    if (getReports())
      llvm::append_range(expected, *getReports());
    if (step.getCommit().getOutputNames() != ArrayAttr::get(getContext(), expected))
      return emitOpError("(C3) the outputs of ")
             << name << " must be " << ArrayAttr::get(getContext(), expected) << ", are "
             << step.getCommit().getOutputNames();
    return success();
  };
  if (failed(check(getStepAttr(), "train")) || failed(check(getEvalAttr(), "eval")) ||
      (getUpdate() && failed(check(getUpdateAttr(), "update"))))
    return failure();
  return getPredict() ? check(getPredictAttr(), "predict") : success();
}

//===--- step ---------------------------------------------------------------------------------===//

// train.step @name kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, …) attributes {…} { … }
ParseResult StepOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name, kind;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseKeyword("kind") ||
      parser.parseAttribute(kind, getKindAttrName(result.name), result.attributes))
    return failure();

  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Type> resultTypes;
  SmallVector<DictionaryAttr> resultAttributes;
  bool isVariadic = false;
  const SMLoc signature = parser.getCurrentLocation();
  if (function_interface_impl::parseFunctionSignatureWithArguments(
          parser, /*allowVariadic=*/false, arguments, isVariadic, resultTypes, resultAttributes))
    return failure();
  if (!resultTypes.empty())
    return parser.emitError(signature, "a step has no results; it ends in train.commit");

  SmallVector<Type> types;
  for (const OpAsmParser::Argument &argument : arguments)
    types.push_back(argument.type);
  result.addAttribute(getFunctionTypeAttrName(result.name),
                      TypeAttr::get(parser.getBuilder().getFunctionType(types, {})));
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  call_interface_impl::addArgAndResultAttrs(parser.getBuilder(), result, arguments,
                                            resultAttributes, getArgAttrsAttrName(result.name),
                                            getResAttrsAttrName(result.name));
  return parser.parseRegion(*result.addRegion(), arguments);
}

void StepOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << " kind " << getKindAttr() << ' ';
  function_interface_impl::printFunctionSignature(printer, *this, getArgumentTypes(),
                                                  /*isVariadic=*/false, getResultTypes());
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {getSymNameAttrName(), getKindAttrName(), getFunctionTypeAttrName(),
                            getArgAttrsAttrName(), getResAttrsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

/// The name that `binding` gives to an argument, or "".
static StringRef boundTo(StepOp step, unsigned argument, StringRef binding) {
  Attribute value = step.getArgAttr(argument, binding);
  if (auto symbol = dyn_cast_if_present<FlatSymbolRefAttr>(value))
    return symbol.getValue();
  if (auto text = dyn_cast_if_present<StringAttr>(value))
    return text.getValue();
  return "";
}

// Arguments print as what they are bound to: %conv1.weight, %image, %count.
void StepOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (BlockArgument argument : region.getArguments())
    for (StringRef binding : {"train.reads", "train.owns", "train.data", "train.clock"})
      if (StringRef name = boundTo(*this, argument.getArgNumber(), binding); !name.empty())
        setName(argument, name);
}

int64_t StepOp::getBatch() {
  for (unsigned i = 0; i < getNumArguments(); ++i)
    if (!boundTo(*this, i, "train.data").empty() || boundTo(*this, i, "train.clock") == "ids")
      return cast<RankedTensorType>(getArgumentTypes()[i]).getDimSize(0);
  return 1;
}

BlockArgument StepOp::getClock(StringRef name) {
  for (BlockArgument argument : getBody().getArguments())
    if (boundTo(*this, argument.getArgNumber(), "train.clock") == name)
      return argument;
  return {};
}

BlockArgument StepOp::getState(StringRef name) {
  for (BlockArgument argument : getBody().getArguments())
    if (boundTo(*this, argument.getArgNumber(), "train.owns") == name ||
        boundTo(*this, argument.getArgNumber(), "train.reads") == name)
      return argument;
  return {};
}

CommitOp StepOp::getCommit() { return cast<CommitOp>(getBody().front().getTerminator()); }

LogicalResult StepOp::verify() {
  if (!llvm::is_contained({"train", "update", "eval", "predict"}, getKind()))
    return emitOpError("kind is \"train\", \"update\", \"eval\" or \"predict\", is \"")
           << getKind() << "\"";

  llvm::StringMap<unsigned> states, others;
  int64_t batch = -1;
  for (unsigned i = 0; i < getNumArguments(); ++i) {
    unsigned bindings = 0;
    for (StringRef binding : {"train.reads", "train.owns", "train.data", "train.clock"}) {
      const StringRef name = boundTo(*this, i, binding);
      if (name.empty())
        continue;
      ++bindings;
      const bool isState = binding == "train.reads" || binding == "train.owns";
      auto [at, fresh] = isState ? states.try_emplace(name, i)
                                 : others.try_emplace((binding + " " + name).str(), i);
      if (!fresh)
        return emitOpError(isState ? "(S4) state @" : "(S6) ")
               << (isState ? name : at->first()) << " is bound twice, by arguments " << at->second
               << " and " << i;
      if (binding == "train.owns" && getKind() != "train" && getKind() != "update")
        return emitOpError("(S5) a step of kind \"")
               << getKind() << "\" owns nothing, owns @" << name;
      if (binding == "train.data" || name == "ids") {
        const int64_t rows = cast<RankedTensorType>(getArgumentTypes()[i]).getDimSize(0);
        if (batch >= 0 && rows != batch)
          return emitOpError("(S6) argument ")
                 << i << " has " << rows << " rows, the batch has " << batch;
        batch = rows;
      }
    }
    if (bindings != 1)
      return emitOpError("(S6) argument ")
             << i << " must be bound by exactly one of train.reads, train.owns, train.data and "
             << "train.clock, is by " << bindings;
    if (getArgAttr(i, "train.perm") && boundTo(*this, i, "train.data").empty())
      return emitOpError("(S6) argument ") << i << ": train.perm stands beside train.data only";
  }
  return success();
}

LogicalResult StepOp::verifyRegions() {
  auto commit = dyn_cast<CommitOp>(getBody().front().getTerminator());
  if (!commit)
    return emitOpError("ends in train.commit");

  llvm::StringMap<unsigned> committed;
  for (auto [name, value] : llvm::zip_equal(commit.getStates().getAsValueRange<FlatSymbolRefAttr>(),
                                            commit.getValues())) {
    BlockArgument owned = getState(name);
    if (!owned || boundTo(*this, owned.getArgNumber(), "train.owns").empty())
      return commit.emitOpError("(S2) commits @") << name << ", which this step does not own";
    if (++committed[name] > 1)
      return commit.emitOpError("(S1) commits @") << name << " twice";
    if (owned.getType() != value.getType())
      return commit.emitOpError("(S1) commits @")
             << name << " with type " << value.getType() << ", it has " << owned.getType();
  }
  for (BlockArgument argument : getBody().getArguments())
    if (StringRef name = boundTo(*this, argument.getArgNumber(), "train.owns");
        !name.empty() && !committed.contains(name))
      return commit.emitOpError("(S1) does not commit @") << name << ", which this step owns";

  for (auto gradient : getBody().getOps<GradientOp>())
    for (Value of : gradient.getOf()) {
      auto argument = dyn_cast<BlockArgument>(of);
      if (!argument || boundTo(*this, argument.getArgNumber(), "train.owns").empty())
        return gradient.emitOpError("(S3) takes gradients of owned states only");
    }
  return success();
}

LogicalResult StepOp::verifySymbolUses(SymbolTableCollection &symbols) {
  for (BlockArgument argument : getBody().getArguments())
    for (StringRef binding : {"train.reads", "train.owns"}) {
      auto name = getArgAttrOfType<FlatSymbolRefAttr>(argument.getArgNumber(), binding);
      if (!name)
        continue;
      auto state = symbols.lookupNearestSymbolFrom<StateOp>(*this, name);
      if (!state)
        return emitOpError("(S6) argument ")
               << argument.getArgNumber() << " binds " << name << ", which is no train.state";
      if (state.getType() != argument.getType())
        return emitOpError("(S6) argument ")
               << argument.getArgNumber() << " has type " << argument.getType() << ", " << name
               << " has " << state.getType();
    }
  return success();
}

LogicalResult CommitOp::verify() {
  auto check = [&](ArrayAttr names, OperandRange values, StringRef what) -> LogicalResult {
    if (names.size() != values.size())
      return emitOpError("(C1) has ")
             << names.size() << " names for " << values.size() << " " << what;
    return success();
  };
  if (failed(check(getStates(), getValues(), "states")) ||
      failed(check(getOutputNames(), getOutputs(), "outputs")))
    return failure();
  return check(getResultNames(), getResults_(), "results");
}

//===--- gradient -----------------------------------------------------------------------------===//

LogicalResult GradientOp::verify() {
  if (getOf().getTypes() != getGradients().getTypes())
    return emitOpError("each gradient has the type of what it is of");
  return success();
}
