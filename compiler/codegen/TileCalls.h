//===- TileCalls.h - the call of a micro-kernel for one register tile -----------------------------===//
// What a tile is made of, as a micro-kernel's description, and where the loops stand, as its arguments.
#pragma once

#include "compiler/codegen/ContractPlan.h"
#include "compiler/codegen/LoopsAhead.h"
#include "compiler/codegen/PackPairs.h"
#include "compiler/codegen/Schedule.h"
#include "compiler/codegen/Tasks.h"

namespace sinter::codegen {

/// Where the loops stand: an element offset for each operand and a coordinate for each row axis and the columns.
struct Cursor {
  llvm::SmallVector<mlir::Value> offsets, coordinates;
};

/// Known, or known at run time.
struct Flag {
  When when = When::Always;
  mlir::Value value;
};

/// Copies to read in place of A and B; null: the operand itself.
struct Packed {
  mlir::Value a, b;
  mlir::Value before; ///< rows that walked the panel before this tile, where somebody asks
  mlir::Value
      toNextPanel; ///< elements of B from here to what the share reads next of it, where somebody asks
  std::optional<PairStrides> pairs; ///< of A's, where both are of pairs
};

/// One register tile, for one block of the sum.
struct TileSite {
  const Cursor &at;
  const Tap &tap;
  int axisY, axisX; ///< the row axes that the tile spans; -1: none
  TileShape tile;
  int64_t vectors, lastColumns;  ///< of its panel
  llvm::ArrayRef<int64_t> sizes; ///< of the block, along each axis of the sum
  Flag first, last; ///< whether this call is the first, or the last, that touches the tile
  bool sumIsEmpty;  ///< nothing is added: the tile's sum gets its epilogue
};

class TileCalls {
public:
  TileCalls(kernel::ContractOp op, const ContractPlan &plan, const Schedule &schedule,
            const TaskScope &scope, Products products, MicroKernels &microKernels,
            bool blocksWithin);

  /// `rowsOfPanel`: how many rows a share walks at least between two blocks of the sum.
  void call(const TileSite &site, const Packed &packed, int64_t rowsOfPanel);

  const LoopsAhead &loopsAhead() const { return ahead; }

private:
  mlir::Operation *op;
  const ContractPlan &plan;
  const Schedule &schedule;
  const TaskScope &scope;
  Emitter &emit;
  const Products products;
  MicroKernels &microKernels;
  mlir::Region &epilogue;
  LoopsAhead ahead;
  llvm::SmallVector<mlir::Value> captured;
  llvm::SmallVector<int64_t> coordinateAxes; // op axes that the epilogue asks for
  const int64_t opRows;

  unsigned planAxisOf(int64_t axis) const;
  int64_t tapNumber(const Tap &tap) const;
  MicroKernel kernelOf(const TileSite &site, const Packed &packed) const;
  mlir::Value elementOf(unsigned operand, mlir::Value offset) const;
};

} // namespace sinter::codegen
