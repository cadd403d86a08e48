//===- ContractPlan.h - what a kernel.contract does, as numbers -----------------------------------===//
// A contraction's maps, resolved: memory strides of every operand along every axis, and for each tap which rows and which part
// of the sum are present. Everything that decides bits is decided here, from the op alone: the order of taps and blocks. How fast it
// runs is Schedule.h's matter.
#pragma once

#include "compiler/codegen/Access.h"
#include "mlir/Support/LLVM.h"

namespace sinter::kernel {
class ContractOp;
}

namespace sinter::codegen {

struct Range {
  int64_t low = 0, high = 0; ///< low ≤ i < high
  int64_t size() const { return high - low; }
  bool operator==(const Range &) const = default;
};

/// One tap of the domain that has any point at all.
struct Tap {
  llvm::SmallVector<int64_t> point;
  llvm::SmallVector<Range> rows; ///< one a row axis: the rows that are present
  llvm::SmallVector<Range> sum;  ///< one a sum axis
  /// No tap before it reaches an element of its outputs, so it stores where others add.
  bool isFirst = false;
  int64_t numRows() const;
};

/// Axes are numbered as in the op's domain after merging: rows, the columns, taps, sum.
struct ContractPlan {
  llvm::SmallVector<int64_t> rows, taps, sum, block;
  int64_t cols = 0;
  /// For A, B, with…, outputs…: offset and strides over all axes.
  llvm::SmallVector<Access> accesses;
  unsigned numWith = 0, numOutputs = 0;
  /// In the order of the sum: most rows first, then as they stand.
  llvm::SmallVector<Tap> order;
  /// The outputs do not use taps alone, so the taps of a row are summed.
  bool tapsAreSummed = false;
  /// The first tap reaches every element of the first output.
  bool firstTapIsWhole = false;
  /// Taps that store do not reach every element of the first output: the others must be zeroed before.
  bool needsZeroFill = false;
  /// The epilogue cannot ride on the last tap, which misses some rows.
  bool needsFinish = false;
  /// A and B are read as bfloat16, in pairs along the innermost sum axis.
  bool bf16 = false;
  /// Where op axis i of the rows went (merged axes: the merged one), for kernel.index.
  llvm::SmallVector<unsigned> planAxis;

  unsigned colAxis() const { return rows.size(); }
  unsigned tapAxis(unsigned i) const { return rows.size() + 1 + i; }
  unsigned sumAxis(unsigned i) const { return rows.size() + 1 + taps.size() + i; }
  unsigned output(unsigned i) const { return 2 + numWith + i; }
  /// Every element's sum is finished by the first micro-kernel call that touches it.
  bool isOneCall() const;

  /// Fails, with an error on the op, where a map is not linear or breaks a constraint that only codegen can see.
  static mlir::FailureOr<ContractPlan> make(kernel::ContractOp op);
};

} // namespace sinter::codegen
