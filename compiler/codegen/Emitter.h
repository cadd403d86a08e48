//===- Emitter.h - the few ops that generated loops are made of -----------------------------------===//
// Addresses are LLVM pointers plus i64 element offsets, loops are scf.for over i64, a vector is always 16 lanes: one AVX-512
// register, two of AVX2, the same bits on both.
#pragma once

#include "compiler/codegen/Target.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace sinter::codegen {

/// What a line is asked for: to be read once, from the second-level cache, or at once from the first, or there to be read and written.
enum class Fetch { Second, First, FirstToWrite };

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location location)
      : builder(builder), location(location) {}

  mlir::OpBuilder &builder;
  mlir::Location location;

  // Integers, folded where both sides are constants.
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return add(a, constant(b)); }
  mlir::Value multiply(mlir::Value a, int64_t b);
  mlir::Value divide(mlir::Value a, int64_t b); ///< towards zero
  /// a · b / c, rounded down: where share a of c begins in b.
  mlir::Value shareBegin(mlir::Value share, int64_t extent, int64_t shares);

  mlir::Type pointerType();
  static mlir::VectorType vectorOf(mlir::Type element);
  /// Of an element in memory.
  static unsigned bytesOf(mlir::Type element);

  /// pointer + elements · sizeof(element).
  mlir::Value advance(mlir::Value pointer, mlir::Value elements, mlir::Type element);
  mlir::Value advance(mlir::Value pointer, int64_t elements, mlir::Type element);

  /// Memory of the function's own for so many floats, for as long as it runs.
  mlir::Value stack(int64_t elements);

  /// One element; i1 lies in memory as a byte.
  mlir::Value load(mlir::Value pointer, mlir::Type element);
  void store(mlir::Value value, mlir::Value pointer);
  /// Sixteen neighbours; where `mask` is given only its lanes are touched, the others are zero.
  mlir::Value loadLanes(mlir::Value pointer, mlir::Type element, mlir::Value mask = {});
  /// `pastCache`, without a mask: a whole line, at a multiple of 64 bytes, that no cache is to hold. Others may read it behind a fence.
  void storeLanes(mlir::Value value, mlir::Value pointer, mlir::Value mask = {},
                  bool pastCache = false);
  /// What was written past the caches is there before anything that is written behind this.
  void fence();
  /// Asks for the cache line at `pointer`.
  void fetch(mlir::Value pointer, Fetch purpose = Fetch::Second);
  /// Sixteen elements `stride` apart.
  mlir::Value gatherLanes(mlir::Value pointer, mlir::Type element, int64_t stride,
                          mlir::Value mask = {});

  /// A mask of the first `count` lanes; null for all of them.
  mlir::Value firstLanes(int64_t count);
  /// Sixteen times the same f32.
  mlir::Value number(double value);
  /// A splat of a scalar; vectors pass.
  mlir::Value splat(mlir::Value scalar);
  /// 16 numbers from `first` on, as index.
  mlir::Value laneNumbers(int64_t first = 0);

  /// Sixteen vectors or fewer, the others of which are anything, as rows of a square: its columns.
  llvm::SmallVector<mlir::Value> transpose(llvm::SmallVector<mlir::Value> rows);

  /// for (i = low; i < high; i += step) body(i, carried); returns what was carried out.
  mlir::ValueRange
  loop(mlir::Value low, mlir::Value high, int64_t step, mlir::ValueRange carried,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)> body);
  /// The same with nothing carried; a loop of one turn is no loop.
  void loop(mlir::Value low, mlir::Value high, int64_t step,
            llvm::function_ref<void(mlir::Value)> body);
  void loop(int64_t low, int64_t high, int64_t step, llvm::function_ref<void(mlir::Value)> body);

  /// Combines 16 lanes as a tree: halves, quarters, eighths, pairs.
  mlir::Value reduceLanes(mlir::Value vector,
                          llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
};

} // namespace sinter::codegen
