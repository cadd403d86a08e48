//===- DataFiles.cpp - what the headers of files say that are there already -------------------===//
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

void DataChecker::reportHeader(const FileHeader &header, const Source &source) {
  if (header.state == FileHeader::State::Missing)
    engine.report(Diag::FileMissing, source.filePlace, source.resolved);
  else
    engine.report(Diag::DataFileUnreadable, source.filePlace, source.resolved, header.problem);
}

void DataChecker::checkIdx(const Fill &fill, const Field &target, int64_t &records,
                           Span &recordsOf) {
  IdxHeader header = readIdxHeader(fill.source.resolved);
  if (header.state != FileHeader::State::Read)
    return reportHeader(header, fill.source);
  int64_t elements = 1;
  for (int64_t dim : header.dims)
    if (__builtin_mul_overflow(elements, dim, &elements))
      elements = -1;
  if (elements != target.type.elements())
    engine
        .report(Diag::RecordShape, fill.source.filePlace,
                fmt::format("[{}]", fmt::join(header.dims, ", ")), target.name, target.type.str())
        .note(target.place, "declared here");
  if (records >= 0 && records != header.records)
    engine.report(Diag::RecordCounts, fill.source.filePlace, header.records, records)
        .note(recordsOf, fmt::format("{} records", records));
  if (records < 0) {
    records = header.records;
    recordsOf = fill.source.filePlace;
  }
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

void DataChecker::checkHeaders(const std::vector<Fill> &fills) {
  int64_t records = -1;
  Span recordsOf;
  for (const Fill &fill : fills) {
    const Field &target = *field(fill.fields.front());
    std::error_code ignored;
    if (fill.source.kind == "npy" && !std::filesystem::exists(fill.source.resolved, ignored))
      reportHeader(FileHeader{}, fill.source);
    else if (fill.source.kind == "idx")
      checkIdx(fill, target, records, recordsOf);
    else if (fill.source.kind == "csv")
      checkCsv(fill, target);
  }
}

} // namespace sinter::semantics
