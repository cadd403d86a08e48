//===- Description.cpp - what a program says of itself ----------------------------------------===//
#include "compiler/codegen/Description.h"

#include "dialects/model/ModelOps.h"
#include "dialects/train/StateLayout.h"
#include "dialects/train/TrainOps.h"
#include "runtime/Abi.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using Json = nlohmann::ordered_json;

namespace sinter::codegen {

std::string describePlace(Location location) {
  std::string place;
  location->walk([&](Location each) {
    auto at = dyn_cast<FileLineColLoc>(each);
    if (!at)
      return WalkResult::advance();
    place = at.getFilename().str() + ":" + std::to_string(at.getLine()) + ":" +
            std::to_string(at.getColumn());
    return WalkResult::interrupt();
  });
  return place;
}

namespace {

std::string text(Attribute attribute) { return cast<StringAttr>(attribute).str(); }

/// An attribute of plain values as JSON; null for what is none.
Json toJson(Attribute attribute) {
  if (auto value = dyn_cast<StringAttr>(attribute))
    return value.str();
  if (auto value = dyn_cast<BoolAttr>(attribute))
    return value.getValue();
  if (auto value = dyn_cast<IntegerAttr>(attribute))
    return value.getInt();
  if (auto value = dyn_cast<FloatAttr>(attribute))
    return value.getValueAsDouble();
  if (auto value = dyn_cast<DenseI64ArrayAttr>(attribute))
    return std::vector<int64_t>(value.asArrayRef());
  if (auto value = dyn_cast<DenseF64ArrayAttr>(attribute))
    return std::vector<double>(value.asArrayRef());
  Json list;
  if (auto values = dyn_cast<ArrayAttr>(attribute)) {
    list = Json::array();
    for (Attribute value : values)
      list.push_back(toJson(value));
  } else if (auto entries = dyn_cast<DictionaryAttr>(attribute)) {
    list = Json::object();
    for (NamedAttribute entry : entries)
      list[entry.getName().str()] = toJson(entry.getValue());
  }
  return list;
}

void addPlace(Json &json, Location location) {
  if (std::string place = describePlace(location); !place.empty())
    json["place"] = std::move(place);
}

//===--- data ---------------------------------------------------------------------------------===//

Json describeFill(DictionaryAttr fill) {
  Json source = Json::object();
  source["kind"] = text(fill.get("kind"));
  Json json;
  json["fields"] = toJson(fill.get("fields"));
  for (NamedAttribute entry : fill) {
    const StringRef name = entry.getName().strref();
    if (llvm::is_contained({"fields", "ops", "place", "kind"}, name))
      continue;
    if (name == "file" && text(entry.getValue()).empty()) // made, not read
      continue;
    // A range of columns and a list of header names are values of one key.
    if (name == "first" || name == "last")
      source["columns"][name.str()] = toJson(entry.getValue());
    else if (name == "names")
      source["columns"] = toJson(entry.getValue());
    else
      source[name.str()] = toJson(entry.getValue());
  }
  json["source"] = std::move(source);
  json["ops"] = toJson(fill.get("ops"));
  if (Attribute place = fill.get("place"))
    json["place"] = text(place);
  return json;
}

Json describeData(model::DataOp data) {
  Json json;
  json["name"] = data.getSymName().str();
  addPlace(json, data.getLoc());
  json["seed"] = data.getSeed();
  json["fields"] = Json::array();
  for (auto field : data.getFields().getAsRange<DictionaryAttr>()) {
    const std::string name = text(field.get("name"));
    const RankedTensorType type = data.getFieldType(name);
    Json entry;
    entry["name"] = name;
    entry["dtype"] = type.getElementType().isF32()        ? "f32"
                     : type.getElementType().isInteger(1) ? "bool"
                                                          : "i32";
    if (const int64_t classes = data.getFieldClasses(name))
      entry["classes"] = classes;
    if (auto labels = field.getAs<IntegerAttr>("labels"))
      entry["labels"] = labels.getInt();
    entry["shape"] = std::vector<int64_t>(type.getShape());
    json["fields"].push_back(std::move(entry));
  }
  json["parts"] = Json::object();
  for (NamedAttribute part : data.getParts()) {
    Json fills = Json::array();
    for (auto fill : cast<ArrayAttr>(part.getValue()).getAsRange<DictionaryAttr>())
      fills.push_back(describeFill(fill));
    json["parts"][part.getName().str()] = std::move(fills);
  }
  if (auto split = data.getSplit()) {
    json["split"] = toJson(*split);
    if (json["split"].value("stratify", "").empty())
      json["split"].erase("stratify");
  }
  if (auto keep = data.getKeep())
    json["keep"] = toJson(*keep);
  if (auto take = data.getTake())
    json["take"] = *take;
  if (auto augment = data.getAugment())
    json["augment"] = toJson(*augment);
  return json;
}

//===--- states and steps ---------------------------------------------------------------------===//

Json layoutJson(ArrayRef<int64_t> view, ArrayRef<int64_t> perm) {
  Json json;
  json["view"] = std::vector<int64_t>(view);
  json["perm"] = std::vector<int64_t>(perm);
  return json;
}

Json describeState(train::StateOp state, uint64_t offset) {
  // Where several runs stand in a program, a state's symbol begins with its run's name.
  const auto run = state->getAttrOfType<StringAttr>("run");
  auto ownName = [&](StringRef symbol) {
    return run ? symbol.drop_front(run.size() + 1).str() : symbol.str();
  };
  Json json;
  json["name"] = ownName(state.getSymName());
  json["kind"] = state.getKind().str();
  json["shape"] = std::vector<int64_t>(state.getSavedShape());
  json["offset"] = offset;
  if (auto layout = state.getLayout())
    json["layout"] = layoutJson(layout->getView(), layout->getPerm());
  if (auto also = state.getAlso())
    json["aliases"] = toJson(*also);
  if (auto of = state.getOf())
    json["of"] = ownName(*of);
  if (run)
    json["run"] = run.str();
  const train::InitAttr init = state.getInit();
  json["init"] = {{"kind", train::stringifyDistribution(init.getDistribution()).str()},
                  {"a", init.getA()},
                  {"b", init.getB()}};
  if (auto values = init.getValues())
    json["init"]["values"] = std::vector<double>(values.asArrayRef());
  addPlace(json, state.getLoc());
  return json;
}

/// The data that a step reads: that of the run with a stage that names it.
model::DataOp dataOf(ModuleOp module, StringRef step) {
  for (auto run : module.getOps<train::RunOp>())
    for (auto stage : run.getBody().getOps<train::StageOp>())
      if (stage.getStep() == step || stage.getUpdate() == step || stage.getEval() == step ||
          stage.getPredict() == step)
        return module.lookupSymbol<model::DataOp>(run.getData());
  return {};
}

Json describeStep(const StepLayout &step, model::DataOp data) {
  Json json;
  json["name"] = step.name;
  json["batch"] = step.batch;
  json["fields"] = Json::array();
  for (const FieldLayout &field : step.fields) {
    Json entry{{"name", field.name}, {"offset", field.offset}};
    if (!field.perm.empty() && data)
      entry["layout"] = layoutJson(data.getFieldType(field.name).getShape(), field.perm);
    json["fields"].push_back(std::move(entry));
  }
  if (step.ids)
    json["ids"] = *step.ids;
  json["outputs"] = Json::array();
  for (const OutputLayout &output : step.outputs)
    json["outputs"].push_back({{"name", output.name}, {"offset", output.offset}});
  json["results"] = Json::array();
  for (const ResultLayout &result : step.results)
    json["results"].push_back(
        {{"name", result.name}, {"offset", result.offset}, {"shape", result.shape}});
  json["tasks"] = Json::array();
  for (const TaskEntry &task : step.tasks)
    json["tasks"].push_back({{"function", task.function},
                             {"shares", task.shares},
                             {"wait", task.wait},
                             {"name", task.name},
                             {"place", task.place},
                             {"flops", task.flops},
                             {"bytes", task.bytes}});
  return json;
}

//===--- runs ---------------------------------------------------------------------------------===//

/// "valid.accuracy" as {set, name, higher_is_better}; the stage knows which way a report is better.
Json describeMeasure(train::StageOp stage, StringRef measure) {
  const auto [set, name] = measure.split('.');
  bool ascending = false;
  if (stage.getReports() && stage.getAscending())
    for (auto [report, upwards] : llvm::zip_equal(*stage.getReports(), *stage.getAscending()))
      if (text(report) == name)
        ascending = upwards;
  return {{"set", set.str()}, {"name", name.str()}, {"higher_is_better", ascending}};
}

Json describeLoad(model::LoadOp load) {
  Json json;
  if (auto file = load.getFile())
    json["file"] = file->str();
  if (auto train = load.getTrain())
    json["run"] = train->str();
  if (auto prefix = load.getPrefix())
    json["prefix"] = prefix->str();
  json["rules"] = toJson(load.getRules());
  addPlace(json, load.getLoc());
  return json;
}

Json describeStage(train::StageOp stage, const ProgramLayout &layout) {
  auto indexOf = [&](StringRef name) -> Json {
    for (auto [i, step] : llvm::enumerate(layout.steps))
      if (step.name == name)
        return i;
    return nullptr;
  };
  Json json;
  json["name"] = stage.getSymName().str();
  json["batch"] = stage.getBatch();
  json["drop_last"] = stage.getDropLast();
  json["sequential"] = stage.getSequential();
  json["accumulate"] = stage.getAccumulate();
  if (auto epochs = stage.getEpochs())
    json["epochs"] = static_cast<int64_t>(epochs->convertToDouble());
  if (auto steps = stage.getSteps())
    json["steps"] = *steps;
  json["train_step"] = indexOf(stage.getStep());
  if (auto update = stage.getUpdate())
    json["update_step"] = indexOf(*update);
  json["eval_step"] = indexOf(stage.getEval());
  if (auto predict = stage.getPredict())
    json["predict_step"] = indexOf(*predict);
  if (auto sparse = stage.getSparse())
    json["sparse"] = toJson(*sparse);
  for (StringRef key : {"trained", "frozen", "frozen_proof"})
    if (auto names = stage->getAttrOfType<ArrayAttr>(key))
      json[key.str()] = toJson(names);
  if (auto copies = stage->getAttrOfType<ArrayAttr>("copies"))
    json["copies"] = toJson(copies);
  json["reports"] = Json::array();
  if (stage.getReports())
    for (auto [i, report] : llvm::enumerate(*stage.getReports())) {
      Json entry{{"name", text(report)}};
      if (stage.getFinish())
        entry["finish"] = text((*stage.getFinish())[i]);
      if (stage.getAscending())
        entry["higher_is_better"] = static_cast<bool>((*stage.getAscending())[i]);
      if (stage.getEvery())
        entry["every"] = (*stage.getEvery())[static_cast<int64_t>(i)];
      json["reports"].push_back(std::move(entry));
    }
  if (auto stop = stage.getStop()) {
    json["stop"] = describeMeasure(stage, *stop);
    json["stop"]["patience"] = stage.getPatience().value_or(1);
  }
  if (auto best = stage.getKeepBest())
    json["keep_best"] = describeMeasure(stage, *best);
  addPlace(json, stage.getLoc());
  return json;
}

} // namespace

std::string describeProgram(ModuleOp module, const ProgramLayout &layout) {
  const train::StateLayout block = train::layOutStates(module);
  Json json;
  json["version"] = runtime::abiVersion;
  json["name"] = module.getSymName().value_or("program").str();
  if (auto at = dyn_cast<FileLineColLoc>(module.getLoc()))
    json["source"] = at.getFilename().str();
  json["cpu"] = layout.cpu;
  json["arena_bytes"] = layout.arenaBytes;
  json["state_bytes"] = block.bytes;
  json["stack_bytes"] = layout.stackBytes;
  json["states"] = Json::array();
  for (auto state : module.getOps<train::StateOp>())
    json["states"].push_back(describeState(state, block.offsets.lookup(state.getSymName())));
  json["data"] = Json::array();
  for (auto data : module.getOps<model::DataOp>())
    json["data"].push_back(describeData(data));
  json["steps"] = Json::array();
  for (const StepLayout &step : layout.steps)
    json["steps"].push_back(describeStep(step, dataOf(module, step.name)));
  json["runs"] = Json::array();
  for (auto run : module.getOps<train::RunOp>()) {
    Json entry{
        {"name", run.getSymName().str()}, {"data", run.getData().str()}, {"seed", run.getSeed()}};
    entry["stages"] = Json::array();
    for (auto stage : run.getBody().getOps<train::StageOp>())
      entry["stages"].push_back(describeStage(stage, layout));
    for (auto load : run.getBody().getOps<model::LoadOp>()) {
      if (auto stage = load.getStage()) {
        for (Json &described : entry["stages"])
          if (described["name"] == stage->str())
            described["loads"].push_back(describeLoad(load));
      } else {
        entry["loads"].push_back(describeLoad(load));
      }
    }
    addPlace(entry, run.getLoc());
    json["runs"].push_back(std::move(entry));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace sinter::codegen
