//===- RegistryTest.cpp - every registered diagnostic is provoked, at the place it names ------===//
// A file in tests/lit/diagnostics begins with comments that say all that the front end answers to
// it:
//
//   // expect: E0123 3:5                  code, line and column of the underlined text
//   // expect: E0123 other.sinter:3:5     in a file that it imports, by its file name
//   // expect: E0901                      without a place
//
// Nothing more and nothing less may come. What no small file can provoke is made by `generated`
// below.
#include "tests/unit/diagnostics/CheckFile.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace sinter;

namespace {

const std::filesystem::path folder =
    std::filesystem::path(SINTER_SOURCE_DIR) / "tests/lit/diagnostics";

std::vector<std::filesystem::path> specs() {
  std::vector<std::filesystem::path> paths;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".sinter")
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

struct Outcome {
  std::vector<std::string> said; // "E0123 3:5", sorted
  std::set<std::string> codes;
  std::string rendered;
};

Outcome check(const std::filesystem::path &path) {
  syntax::SourceManager sources;
  syntax::Engine engine(sources);
  tests::checkFile(path, sources, engine);
  Outcome outcome;
  for (const syntax::Diagnostic &diagnostic : engine.sorted()) {
    std::string line(diagnostic.info().code);
    outcome.codes.insert(line);
    if (diagnostic.span.valid()) {
      const std::filesystem::path where = sources.path(diagnostic.span.file);
      const auto [row, column] = sources.lineColumn(diagnostic.span);
      line += ' ';
      if (where != path)
        line += where.filename().string() + ':';
      line += std::to_string(row) + ':' + std::to_string(column);
    }
    outcome.said.push_back(line);
  }
  std::sort(outcome.said.begin(), outcome.said.end());
  outcome.rendered = render(engine, false);
  return outcome;
}

std::vector<std::string> expectations(const std::filesystem::path &path) {
  const std::string mark = "// expect: ";
  std::ifstream stream(path);
  std::vector<std::string> result;
  for (std::string line; std::getline(stream, line);) {
    const size_t at = line.find(mark);
    if (at == std::string::npos)
      continue;
    line = line.substr(at + mark.size());
    result.push_back(line.substr(0, line.find_last_not_of(" \r") + 1));
  }
  std::sort(result.begin(), result.end());
  return result;
}

struct Generated {
  std::string code;
  std::function<void(std::ostream &)> write;
};

const std::vector<Generated> generated = {
    {"E0102",
     [](std::ostream &out) {
       for (size_t i = 0; i < syntax::SourceManager::maxFileBytes / 64 + 1; ++i)
         out << "//" << std::string(61, '-') << '\n';
     }},
};

Outcome check(const Generated &what) {
  const auto path =
      std::filesystem::temp_directory_path() /
      ("sinter-diagnostics-" + std::to_string(Catch::rngSeed()) + what.code + ".sinter");
  {
    std::ofstream out(path);
    what.write(out);
  }
  Outcome outcome = check(path);
  std::filesystem::remove(path);
  return outcome;
}

} // namespace

TEST_CASE("a file with a mistake gets exactly the diagnostics that it names") {
  REQUIRE_FALSE(specs().empty());
  for (const auto &path : specs()) {
    const Outcome outcome = check(path);
    INFO(path.filename().string() << "\n" << outcome.rendered);
    const std::vector<std::string> expected = expectations(path);
    CHECK_FALSE(expected.empty());
    CHECK(outcome.said == expected);
  }
}

TEST_CASE("what no small file can provoke is provoked by a generated one") {
  for (const Generated &what : generated) {
    INFO(what.code);
    CHECK(check(what).codes.contains(what.code));
  }
}

TEST_CASE("every registered diagnostic is provoked by some file") {
  std::set<std::string> provoked;
  for (const auto &path : specs())
    provoked.merge(check(path).codes);
  for (const Generated &what : generated)
    provoked.insert(what.code);
  for (const syntax::DiagInfo &info : syntax::diagTable) {
    INFO(info.code << " " << info.name);
    CHECK(provoked.contains(std::string(info.code)));
  }
}

TEST_CASE("codes are unique and say their severity") {
  std::set<std::string_view> codes;
  for (const syntax::DiagInfo &info : syntax::diagTable) {
    INFO(info.code);
    CHECK(codes.insert(info.code).second);
    const char letters[] = {'E', 'W', 'N'};
    CHECK(info.code[0] == letters[static_cast<int>(info.severity)]);
    CHECK(info.code.size() == 5);
    CHECK_FALSE(info.format.ends_with('.'));
  }
}
