#include "runtime/Predict.h"

#include "runtime/Error.h"
#include "runtime/Npy.h"
#include "runtime/OutputFile.h"
#include "runtime/PredictFiles.h"
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

/// Where the last stage stood when the weights were saved, for schedules in its objective; else at its end.
Clock clockOf(const Session &session, const Run &run, const SafeTensors &file) {
  Clock clock = stillClock(session, run);
  clock.step = clock.last;
  if (const auto saved = readStageClock(file); saved && saved->stage == run.stages.back().name) {
    clock.step = saved->step;
    clock.last = saved->last;
    clock.epoch = saved->epoch;
  }
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
    part.columns.push_back(
        loadLike(data, field, readPredictFile(data, field, file, learned, session.options.threads),
                 learned));
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
  Feeder feeder = session.feederOf(step, part);
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

/// How many classes a field's numbers stand for: those of class[N], or of the logits that it is a
/// label for.
int64_t classesOf(const Field &field) { return field.classes > 0 ? field.classes : field.labels; }

/// A class field that a result has numbers for, one for each class at each position; rather one that
/// the model does not read.
const Field *classFieldFor(const Data &data, const Step &step, const Result &result) {
  const Field *found = nullptr;
  for (const Field &field : data.fields) {
    Shape shape = field.shape;
    shape.push_back(classesOf(field));
    const auto isRead = [&](const StepField &read) { return read.name == field.name; };
    const bool given = std::any_of(step.fields.begin(), step.fields.end(), isRead);
    if (classesOf(field) > 0 && result.shape == shape && (!found || !given))
      found = &field;
  }
  return found;
}

/// Classes by their words where they have some.
class ClassNames {
public:
  ClassNames(const Field &field, const Preprocessing &learned) {
    if (const auto found = learned.words.find(field.name); found != learned.words.end())
      words = &found->second;
  }
  std::string operator[](size_t index) const {
    return words && index < words->size() ? (*words)[index] : std::to_string(index);
  }
  /// Whether each is one character, so that several make a text.
  bool isText() const {
    const auto isCharacter = [](const std::string &word) {
      const auto begins = [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; };
      return std::count_if(word.begin(), word.end(), begins) == 1;
    };
    return words && std::all_of(words->begin(), words->end(), isCharacter);
  }

private:
  const std::vector<std::string> *words = nullptr;
};

/// `"to be, or "`, line ends and quotes as in a spec.
std::string inQuotes(const std::string &text) {
  std::string result = "\"";
  for (char c : text)
    result += c == '\n'   ? "\\n"
              : c == '\t' ? "\\t"
              : c == '"'  ? "\\\""
              : c == '\\' ? "\\\\"
                          : std::string(1, c);
  return result + "\"";
}

void summarize(Progress &progress, const Field &field, const Preprocessing &learned,
               const std::vector<float> &logits) {
  const auto classes = static_cast<size_t>(classesOf(field));
  const auto positions = static_cast<size_t>(field.elements());
  const ClassNames names(field, learned);
  std::vector<int64_t> counts(classes);
  constexpr size_t shown = 10, shownPositions = 64;
  const size_t records = logits.size() / classes / positions;
  const bool isText = positions > 1 && names.isText();
  for (size_t row = 0; row < records; ++row) {
    std::string line;
    for (size_t position = 0; position < positions; ++position) {
      const float *begin = logits.data() + (row * positions + position) * classes;
      const auto best = static_cast<size_t>(std::max_element(begin, begin + classes) - begin);
      ++counts[best];
      if (position < shownPositions)
        line += (position > 0 && !isText ? " " : "") + names[best];
      else if (position == shownPositions && !isText)
        line += " …";
    }
    if (row < shown)
      progress.line(
          fmt::format("record {}: {} {}", row, field.name,
                      isText ? inQuotes(line) + (positions > shownPositions ? " …" : "") : line));
  }
  if (records > shown)
    progress.line("…");
  if (positions > 1)
    return;
  for (size_t i = 0; i < classes; ++i)
    if (counts[i] > 0)
      progress.line(fmt::format("{} {}: {} records", field.name, names[i], grouped(counts[i])));
}

} // namespace

void evaluateFile(Session &session, Progress &progress) {
  const SafeTensors file(session.options.eval);
  const Run &run = runOf(session, file);
  const Stage &stage = run.stages.back();
  // Where they are not in the file, teachers from earlier runs are in folders beside it.
  const auto beside = std::filesystem::absolute(file.path).parent_path().parent_path();
  for (const Run &other : session.description.runs)
    session.transfer.endedIn(other.name, (beside / other.name).string());
  session.completeTeachers(run, loadStates(file, session.statesOf(run), false, session.state()));
  const Preprocessing learned = readPreprocessing(file);
  const Dataset &data = session.dataOf(run, &learned);
  for (const PartData &part : data.parts) {
    if (part.name == "train" && data.parts.size() > 1)
      continue;
    const std::optional<Means> means =
        session.evaluate(stage, part, clockOf(session, run, file), [] { return false; });
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
    if (const Field *field = classFieldFor(data, step, result))
      summarize(progress, *field, learned, all[i]);
    progress.line(fmt::format("{}: [{}]", path, fmt::join(shape, ", ")));
  }
}

} // namespace sinter::runtime
