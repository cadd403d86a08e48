//===- KernelBuilder.h - building sweeps over values that may be views ------------------------===//
// The lowering of one step. A train value is seen as an access to a tensor that lies in memory, so
// that views cost nothing: value[p] = tensor[map(p)].
#pragma once

#include "dialects/kernel/KernelOps.h"
#include "dialects/train/TrainOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include <optional>

namespace sinter::lower {

/// A train value: an access to a tensor in memory, or one number for all elements. Booleans lie as
/// i8.
struct Access {
  mlir::Value tensor;    ///< null where `splat` is set
  mlir::AffineMap map;   ///< from the value's point to the tensor's
  mlir::TypedAttr splat; ///< the number
  mlir::Type element;    ///< the value's element type: what a body sees
};

/// What a sweep reads at a domain point: the value's point `at(domain point)`.
struct SweepInput {
  Access value;
  mlir::AffineMap at;
};

/// Where a sweep writes: a tensor of this type, at the point `at(domain point)`.
struct SweepOutput {
  mlir::RankedTensorType type;
  mlir::AffineMap at;
};

/// A body gets its inputs' scalars, what is accumulated so far (nothing without reduce axes), and
/// the point.
using SweepBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange inputs, mlir::ValueRange accumulated,
    mlir::ValueRange point)>;

struct SweepDomain {
  llvm::SmallVector<int64_t> parallel, reduce;
  llvm::SmallVector<mlir::TypedAttr> init; ///< one an output, where `reduce` or `guard` is set
  mlir::IntegerSet guard;
  bool zero = false;
  unsigned rank() const { return parallel.size() + reduce.size(); }
};

class KernelBuilder {
public:
  explicit KernelBuilder(train::StepOp step)
      : builder(step.getContext()), context(step.getContext()) {}

  /// How a train value is accessed; block arguments lie in memory as they are.
  Access access(mlir::Value value);
  /// The tensor that holds the value in row-major order; a sweep copies it there where it lies
  /// otherwise.
  mlir::Value inMemory(mlir::Value value);
  mlir::Value inMemory(const Access &access, llvm::ArrayRef<int64_t> shape,
                       mlir::Location location);

  void set(mlir::Value value, Access access) { values[value] = std::move(access); }
  /// The value lies in `tensor`, in row-major order.
  void set(mlir::Value value, mlir::Value tensor);
  /// An access to a tensor of f32 or i32, in row-major order.
  Access whole(mlir::Value tensor);

  /// Builds a sweep; one tensor an output, booleans as i8.
  llvm::SmallVector<mlir::Value> sweep(mlir::Location location, const SweepDomain &domain,
                                       llvm::ArrayRef<SweepInput> inputs,
                                       llvm::ArrayRef<SweepOutput> outputs, SweepBody body);
  /// A sweep over every element of one result; each input's `at` is the identity where it has the
  /// result's rank, and () where it has rank 0.
  mlir::Value
  pointwise(mlir::Location location, mlir::RankedTensorType type, llvm::ArrayRef<Access> inputs,
            llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                           mlir::ValueRange inputs, mlir::ValueRange point)>
                body);

  mlir::Value empty(mlir::Location location, mlir::RankedTensorType type);

  mlir::AffineExpr dim(unsigned axis) const { return mlir::getAffineDimExpr(axis, context); }
  mlir::AffineMap identity(unsigned rank) const {
    return mlir::AffineMap::getMultiDimIdentityMap(rank, context);
  }
  /// From `rank` axes to these expressions.
  mlir::AffineMap map(unsigned rank, llvm::ArrayRef<mlir::AffineExpr> results) const {
    return mlir::AffineMap::get(rank, 0, results, context);
  }
  /// From `rank` axes to some of them.
  mlir::AffineMap axes(unsigned rank, llvm::ArrayRef<unsigned> results) const {
    return mlir::AffineMap::getMultiDimMapWithTargets(rank, results, context);
  }

  mlir::OpBuilder builder;
  mlir::MLIRContext *const context;
  /// Tensors that are the same at every turn of the loop that is built in: a copy of one moves in
  /// front of it, and costs next to nothing.
  llvm::DenseSet<mlir::Value> constants;

private:
  llvm::DenseMap<mlir::Value, Access> values;
};

/// As it lies in memory: i8 for i1.
mlir::RankedTensorType memoryType(mlir::RankedTensorType type);

/// Where a sum over `extent` rows is cut into shards so that threads can share it: how many, by the
/// shape alone. Each shard holds equally many rows; 1: not cut.
int64_t numShards(int64_t extent);

/// Shards [n, …] of a tensor of that type, added element by element in their order.
mlir::Value sumShards(KernelBuilder &builder, mlir::Location place, mlir::Value shards,
                      mlir::RankedTensorType type);

} // namespace sinter::lower
