#include "runtime/Loader.h"

#include "runtime/CsvReader.h"
#include "runtime/Error.h"
#include "runtime/IdxReader.h"
#include "runtime/LoadOps.h"
#include "runtime/Npy.h"
#include "runtime/Parallel.h"
#include "runtime/Selection.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

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

/// One field of one part on its way into memory.
struct Job {
  const Fill *fill = nullptr;
  const Field *field = nullptr;
  std::string part, path;
  size_t columnIndex = 0;
  Column column;
};

class Loading {
public:
  Loading(const Data &whichData, const LoadOptions &how) : data(whichData), options(how) {}

  Dataset load() {
    planJobs();
    readCsvFiles();
    numberWords();
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
        throw DataError(fmt::format("the {} part of {} has no examples", part.name, data.name),
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
          job.columnIndex = static_cast<size_t>(job.field - data.fields.data());
          jobs.push_back(std::move(job));
        }
  }

  void readCsvFiles() {
    std::vector<const Job *> first;
    for (const Job &job : jobs)
      if (job.fill->source.kind == Source::Kind::Csv &&
          csvFiles.emplace(job.path, SharedCsv()).second)
        first.push_back(&job);
    parallelFor(options.threads, first.size(), [&](size_t i) {
      const Fill &fill = *first[i]->fill;
      csvFiles.at(first[i]->path).file =
          std::make_unique<CsvFile>(first[i]->path, fill.place, fill.source.separator);
    });
    for (const Job &job : jobs)
      if (job.fill->source.kind == Source::Kind::Csv) {
        SharedCsv &shared = csvFiles.at(job.path);
        shared.header = shared.header ||
                        shared.file->looksLikeHeader(job.fill->source, *job.field, job.fill->place);
      }
  }

  bool hasHeader(const Job &job) const {
    // Where the spec says how many lines to skip, only names ask for a header behind them.
    const Source &source = job.fill->source;
    return source.skip ? !source.columnNames.empty() : csvFiles.at(job.path).header;
  }

  /// Class columns of words are numbered over all parts, or as the checkpoint did.
  void numberWords() {
    std::map<std::string, std::set<std::string>> found;
    for (const Job &job : jobs) {
      if (job.fill->source.kind != Source::Kind::Csv || job.field->classes == 0)
        continue;
      const CsvFile &file = *csvFiles.at(job.path).file;
      if (file.hasWords(job.fill->source, hasHeader(job), job.fill->place))
        found[job.field->name];
    }
    for (const Job &job : jobs) {
      const auto words = found.find(job.field->name);
      if (words != found.end() && job.fill->source.kind == Source::Kind::Csv)
        csvFiles.at(job.path).file->collectWords(job.fill->source, hasHeader(job), job.fill->place,
                                                 words->second);
    }
    for (const auto &[field, words] : found)
      result.preprocessing.words[field].assign(words.begin(), words.end());
    if (options.saved)
      for (auto &[field, words] : result.preprocessing.words)
        if (const auto saved = options.saved->words.find(field);
            saved != options.saved->words.end())
          words = saved->second;
    for (const auto &[field, words] : result.preprocessing.words)
      if (static_cast<int64_t>(words.size()) > data.field(field)->classes)
        throw DataError(fmt::format("{} is {}, and its column has {} different words: {}", field,
                                    data.field(field)->type(), words.size(),
                                    fmt::join(words, ", ")),
                        data.place);
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
    case Source::Kind::Csv: {
      const auto words = result.preprocessing.words.find(job.field->name);
      records = csvFiles.at(job.path).file->read(
          source, hasHeader(job), *job.field,
          words == result.preprocessing.words.end() ? nullptr : &words->second, job.fill->place);
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
  std::map<std::string, SharedCsv> csvFiles;
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
