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
  /// A file lost a declaration to a syntax error, so a name that is missing may be one of its.
  bool broken = false;

  std::string text(Span span) const { return std::string(sources.text(span)); }
};

} // namespace sinter::semantics
