#include "compiler/syntax/Diagnostics.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace sinter::syntax {

Diagnostic *DiagnosticBuilder::target() { return engine ? &engine->diagnostics[index] : nullptr; }

DiagnosticBuilder &DiagnosticBuilder::label(std::string text) {
  if (Diagnostic *diagnostic = target())
    diagnostic->label = std::move(text);
  return *this;
}

DiagnosticBuilder &DiagnosticBuilder::note(Span span, std::string text) {
  if (Diagnostic *diagnostic = target())
    diagnostic->notes.push_back({span, std::move(text)});
  return *this;
}

DiagnosticBuilder &DiagnosticBuilder::help(std::string text) {
  if (Diagnostic *diagnostic = target())
    diagnostic->helps.push_back(std::move(text));
  return *this;
}

DiagnosticBuilder Engine::add(Diag kind, Span span, std::string message) {
  const DiagnosticBuilder dropped(nullptr, 0);
  const Severity severity = diagInfo(kind).severity;
  if (severity == Severity::Error && full)
    return dropped;
  if (!seen.emplace(kind, span.file, span.begin, message).second)
    return dropped;
  if (severity == Severity::Error && errors == maxErrors) {
    full = true;
    diagnostics.push_back(
        {Diag::TooManyErrors,
         span,
         fmt::format(fmt::runtime(diagInfo(Diag::TooManyErrors).format), maxErrors),
         {},
         {},
         {}});
    return dropped;
  }
  errors += severity == Severity::Error;
  warnings += severity == Severity::Warning;
  diagnostics.push_back({kind, span, std::move(message), {}, {}, {}});
  return DiagnosticBuilder(this, diagnostics.size() - 1);
}

std::vector<Diagnostic> Engine::sorted() const {
  std::vector<size_t> order(diagnostics.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [&](size_t i) {
    const Diagnostic &diagnostic = diagnostics[i];
    // What has no place comes first, the word about the limit last.
    return std::tuple(diagnostic.kind == Diag::TooManyErrors, diagnostic.span.valid(),
                      diagnostic.span.file, diagnostic.span.begin, i);
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<Diagnostic> result;
  for (size_t i : order)
    result.push_back(diagnostics[i]);
  return result;
}

std::string summary(const Engine &engine) {
  const auto count = [](size_t number, const char *noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
  };
  std::string text;
  if (engine.errorCount())
    text = count(engine.errorCount(), "error");
  if (engine.warningCount())
    text += (text.empty() ? "" : ", ") + count(engine.warningCount(), "warning");
  return text;
}

namespace {

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char &c : result)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Insertions, deletions, changes and swaps of neighbours that turn one word into the other
/// (Damerau, "A technique for computer detection and correction of spelling errors", CACM 1964).
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> beforeLast(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], beforeLast[j - 2] + 1);
    }
    std::swap(beforeLast, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

} // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view> &candidates) {
  const size_t allowed = std::clamp<size_t>((word.size() + 1) / 3, 1, 4);
  const std::string wanted = lowered(word);
  std::string_view best;
  size_t bestDistance = std::min(allowed, word.empty() ? 0 : word.size() - 1) + 1;
  for (std::string_view candidate : candidates) {
    if (candidate == word || candidate.size() > word.size() + allowed ||
        word.size() > candidate.size() + allowed)
      continue;
    const size_t distance = editDistance(wanted, lowered(candidate));
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

} // namespace sinter::syntax
