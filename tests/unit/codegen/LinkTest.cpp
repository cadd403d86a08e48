//===- LinkTest.cpp - what cannot be compiled or linked is said, and nothing is left behind -------===//
#include "compiler/codegen/Codegen.h"

#include <catch2/catch.hpp>
#include <filesystem>

using namespace sinter::codegen;

namespace {

std::string messageOf(llvm::Error error) { return llvm::toString(std::move(error)); }

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sinter-link-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

} // namespace

TEST_CASE("an object that lacks the runtime's symbols leaves no program behind") {
  const Folder folder;
  const std::string program = folder.path / "program";
  const std::string message = messageOf(linkProgram(Object{'n', 'o'}, {}, program));
  CHECK_THAT(message, Catch::Contains("cannot link"));
  CHECK(std::filesystem::is_empty(folder.path));
}

TEST_CASE("an output that cannot be written is named") {
  const Folder folder;
  CHECK_THAT(messageOf(linkProgram({}, {}, folder.path.string())), Catch::Contains("directory"));
  CHECK_THAT(messageOf(linkProgram({}, {}, (folder.path / "missing" / "program").string())),
             Catch::Contains("missing/program"));
}

TEST_CASE("a CPU is taken by LLVM's name if it has what kernels need") {
  auto wide = Target::named("x86-64-v4");
  REQUIRE(bool(wide));
  CHECK(wide->avx512);
  auto narrow = Target::named("x86-64-v3");
  REQUIRE(bool(narrow));
  CHECK_FALSE(narrow->avx512);
  CHECK_THAT(llvm::toString(Target::named("nehalem").takeError()), Catch::Contains("lacks AVX2"));
  CHECK_THAT(llvm::toString(Target::named("pdp11").takeError()),
             Catch::Contains("no CPU that LLVM knows"));
}
