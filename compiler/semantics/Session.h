//===- Session.h - what all checks of one run share ------------------------------------------===//
#pragma once

#include "compiler/semantics/Check.h"
#include "compiler/semantics/Value.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sinter::semantics {

using syntax::Diag;
using syntax::Span;

struct Constant {
  enum class State { Waiting, Busy, Done };
  const syntax::ConstDeclaration *declaration = nullptr;
  State state = State::Waiting;
  Value value;
  std::optional<std::string> define; ///< what `-D` puts in its place
};

struct Session {
  Session(syntax::SourceManager &sources, syntax::Engine &engine, const Options &options)
      : sources(sources), engine(engine), options(options) {}

  syntax::SourceManager &sources;
  syntax::Engine &engine;
  const Options &options;

  std::map<std::string, Constant> constants;
  std::map<std::string, const syntax::ModelDeclaration *> models;
  std::map<std::string, const syntax::DataDeclaration *> datas;
  std::vector<const syntax::TrainDeclaration *> trains; ///< of the root file, in its order
  std::set<const syntax::ModelDeclaration *> instantiated;
  /// A file could not be read, so any name that is missing may be one of its.
  bool fileMissing = false;
  /// The words of what was lost to syntax errors: a name among them may have been declared there.
  std::set<std::string, std::less<>> lost;

  /// Whether a name that is nowhere declared may stand in what was not understood.
  bool mayBeLost(const std::string &name) const { return fileMissing || lost.count(name) != 0; }

  /// Source text for a message: on one line, without comments.
  std::string text(Span span) const;
};

} // namespace sinter::semantics
