#include "runtime/CsvReader.h"

#include "runtime/Error.h"
#include "runtime/InputFile.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace sinter::runtime {

namespace {

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
}

template <typename T> bool parse(std::string_view text, T &value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-')
    text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// Reads `true` or `false`, in any case of letters, or 0 or 1.
bool parse(std::string_view text, bool &value) {
  std::string lower(text);
  for (char &c : lower)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  value = lower == "true" || lower == "1";
  return value || lower == "false" || lower == "0";
}

/// Calls visit(index, cell) for each cell of a line and returns how many there are. `scratch` holds
/// a quoted cell.
template <typename Visit>
size_t splitLine(std::string_view line, char separator, std::string &scratch, const Visit &visit) {
  const bool blanks = separator == ' ';
  line = blanks ? trim(line) : line;
  size_t index = 0, at = 0;
  for (;;) {
    while (at < line.size() && (line[at] == ' ' || (line[at] == '\t' && separator != '\t')))
      ++at;
    if (at < line.size() && line[at] == '"') {
      scratch.clear();
      for (++at; at < line.size(); ++at) {
        if (line[at] == '"' && at + 1 < line.size() && line[at + 1] == '"')
          ++at;
        else if (line[at] == '"')
          break;
        scratch.push_back(line[at]);
      }
      at = std::min(line.find(separator, at), line.size());
      visit(index++, std::string_view(scratch));
    } else {
      const size_t end = std::min(line.find(separator, at), line.size());
      visit(index++, trim(line.substr(at, end - at)));
      at = end;
    }
    if (at >= line.size())
      return index;
    ++at;
  }
}

} // namespace

CsvFile::CsvFile(const std::string &file, const std::string &place, char between)
    : path(file), separator(between) {
  text = InputFile(file, place).readAll();
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF"))
    rest.remove_prefix(3);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    ++lineCount;
    if (!trim(line).empty())
      lines.push_back({line, lineCount});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

std::vector<std::string> CsvFile::cells(std::string_view line) const {
  std::vector<std::string> all;
  std::string scratch;
  splitLine(line, separator, scratch,
            [&](size_t, std::string_view cell) { all.emplace_back(cell); });
  return all;
}

size_t CsvFile::firstRecord(const Source &source, bool header) const {
  size_t first = 0;
  if (source.skip)
    while (first < lines.size() && lines[first].number <= *source.skip)
      ++first;
  return first + (header ? 1 : 0);
}

std::vector<size_t> CsvFile::chosenColumns(const Source &source, bool header,
                                           const std::string &place) const {
  const size_t headerLine = firstRecord(source, false);
  if (headerLine >= lines.size())
    throw DataError(fmt::format("{} has no records", path), place);
  const std::vector<std::string> first = cells(lines[headerLine].text);
  const auto width = static_cast<int64_t>(first.size());
  const auto position = [&](int64_t column) {
    const int64_t fromStart = column < 0 ? column + width : column;
    if (fromStart < 0 || fromStart >= width)
      throw DataError(fmt::format("{} has no column {}: its line {} has {} columns, 0 … {}", path,
                                  column, lines[headerLine].number, width, width - 1),
                      place);
    return static_cast<size_t>(fromStart);
  };
  std::vector<size_t> chosen;
  for (const std::string &name : source.columnNames) {
    const auto found = std::find(first.begin(), first.end(), name);
    if (found == first.end())
      throw DataError(fmt::format("{} has no column `{}`: its header has {}", path, name,
                                  fmt::join(first, ", ")),
                      place);
    chosen.push_back(static_cast<size_t>(found - first.begin()));
  }
  for (int64_t column : source.columns)
    chosen.push_back(position(column));
  if (source.first) {
    const size_t from = position(*source.first), to = position(*source.last);
    if (from > to)
      throw DataError(fmt::format("columns {} .. {} of {} are none: its lines have {} columns",
                                  *source.first, *source.last, path, width),
                      place);
    for (size_t column = from; column <= to; ++column)
      chosen.push_back(column);
  }
  return chosen;
}

bool CsvFile::looksLikeHeader(const Source &source, const Field &field,
                              const std::string &place) const {
  if (!source.columnNames.empty())
    return true;
  if (source.skip || field.classes > 0)
    return false;
  const std::vector<size_t> chosen = chosenColumns(source, false, place);
  const std::vector<std::string> first = cells(lines[0].text);
  return std::any_of(chosen.begin(), chosen.end(), [&](size_t column) {
    double value = 0;
    bool truth = false;
    return !first[column].empty() && !parse(first[column], value) &&
           !(field.boolean && parse(first[column], truth));
  });
}

/// Calls visit(record, element, cell) for each chosen cell, element in the order of the choice.
template <typename Visit>
void CsvFile::forEachCell(const Source &source, bool header, const std::string &place,
                          const Visit &visit) const {
  const std::vector<size_t> chosen = chosenColumns(source, header, place);
  const size_t first = firstRecord(source, header);
  std::string scratch;
  const size_t width = cells(lines[firstRecord(source, false)].text).size();
  std::vector<std::vector<size_t>> wanted(width); // elements that a column goes to
  for (size_t element = 0; element < chosen.size(); ++element)
    wanted[chosen[element]].push_back(element);
  for (size_t i = first; i < lines.size(); ++i) {
    const size_t found =
        splitLine(lines[i].text, separator, scratch, [&](size_t column, std::string_view cell) {
          if (column < width)
            for (size_t element : wanted[column])
              visit(i - first, element, cell);
        });
    if (found != width)
      throw DataError(fmt::format("line {} of {} has {} column{}, where the first has {}",
                                  lines[i].number, path, found, found == 1 ? "" : "s", width),
                      place);
  }
}

bool CsvFile::hasWords(const Source &source, bool header, const std::string &place) const {
  bool words = false;
  forEachCell(source, header, place, [&](size_t, size_t, std::string_view cell) {
    double value = 0;
    words = words || (!cell.empty() && !parse(cell, value));
  });
  return words;
}

void CsvFile::collectWords(const Source &source, bool header, const std::string &place,
                           std::set<std::string> &words) const {
  forEachCell(source, header, place,
              [&](size_t, size_t, std::string_view cell) { words.emplace(cell); });
}

Records CsvFile::read(const Source &source, bool header, const Field &field,
                      const std::vector<std::string> *words, const std::string &place) const {
  Records records;
  records.file = path;
  records.place = place;
  const size_t first = firstRecord(source, header);
  const size_t elements = chosenColumns(source, header, place).size();
  for (size_t i = first; i < lines.size(); ++i)
    records.lines.push_back(lines[i].number);
  records.count = static_cast<int64_t>(records.lines.size());
  records.shape = {static_cast<int64_t>(elements)};
  if (records.count == 0)
    throw DataError(fmt::format("{} has no records", path), place);
  const size_t total = records.lines.size() * elements;
  if (words) {
    std::vector<int32_t> values(total);
    forEachCell(source, header, place, [&](size_t record, size_t element, std::string_view cell) {
      const auto found = std::lower_bound(words->begin(), words->end(), cell);
      if (found == words->end() || *found != cell)
        records.fail(record, fmt::format("`{}` is none of the {} words that {} knows", cell,
                                         words->size(), field.name));
      values[record * elements + element] = static_cast<int32_t>(found - words->begin());
    });
    records.values = std::move(values);
    return records;
  }
  const bool wantsReals = field.scalar == Scalar::F32 && !field.boolean;
  std::vector<float> reals(wantsReals ? total : 0);
  std::vector<int32_t> integers(wantsReals ? 0 : total);
  forEachCell(source, header, place, [&](size_t record, size_t element, std::string_view cell) {
    const size_t at = record * elements + element;
    if (!reals.empty()) {
      if (!parse(cell, reals[at]))
        records.fail(
            record, fmt::format("`{}` is no number, and {} is {}", cell, field.name, field.type()));
      return;
    }
    if (bool truth = false; field.boolean && parse(cell, truth)) {
      integers[at] = truth ? 1 : 0;
      return;
    }
    double value = 0; // `3.0` is an integer too
    if (!parse(cell, value) || value != std::nearbyint(value) || std::abs(value) > 0x7FFFFFFF)
      records.fail(record,
                   fmt::format("`{}` is no integer, and {} is {}", cell, field.name, field.type()));
    integers[at] = static_cast<int32_t>(value);
  });
  if (!reals.empty())
    records.values = std::move(reals);
  else
    records.values = std::move(integers);
  return records;
}

} // namespace sinter::runtime
