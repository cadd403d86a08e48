//===- MlirDiagnostics.cpp - MLIR's errors in our manner --------------------------------------===//
#include "compiler/driver/MlirDiagnostics.h"

#include "compiler/driver/Terminal.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

using namespace mlir;

namespace sinter::driver {
namespace {

FileLineColLoc placeOf(Location location) {
  FileLineColLoc place;
  location->walk([&](Location each) {
    place = dyn_cast<FileLineColLoc>(each);
    return place ? WalkResult::interrupt() : WalkResult::advance();
  });
  return place;
}

/// The layer that a location names, "conv1", or "".
std::string layerOf(Location location) {
  std::string name;
  location->walk([&](Location each) {
    auto named = dyn_cast<NameLoc>(each);
    if (!named)
      return WalkResult::advance();
    name = named.getName().str();
    return WalkResult::interrupt();
  });
  return name;
}

} // namespace

MlirDiagnostics::MlirDiagnostics(MLIRContext &context, const syntax::SourceManager &sourceManager)
    : sources(sourceManager), handler(&context, [this](Diagnostic &diagnostic) {
        print(diagnostic);
        return success();
      }) {}

void MlirDiagnostics::print(Diagnostic &diagnostic) {
  const bool colours = hasColours();
  const char *reset = colours ? "\x1b[0m" : "";
  const char *colour = "", *word = "note";
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    ++errors;
    word = "error";
    colour = colours ? "\x1b[1;31m" : "";
    break;
  case DiagnosticSeverity::Warning:
    word = "warning";
    colour = colours ? "\x1b[1;33m" : "";
    break;
  case DiagnosticSeverity::Note:
  case DiagnosticSeverity::Remark:
    colour = colours ? "\x1b[1;36m" : "";
    break;
  }
  fmt::print(stderr, "{}{}{}: {}\n", colour, word, reset, diagnostic.str());

  const std::string layer = layerOf(diagnostic.getLocation());
  if (FileLineColLoc place = placeOf(diagnostic.getLocation())) {
    fmt::print(stderr, "  ┌─ {}:{}:{}{}\n", place.getFilename().str(), place.getLine(),
               place.getColumn(), layer.empty() ? "" : " (" + layer + ")");
    for (syntax::FileId file = 0; file < sources.fileCount(); ++file) {
      if (sources.path(file) != place.getFilename().str() || place.getLine() == 0)
        continue;
      const std::string_view text = sources.text(file);
      const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
      if (place.getLine() > lines)
        continue;
      const std::string number = std::to_string(place.getLine());
      fmt::print(stderr, "{}│ {}\n", number, sources.lineText(file, place.getLine()));
      const size_t blanks = place.getColumn() > 0 ? place.getColumn() - 1 : 0;
      fmt::print(stderr, "{}│ {}^\n", std::string(number.size(), ' '), std::string(blanks, ' '));
    }
  }
  for (Diagnostic &note : diagnostic.getNotes()) {
    const FileLineColLoc place = placeOf(note.getLocation());
    fmt::print(stderr, "  = note: {}{}\n", note.str(),
               place ? fmt::format(" ({}:{}:{})", place.getFilename().str(), place.getLine(),
                                   place.getColumn())
                     : "");
  }
}

} // namespace sinter::driver
