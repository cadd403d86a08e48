//===- Initializers.h - initial values: names to numbers -------------------------------------===//
#pragma once

#include "compiler/semantics/Evaluator.h"

#include <optional>
#include <string>
#include <vector>

namespace sinter::semantics {

/// PyTorch's: of a weight [out, in, …], a kernel's positions counted in both. A vector has its size as both.
struct Fans {
  double in = 1;
  double out = 1;
};
Fans fansOf(const Type &type);

/// `he_normal`, `he_normal(fan: out)`, `constant(0.1)`: null after an error, which has been reported.
std::optional<Initializer> resolveInitializer(Evaluator &evaluator, const syntax::Expr &expr,
                                              const Type &type);

/// One of those names without arguments.
Initializer initializerNamed(const std::string &name, const Type &type);

/// Chooses those initializers that are left to the compiler, from what the weight feeds, and warns of written ones
/// that the theory advises against. `graphs` are the bodies of the model, first use first; those of `nets`, where there
/// are any, stand at their front in the same order, and what calls them behind.
void chooseInitializers(Session &session, ParameterStore &store,
                        const std::vector<const Graph *> &graphs,
                        const std::vector<Net> *nets = nullptr);

std::vector<std::string> initializerNames();
bool isInitializer(const std::string &name);

} // namespace sinter::semantics
