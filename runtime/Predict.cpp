#include "runtime/Predict.h"

#include "runtime/Error.h"
#include "runtime/Npy.h"
#include "runtime/OutputFile.h"
#include "runtime/Text.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace sinter::runtime {

namespace {

/// The run that a file of weights is from; the last one for a file that another program wrote.
const Run &runOf(const Session &session, const SafeTensors &file) {
  const auto name = file.metadata().find("run");
  for (const Run &run : session.description.runs)
    if (name != file.metadata().end() && run.name == name->second)
      return run;
  return session.description.runs.back();
}

Clock stillClock(const Session &session, const Run &run) {
  Clock clock{};
  clock.last = 1;
  clock.seed = session.seedOf(run);
  clock.epoch = 1;
  return clock;
}

/// The files of --predict as columns of the fields that the step reads.
PartData readRecords(const Session &session, const Data &data, const Step &step,
                     const Preprocessing &learned) {
  PartData part{"predict", {}};
  std::vector<std::string> wanted;
  for (const StepField &field : step.fields)
    wanted.push_back(field.name);
  for (const auto &[name, file] : session.options.predictions) {
    const bool known = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    if (!known && !(name.empty() && wanted.size() == 1))
      throw UsageError(fmt::format("--predict {}: say FIELD=FILE, FIELD being {}", file,
                                   fmt::join(wanted, " or ")));
    const Field &field = *data.field(name.empty() ? wanted[0] : name);
    part.columns.push_back(loadLike(data, field, readNpy(file, ""), learned));
    if (part.columns.back().count != part.columns[0].count)
      throw Error(fmt::format("{} has {} records, and the first file has {}", file,
                              part.columns.back().count, part.columns[0].count));
  }
  for (const std::string &name : wanted)
    if (std::none_of(part.columns.begin(), part.columns.end(),
                     [&](const Column &column) { return column.field.name == name; }))
      throw UsageError(fmt::format("--predict {}=FILE is needed too", name));
  if (part.count() == 0)
    throw Error(fmt::format("{} has no records", session.options.predictions[0].second));
  return part;
}

/// All results of a step over a part: [count, elements] each, in saved order.
std::vector<std::vector<float>> runAll(Session &session, const Run &run, size_t index,
                                       const PartData &part) {
  const Step &step = session.description.steps[index];
  Sampler sampler(part.count(), static_cast<size_t>(step.batch), false, true, 0);
  Feeder feeder(step, part);
  std::vector<std::vector<float>> all(step.results.size());
  Clock clock = stillClock(session, run);
  for (size_t i = 0; i < sampler.batches(); ++i) {
    clock.count = static_cast<int64_t>(sampler.batch(i).size());
    feeder.fill(sampler.batch(i), session.arena());
    session.runStep(index, clock);
    for (size_t r = 0; r < step.results.size(); ++r) {
      const Result &result = step.results[r];
      const LayoutMap layout(elementsOf(result.shape), result.layout);
      const auto *memory = reinterpret_cast<const float *>(session.arena() + result.offset);
      const auto elements = static_cast<size_t>(layout.elements());
      for (size_t row = 0; row < sampler.batch(i).size(); ++row) {
        all[r].resize(all[r].size() + elements);
        layout.toSaved(memory + row * elements, all[r].data() + all[r].size() - elements);
      }
    }
  }
  return all;
}

/// A class field whose classes are as many as a result has numbers.
const Field *classFieldFor(const Data &data, const Result &result) {
  for (const Field &field : data.fields)
    if (field.classes > 0 && result.shape == Shape{field.classes})
      return &field;
  return nullptr;
}

void summarize(Progress &progress, const Field &field, const Preprocessing &learned,
               const std::vector<float> &logits) {
  const auto classes = static_cast<size_t>(field.classes);
  const auto words = learned.words.find(field.name);
  const auto className = [&](size_t index) {
    return words != learned.words.end() && index < words->second.size() ? words->second[index]
                                                                        : std::to_string(index);
  };
  std::vector<int64_t> counts(classes);
  constexpr size_t shown = 10;
  for (size_t row = 0; row < logits.size() / classes; ++row) {
    const float *begin = logits.data() + row * classes;
    const auto best = static_cast<size_t>(std::max_element(begin, begin + classes) - begin);
    ++counts[best];
    if (row < shown)
      progress.line(fmt::format("record {}: {} {}", row, field.name, className(best)));
  }
  if (logits.size() / classes > shown)
    progress.line("…");
  for (size_t i = 0; i < classes; ++i)
    if (counts[i] > 0)
      progress.line(fmt::format("{} {}: {} records", field.name, className(i), grouped(counts[i])));
}

} // namespace

void evaluateFile(Session &session, Progress &progress) {
  const SafeTensors file(session.options.eval);
  const Run &run = runOf(session, file);
  const Stage &stage = run.stages.back();
  loadStates(file, session.statesOf(run), false, session.state());
  const Preprocessing learned = readPreprocessing(file);
  const Dataset &data = session.dataOf(run, &learned);
  for (const PartData &part : data.parts) {
    if (part.name == "train" && data.parts.size() > 1)
      continue;
    const std::optional<Means> means =
        session.evaluate(stage, part, stillClock(session, run), [] { return false; });
    progress.line(fmt::format("{} {}", part.name, measuresText(stage, means->finish(stage))));
  }
}

void predictFiles(Session &session, Progress &progress, const std::string &weights) {
  const SafeTensors file(weights);
  const Run &run = runOf(session, file);
  const Stage &stage = run.stages.back();
  if (!stage.predictStep)
    throw Error("this program has no predict step", run.place);
  loadStates(file, session.statesOf(run), false, session.state());
  const Preprocessing learned = readPreprocessing(file);
  const Data &data = session.description.data[run.data];
  const Step &step = session.description.steps[*stage.predictStep];
  const PartData part = readRecords(session, data, step, learned);
  const std::vector<std::vector<float>> all = runAll(session, run, *stage.predictStep, part);
  makeFolder(session.options.out);
  for (size_t i = 0; i < all.size(); ++i) {
    const Result &result = step.results[i];
    const std::string name = all.size() == 1 || result.name.empty()
                                 ? "predictions.npy"
                                 : fmt::format("predictions.{}.npy", result.name);
    const std::string path = (std::filesystem::path(session.options.out) / name).string();
    Shape shape = {static_cast<int64_t>(part.count())};
    shape.insert(shape.end(), result.shape.begin(), result.shape.end());
    writeNpy(path, shape, all[i]);
    if (const Field *field = classFieldFor(data, result))
      summarize(progress, *field, learned, all[i]);
    progress.line(fmt::format("{}: [{}]", path, fmt::join(shape, ", ")));
  }
}

} // namespace sinter::runtime
