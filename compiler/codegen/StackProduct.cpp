//===- StackProduct.cpp - small products of matrices inside a task --------------------------------===//

#include "compiler/codegen/StackProduct.h"

#include "compiler/codegen/Schedule.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// Rows and vectors of a register tile; as many rows as fit are taken.
constexpr int64_t mostRows = 14, mostVectors = 4;

/// A panel of `columns` columns from `firstColumn` on, in tiles of rows; `before` of all `numTiles` tiles come before them.
void emitTiles(Emitter &emit, const StackProduct &p, int64_t firstColumn, int64_t columns,
               const Segment &tiles, int64_t before, int64_t numTiles, MicroKernels &microKernels,
               Location place) {
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
  for (const RowsToCome &ahead : p.ahead) {
    kernel.ahead.push_back(ahead.rows);
    kernel.ahead.back().rows = llvm::divideCeil(ahead.rows.rows, numTiles);
  }
  func::FuncOp function = microKernels.get(kernel, place);
  const Value b = emit.advance(p.b, firstColumn, f32), c = emit.advance(p.c, firstColumn, f32);
  emit.loop(0, tiles.count, 1, [&](Value tile) {
    const Value row = emit.add(emit.multiply(tile, tiles.size), tiles.start);
    SmallVector<Value> arguments{emit.advance(p.a, emit.multiply(row, p.rowA), f32), b,
                                 emit.advance(c, emit.multiply(row, p.rowC), f32)};
    for (auto [ahead, part] : llvm::zip_equal(p.ahead, kernel.ahead))
      arguments.push_back(emit.advance(
          ahead.first, emit.multiply(emit.add(tile, before), part.rows * part.stride), f32));
    if (p.first == When::Dynamic)
      arguments.push_back(p.isFirst);
    func::CallOp::create(emit.builder, emit.location, function, arguments);
  });
}

} // namespace

void emitProduct(Emitter &emit, const StackProduct &p, const Target &target,
                 MicroKernels &microKernels, Location place) {
  const auto vectors = static_cast<int64_t>(llvm::divideCeil(p.columns, lanes));
  const auto panelsOfColumns = cutEvenly(vectors, target.avx512 ? mostVectors : 1);
  auto tilesOf = [&](const Segment &panels) {
    int64_t most = 1;
    while (most < mostRows && fitsRegisters(most + 1, panels.size, target))
      ++most;
    return cutEvenly(p.rows, most);
  };
  int64_t numTiles = 0;
  for (const Segment &panels : panelsOfColumns)
    for (const Segment &tiles : tilesOf(panels))
      numTiles += panels.count * tiles.count;
  int64_t first = 0, before = 0;
  for (const Segment &panels : panelsOfColumns)
    for (int64_t panel = 0; panel < panels.count; ++panel, first += panels.size * lanes)
      for (const Segment &tiles : tilesOf(panels)) {
        const int64_t columns = std::min(p.columns - first, panels.size * lanes);
        emitTiles(emit, p, first, columns, tiles, before, numTiles, microKernels, place);
        before += tiles.count;
      }
}

} // namespace sinter::codegen
