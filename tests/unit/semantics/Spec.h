//===- Spec.h - checks a spec that a test holds as text -----------------------------------------===//
#pragma once

#include "compiler/semantics/Check.h"
#include "compiler/semantics/Dump.h"
#include "compiler/syntax/Parser.h"

#include <memory>
#include <optional>
#include <string>

namespace sinter::tests {

struct Spec {
  explicit Spec(const std::string &text, const semantics::Options &options = {}) : engine(sources) {
    syntax::Program tree;
    tree.files.push_back(syntax::parseFile(sources.add("test.sinter", text), engine));
    program = semantics::check(tree, sources, engine, options);
    said = render(engine, false);
  }

  const semantics::Train &train(size_t index = 0) const { return program->trains.at(index); }
  const semantics::Stage &stage(size_t index = 0) const { return train().stages.at(index); }
  const semantics::Parameter &parameter(const std::string &name) const {
    const semantics::Parameter *found = train().parameter(name);
    if (!found)
      throw std::runtime_error("no parameter " + name);
    return *found;
  }
  std::string names() const {
    std::string text;
    for (const semantics::Parameter &each : train().parameters)
      text += (text.empty() ? "" : " ") + each.name;
    return text;
  }
  std::string shapes() const {
    std::string text;
    for (const semantics::Parameter &each : train().parameters)
      text += (text.empty() ? "" : "; ") + each.name + ": " + each.type.str();
    return text;
  }

  syntax::SourceManager sources;
  syntax::Engine engine;
  std::optional<semantics::Program> program;
  std::string said; ///< the diagnostics, rendered
};

/// A spec around a model whose input is `x` of a type and which returns ten logits.
inline std::string around(const std::string &model, const std::string &inputType,
                          const std::string &lines = "optimize adam(lr: 1e-3); epochs 1") {
  return "data d { x: " + inputType +
         "\n label: class[10]\n train { x = idx(\"x\"); label = idx(\"y\") }\n"
         " test { x = idx(\"tx\"); label = idx(\"ty\") } }\n" +
         model + "\ntrain Net on d {\n objective cross_entropy(Net(x), label)\n" + lines + "\n}\n";
}

} // namespace sinter::tests
