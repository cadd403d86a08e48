//===- LoopsAhead.h - what loops around micro-kernels will read next ------------------------------===//
// While register tiles work on what is near, the loops' next panel or image is asked for, some lines in each call, so that it has come
// from beyond the second-level cache when its turn comes. Measured on an Emerald Rapids: dense layers of 64 to 128 rows run a quarter
// faster.
#pragma once

#include "compiler/codegen/ContractPlan.h"
#include "compiler/codegen/FetchAhead.h"
#include "compiler/codegen/Schedule.h"
#include "compiler/codegen/Tasks.h"

namespace sinter::kernel {
class ContractOp;
}

namespace sinter::codegen {

/// Rows of A (operand 0) or B (1), from element `offset` on.
struct RowsOfOperand {
  unsigned operand;
  mlir::Value offset;
  RowsAhead rows;
};

/// Where a micro-kernel's call stands in the loops.
struct CallSite {
  llvm::ArrayRef<mlir::Value> offsets; ///< of A and B
  const Tap &tap;
  int64_t tapNumber;
  TileShape tile;
  int64_t vectors;               ///< of its panel
  llvm::ArrayRef<int64_t> sizes; ///< of the block of the sum
  mlir::Value rowsBefore;        ///< in this share, of the panel; null where nobody counts them
  mlir::Value toNextPanel;       ///< elements of B from here to what a share reads next of it
};

class LoopsAhead {
public:
  LoopsAhead(kernel::ContractOp op, const ContractPlan &plan, const Schedule &schedule,
             Emitter &emit, bool blocksWithin);

  /// Whether the call sites' `rowsBefore` are asked for.
  bool countsRows() const { return fetchesPanels || fetchesBlocksOfB; }
  /// What a call asks for. `rowsOfPanel`: how many rows walk a panel, at least.
  llvm::SmallVector<RowsOfOperand> of(const CallSite &site, int64_t rowsOfPanel);

  /// Elements of A from a tile of so many rows of an axis to the next one, where that is worth asking for too; else 0.
  int64_t toNextRows(int64_t rows, unsigned axis) const;

  /// Whether what a share writes first stays in the second-level cache from one block of the sum to the next.
  bool sumsStayNear() const { return sumsAreNear; }

private:
  const ContractPlan &plan;
  Emitter &emit;
  bool sumsAreNear, fetchesRows = false, fetchesPanels = false, fetchesImages = false,
                    fetchesBlocks = false, fetchesBlocksOfB = false;

  mlir::Value untapped(mlir::Value offset, unsigned operand, const Tap &tap);
};

} // namespace sinter::codegen
