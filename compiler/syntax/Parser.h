//===- Parser.h - text to tree ----------------------------------------------------------------===//
#pragma once

#include "compiler/syntax/Diagnostics.h"
#include "compiler/syntax/Source.h"
#include "compiler/syntax/Tree.h"

#include <filesystem>
#include <memory>

namespace sinter::syntax {

/// Parses one file and reports all its syntax errors. Always returns a tree (see Tree.h on errors);
/// never throws for any bytes.
std::unique_ptr<File> parseFile(FileId file, Engine &engine);

/// Parses one expression that is the whole text of `file`: the value of `-D name=value`.
ExprPtr parseExpression(FileId file, Engine &engine);

struct ProgramOptions {
  /// Where `import "std/…"` looks; empty where there is no library.
  std::filesystem::path library;
};

/// Reads and parses `path` and all that it imports, each file once. Reports a file that cannot be
/// read and a circle of imports. Null only where the root file could not be read.
std::unique_ptr<Program> parseProgram(const std::filesystem::path &path, SourceManager &sources,
                                      Engine &engine, const ProgramOptions &options = {});

} // namespace sinter::syntax
