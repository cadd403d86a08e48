//===- ValidProgramsTest.cpp - programs that the language allows, and nothing is said of ------===//
// Each file of tests/lit/valid is written from the language's page alone. None may bring an error or a warning; notes of data files that
// are not there are fine.
#include "tests/unit/diagnostics/CheckFile.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <vector>

using namespace sinter;

TEST_CASE("what the page allows passes without a word") {
  std::vector<std::filesystem::path> paths;
  for (const auto &entry : std::filesystem::directory_iterator(
           std::filesystem::path(SINTER_SOURCE_DIR) / "tests/lit/valid"))
    if (entry.path().extension() == ".sinter")
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  REQUIRE(paths.size() >= 10);
  for (const std::filesystem::path &path : paths) {
    syntax::SourceManager sources;
    syntax::Engine engine(sources);
    tests::checkFile(path, sources, engine);
    INFO(path.filename().string() + "\n" + render(engine, false));
    CHECK(engine.errorCount() == 0);
    CHECK(engine.warningCount() == 0);
  }
}
