#include "tests/unit/diagnostics/CheckFile.h"

#include "compiler/syntax/Parser.h"

namespace sinter::tests {

void checkFile(const std::filesystem::path &path, syntax::SourceManager &sources,
               syntax::Engine &engine) {
  syntax::parseProgram(path, sources, engine);
}

} // namespace sinter::tests
