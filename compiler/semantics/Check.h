//===- Check.h - syntax tree to checked program
//--------------------------------------------------===//
#pragma once

#include "compiler/semantics/Program.h"
#include "compiler/syntax/Diagnostics.h"
#include "compiler/syntax/Source.h"

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
};

/// Parses the root file and all that it imports (which `sources` then holds) and checks them.
/// Everything wrong is told to `diagnostics`, all in one run; no program is given where any of it
/// is an error.
std::optional<Program> check(syntax::SourceManager &sources, syntax::FileId rootFile,
                             const Options &options, syntax::Diagnostics &diagnostics);

} // namespace sinter::semantics
