//===- Winograd.cpp - the verifiers and costs of convolutions in Winograd's tiles -----------------===//
#include "dialects/Winograd.h"
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sinter::train;
using sinter::winograd::outputs, sinter::winograd::products, sinter::winograd::taps;

/// What both ops have in common: an image x and the convolution's result y, or what flows into it.
static LogicalResult verifyTiles(Operation *op, Value x, Value y, StringRef nameOfY,
                                 ArrayRef<int64_t> padding) {
  if (padding.size() != 4 || llvm::any_of(padding, [](int64_t value) { return value < 0; }))
    return op->emitOpError("(C2) padding is four numbers that are not negative");
  const ArrayRef<int64_t> from = shapeOf(x), to = shapeOf(y);
  if (from.size() != 4 || to.size() != 4)
    return op->emitOpError("(C1) x and ") << nameOfY << " must have rank 4";
  const int64_t height = from[1] + padding[0] + padding[2] - taps + 1;
  const int64_t width = from[2] + padding[1] + padding[3] - taps + 1;
  if (height < 1 || width < 1)
    return op->emitOpError("(C2) the window of 3 × 3 is larger than the padded image");
  return verifyShape(op, "(C1)", nameOfY, y.getType(), {from[0], height, width, to[3]});
}

/// Two for each product of a tile, channel and output.
static int64_t flopsOfTiles(Value x, Value y) {
  const ArrayRef<int64_t> shape = shapeOf(y);
  const int64_t tiles = shape[0] * static_cast<int64_t>(llvm::divideCeil(shape[1], outputs) *
                                                        llvm::divideCeil(shape[2], outputs));
  return 2 * products * tiles * shapeOf(x)[3] * shape[3];
}

LogicalResult WinogradOp::verify() {
  if (failed(verifyTiles(*this, getX(), getY(), "y", getPadding())))
    return failure();
  const int64_t channels = shapeOf(getX())[3], columns = shapeOf(getY())[3];
  const bool isMade = shapeOf(getU()).size() != 4;
  if (isMade && getTurned())
    return emitOpError("(C1) filters that are made already are not turned");
  if (isMade)
    return verifyShape(*this, "(C1)", "u", getU().getType(), {products, channels, columns});
  if (getTurned())
    return verifyShape(*this, "(C1)", "u", getU().getType(), {taps, taps, columns, channels});
  return verifyShape(*this, "(C1)", "u", getU().getType(), {taps, taps, channels, columns});
}
int64_t WinogradOp::getFlops() { return flopsOfTiles(getX(), getY()); }

LogicalResult WinogradWeightGradOp::verify() {
  if (failed(verifyTiles(*this, getX(), getDy(), "dy", getPadding())))
    return failure();
  return verifyShape(*this, "(C1)", "dw", getDw().getType(),
                     {taps, taps, shapeOf(getX())[3], shapeOf(getDy())[3]});
}
int64_t WinogradWeightGradOp::getFlops() { return flopsOfTiles(getX(), getDy()); }
