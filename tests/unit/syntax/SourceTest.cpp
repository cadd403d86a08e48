#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sinter::syntax {
namespace {

/// A folder of files that goes away with it.
class Folder {
public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sinter-syntax-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path write(const std::string &name, const std::string &text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
    return path / name;
  }
  std::filesystem::path path;
};

} // namespace

TEST_CASE("lines and columns count from one, in code points") {
  SourceManager sources;
  const FileId file = sources.add("a", "ab\r\nc大d\n\n");
  CHECK(sources.lineColumn(file, 0) == LineColumn{1, 1});
  CHECK(sources.lineColumn(file, 4) == LineColumn{2, 1});
  CHECK(sources.lineColumn(file, 8) == LineColumn{2, 3});
  CHECK(sources.lineColumn(file, 10) == LineColumn{3, 1});
  CHECK(sources.lineColumn(file, 11) == LineColumn{4, 1});
  CHECK(sources.lineText(file, 1) == "ab");
  CHECK(sources.lineText(file, 2) == "c大d");
  CHECK(sources.lineText(file, 4).empty());
}

TEST_CASE("the same file twice is once, by whatever path") {
  const Folder folder;
  const auto path = folder.write("a/one.sinter", "const a = 1\n");
  SourceManager sources;
  const auto first = sources.load(path);
  CHECK(sources.load(folder.path / "a/../a/one.sinter").file == first.file);
  CHECK(sources.load(folder.path / "none").problem == "no such file");
  CHECK(sources.load(folder.path).problem == "is a folder");
}

TEST_CASE("a program is its files, each once, relative to the one that says it") {
  const Folder folder;
  const auto root = folder.write("main.sinter", "import \"lib/a.sinter\"\nimport \"lib/b.sinter\"\n"
                                                "import \"std/c.sinter\"\nconst m = 1\n");
  folder.write("lib/a.sinter", "import \"b.sinter\"\nconst a = 1\n");
  folder.write("lib/b.sinter", "const b = 1\n");
  folder.write("library/c.sinter", "const c = .5\n");
  SourceManager sources;
  Engine engine(sources);
  const auto program = parseProgram(root, sources, engine, {folder.path / "library"});
  REQUIRE(program);
  REQUIRE(program->files.size() == 4);
  CHECK(sources.path(program->files[1]->id) == (folder.path / "lib/a.sinter").string());
  CHECK(engine.errorCount() == 1); // .5 in the library
  CHECK(std::get<ImportDeclaration>(program->root().declarations[1]).file == program->files[2]->id);
}

TEST_CASE("a circle of imports is an error at the import that closes it") {
  const Folder folder;
  const auto root = folder.write("a.sinter", "import \"b.sinter\"\n");
  folder.write("b.sinter", "import \"c.sinter\"\nimport \"c.sinter\"\n");
  folder.write("c.sinter", "const x = 1\nimport \"b.sinter\"\n");
  SourceManager sources;
  Engine engine(sources);
  REQUIRE(parseProgram(root, sources, engine));
  REQUIRE(engine.errorCount() == 1);
  CHECK(sources.describe(engine.sorted()[0].span) == (folder.path / "c.sinter").string() + ":2:8");
}

TEST_CASE("a root that cannot be read is an error without a place") {
  SourceManager sources;
  Engine engine(sources);
  CHECK_FALSE(parseProgram("/nowhere/at/all.sinter", sources, engine));
  REQUIRE(engine.errorCount() == 1);
  CHECK_FALSE(engine.sorted()[0].span.valid());
}

} // namespace sinter::syntax
