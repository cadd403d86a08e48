//===- FetchAhead.cpp - ask for lines while a sum runs --------------------------------------------===//

#include "compiler/codegen/FetchAhead.h"

#include "compiler/codegen/Caches.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// More lines in a turn than this are a burst.
constexpr int64_t mostLinesOfTurn = 8;

} // namespace

void FetchAhead::add(Value pointer, Type element, const RowsAhead &rows, Value wanted) {
  const int64_t turns = steps / unroll, bytes = Emitter::bytesOf(element);
  if (turns < 2 || rows.rows < 1)
    return;
  Stream stream;
  stream.pointer = pointer;
  stream.purpose = rows.purpose;
  stream.bytesOfRow = rows.stride * bytes;
  stream.lines = llvm::divideCeil(rows.columns * bytes, lineBytes);
  if (stream.lines > mostLinesOfTurn)
    return;
  // What does not go into the turns is left to the CPU.
  stream.rowsOfTurn =
      std::min<int64_t>(llvm::divideCeil(rows.rows, turns), mostLinesOfTurn / stream.lines);
  const int64_t bytesOfTurn = stream.rowsOfTurn * stream.bytesOfRow;
  if (bytesOfTurn % unroll != 0)
    return;
  stream.bytesOfStep = bytesOfTurn / unroll;
  stream.last = emit.constant((rows.rows - stream.rowsOfTurn) * stream.bytesOfRow);
  if (wanted)
    stream.last =
        arith::SelectOp::create(emit.builder, emit.location, wanted, stream.last, emit.constant(0));
  streams.push_back(stream);
}

void FetchAhead::turn(Value i) {
  const Type byte = emit.builder.getI8Type();
  for (const Stream &stream : streams) {
    Value offset = emit.multiply(i, stream.bytesOfStep);
    // Behind the last row it is asked for again, which costs less than a loop of its own.
    offset = arith::MinSIOp::create(emit.builder, emit.location, offset, stream.last);
    Value from = emit.advance(stream.pointer, offset, byte);
    for (int64_t row = 0; row < stream.rowsOfTurn; ++row)
      for (int64_t line = 0; line < stream.lines; ++line)
        emit.fetch(emit.advance(from, row * stream.bytesOfRow + line * lineBytes, byte),
                   stream.purpose);
  }
}

} // namespace sinter::codegen
