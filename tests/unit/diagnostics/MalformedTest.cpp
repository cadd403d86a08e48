//===- MalformedTest.cpp - no text, however malformed, brings the front end down --------------===//
// Every spec of tests/lit, with pieces taken out, doubled, moved and exchanged for those of others. What is asked: an answer, whose
// errors have places within their files.
#include "compiler/semantics/Check.h"
#include "compiler/syntax/Parser.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace sinter;

namespace {

/// Runs of letters and digits, and all other characters one by one.
std::vector<std::string> pieces(const std::string &text) {
  std::vector<std::string> result;
  auto isWord = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (char c : text)
    if (!result.empty() && isWord(c) && isWord(result.back().back()))
      result.back() += c;
    else
      result.emplace_back(1, c);
  return result;
}

std::vector<std::vector<std::string>> specs() {
  std::vector<std::filesystem::path> paths;
  for (const char *folder : {"tests/lit/diagnostics", "tests/lit/valid", "compiler/std"})
    for (const auto &entry :
         std::filesystem::directory_iterator(std::filesystem::path(SINTER_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".sinter" && entry.file_size() < 6000)
        paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::vector<std::string>> result;
  for (const std::filesystem::path &path : paths) {
    std::ifstream stream(path);
    result.push_back(
        pieces({std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()}));
  }
  return result;
}

} // namespace

TEST_CASE("malformed text is answered") {
  const std::vector<std::vector<std::string>> all = specs();
  REQUIRE(all.size() > 100);
  std::mt19937 generator(20);
  auto below = [&](size_t n) { return static_cast<size_t>(generator() % std::max<size_t>(n, 1)); };
  size_t wrong = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<std::string> text = all[below(all.size())];
    for (size_t change = 1 + below(4); change > 0 && !text.empty(); --change) {
      const auto at = static_cast<std::ptrdiff_t>(below(text.size()));
      const std::vector<std::string> &other = all[below(all.size())];
      switch (below(5)) {
      case 0:
        text.erase(text.begin() + at);
        break;
      case 1:
        text.insert(text.begin() + at, std::string(text[static_cast<size_t>(at)]));
        break;
      case 2:
        if (!other.empty())
          text[static_cast<size_t>(at)] = other[below(other.size())];
        break;
      case 3:
        std::swap(text[static_cast<size_t>(at)], text[below(text.size())]);
        break;
      default:
        text.resize(static_cast<size_t>(at));
      }
    }
    std::string joined;
    for (const std::string &piece : text)
      joined += piece;
    INFO(joined);
    syntax::SourceManager sources;
    syntax::Engine engine(sources);
    syntax::Program tree;
    tree.files.push_back(syntax::parseFile(sources.add("malformed.sinter", joined), engine));
    semantics::Options options;
    options.readHeaders = false;
    const bool checked = semantics::check(tree, sources, engine, options).has_value();
    wrong += !checked;
    REQUIRE(checked == (engine.errorCount() == 0));
    for (const syntax::Diagnostic &diagnostic : engine.sorted())
      if (diagnostic.span.valid())
        REQUIRE(diagnostic.span.end <= joined.size());
    render(engine, false);
  }
  CHECK(wrong > 1000);
}
