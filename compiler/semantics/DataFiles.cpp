//===- DataFiles.cpp - what the headers of files say that are there already -------------------===//
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Nearest.h"
#include "runtime/ArrayFiles.h"
#include "runtime/CifarReader.h"
#include "runtime/Error.h"
#include "runtime/ImageFolder.h"
#include "runtime/TextReader.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <tuple>

namespace sinter::semantics {

using namespace syntax;

void DataChecker::reportHeader(const FileHeader &header, const Source &source) {
  if (header.state == FileHeader::State::Missing)
    engine.report(Diag::FileMissing, source.filePlace, source.resolved);
  else
    engine.report(Diag::DataFileUnreadable, source.filePlace, source.resolved, header.problem);
}

void DataChecker::checkRecordShape(const Fill &fill, const Field &target,
                                   const std::vector<int64_t> &dims) {
  int64_t elements = 1;
  for (int64_t dim : dims)
    if (__builtin_mul_overflow(elements, dim, &elements))
      elements = -1;
  if (elements != target.type.elements())
    engine
        .report(Diag::RecordShape, fill.source.filePlace,
                fmt::format("[{}]", fmt::join(dims, ", ")), target.name, target.type.str())
        .note(target.place, "declared here");
}

std::optional<int64_t> DataChecker::checkIdx(const Fill &fill, const Field &target) {
  IdxHeader header = readIdxHeader(fill.source.resolved);
  if (header.state != FileHeader::State::Read) {
    reportHeader(header, fill.source);
    return std::nullopt;
  }
  checkRecordShape(fill, target, header.dims);
  return header.records;
}

/// An array's header, by the reader that the program will have.
std::optional<int64_t> DataChecker::checkArray(const Fill &fill, const Field &target) {
  const Source &source = fill.source;
  runtime::NpyHeader header;
  if (source.kind == "npy") {
    runtime::InputFile file(source.resolved, "");
    header = runtime::readNpyHeader(file);
  } else {
    const std::string &key = std::get<std::string>(source.attributes.at("key"));
    header = source.kind == "npz" ? runtime::readNpzHeader(source.resolved, key, "")
                                  : runtime::readTensorHeader(source.resolved, key, "");
  }
  checkRecordShape(fill, target, {header.dims.begin() + 1, header.dims.end()});
  return header.dims.front();
}

void DataChecker::checkCsv(const Fill &fill, const Field &target) {
  const Source &source = fill.source;
  const Attributes &attributes = source.attributes;
  int64_t skip = std::max<int64_t>(std::get<int64_t>(attributes.at("skip")), 0);
  CsvHeader header = readCsvHeader(source.resolved, skip,
                                   std::get<std::string>(attributes.at("separator")).front());
  auto cells = static_cast<int64_t>(header.cells.size());
  bool read = header.state == FileHeader::State::Read;
  if (!read)
    reportHeader(header, source);
  int64_t columns = -1;
  if (auto names = attributes.find("names"); names != attributes.end()) {
    const auto &wanted = std::get<std::vector<std::string>>(names->second);
    columns = static_cast<int64_t>(wanted.size());
    for (const std::string &each : wanted) {
      if (!read || std::find(header.cells.begin(), header.cells.end(), each) != header.cells.end())
        continue;
      auto report = engine.report(Diag::CsvNoSuchName, source.place, source.resolved, each);
      if (std::string help = didYouMean(each, header.cells); !help.empty())
        report.help(help);
    }
  } else {
    std::vector<int64_t> wanted;
    if (auto list = attributes.find("columns"); list != attributes.end()) {
      wanted = std::get<std::vector<int64_t>>(list->second);
      columns = static_cast<int64_t>(wanted.size());
    } else {
      wanted = {std::get<int64_t>(attributes.at("first")),
                std::get<int64_t>(attributes.at("last"))};
      if ((wanted[0] < 0) == (wanted[1] < 0))
        columns = wanted[1] - wanted[0] + 1;
      else if (read)
        columns = (wanted[1] < 0 ? wanted[1] + cells : wanted[1]) -
                  (wanted[0] < 0 ? wanted[0] + cells : wanted[0]) + 1;
    }
    for (int64_t each : wanted)
      if (read && (each >= cells || each < -cells)) {
        engine.report(Diag::CsvNoSuchColumn, source.place, source.resolved, cells, each);
        return;
      }
  }
  if (columns >= 0 && columns != target.type.elements())
    engine.report(Diag::CsvColumnCount, source.place, columns, target.name, target.type.str())
        .note(target.place, "declared here");
}

static bool isThere(const std::string &path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::optional<int64_t> DataChecker::checkFile(const Fill &fill, const Field &target) {
  const Source &source = fill.source;
  if (source.kind == "synthetic")
    return std::get<int64_t>(source.attributes.at("count"));
  if (source.kind == "idx")
    return checkIdx(fill, target);
  if (source.kind == "csv") {
    checkCsv(fill, target);
    return std::nullopt;
  }
  std::vector<std::string> files{source.resolved};
  files.insert(files.end(), source.moreFiles.begin(), source.moreFiles.end());
  bool all = true;
  for (const std::string &file : files)
    if (!isThere(file)) {
      engine.report(Diag::FileMissing, source.filePlace, file);
      all = false;
    }
  if (!all)
    return std::nullopt;
  try {
    if (source.kind == "cifar")
      return runtime::countCifar(files, target.type.classes, "");
    if (source.kind == "images")
      return static_cast<int64_t>(runtime::ImageFolder(source.resolved, "").count());
    if (source.kind != "text")
      return checkArray(fill, target);
  } catch (const runtime::Error &error) {
    engine.report(Diag::DataFileProblem, source.filePlace, source.kind, error.what());
  }
  return std::nullopt;
}

void DataChecker::checkHeaders(const std::vector<Fill> &fills) {
  std::optional<int64_t> records;
  Span recordsOf;
  for (const Fill &fill : fills) {
    const std::optional<int64_t> count = checkFile(fill, *field(fill.fields.front()));
    if (!count)
      continue;
    const Span place = fill.source.filePlace.valid() ? fill.source.filePlace : fill.source.place;
    if (records && *records != *count)
      engine.report(Diag::RecordCounts, place, *count, *records)
          .note(recordsOf, fmt::format("{} records", *records));
    if (!records) {
      records = count;
      recordsOf = place;
    }
  }
}

/// Calls visit(fill) for each fill of a part that has this source.
template <typename Visit>
static void forEachFill(Data &data, const char *kind, const Visit &visit) {
  for (auto &[part, fills] : data.parts)
    for (Fill &fill : fills)
      if (fill.source.kind == kind)
        visit(fill);
}

/// The characters of all texts together, and whether each is long enough.
void DataChecker::checkTexts() {
  std::map<std::string, std::vector<char32_t>> texts;
  std::set<Span, decltype([](Span a, Span b) {
             return std::tie(a.file, a.begin) < std::tie(b.file, b.begin);
           })>
      told; // tokens and next come from one call
  const Fill *first = nullptr;
  bool complete = true;
  forEachFill(checked.data, "text", [&](const Fill &fill) {
    const std::string &file = fill.source.resolved;
    first = first ? first : &fill;
    if (texts.count(file) || !complete)
      return;
    if (!isThere(file)) {
      complete = false; // it has been noted
      return;
    }
    try {
      texts[file] = runtime::readText(file, "");
    } catch (const runtime::Error &error) {
      engine.report(Diag::DataFileProblem, fill.source.filePlace, "text", error.what());
      complete = false;
    }
  });
  if (!first || !complete)
    return;
  std::vector<const std::vector<char32_t> *> all;
  for (const auto &[file, text] : texts)
    all.push_back(&text);
  const auto characters = static_cast<int64_t>(runtime::Vocabulary::of(all).characters().size());
  std::set<std::string> tooSmall;
  forEachFill(checked.data, "text", [&](const Fill &fill) {
    const Field &target = *field(fill.fields.front());
    const auto length = static_cast<int64_t>(texts.at(fill.source.resolved).size()),
               window = std::get<int64_t>(fill.source.attributes.at("window"));
    if (length <= window && told.insert(fill.source.filePlace).second) {
      auto report = engine.report(Diag::TextTooShort, fill.source.filePlace, length, window + 1);
      if (length > 1)
        report.help(fmt::format("`window: {}` would be the longest", length - 1));
    }
    if (target.type.scalar == Scalar::Class && target.type.classes < characters &&
        tooSmall.insert(target.name).second)
      engine
          .report(Diag::TextCharacters, target.place, checked.data.name, characters, target.name,
                  target.type.str())
          .note(first->source.filePlace, "read here")
          .help(fmt::format("`{}: class[{}][{}]`", target.name, characters,
                            fmt::join(target.type.dims, ", ")));
  });
}

/// The classes of all folders of pictures together.
void DataChecker::checkImages() {
  std::map<std::string, std::set<std::string>> classes; // by field
  std::map<std::string, Span> read;
  forEachFill(checked.data, "images", [&](const Fill &fill) {
    if (std::get<std::string>(fill.source.attributes.at("part")) != "label" ||
        !isThere(fill.source.resolved))
      return;
    try {
      const runtime::ImageFolder folder(fill.source.resolved, "");
      classes[fill.fields.front()].insert(folder.classes().begin(), folder.classes().end());
      read.emplace(fill.fields.front(), fill.source.filePlace);
    } catch (const runtime::Error &) { // it has been told
    }
  });
  for (const auto &[name, names] : classes) {
    const Field &target = *field(name);
    const auto count = static_cast<int64_t>(names.size());
    if (target.type.scalar == Scalar::Class && count > target.type.classes)
      engine
          .report(Diag::ImageClasses, target.place, checked.data.name, count, name,
                  target.type.str())
          .note(read.at(name), "read here")
          .help(fmt::format("`{}: class[{}]`", name, count));
  }
}

} // namespace sinter::semantics
