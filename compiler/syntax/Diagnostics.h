//===- Diagnostics.h - what the compiler answers ----------------------------------------------===//
// A diagnostic is a row of DiagnosticKinds.def, a place, and arguments:
//
//   engine.report(Diag::TieShape, weight.span, "dense", "weight", "embed.weight")
//       .label("f32[256, 784] here, needs f32[784, 256]")
//       .note(param.span, "declared here")
//       .help("use it the other way round: `weight: transpose(W)`");
//
// The number of arguments is checked while compiling. The engine collects; rendering comes at the
// end, in the order of the text.
#pragma once

#include "compiler/syntax/Source.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace sinter::syntax {

enum class Severity { Error, Warning, Note };

enum class Diag : uint16_t {
#define DIAG(code, name, severity, format) name,
#include "compiler/syntax/DiagnosticKinds.def"
#undef DIAG
};

struct DiagInfo {
  std::string_view code; // "E0101"
  std::string_view name; // "UnexpectedToken"
  Severity severity;
  std::string_view format;
};

inline constexpr DiagInfo diagTable[] = {
#define DIAG(code, name, severity, format) {#code, #name, Severity::severity, format},
#include "compiler/syntax/DiagnosticKinds.def"
#undef DIAG
};

constexpr const DiagInfo &diagInfo(Diag kind) { return diagTable[static_cast<size_t>(kind)]; }

/// How many arguments a format takes.
constexpr size_t argumentCount(std::string_view format) {
  size_t inTurn = 0, byNumber = 0;
  for (size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] != '{')
      continue;
    if (format[i + 1] == '{')
      ++i;
    else if (format[i + 1] >= '0' && format[i + 1] <= '9')
      byNumber = std::max(byNumber, static_cast<size_t>(format[i + 1] - '0' + 1));
    else
      ++inTurn;
  }
  return std::max(inTurn, byNumber);
}

/// A place beside the primary one, and what is to be said about it.
struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  Diag kind;
  Span span;
  std::string message;
  std::string label; // beside the underline; may be empty
  std::vector<Label> notes;
  std::vector<std::string> helps;

  const DiagInfo &info() const { return diagInfo(kind); }
};

class Engine;

/// Adds to the diagnostic just reported. Does nothing where it was dropped (a duplicate, or beyond
/// the limit).
class DiagnosticBuilder {
public:
  /// What to say beside the underlined text.
  DiagnosticBuilder &label(std::string text);
  /// Another place, shown below with its own line.
  DiagnosticBuilder &note(Span span, std::string text);
  /// A change that would make it right, as text that could be pasted. Several are shown in turn.
  DiagnosticBuilder &help(std::string text);

private:
  friend class Engine;
  DiagnosticBuilder(Engine *engine, size_t index) : engine(engine), index(index) {}
  Diagnostic *target();
  Engine *engine;
  size_t index;
};

/// Never defined: naming it makes a consteval call an error that says why.
void theFormatTakesAnotherNumberOfArguments();

/// A kind whose format was checked against the number of arguments, while compiling.
template <typename... Args> struct CheckedDiag {
  // NOLINTNEXTLINE(google-explicit-constructor): a Diag is meant to convert.
  consteval CheckedDiag(Diag kind) : kind(kind) {
    if (argumentCount(diagInfo(kind).format) != sizeof...(Args))
      theFormatTakesAnotherNumberOfArguments();
  }
  Diag kind;
};

class Engine {
public:
  static constexpr size_t maxErrors = 100;

  explicit Engine(const SourceManager &sources) : sourceManager(sources) {}
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;

  /// Reports a diagnostic at a place (Span{} where there is none). Arguments are anything fmt can
  /// format.
  template <typename... Args>
  DiagnosticBuilder report(CheckedDiag<std::type_identity_t<Args>...> kind, Span span,
                           const Args &...args) {
    return add(kind.kind, span,
               fmt::vformat(diagInfo(kind.kind).format, fmt::make_format_args(args...)));
  }

  /// All so far, sorted by file and place; those without a place come first.
  std::vector<Diagnostic> sorted() const;
  bool hasErrors() const { return errors != 0; }
  size_t errorCount() const { return errors; }
  size_t warningCount() const { return warnings; }
  /// The limit of errors is reached: further ones are dropped, so whoever finds them may stop.
  bool isFull() const { return full; }
  const SourceManager &sources() const { return sourceManager; }

private:
  friend class DiagnosticBuilder;
  DiagnosticBuilder add(Diag kind, Span span, std::string message);

  const SourceManager &sourceManager;
  std::vector<Diagnostic> diagnostics;
  std::set<std::tuple<Diag, FileId, uint32_t, std::string>> seen;
  size_t errors = 0, warnings = 0;
  bool full = false;
};

/// One diagnostic as text, with its source lines underlined, ending with a newline.
std::string render(const Diagnostic &diagnostic, const SourceManager &sources, bool colour);
/// All of an engine, sorted, an empty line between two; empty where there are none.
std::string render(const Engine &engine, bool colour);
/// All of an engine as a JSON array, for editors: {code, severity, message, file, line, column,
/// endLine, endColumn, label, notes: [{file, line, column, endLine, endColumn, text}], helps:
/// [text]}.
std::string renderJson(const Engine &engine);
/// "2 errors, 1 warning"; empty where there are neither.
std::string summary(const Engine &engine);

/// The candidate nearest to `word`, if it is near enough to be what was meant; else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view> &candidates);

} // namespace sinter::syntax
