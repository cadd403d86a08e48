//===- MicroKernel.h - one register tile as a function --------------------------------------------===//
// C[row i, column j] (+)= Σ A[row i + steps] · B[steps, j], the accumulators in registers, everything static but the addresses. What
// was measured of such kernels on several cores (6×4 … 14×2 of 16 floats, broadcast from memory, sums unrolled by four) is in
// Schedule.h's cost model. Equal micro-kernels are one function.
#pragma once

#include "compiler/codegen/FetchAhead.h"
#include "compiler/codegen/Pairs.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace sinter::codegen {

/// One loop over the sum: `trip` steps, in elements of A and of B.
struct SumLoop {
  int64_t trip, strideA, strideB;
};

/// Whether a call is the first, or the last, that touches its tile.
enum class When { Never, Always, Dynamic };

/// An operand beside A and B: a with-value or an output.
struct TileOperand {
  mlir::Type element;
  llvm::SmallVector<int64_t> rowOffsets; ///< elements, one a row of the tile
  bool hasColumns = false;               ///< stride 1 along the columns, else one value for all
  bool goesPastCache =
      false; ///< of an output: the epilogue's whole vectors are whole lines that nobody reads soon
  bool isUpdated =
      false; ///< a with-value in whose place the epilogue writes an output, or that output
};

struct MicroKernel {
  llvm::SmallVector<int64_t> rowsOfA; ///< A's offset of each row of the tile
  int64_t vectors = 1;                ///< of 16 columns
  int64_t lastColumns = lanes;        ///< columns of the last vector
  llvm::SmallVector<SumLoop> sum;     ///< outermost first
  int64_t aheadInA = 0; ///< elements from the tile's rows to those of the next; 0: none
  int64_t unroll = 1;
  Products products = Products::F32; ///< of pairs, a step of the sum and an element are a pair
  When first = When::Always, last = When::Always;
  llvm::SmallVector<TileOperand> with, outputs;
  llvm::SmallVector<RowsAhead> ahead; ///< of A and B, to ask for while the sum runs
  bool sumsAreNear = false; ///< in the second-level cache from the first call of a tile to the last
  /// Of each coordinate that the epilogue asks for: its steps by row, or the column where there are none.
  llvm::SmallVector<llvm::SmallVector<int64_t>> coordinates;
  llvm::SmallVector<int64_t> coordinateAxes; ///< the op's axis of each
  mlir::Region *epilogue = nullptr;          ///< null or empty: the sum is the output
  llvm::SmallVector<mlir::Value> captured;   ///< what the epilogue uses from outside

  int64_t rows() const { return static_cast<int64_t>(rowsOfA.size()); }
};

/// The micro-kernels of a module.
class MicroKernels {
public:
  MicroKernels(mlir::ModuleOp module, const Target &target) : module(module), target(target) {}

  /// A function (A, B, with…, outputs…: pointers to the tile's first element; ahead…; coordinates…: i64;
  /// captured…; first, last: i1 where dynamic), made when no equal one exists.
  mlir::func::FuncOp get(const MicroKernel &kernel, mlir::Location location);

private:
  mlir::ModuleOp module;
  const Target &target;
  llvm::StringMap<mlir::func::FuncOp> known;
};

} // namespace sinter::codegen
