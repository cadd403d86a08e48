//===- ScalarProgram.h - a pointwise op's scalar body, ready to run --------------------------------===//
#pragma once

#include "compiler/reference/Tensor.h"
#include "dialects/train/TrainOps.h"

namespace sinter::reference {

/// One scalar of any kind: `real` for floats, `integer` for the rest (sign-extended; a boolean is 0 or 1).
struct Scalar {
  double real = 0;
  int64_t integer = 0;
};

/// The arith and math ops of a body, as a list of instructions over numbered registers.
class ScalarProgram {
public:
  /// Fails, with an error at `op`, where the body holds an op that is not known here.
  static mlir::FailureOr<ScalarProgram> of(train::Pointwise op, Precision precision);

  /// arguments: one an operand; point: one coordinate an axis of the result. The results stay good until the next run.
  llvm::ArrayRef<Scalar> run(llvm::ArrayRef<Scalar> arguments, llvm::ArrayRef<int64_t> point);

  /// What one instruction computes. Its inputs are registers; `results` follow one another.
  using Compute = void (*)(const Scalar *const *inputs, Scalar *results, unsigned width);

private:
  struct Instruction {
    Compute compute;
    unsigned inputs[3];
    unsigned inputCount;
    unsigned result, resultCount;
    unsigned width;     ///< bits of the integers that it works on
    bool roundsToFloat; ///< its result is f32, and precision is single
  };

  std::vector<Instruction> instructions;
  std::vector<Scalar> registers; ///< arguments, point, then constants and results
  std::vector<unsigned> yields;
  std::vector<Scalar> outcome;
  size_t argumentCount = 0;
};

} // namespace sinter::reference
