//===- Parser.cpp - the way in, and imports ---------------------------------------------------===//
#include "compiler/syntax/Parser.h"

#include "compiler/syntax/ParserState.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <vector>

namespace sinter::syntax {

std::unique_ptr<File> parseFile(FileId file, Engine &engine) {
  const SourceManager &sources = engine.sources();
  if (sources.text(file).size() > SourceManager::maxFileBytes) {
    engine.report(Diag::FileTooLarge, Span{file, 0, 0}, sources.path(file));
    auto empty = std::make_unique<File>();
    empty->id = file;
    empty->broken = true;
    return empty;
  }
  return ParserState(file, engine).parseWholeFile();
}

ExprPtr parseExpression(FileId file, Engine &engine) {
  return ParserState(file, engine).parseWholeExpression();
}

namespace {

class Loader {
public:
  Loader(SourceManager &sources, Engine &engine, const ProgramOptions &options)
      : sources(sources), engine(engine), options(options) {}

  std::unique_ptr<Program> run(const std::filesystem::path &path) {
    const FileId root = load(path, path.string(), Span{});
    if (root == noFile)
      return nullptr;
    program = std::make_unique<Program>();
    // Files are read in the order in which they are first named: the list grows while we walk it.
    seen.insert(root);
    program->files.push_back(parseFile(root, engine));
    for (size_t i = 0; i < program->files.size(); ++i)
      for (Declaration &declaration : program->files[i]->declarations)
        if (auto *import = std::get_if<ImportDeclaration>(&declaration))
          follow(*import);
    std::set<FileId> finished;
    findCircles();
    return std::move(program);
  }

private:
  FileId load(const std::filesystem::path &path, std::string_view said, Span at) {
    const SourceManager::Loaded loaded = sources.load(path);
    if (loaded.tooLarge)
      engine.report(Diag::FileTooLarge, at, said);
    else if (loaded.file == noFile)
      engine.report(Diag::FileUnreadable, at, said, loaded.problem);
    return loaded.file;
  }

  void follow(ImportDeclaration &import) {
    if (import.path.empty()) {
      // An empty path names no file; a string with something wrong in it was reported.
      if (engine.sources().text(import.pathSpan) == "\"\"")
        engine.report(Diag::FileUnreadable, import.pathSpan, import.path, "no such file");
      return;
    }
    std::filesystem::path path;
    if (import.path.starts_with("std/")) {
      std::error_code error;
      if (options.library.empty() || !std::filesystem::is_directory(options.library, error)) {
        engine.report(Diag::NoLibrary, import.pathSpan, import.path);
        return;
      }
      path = options.library / import.path.substr(4);
      if (!std::filesystem::is_regular_file(path, error)) {
        missFromLibrary(import);
        return;
      }
    } else {
      path = sources.resolve(import.pathSpan.file, import.path);
    }
    import.file = load(path, import.path, import.pathSpan);
    if (import.file != noFile && seen.insert(import.file).second)
      program->files.push_back(parseFile(import.file, engine));
  }

  /// Says what there is instead.
  void missFromLibrary(const ImportDeclaration &import) {
    std::vector<std::string> files;
    std::error_code error;
    for (const auto &entry : std::filesystem::directory_iterator(options.library, error))
      if (entry.path().extension() == ".sinter")
        files.push_back("std/" + entry.path().filename().string());
    std::sort(files.begin(), files.end());
    auto report = engine.report(Diag::NotInLibrary, import.pathSpan, import.path);
    const std::string_view meant =
        nearest(import.path, std::vector<std::string_view>(files.begin(), files.end()));
    std::string all;
    for (const std::string &file : files)
      all += (all.empty() ? "`" : ", `") + file + "`";
    if (!meant.empty())
      report.help(fmt::format("`import \"{}\"`; it has {}", meant, all));
    else if (!all.empty())
      report.help("it has " + all);
  }

  const File *fileOf(FileId id) const {
    for (const auto &file : program->files)
      if (file->id == id)
        return file.get();
    return nullptr;
  }

  /// Reports each import that leads back to a file on the way to it.
  void findCircles() {
    struct Visit {
      const File *file;
      size_t next;
    };
    std::set<FileId> entered{program->root().id}, onTheWay = entered;
    std::vector<Visit> way{{&program->root(), 0}};
    while (!way.empty()) {
      Visit &visit = way.back();
      if (visit.next == visit.file->declarations.size()) {
        onTheWay.erase(visit.file->id);
        way.pop_back();
        continue;
      }
      const auto *import = std::get_if<ImportDeclaration>(&visit.file->declarations[visit.next++]);
      if (!import || import->file == noFile)
        continue;
      if (onTheWay.contains(import->file))
        engine.report(Diag::ImportCircle, import->pathSpan, sources.path(import->file));
      else if (entered.insert(import->file).second) {
        onTheWay.insert(import->file);
        way.push_back({fileOf(import->file), 0});
      }
    }
  }

  SourceManager &sources;
  Engine &engine;
  const ProgramOptions &options;
  std::unique_ptr<Program> program;
  std::set<FileId> seen;
};

} // namespace

std::unique_ptr<Program> parseProgram(const std::filesystem::path &path, SourceManager &sources,
                                      Engine &engine, const ProgramOptions &options) {
  return Loader(sources, engine, options).run(path);
}

} // namespace sinter::syntax
