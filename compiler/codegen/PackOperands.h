//===- PackOperands.h - copies of what register tiles read ----------------------------------------===//
// Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008: an operand whose strides crowd the cache is copied
// side by side, once for all tiles that read it. A schedule says which; the copies stand on the task's stack.
#pragma once

#include "compiler/codegen/ContractPlan.h"
#include "compiler/codegen/Schedule.h"
#include "compiler/codegen/Tasks.h"

namespace sinter::codegen {

/// Loops over as many axes of the sum as there are sizes, from the outermost on: body(the operand's offset, the number of the step).
void overSum(const TaskScope &scope, const ContractPlan &plan, unsigned operand,
             llvm::ArrayRef<int64_t> sizes, mlir::Value offset,
             llvm::function_ref<void(mlir::Value, mlir::Value)> body);

class OperandCopies {
public:
  OperandCopies(const TaskScope &scope, const ContractPlan &plan, const Schedule &schedule)
      : scope(scope), plan(plan), schedule(schedule) {}

  /// Copies a panel of B, `vectors` of 16 columns from element `offset` on, the last with `lastColumns`, to [step of the sum][column];
  /// the next panel takes its place. `sizes`: of the block of the sum, along each of its axes. Returns the copy.
  mlir::Value panel(mlir::Value offset, int64_t vectors, int64_t lastColumns,
                    llvm::ArrayRef<int64_t> sizes);

  /// Rows of A that lie side by side: the first one's element, how many, and how many rows are copied before them.
  struct Tile {
    mlir::Value offset;
    int64_t rows;
    mlir::Value before;
  };
  /// Copies each tile that `overTiles` visits to [tile][step of the sum][row of the tile].
  void rows(llvm::ArrayRef<int64_t> sizes,
            llvm::function_ref<void(llvm::function_ref<void(const Tile &)>)> overTiles);

  /// Where the copy of a tile begins that so many rows stand before, each of so many steps.
  mlir::Value tile(mlir::Value before, int64_t steps);

private:
  const TaskScope &scope;
  const ContractPlan &plan;
  const Schedule &schedule;
  mlir::Value copyOfA, copyOfB; ///< made when first needed

  int64_t maxSteps() const;
};

} // namespace sinter::codegen
