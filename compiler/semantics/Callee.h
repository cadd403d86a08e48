//===- Callee.h - what a call or a pipe's stage applies -----------------------------------------===//
#pragma once

#include "compiler/semantics/Evaluator.h"

namespace sinter::semantics {

inline const syntax::Arguments noArguments;

/// The name of what is applied, and what stands behind it.
struct Callee {
  const std::vector<syntax::Name> *names = nullptr;
  const syntax::Arguments *parameters = &noArguments;
  const syntax::Arguments *arguments = &noArguments;
  Span span;
};

/// Null names for a Stack and for an Error.
inline Callee calleeOf(const syntax::Expr &layer) {
  if (const auto *path = syntax::dynCast<syntax::PathExpr>(layer))
    return {&path->names, &noArguments, &noArguments, path->span};
  if (const auto *call = syntax::dynCast<syntax::CallExpr>(layer))
    return {&call->callee, &call->parameters, &call->arguments, call->calleeSpan};
  return {};
}

/// Whether an error stands behind one of them.
inline bool poisonedAny(const Evaluator::Inputs &inputs) {
  for (const auto &[value, span] : inputs)
    if (value.poisoned())
      return true;
  return false;
}

} // namespace sinter::semantics
