#include "tests/unit/diagnostics/CheckFile.h"

#include "compiler/semantics/Check.h"

#include <fstream>
#include <string>

namespace sinter::tests {

void checkFile(const std::filesystem::path &path, syntax::SourceManager &sources,
               syntax::Engine &engine) {
  // `// define: name=value` is the file's own `-D name=value`.
  const std::string mark = "// define: ";
  semantics::Options options;
  options.library = std::filesystem::path(SINTER_SOURCE_DIR) / "compiler/std";
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    if (line == "// library: none")
      options.library.clear();
    const size_t at = line.find(mark), equals = line.find('=');
    if (at == 0 && equals != std::string::npos)
      options.defines.emplace_back(line.substr(mark.size(), equals - mark.size()),
                                   line.substr(equals + 1));
  }
  semantics::check(path, sources, engine, options);
}

} // namespace sinter::tests
