//===- StackProduct.cpp - small products of matrices inside a task --------------------------------===//

#include "compiler/codegen/StackProduct.h"

#include "compiler/codegen/Schedule.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Rows and vectors of a register tile; as many rows as fit are taken.
constexpr int64_t mostRows = 14, mostVectors = 4;

/// A panel of `columns` columns from `firstColumn` on, in tiles of rows.
void emitTiles(Emitter &emit, const StackProduct &p, int64_t firstColumn, int64_t columns,
               const Segment &tiles, MicroKernels &microKernels, Location place) {
  const Type f32 = emit.builder.getF32Type();
  MicroKernel kernel;
  TileOperand output{f32, {}, /*hasColumns=*/true};
  for (int64_t row = 0; row < tiles.size; ++row) {
    kernel.rowsOfA.push_back(row * p.rowA);
    output.rowOffsets.push_back(row * p.rowC);
  }
  kernel.vectors = llvm::divideCeil(columns, lanes);
  kernel.lastColumns = columns - (kernel.vectors - 1) * lanes;
  kernel.sum.push_back({p.steps, p.stepA, p.stepB});
  kernel.unroll = 4;
  kernel.first = p.first;
  kernel.outputs.push_back(output);
  func::FuncOp function = microKernels.get(kernel, place);
  const Value b = emit.advance(p.b, firstColumn, f32), c = emit.advance(p.c, firstColumn, f32);
  emit.loop(0, tiles.count, 1, [&](Value tile) {
    const Value row = emit.add(emit.multiply(tile, tiles.size), tiles.start);
    SmallVector<Value> arguments{emit.advance(p.a, emit.multiply(row, p.rowA), f32), b,
                                 emit.advance(c, emit.multiply(row, p.rowC), f32)};
    if (p.first == When::Dynamic)
      arguments.push_back(p.isFirst);
    func::CallOp::create(emit.builder, emit.location, function, arguments);
  });
}

} // namespace

void emitProduct(Emitter &emit, const StackProduct &p, const Target &target,
                 MicroKernels &microKernels, Location place) {
  const auto vectors = static_cast<int64_t>(llvm::divideCeil(p.columns, lanes));
  int64_t first = 0;
  for (const Segment &panels : cutEvenly(vectors, target.avx512 ? mostVectors : 1))
    for (int64_t panel = 0; panel < panels.count; ++panel, first += panels.size * lanes) {
      int64_t most = 1;
      while (most < mostRows && fitsRegisters(most + 1, panels.size, target))
        ++most;
      const int64_t columns = std::min(p.columns - first, panels.size * lanes);
      for (const Segment &tiles : cutEvenly(p.rows, most))
        emitTiles(emit, p, first, columns, tiles, microKernels, place);
    }
}

} // namespace sinter::codegen
