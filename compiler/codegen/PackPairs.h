//===- PackPairs.h - operands as pairs of bfloat16 --------------------------------------------------===//
// What the tiles of a product in bfloat16 read is rounded while it is copied side by side, in pairs along the innermost sum axis; where that
// axis ends within a pair, a zero is the other half.
#pragma once

#include "compiler/codegen/ContractPlan.h"
#include "compiler/codegen/Pairs.h"
#include "compiler/codegen/Schedule.h"
#include "compiler/codegen/Tasks.h"

namespace sinter::codegen {

/// Where the pairs of a tile of A lie in its copy, or, emulated, their numbers: from row to row, and along the sum.
struct PairStrides {
  int64_t row, step;
};

class PairCopies {
public:
  /// `rows`: that a share walks at most between two blocks of the sum.
  PairCopies(const TaskScope &scope, const ContractPlan &plan, const Schedule &schedule,
             Products products, int64_t rows);

  /// Pairs of a block of the sum of these sizes.
  static int64_t pairs(llvm::ArrayRef<int64_t> sizes);
  /// Whether all rows that a share walks keep their copies; otherwise each tile takes the place of the one before.
  bool keepsRows() const { return keptRows != 0; }

  /// Copies a panel of B, `vectors` of 16 columns from element `offset` on, the last with `lastColumns`, to [pair][column], or
  /// [number][column].
  mlir::Value panel(mlir::Value offset, int64_t vectors, int64_t lastColumns,
                    llvm::ArrayRef<int64_t> sizes);

  /// y × x rows of A from element `offset` on.
  struct Tile {
    mlir::Value offset;
    int64_t y, x, strideY, strideX;
    int64_t rows() const { return y * x; }
  };
  /// Copies a tile behind `before` rows, and says where it begins.
  mlir::Value tile(const Tile &tile, mlir::Value before, llvm::ArrayRef<int64_t> sizes);
  /// Where the copy behind `before` rows begins.
  mlir::Value placeOf(mlir::Value before, llvm::ArrayRef<int64_t> sizes);
  PairStrides stridesOf(const Tile &tile, llvm::ArrayRef<int64_t> sizes) const;

private:
  const TaskScope &scope;
  const ContractPlan &plan;
  const Schedule &schedule;
  const Products products;
  const int64_t perPair; ///< words
  int64_t keptRows = 0;
  mlir::Value copyOfA, copyOfB; ///< made when first needed

  mlir::Value zeros();
  int64_t innermostStride(unsigned operand) const;
  /// Of a row of A, in words.
  int64_t words(llvm::ArrayRef<int64_t> sizes) const { return pairs(sizes) * perPair; }
  /// Two numbers, or sixteen times two, at `to`; emulated, the second one `apart` words behind.
  void storePair(mlir::Value first, mlir::Value second, mlir::Value to, int64_t apart,
                 mlir::Value mask = {});
  bool rowsLieTogether(const Tile &tile) const;
  /// Loops over the pairs of an innermost run: the first one's offset, its number, and whether the second is missing.
  void overPairs(unsigned operand, llvm::ArrayRef<int64_t> sizes, mlir::Value offset,
                 llvm::function_ref<void(mlir::Value, mlir::Value, bool)> body);
  void copyRun(mlir::Value from, mlir::Value to, int64_t count);
};

} // namespace sinter::codegen
