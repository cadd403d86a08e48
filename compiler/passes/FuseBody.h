//===- FuseBody.h - joining the scalar bodies of loop ops ------------------------------------------===//
#pragma once

#include "dialects/kernel/KernelOps.h"
#include "dialects/train/TrainOps.h"
#include "mlir/IR/IRMapping.h"

namespace sinter::passes {

/// The body of a loop op that is made of several: block arguments, then what the parts compute.
class FusedBody {
public:
  FusedBody(mlir::Region &region, mlir::MLIRContext *context);

  /// The block argument for what is read from `operand` through `map`; one for equal reads.
  mlir::Value read(mlir::Value operand, mlir::AffineMap map);
  /// A block argument that is no read (a sum).
  mlir::Value argument(mlir::Type type, mlir::Location location);

  /// Appends a part: its block arguments become `arguments`, its axis d becomes `axes.getResult(d)` of the fused domain. Returns what it
  /// yields.
  llvm::SmallVector<mlir::Value> append(mlir::Block &part, mlir::ValueRange arguments,
                                        mlir::AffineMap axes);

  /// Ends the body; drops what is not used.
  void yield(mlir::Location location, mlir::ValueRange values);

  llvm::SmallVector<mlir::Value> operands; ///< what is read, in the order of the arguments
  llvm::SmallVector<mlir::AffineMap> maps; ///< through which maps

private:
  mlir::OpBuilder builder;
  mlir::Block *block;
  llvm::SmallVector<mlir::Value> reads;
};

/// Two places become one.
mlir::Location joinedLocation(mlir::Location first, mlir::Location second);

/// What is made of a loop that is computed again (`train.again` on the floor above) is so too: it
/// stays apart from what the first one became.
void keepAgain(mlir::Operation *fused, llvm::ArrayRef<mlir::Operation *> from);

/// The blocks of a step that hold loop ops: its own, and the bodies of its scans.
llvm::SmallVector<mlir::Block *> blocksOfLoops(train::StepOp step);

/// Whether each use is of one of these ops.
bool isUsedByOnly(mlir::Value value, llvm::ArrayRef<mlir::Operation *> users);

} // namespace sinter::passes
