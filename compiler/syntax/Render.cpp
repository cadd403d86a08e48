//===- Render.cpp - diagnostics as a person or an editor reads them ---------------------------===//
#include "compiler/syntax/Diagnostics.h"
#include "compiler/syntax/Utf8.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace sinter::syntax {
namespace {

constexpr int tabWidth = 4;
/// A longer line is shown only around the underlined text.
constexpr size_t maxLineBytes = 160;

struct Style {
  std::string_view severity, bold, gutter, help, reset;
};

Style styleOf(Severity severity, bool colour) {
  if (!colour)
    return {};
  const std::string_view severities[] = {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m"};
  return {severities[static_cast<int>(severity)], "\x1b[1m", "\x1b[34m", "\x1b[1;32m", "\x1b[0m"};
}

std::string_view nameOf(Severity severity) {
  const std::string_view names[] = {"error", "warning", "note"};
  return names[static_cast<int>(severity)];
}

struct Shown {
  std::string text;
  size_t width = 0; // in columns of a terminal
};

/// Text as a terminal can show it: tabs become spaces, control characters and malformed bytes
/// U+FFFD.
Shown shown(std::string_view text) {
  Shown result;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = decodeUtf8(text, at);
    if (point.value == '\t') {
      result.text.append(tabWidth, ' ');
      result.width += tabWidth;
    } else if (!point.valid || point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0)) {
      result.text += "\uFFFD";
      result.width += 1;
    } else {
      result.text += text.substr(at, point.length);
      result.width += static_cast<size_t>(displayWidth(point.value));
    }
    at += point.length;
  }
  return result;
}

bool isContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

/// A line cut into what stands before, under and after the mark.
struct Cut {
  Shown before, marked, after;
};

Cut cutLine(const SourceManager &sources, Span span) {
  const LineColumn place = sources.lineColumn(span);
  std::string_view line = sources.lineText(span.file, place.line);
  uint32_t begin = sources.lineBegin(span.file, place.line);
  if (place.line == 1 && line.starts_with(byteOrderMark)) {
    line.remove_prefix(byteOrderMark.size());
    begin += byteOrderMark.size();
  }
  // A span over several lines is marked to the end of its first.
  size_t from = std::min<size_t>(span.begin > begin ? span.begin - begin : 0, line.size());
  size_t to = std::clamp<size_t>(span.end > begin ? span.end - begin : 0, from, line.size());
  bool cutFront = false, cutBack = false;
  if (line.size() > maxLineBytes) {
    size_t first = from > maxLineBytes / 2 ? from - maxLineBytes / 2 : 0;
    while (first > 0 && isContinuation(line[first]))
      --first;
    size_t last = std::min(line.size(), first + maxLineBytes);
    while (last < line.size() && isContinuation(line[last]))
      ++last;
    cutFront = first > 0;
    cutBack = last < line.size();
    line = line.substr(first, last - first);
    from -= first;
    to = std::min(to - first, line.size());
  }
  Cut cut{shown(line.substr(0, from)), shown(line.substr(from, to - from)), shown(line.substr(to))};
  if (cutFront) {
    cut.before.text.insert(0, "…");
    cut.before.width += 1;
  }
  if (cutBack)
    cut.after.text += "…";
  return cut;
}

size_t digits(uint32_t number) { return std::to_string(number).size(); }

/// "  ┌─ file:3:5", the line, and the mark beneath it.
void renderPlace(std::string &out, const SourceManager &sources, Span span, std::string_view text,
                 char mark, size_t gutter, std::string_view markStyle, const Style &style) {
  const LineColumn place = sources.lineColumn(span);
  const Cut cut = cutLine(sources, span);
  out += fmt::format("{0:{1}}{2}┌─{3} {4}\n", "", gutter, style.gutter, style.reset,
                     shown(sources.describe(span)).text);
  out += fmt::format("{0}{1:>{2}}│{3} {4}{5}{6}\n", style.gutter, place.line, gutter, style.reset,
                     cut.before.text, cut.marked.text, cut.after.text);
  out += fmt::format(
      "{0:{1}}{2}│{3} {0:{4}}{5}{6}{7}{8}{9}\n", "", gutter, style.gutter, style.reset,
      cut.before.width, markStyle, std::string(std::max<size_t>(cut.marked.width, 1), mark),
      text.empty() ? "" : " ", shown(text).text, markStyle.empty() ? "" : style.reset);
}

nlohmann::json jsonPlace(const SourceManager &sources, Span span) {
  if (!span.valid())
    return nlohmann::json::object();
  const LineColumn begin = sources.lineColumn(span);
  const LineColumn end = sources.lineColumn(span.after());
  return {{"file", sources.path(span.file)},
          {"line", begin.line},
          {"column", begin.column},
          {"endLine", end.line},
          {"endColumn", end.column}};
}

} // namespace

std::string render(const Diagnostic &diagnostic, const SourceManager &sources, bool colour) {
  const Style style = styleOf(diagnostic.info().severity, colour);
  size_t gutter = 1;
  if (diagnostic.span.valid())
    gutter = std::max(gutter, digits(sources.lineColumn(diagnostic.span).line));
  for (const Label &note : diagnostic.notes)
    if (note.span.valid())
      gutter = std::max(gutter, digits(sources.lineColumn(note.span).line));

  std::string out = fmt::format(
      "{}{}[{}]{}{}: {}{}\n", style.severity, nameOf(diagnostic.info().severity),
      diagnostic.info().code, style.reset, style.bold, shown(diagnostic.message).text, style.reset);
  if (diagnostic.span.valid())
    renderPlace(out, sources, diagnostic.span, diagnostic.label, '^', gutter, style.severity,
                style);
  for (const Label &note : diagnostic.notes) {
    if (note.span.valid())
      renderPlace(out, sources, note.span, note.text, '-', gutter, style.gutter, style);
    else
      out += fmt::format("{0:{1}}= note: {2}\n", "", gutter, shown(note.text).text);
  }
  for (const std::string &help : diagnostic.helps)
    out += fmt::format("{0:{1}}{2}={3} {4}help{3}: {5}\n", "", gutter, style.gutter, style.reset,
                       style.help, shown(help).text);
  return out;
}

std::string render(const Engine &engine, bool colour) {
  std::string out;
  for (const Diagnostic &diagnostic : engine.sorted()) {
    if (!out.empty())
      out += '\n';
    out += render(diagnostic, engine.sources(), colour);
  }
  return out;
}

std::string renderJson(const Engine &engine) {
  const SourceManager &sources = engine.sources();
  nlohmann::json list = nlohmann::json::array();
  for (const Diagnostic &diagnostic : engine.sorted()) {
    nlohmann::json entry = jsonPlace(sources, diagnostic.span);
    entry["code"] = diagnostic.info().code;
    entry["severity"] = nameOf(diagnostic.info().severity);
    entry["message"] = diagnostic.message;
    entry["label"] = diagnostic.label;
    entry["helps"] = diagnostic.helps;
    entry["notes"] = nlohmann::json::array();
    for (const Label &note : diagnostic.notes) {
      nlohmann::json place = jsonPlace(sources, note.span);
      place["text"] = note.text;
      entry["notes"].push_back(std::move(place));
    }
    list.push_back(std::move(entry));
  }
  // Paths and quoted text may hold bytes that are not UTF-8.
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace sinter::syntax
