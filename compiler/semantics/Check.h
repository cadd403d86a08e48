//===- Check.h - syntax tree to checked program ---------------------------------------------===//
#pragma once

#include "compiler/semantics/Program.h"
#include "compiler/syntax/Diagnostics.h"
#include "compiler/syntax/Source.h"
#include "compiler/syntax/Tree.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinter::semantics {

struct Options {
  /// `-D name=value`, in the order given; the last of a name wins.
  std::vector<std::pair<std::string, std::string>> defines;
  /// Look at the headers of data files that exist and note those that do not.
  bool readHeaders = true;
  /// Where `import "std/…"` looks; empty where there is no library.
  std::filesystem::path library;
};

/// Parses a file and all that it imports, and checks it. Everything wrong is told to `engine`, all in one run; there
/// is no program where any of it is an error.
std::optional<Program> check(const std::filesystem::path &root, syntax::SourceManager &sources,
                             syntax::Engine &engine, const Options &options = {});

/// The same for trees that are parsed already. `sources` takes the texts of `-D` values.
std::optional<Program> check(const syntax::Program &program, syntax::SourceManager &sources,
                             syntax::Engine &engine, const Options &options = {});

} // namespace sinter::semantics
