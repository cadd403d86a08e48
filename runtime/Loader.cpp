#include "runtime/Loader.h"

#include "runtime/ArrayFiles.h"
#include "runtime/CifarReader.h"
#include "runtime/CsvReader.h"
#include "runtime/Error.h"
#include "runtime/IdxReader.h"
#include "runtime/ImageFolder.h"
#include "runtime/LoadOps.h"
#include "runtime/Npy.h"
#include "runtime/Parallel.h"
#include "runtime/Selection.h"
#include "runtime/TextReader.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <set>

namespace sinter::runtime {

std::string resolvePath(const std::string &path, const std::string &folder) {
  if (folder.empty())
    return path;
  const std::filesystem::path whole = std::filesystem::path(path).relative_path();
  for (auto first = whole.begin(); first != whole.end(); ++first) {
    std::filesystem::path candidate = folder;
    for (auto part = first; part != whole.end(); ++part)
      candidate /= *part;
    std::error_code ignored;
    if (std::filesystem::exists(candidate, ignored))
      return candidate.string();
  }
  return (std::filesystem::path(folder) / whole.filename()).string();
}

namespace {

std::ptrdiff_t standardizeAt(std::span<const LoadOp> ops) {
  return std::find_if(ops.begin(), ops.end(),
                      [](const LoadOp &op) { return op.kind == LoadOp::Kind::Standardize; }) -
         ops.begin();
}

std::span<const LoadOp> opsBefore(std::span<const LoadOp> ops) {
  return ops.first(static_cast<size_t>(standardizeAt(ops)));
}

std::span<const LoadOp> opsFrom(std::span<const LoadOp> ops) {
  return ops.subspan(static_cast<size_t>(standardizeAt(ops)));
}

/// A CSV file with what all fields that read it agree on.
struct SharedCsv {
  std::unique_ptr<CsvFile> file;
  bool header = false;
};

/// A text, as characters and then as ids.
struct SharedText {
  std::vector<char32_t> points;
  std::shared_ptr<const std::vector<int32_t>> ids;
};

/// One field of one part on its way into memory.
struct Job {
  const Fill *fill = nullptr;
  const Field *field = nullptr;
  std::string part, path;
  std::vector<std::string> morePaths;
  size_t columnIndex = 0;
  Column column;
};

class Loading {
public:
  Loading(const Data &whichData, const LoadOptions &how) : data(whichData), options(how) {}

  Dataset load() {
    planJobs();
    readCsvFiles();
    readShared();
    numberWords();
    encodeTexts();
    parallelFor(options.threads, jobs.size(), [this](size_t i) { readJob(jobs[i]); });
    assemble();
    const Keep *keep = data.keep ? &*data.keep : nullptr;
    for (PartData &part : result.parts) {
      if (keep)
        keepWhere(part, *keep);
      for (const Column &column : part.columns)
        checkClasses(column);
    }
    if (data.split)
      splitTrain(result, *data.split, data.name);
    if (data.take)
      takeSome(result.parts[0], *data.take, data);
    for (const PartData &part : result.parts)
      if (part.count() == 0)
        throw DataError(
            fmt::format("the {} part of {} has no examples{}", part.name, data.name,
                        part.isText()
                            ? fmt::format(": its text has {} characters, and a window with what "
                                          "follows it takes {}",
                                          part.columns[0].windows->length,
                                          part.columns[0].elements() + 1)
                            : ""),
            data.place);
    standardize();
    return std::move(result);
  }

private:
  void planJobs() {
    for (const Part &part : data.parts)
      for (const Fill &fill : part.fills)
        for (const std::string &name : fill.fields) {
          Job job;
          job.fill = &fill;
          job.field = data.field(name);
          job.part = part.name;
          job.path = resolvePath(fill.source.file, options.folder);
          for (const std::string &file : fill.source.moreFiles)
            job.morePaths.push_back(resolvePath(file, options.folder));
          job.columnIndex = static_cast<size_t>(job.field - data.fields.data());
          jobs.push_back(std::move(job));
        }
  }

  /// Fields that cut a file's lines alike share it.
  static std::string csvKey(const Job &job) { return job.path + '\0' + job.fill->source.separator; }

  void readCsvFiles() {
    std::vector<const Job *> first;
    for (const Job &job : jobs)
      if (job.fill->source.kind == Source::Kind::Csv &&
          csvFiles.emplace(csvKey(job), SharedCsv()).second)
        first.push_back(&job);
    parallelFor(options.threads, first.size(), [&](size_t i) {
      const Fill &fill = *first[i]->fill;
      csvFiles.at(csvKey(*first[i])).file =
          std::make_unique<CsvFile>(first[i]->path, fill.place, fill.source.separator);
    });
    for (const Job &job : jobs)
      if (job.fill->source.kind == Source::Kind::Csv) {
        SharedCsv &shared = csvFiles.at(csvKey(job));
        shared.header = shared.header ||
                        shared.file->looksLikeHeader(job.fill->source, *job.field, job.fill->place);
      }
  }

  bool hasHeader(const Job &job) const {
    // Where the spec says how many lines to skip, only names ask for a header behind them.
    const Source &source = job.fill->source;
    return source.skip ? !source.columnNames.empty() : csvFiles.at(csvKey(job)).header;
  }

  /// Folders of pictures and texts, each once.
  void readShared() {
    for (const Job &job : jobs) {
      const std::string &place = job.fill->place;
      if (job.fill->source.kind == Source::Kind::Images && !folders.contains(job.path))
        folders.emplace(job.path, std::make_unique<ImageFolder>(job.path, place));
      if (job.fill->source.kind == Source::Kind::Text && !texts.contains(job.path))
        texts[job.path].points = readText(job.path, place);
    }
  }

  /// The ids of each text, by the characters of all, or as the checkpoint has them.
  void encodeTexts() {
    for (const Job &job : jobs)
      if (job.fill->source.kind == Source::Kind::Text && !texts.at(job.path).ids) {
        SharedText &text = texts.at(job.path);
        const Vocabulary vocabulary(result.preprocessing.words.at(job.field->name));
        text.ids = std::make_shared<std::vector<int32_t>>(
            vocabulary.encode(text.points, job.path, job.fill->place));
        text.points = {};
      }
  }

  /// The words of a field that is not read from CSV: its classes' folders, or its text's characters.
  std::vector<std::string> wordsOf(const Job &job) const {
    if (job.fill->source.kind == Source::Kind::Text) {
      std::vector<const std::vector<char32_t> *> points;
      for (const auto &[path, text] : texts)
        points.push_back(&text.points);
      return Vocabulary::of(points).characters();
    }
    std::set<std::string> names;
    for (const auto &[path, folder] : folders)
      names.insert(folder->classes().begin(), folder->classes().end());
    return {names.begin(), names.end()};
  }

  /// What a field has too many of.
  std::string tooMany(const std::string &field, const std::vector<std::string> &words) const {
    std::string list;
    constexpr size_t shown = 12;
    for (size_t i = 0; i < std::min(words.size(), shown); ++i)
      list += (i > 0 ? ", " : "") + words[i];
    if (words.size() > shown)
      list += ", …";
    for (const Job &job : jobs)
      if (job.field->name == field && job.fill->source.kind == Source::Kind::Text)
        return fmt::format("its text has {} different characters", words.size());
      else if (job.field->name == field && job.fill->source.kind == Source::Kind::Images)
        return fmt::format("its folders name {} classes: {}", words.size(), list);
    bool bare = false; // read from its first line on
    for (const Job &job : jobs)
      bare = bare || (job.field->name == field && job.fill->source.kind == Source::Kind::Csv &&
                      !job.fill->source.skip && !hasHeader(job));
    return fmt::format("its column has {} different words: {}{}", words.size(), list,
                       bare ? "; `skip: 1` leaves a first line out that is a header" : "");
  }

  /// Class columns of words are numbered over all parts, or as the checkpoint did.
  void numberWords() {
    for (const Job &job : jobs) {
      const Source &source = job.fill->source;
      const bool named = source.kind == Source::Kind::Text ||
                         (source.kind == Source::Kind::Images && source.part == "label");
      if (named && !result.preprocessing.words.contains(job.field->name))
        result.preprocessing.words[job.field->name] = wordsOf(job);
    }
    std::map<std::string, std::set<std::string>> found;
    for (const Job &job : jobs) {
      if (job.fill->source.kind != Source::Kind::Csv || job.field->classes == 0)
        continue;
      const CsvFile &file = *csvFiles.at(csvKey(job)).file;
      if (file.hasWords(job.fill->source, hasHeader(job), job.fill->place))
        found[job.field->name];
    }
    for (const Job &job : jobs) {
      const auto words = found.find(job.field->name);
      if (words != found.end() && job.fill->source.kind == Source::Kind::Csv)
        csvFiles.at(csvKey(job))
            .file->collectWords(job.fill->source, hasHeader(job), job.fill->place, words->second);
    }
    for (const auto &[field, words] : found)
      result.preprocessing.words[field].assign(words.begin(), words.end());
    if (options.saved)
      for (auto &[field, words] : result.preprocessing.words)
        if (const auto saved = options.saved->words.find(field);
            saved != options.saved->words.end())
          words = saved->second;
    for (const auto &[name, words] : result.preprocessing.words) {
      for (const std::string &word : words)
        if (!isUtf8(word)) // a checkpoint could not keep it
          throw DataError(fmt::format("{} has a class `{}`, which is no UTF-8 text", name, word),
                          data.place);
      const Field &field = *data.field(name);
      const int64_t most = field.classes > 0 ? field.classes : field.labels;
      if (most > 0 && static_cast<int64_t>(words.size()) > most)
        throw DataError(fmt::format("{} is {}, and {}", name,
                                    field.classes > 0 ? field.type()
                                                      : fmt::format("a label of {} classes", most),
                                    tooMany(name, words)),
                        data.place);
    }
  }

  void readJob(Job &job) {
    const Source &source = job.fill->source;
    const std::span<const LoadOp> ops = opsBefore(job.fill->ops);
    Records records;
    switch (source.kind) {
    case Source::Kind::Idx:
      records = readIdx(job.path, job.fill->place);
      break;
    case Source::Kind::Npy:
      records = readNpy(job.path, job.fill->place);
      break;
    case Source::Kind::Npz:
      records = readNpz(job.path, source.key, job.fill->place);
      break;
    case Source::Kind::SafeTensors:
      records = readTensor(job.path, source.key, job.fill->place);
      break;
    case Source::Kind::Cifar:
      records = readCifarOf(job);
      break;
    case Source::Kind::Images: {
      const ImageFolder &folder = *folders.at(job.path);
      records = source.part == "image"
                    ? folder.images(job.field->shape, source.resize, options.threads)
                    : folder.labels(result.preprocessing.words.at(job.field->name));
      break;
    }
    case Source::Kind::Text:
      job.column = textColumn(job);
      return;
    case Source::Kind::Csv: {
      const auto words = result.preprocessing.words.find(job.field->name);
      records =
          csvFiles.at(csvKey(job))
              .file->read(source, hasHeader(job), *job.field,
                          words == result.preprocessing.words.end() ? nullptr : &words->second,
                          job.fill->place);
      break;
    }
    case Source::Kind::Synthetic: {
      Column drawn = syntheticColumn(
          *job.field, fmt::format("synthetic:{}.{}.{}", data.name, job.part, job.field->name),
          static_cast<size_t>(source.count), data.seed);
      records.count = source.count;
      records.shape = job.field->shape;
      records.values = std::move(drawn.values);
      records.file = "the synthetic data";
      records.place = job.fill->place;
      break;
    }
    }
    if (records.count > 0x7FFFFFFF)
      throw DataError(fmt::format("{} has too many records", job.path), job.fill->place);
    job.column = makeColumn(*job.field, std::move(records), ops);
  }

  Records readCifarOf(const Job &job) const {
    std::vector<std::string> paths = {job.path};
    paths.insert(paths.end(), job.morePaths.begin(), job.morePaths.end());
    int64_t classes = 0; // of the label, which says what CIFAR it is where the size does not
    for (const Job &each : jobs)
      if (each.part == job.part && each.path == job.path && each.fill->source.part == "label")
        classes = each.field->classes;
    return readCifar(paths, job.fill->source.part == "image" ? CifarPart::Image : CifarPart::Label,
                     classes, job.fill->place);
  }

  Column textColumn(const Job &job) const {
    Column column;
    column.field = *job.field;
    column.origin.file = job.path;
    column.origin.place = job.fill->place;
    column.windows =
        Windows{texts.at(job.path).ids, 0, 0, job.fill->source.part == "next" ? 1U : 0U};
    column.cutText(0, column.windows->ids->size());
    return column;
  }

  void assemble() {
    for (const Part &described : data.parts) {
      PartData part{described.name, {}};
      part.columns.resize(data.fields.size());
      std::vector<const Job *> source(data.fields.size());
      for (Job &job : jobs)
        if (job.part == part.name) {
          source[job.columnIndex] = &job;
          part.columns[job.columnIndex] = std::move(job.column);
        }
      for (size_t i = 0; i < source.size(); ++i) {
        if (!source[i])
          throw DataError(fmt::format("the {} part of {} does not fill {}", part.name, data.name,
                                      data.fields[i].name),
                          data.place);
        if (part.columns[i].count != part.columns[0].count)
          throw DataError(fmt::format("{} has {} records, and {} has {}",
                                      part.columns[i].origin.file, part.columns[i].count,
                                      part.columns[0].origin.file, part.columns[0].count),
                          source[i]->fill->place);
      }
      result.parts.push_back(std::move(part));
    }
  }

  /// The ops of a part that the spec fills, or of the train part for one that was cut off it.
  const Fill &fillOf(const std::string &part, const Field &field) const {
    const Job *found = nullptr;
    for (const Job &job : jobs)
      if (job.field == &field && (job.part == part || (!found && job.part == "train")))
        found = &job;
    return *found->fill;
  }

  void standardize() {
    for (size_t i = 0; i < data.fields.size(); ++i) {
      const Field &field = data.fields[i];
      for (PartData &part : result.parts) { // train comes first
        const Fill &fill = fillOf(part.name, field);
        const std::span<const LoadOp> rest = opsFrom(fill.ops);
        if (rest.empty())
          continue;
        if (field.scalar != Scalar::F32)
          throw DataError(
              fmt::format("{} is {}, and standardize makes reals", field.name, field.type()),
              fill.place);
        const Statistics *saved = nullptr;
        if (options.saved && options.saved->statistics.contains(field.name))
          saved = &options.saved->statistics.at(field.name);
        if (saved && saved->mean.size() != part.columns[i].elements())
          throw DataError(
              fmt::format("the checkpoint has statistics of {} numbers for {}, which is {}",
                          saved->mean.size(), field.name, field.type()),
              fill.place);
        auto &learned = result.preprocessing.statistics;
        if (!learned.contains(field.name)) {
          if (part.name != "train" && !saved)
            throw DataError(
                fmt::format("{} is standardized here, but not in the train part", field.name),
                fill.place);
          learned[field.name] = saved ? *saved : measure(part.columns[i]);
        }
        applyOps(part.columns[i], rest, &learned.at(field.name));
      }
    }
  }

  const Data &data;
  const LoadOptions &options;
  std::vector<Job> jobs;
  std::map<std::string, SharedCsv> csvFiles; ///< by csvKey
  std::map<std::string, std::unique_ptr<ImageFolder>> folders;
  std::map<std::string, SharedText> texts;
  Dataset result;
};

} // namespace

Dataset loadData(const Data &data, const LoadOptions &options) {
  return Loading(data, options).load();
}

Column loadLike(const Data &data, const Field &field, Records records,
                const Preprocessing &learned) {
  const Fill *like = nullptr;
  for (const Part &part : data.parts)
    for (const Fill &fill : part.fills)
      if (std::find(fill.fields.begin(), fill.fields.end(), field.name) != fill.fields.end() &&
          (!like || part.name == "test"))
        like = &fill;
  if (!like)
    return makeColumn(field, std::move(records), {});
  Column column = makeColumn(field, std::move(records), opsBefore(like->ops));
  checkClasses(column);
  const std::span<const LoadOp> rest = opsFrom(like->ops);
  if (rest.empty())
    return column;
  const auto found = learned.statistics.find(field.name);
  if (found == learned.statistics.end() || found->second.mean.size() != column.elements())
    throw Error(
        fmt::format("the weights' file holds no statistics to standardize {} with", field.name));
  applyOps(column, rest, &found->second);
  return column;
}

} // namespace sinter::runtime
