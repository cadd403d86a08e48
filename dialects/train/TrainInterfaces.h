//===- TrainInterfaces.h - what a train op says about itself ----------------------------------===//
#pragma once

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

namespace sinter::train {

/// An op that mixes examples; it takes `count`, for rows behind it are absent.
template <typename ConcreteType>
class MixesExamples : public mlir::OpTrait::TraitBase<ConcreteType, MixesExamples> {};

/// An op through which no gradient goes back: into a label, a draw, a clock, a choice.
template <typename ConcreteType>
class StopsGradient : public mlir::OpTrait::TraitBase<ConcreteType, StopsGradient> {};

/// Bytes of all tensor operands and results, each touched once.
int64_t bytesTouched(mlir::Operation *op);

} // namespace sinter::train

#include "dialects/train/TrainInterfaces.h.inc"
