//===- Optimizers.h - optimizers, schedules and regularizers --------------------------------------===//
#pragma once

#include "compiler/semantics/Evaluator.h"

#include <optional>

namespace sinter::semantics {

/// `adam(lr: 1e-3)`; its parameters and place are still to be filled in. Null after an error.
std::optional<Optimizer> resolveOptimizer(Evaluator &evaluator, const syntax::Expr &expr);

/// A number, or `cosine(1e-3, warmup: 2 epochs)`.
std::optional<Schedule> resolveRate(Evaluator &evaluator, const syntax::Expr &expr);

bool isScheduleName(const std::string &name);

/// A schedule that stands for a number in an objective or a report: one that goes with the steps.
Value scheduledNumber(Evaluator &evaluator, const syntax::Expr &expr);

/// `100`, `100 steps`, `2 epochs`.
std::optional<Count> resolveCount(Evaluator &evaluator, const syntax::Expr &expr);

/// The terms of `l1(1e-5) + l2(1e-4)`.
std::vector<const syntax::Expr *> termsOf(const syntax::Expr &expr);

/// `l1(1e-5)`, `elastic(1e-5, 1e-4)`; its parameters are still to be filled in. Null after an error.
std::optional<Regularizer> resolveRegularizer(Evaluator &evaluator, const syntax::Expr &expr);

/// A regularizer whose numbers are values of a stage's graph, for they may go with the steps. Null where it has no such term.
struct Penalty {
  std::optional<ValueId> l1, l2;
  Regularizer numbers; ///< λ of a schedule counts as 1
  bool scheduled = false;
};
/// In a line of a train block.
std::optional<Penalty> resolvePenalty(Evaluator &evaluator, const syntax::Expr &expr);

/// `max_norm(3)`, `nonnegative`; its parameters are still to be filled in. Null after an error.
std::optional<Constraint> resolveConstraint(Evaluator &evaluator, const syntax::Expr &expr);

} // namespace sinter::semantics
