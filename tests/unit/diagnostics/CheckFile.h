#pragma once

#include "compiler/syntax/Diagnostics.h"

#include <filesystem>

namespace sinter::tests {

/// Runs the whole front end over a file, as `sinter check` does, and leaves what it says in
/// `engine`.
void checkFile(const std::filesystem::path &path, syntax::SourceManager &sources,
               syntax::Engine &engine);

} // namespace sinter::tests
