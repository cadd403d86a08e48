//===- KernelOps.td - contract, sweep, attend, and the list of tasks -----------------------------===//
#ifndef SINTER_KERNEL_OPS_TD
#define SINTER_KERNEL_OPS_TD

include "dialects/kernel/KernelDialect.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

def Kernel_Operand : AnyTypeOf<[RankedTensorOf<[F32, I32, I8, I1]>, StaticShapeMemRefOf<[F32, I32, I8, I1]>]>;

/// The body may use `index` values from outside (the clock), and constants.
class Kernel_LoopOp<string mnemonic, list<Trait> traits = []>
    : Kernel_Op<mnemonic, !listconcat([AttrSizedOperandSegments, DestinationStyleOpInterface, SingleBlock,
                                       DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)>;

def Kernel_SweepOp : Kernel_LoopOp<"sweep"> {
  let summary = "a scalar body over every point of a rectangular domain";
  let description = [{
    The domain's axes are the `parallel` extents, outermost first, then the `reduce` extents. `maps` give, for each input and then each output, the
    point of the tensor that a domain point reads or writes; an output's map uses parallel axes only and no two parallel points write one element,
    unless it writes every element only once in all. A `stride`d output may leave elements unwritten only where `zero` is set: then they are zero.

    The body gets one scalar an input; with reduce axes also one scalar an output, what is accumulated so far, which begins as `init`; it yields one
    scalar an output. `kernel.index d` is the coordinate of axis d. Points outside `guard` are skipped; where there is no reduce axis, the output
    there is `init`.

    Sums: the reduce axes are walked outermost first. Where `sumsByLanes` holds, 16 partial sums (or maxima), one a lane, are combined as a tree (8, 4,
    2, 1): the innermost reduce axis has stride 1 in an input, no input has stride 1 along a parallel axis of more than one point (one that stands still along an
    innermost reduce axis of 16 points or more does not count), and each yield is arith.addf or arith.maximumf of its accumulator and one value.

    (C1) as many maps as inputs and outputs, each from the domain's rank to the operand's; (C2) init stands exactly where reduce or guard does, one
    an output, of its element type; (C3) the body's arguments and yields have the operands' element types; (C4) inside the guard, no map
    leaves its tensor, and an output's map uses parallel axes only; (C5) all operands are tensors and each output has its result, or all are memrefs and
    there is none; (C6) from outside, the body uses index values only, and `kernel.index` names an axis of the domain; (C7) extents and shares are
    positive.

    ```mlir
    // y = max(x + b, 0)
    %y = kernel.sweep parallel [64, 10] ins(%x, %b : tensor<64x10xf32>, tensor<10xf32>) outs(%e : tensor<64x10xf32>)
           maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>] {
    ^bb0(%a: f32, %c: f32):
      …
      kernel.yield %r : f32
    } -> tensor<64x10xf32>
    ```
  }];
  let arguments = (ins Variadic<Kernel_Operand>:$inputs, Variadic<Kernel_Operand>:$outputs,
                       DenseI64ArrayAttr:$parallel, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$reduce, AffineMapArrayAttr:$maps,
                       OptionalAttr<ArrayAttr>:$init, OptionalAttr<IntegerSetAttr>:$guard, UnitAttr:$zero,
                       DefaultValuedAttr<I64Attr, "1">:$shares);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `parallel` $parallel (`reduce` $reduce^)? (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $outputs `:` type($outputs) `)`
    `maps` $maps (`init` $init^)? (`guard` $guard^)? (`zero` $zero^)? (`shares` $shares^)? attr-dict-with-keyword $body (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
    int64_t getDomainRank() { return getParallel().size() + getReduce().size(); }
    ::mlir::AffineMap getMap(unsigned operand) { return ::mlir::cast<::mlir::AffineMapAttr>(getMaps()[operand]).getValue(); }
    /// Extents of all axes, parallel ones first.
    ::llvm::SmallVector<int64_t> getDomain();
    bool isPointwise() { return getReduce().empty() && !getGuardAttr() && !getZero(); }
    /// Whether sums go through sixteen lanes; see the description.
    bool sumsByLanes();
  }];
}

def Kernel_ContractOp : Kernel_LoopOp<"contract"> {
  let summary = "C[rows, cols] = epilogue(Σ A[rows, sum] · B[sum, cols])";
  let description = [{
    The domain's axes are `rows`, `cols` (one axis), `taps`, `sum`, in this order. `maps` give the points of A, B, of each further input (`with`), and
    of each output. A point where A's or the first output's coordinate falls outside its tensor is absent: that is what padding means. Only
    coordinates that use a tap may fall outside, and each such coordinate uses one other axis at most.

    Taps that the outputs' maps do not use on their own (`y + r - 2` of a convolution by input uses r with a row) are summed; a tap that an output uses
    alone (a convolution by weight) counts as a row that limits the sum.

    The epilogue gets the finished sum and the with-values and yields one scalar an output; `kernel.index d` is the coordinate of axis d (rows, cols).
    With no region the sum itself is the output.

    Order of the sum: taps in the order that `ContractPlan` states (the one that covers most first), blocks of `block` points of the sum axes (one extent an
    axis) in row-major order, within a block one chain of fused multiply-adds from zero in row-major order; block results are added to
    what stands.

    With `bf16` A and B are read as bfloat16, rounded to the nearest, to even between two, denormal numbers to zero, and a chain takes denormal
    numbers for zero, in its sum and in what it adds. It runs in pairs of points along the innermost sum axis, of which a zero may follow the last: what AVX512-BF16
    does with two points in one instruction, and two fused multiply-adds elsewhere.

    (C1) maps fit domain and operands. (C2) cols has stride 1 in B and in every output, or does not occur (with-values may be broadcast). (C3) block divides
    nothing necessarily, but has one positive extent a sum axis. (C4) the epilogue's arguments and yields have the operands' element types.
    (C5) coordinates of A and the first output that may fall outside use one tap and one other axis; nothing else leaves its tensor where these do
    not. (C6) a sum over taps or in more than one block keeps its partial sums in its output: there is one, of f32, with C's map. (C7) all operands are
    tensors and each output has its result, or all are memrefs and there is none. (C8) from outside, the epilogue uses index values only, and
    `kernel.index` names a rows, cols or tap axis.
  }];
  let arguments = (ins Kernel_Operand:$a, Kernel_Operand:$b, Variadic<Kernel_Operand>:$with, Variadic<Kernel_Operand>:$outputs,
                       DenseI64ArrayAttr:$rows, I64Attr:$cols, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$taps, DenseI64ArrayAttr:$sum,
                       AffineMapArrayAttr:$maps, DenseI64ArrayAttr:$block, OptionalAttr<Kernel_ScheduleAttr>:$schedule, UnitAttr:$bf16);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    `rows` $rows `cols` $cols (`taps` $taps^)? `sum` $sum `ins` `(` $a `,` $b `:` type($a) `,` type($b) `)`
    (`with` `(` $with^ `:` type($with) `)`)? `outs` `(` $outputs `:` type($outputs) `)` `maps` $maps (`bf16` $bf16^)? `block` $block
    (`schedule` $schedule^)? attr-dict-with-keyword ($epilogue^)? (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
    int64_t getDomainRank() { return getRows().size() + 1 + getTaps().size() + getSum().size(); }
    /// Extents of all axes: rows, cols, taps, sum.
    ::llvm::SmallVector<int64_t> getDomain();
    unsigned getColsAxis() { return getRows().size(); }
    unsigned getFirstTap() { return getRows().size() + 1; }
    unsigned getFirstSum() { return getRows().size() + 1 + getTaps().size(); }
    ::mlir::AffineMap getOutputMap(unsigned output) { return getMap(2 + getWith().size() + output); }
    /// Whether the first output uses this axis alone (`d0`, not `d0 + d4`).
    bool isOutputAxis(unsigned axis);
    /// Whether some tap is summed, not one of the output's axes.
    bool sumsTaps();
    /// Whether every sum is one chain: one block, no tap summed. Then no partial sum is ever stored.
    bool sumsAtOnce();
    /// Of operand i: A, B, with…, outputs….
    ::mlir::AffineMap getMap(unsigned operand) { return ::mlir::cast<::mlir::AffineMapAttr>(getMaps()[operand]).getValue(); }
  }];
}

def Kernel_ScanOp : Kernel_Op<"scan", [AttrSizedOperandSegments, DestinationStyleOpInterface, SingleBlock, IsolatedFromAbove,
                                       DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "loops for each time step in turn, with values carried from one to the next";
  let description = [{
    A loop over `steps` around other loops. The rows (the first axis of sequences, initial values and outputs) are cut into `shares` equal parts, which do
    not meet: each share walks all steps on its own rows, so no thread waits between steps. `backwards` walks from the last step to the first.

    The body is of one share and one step. Its arguments: each sequence, `[rows, T, …]`, *as seen from the current step*: index 0 of the second axis is now;
    each carried value, `[rows, …]`; each constant, whole. It holds loop ops on tensors and yields what the carried values become, then what is kept.
    Outputs are the carried values behind the last step, then of each kept value all steps, `[B, T, …]`.

    Behind `place-scans` the body is on memory: it yields nothing, and its arguments are those of all operands in their order: sequences, initial values,
    constants, and then the outputs, of which the first ones hold what is carried (the initial values are copied there before the first step) and one
    more, i8, is the share's scratch memory.

    (C1) sequences and kept outputs have `steps` steps; all but constants have the same rows, which `shares` divides. (C2) the body's arguments are as
    said. (C3) on tensors, the body yields one value an output, carried ones first, each of its type. (C4) all operands are tensors and each output has its
    result, or all are memrefs and there is none.

    ```mlir
    %last, %all = kernel.scan over 28 shares 8 ins(%x : tensor<64x28x128xf32>) initial(%h : tensor<64x128xf32>) constants(%w : …)
                    outs(%e, %f : tensor<64x128xf32>, tensor<64x28x128xf32>) {
    ^bb0(%xt: tensor<8x28x128xf32>, %ht: tensor<8x128xf32>, %wt: tensor<128x128xf32>):
      …
      kernel.yield %1, %1 : tensor<8x128xf32>, tensor<8x128xf32>
    } -> tensor<64x128xf32>, tensor<64x28x128xf32>
    ```
  }];
  let arguments = (ins Variadic<Kernel_Operand>:$sequences, Variadic<Kernel_Operand>:$initial, Variadic<Kernel_Operand>:$constants,
                       Variadic<Kernel_Operand>:$outputs, I64Attr:$steps, UnitAttr:$backwards, DefaultValuedAttr<I64Attr, "1">:$shares);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `over` $steps (`backwards` $backwards^)? (`shares` $shares^)? (`ins` `(` $sequences^ `:` type($sequences) `)`)?
    (`initial` `(` $initial^ `:` type($initial) `)`)? (`constants` `(` $constants^ `:` type($constants) `)`)?
    `outs` `(` $outputs `:` type($outputs) `)` attr-dict-with-keyword $body (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
    /// Whether the body is on memory.
    bool isPlaced() { return getBody().front().getNumArguments() == getNumOperands(); }
    /// The extent of the rows, all shares together.
    int64_t getRows() {
      return ::llvm::cast<::mlir::ShapedType>(getOutputs()[0].getType()).getDimSize(0);
    }
    unsigned getNumSequences() { return getSequences().size(); }
    unsigned getNumCarried() { return getInitial().size(); }
    /// Whether operand i walks with the time: a sequence, or a kept output.
    bool walks(unsigned operand);
    /// Whether operand i is cut by rows: all but constants.
    bool isCut(unsigned operand);
  }];
}

/// Rows of a table that numbers name: the one access that no affine map says.
class Kernel_TableOp<string mnemonic>
    : Kernel_Op<mnemonic, [DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return ::mlir::MutableOperandRange(getOutputMutable()); }
    /// How many numbers there are, and how many columns a row of the table has.
    int64_t getNumIds() { return ::llvm::cast<::mlir::ShapedType>(getIds().getType()).getNumElements(); }
    int64_t getSize() { return ::llvm::cast<::mlir::ShapedType>(getOutput().getType()).getShape().back(); }
  }];
}
def Kernel_GatherOp : Kernel_TableOp<"gather"> {
  let summary = "y[…, d] = table[ids[…], d]";
  let description = [{
    `shares` cut the ids.

    (C1) the table is [count, size] of f32, ids are of i32, y's shape is ids' and then size. (C2) all operands are tensors and the output has its
    result, or all are memrefs and there is none. (C3) shares are positive, and no more than there are ids.

    ```mlir
    %y = kernel.gather ins(%table, %ids : tensor<73x128xf32>, tensor<8x64xi32>) outs(%e : tensor<8x64x128xf32>) -> tensor<8x64x128xf32>
    ```
  }];
  let arguments = (ins Kernel_Operand:$table, Kernel_Operand:$ids, Kernel_Operand:$output, DefaultValuedAttr<I64Attr, "1">:$shares);
  let assemblyFormat = [{
    `ins` `(` $table `,` $ids `:` type($table) `,` type($ids) `)` `outs` `(` $output `:` type($output) `)` (`shares` $shares^)? attr-dict
    (`->` type($results)^)?
  }];
}
def Kernel_ScatterAddOp : Kernel_TableOp<"scatter_add"> {
  let summary = "table[v, d] = Σ x[…, d] where ids[…] = v";
  let description = [{
    The table is zeroed, then the ids are walked in row-major order, each adding its row. `shares` cut the columns, in vectors of sixteen, so
    that every sum has one order, whoever runs it.

    (C1) x's shape is ids' and then size, of f32, ids are of i32, the table is [count, size]. (C2) as for `gather`. (C3) shares are positive, and no
    more than there are vectors of columns.

    ```mlir
    %t = kernel.scatter_add ins(%x, %ids : tensor<8x64x128xf32>, tensor<8x64xi32>) outs(%e : tensor<73x128xf32>) -> tensor<73x128xf32>
    ```
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$ids, Kernel_Operand:$output, DefaultValuedAttr<I64Attr, "1">:$shares);
  let assemblyFormat = [{
    `ins` `(` $x `,` $ids `:` type($x) `,` type($ids) `)` `outs` `(` $output `:` type($output) `)` (`shares` $shares^)? attr-dict
    (`->` type($results)^)?
  }];
}

def Kernel_AttendOp : Kernel_LoopOp<"attend"> {
  let summary = "attention in tiles of scores that are never written out, forwards and backwards (Dao et al. 2022, Dao 2023)";
  let description = [{
    Forwards: inputs q [B, T, H, D], k and v [B, S, H, D]; outputs y, as q, and logsum [B, H, T]: with x = scale · q kᵀ (-∞ at keys behind position t where
    `causal`) and p = exp(x - logsum), y = (p · keep) v. `backwards`: inputs q, k, v, y, logsum and dy; outputs dq, dk and dv. `keep`, where it is there,
    gives the factor of each probability: its argument is the example's id, `kernel.index` 0 to 3 are example, head, query and key.

    Order of the sums: `block` queries by `block` keys make a tile. Forwards each tile of queries walks the tiles of keys in their order, with the
    largest score so far: y and the sum of exponentials are scaled to it, then what the tile gives is added. Backwards the tiles of queries are walked in
    their order, for each of them those of keys, and what a tile gives is added to dq, dk and dv, which begin as zero. Within a tile a sum is one
    chain of fused multiply-adds, over columns, keys or queries in their order. Tiles that are hidden as a whole are left out, and so are parts of 16 keys
    by 16 queries of a tile on the diagonal, where there are as many keys as queries and tiles are square.

    (C1) inputs, outputs and their shapes are as said. (C2) block is two positive numbers, of queries a multiple of 16. (C3) ids [B] stand exactly
    where `keep` does, which takes an i32 and yields an f32. (C4) all operands are tensors and each output has its result, or all are memrefs and there is
    none. (C5) from outside, `keep` uses index values only, and `kernel.index` names one of the four axes. (C6) shares are positive, and no more than pairs of
    example and head, forwards times tiles of queries.

    ```mlir
    %y, %logsum = kernel.attend block [64, 64] causal scale 1.250000e-01 ins(%q, %k, %v : …) outs(%e, %f : …)
      -> tensor<8x128x4x64xf32>, tensor<8x4x128xf32>
    ```
  }];
  let arguments = (ins Variadic<Kernel_Operand>:$inputs, Optional<Kernel_Operand>:$ids, Variadic<Kernel_Operand>:$outputs, F64Attr:$scale,
                       UnitAttr:$causal, UnitAttr:$backwards, DenseI64ArrayAttr:$block, DefaultValuedAttr<I64Attr, "1">:$shares);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$keep);
  let assemblyFormat = [{
    (`backwards` $backwards^)? `block` $block (`causal` $causal^)? `scale` $scale `ins` `(` $inputs `:` type($inputs) `)`
    (`ids` `(` $ids^ `:` type($ids) `)`)? `outs` `(` $outputs `:` type($outputs) `)` (`shares` $shares^)? attr-dict-with-keyword ($keep^)?
    (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
    ::llvm::ArrayRef<int64_t> shapeOfInput(unsigned i) { return ::llvm::cast<::mlir::ShapedType>(getInputs()[i].getType()).getShape(); }
    int64_t getBatch() { return shapeOfInput(0)[0]; }
    int64_t getQueries() { return shapeOfInput(0)[1]; }
    int64_t getKeys() { return shapeOfInput(1)[1]; }
    int64_t getHeads() { return shapeOfInput(0)[2]; }
    int64_t getSize() { return shapeOfInput(0)[3]; }
    /// What shares can be cut into: pairs of example and head, forwards times tiles of queries.
    int64_t getParts();
  }];
}

def Kernel_WinogradOp : Kernel_Op<"winograd", [DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "a 3×3 convolution with stride 1 in tiles of 4 × 4 outputs, whose windows and filters are transformed (Lavin and Gray 2016)";
  let description = [{
    Inputs x [B, H, W, C] and filters u [36, C, O], output y [B, Ho, Wo, O]: y = Aᵀ [Σ u_c ⊙ (Bᵀ d_c B)] A of each tile, with the tables of `dialects/Winograd.h`.
    Tiles are numbered through the batch, an image's in row-major order; what lies outside x is zero, and of a tile that sticks out of y only the inner
    part is written. In place of u, w [3, 3, C, O] is given, of which each block of channels and columns makes the filters u_c = G w_c Gᵀ, or,
    `turned`, w [3, 3, O, C], each turned by half a circle. `by_weight`: inputs x and dy [B, Ho, Wo, O], output the weights' gradient [S, 3, 3, C, O], Gᵀ [Σ (Bᵀ d_c B) ⊙ (A dy_o Aᵀ)] G in S shards of the tiles,
    which whoever reads it adds up. `padding` is [top, left, bottom, right].

    The epilogue, which `by_weight` has none of, gets the finished element of y and those of `with` and yields what is written; `reads` give for each of these which
    of its elements belongs to a point [b, h, w, o] of y.

    `block` is tiles and channels of x that go together, so that what is transformed stays near. Order of the sums: over channels, blocks in their order, one
    chain of fused multiply-adds in each. By weight over tiles: the n chunks of `block` tiles from s·n/S to (s+1)·n/S make shard s, walked in their order, one
    chain in each; tiles behind the last one are zero.

    (C1) ranks are 4, and of u 3, of the gradient 5; only w is `turned`; batch, channels and sizes fit: Ho = H + top + bottom - 2. (C2) padding is four numbers that are not negative.
    (C3) block is two positive numbers, of channels a multiple of 16; there are no more shards than chunks. (C4) all operands are tensors of f32 and the output has its
    result, or all are memrefs and there is none. (C5) shares are positive, and no more than parts: chunks times blocks of 64 channels of y, by weight shards times
    blocks of channels of x times those of dy. (C6) there are as many maps in `reads` as in `with`, of four axes to axes of that operand, each used once at most, the last one
    as the last, or to zero; they leave no operand. The epilogue takes and yields values of the operands' types, nothing from outside and no `kernel.index`.

    ```mlir
    %y = kernel.winograd padding [1, 1, 1, 1] block [48, 64] ins(%x, %u : …) outs(%e : …) -> tensor<32x8x8x96xf32>
    ```
  }];
  let arguments = (ins Kernel_Operand:$x, Kernel_Operand:$other, Variadic<Kernel_Operand>:$with, Kernel_Operand:$output, UnitAttr:$by_weight,
                       UnitAttr:$turned, DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$block, DefaultValuedAttr<AffineMapArrayAttr, "{}">:$reads,
                       DefaultValuedAttr<I64Attr, "1">:$shares);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    (`by_weight` $by_weight^)? (`turned` $turned^)? `padding` $padding `block` $block `ins` `(` $x `,` $other `:` type($x) `,` type($other) `)`
    (`with` `(` $with^ `:` type($with) `)` `reads` $reads)? `outs` `(` $output `:` type($output) `)` (`shares` $shares^)? attr-dict-with-keyword
    ($epilogue^)? (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return ::mlir::MutableOperandRange(getOutputMutable()); }
    ::llvm::ArrayRef<int64_t> shapeOfOutput() { return ::llvm::cast<::mlir::ShapedType>(getOutput().getType()).getShape(); }
    /// Whether a value beside the convolution may be read so: each axis of y is one of the value's or none, the last one the last.
    static bool canRead(::mlir::AffineMap map);
    /// Of a value beside the convolution, where its element for a point of y lies.
    ::mlir::AffineMap getRead(unsigned with) { return ::mlir::cast<::mlir::AffineMapAttr>(getReads()[with]).getValue(); }
    /// Columns of the other side that go together.
    static constexpr int64_t columnsOfBlock = 64;
    ::llvm::ArrayRef<int64_t> shapeOf(unsigned operand) { return ::llvm::cast<::mlir::ShapedType>(getOperand(operand).getType()).getShape(); }
    int64_t getChannels() { return shapeOf(0)[3]; }
    int64_t getColumns() { return shapeOfResult().back(); }
    /// Whether filters are made of weights here.
    bool makesFilters() { return !getByWeight() && shapeOf(1).size() == 4; }
    /// Of the convolution's result, y or dy: [B, Ho, Wo, O].
    ::llvm::ArrayRef<int64_t> shapeOfResult() { return getByWeight() ? shapeOf(1) : shapeOfOutput(); }
    /// Tiles of an image, down and across.
    int64_t getTilesDown() { return (shapeOfResult()[1] + 3) / 4; }
    int64_t getTilesAcross() { return (shapeOfResult()[2] + 3) / 4; }
    int64_t getTiles() { return shapeOf(0)[0] * getTilesDown() * getTilesAcross(); }
    int64_t getChunks() { return (getTiles() + getBlock()[0] - 1) / getBlock()[0]; }
    int64_t getShards() { return getByWeight() ? shapeOfOutput()[0] : 1; }
    /// What shares can be cut into.
    int64_t getParts();
    /// (C6)
    ::mlir::LogicalResult verifyReads();
  }];
}

def Kernel_AliasOp : Kernel_Op<"alias", [Pure]> {
  let summary = "the same bytes under another shape";
  let description = [{
    Costs nothing: the memory plan gives both one place. Elements keep their row-major order. (C1) both have equally many elements of one type.

    ```mlir
    %f = kernel.alias %x : tensor<64x7x7x64xf32> -> tensor<64x3136xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32, I32, I8, I1]>:$x);
  let results = (outs RankedTensorOf<[F32, I32, I8, I1]>:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Kernel_IndexOp : Kernel_Op<"index", [Pure]> {
  let summary = "the coordinate of a domain axis at this point";
  let arguments = (ins I64Attr:$axis);
  let results = (outs Index:$value);
  let assemblyFormat = "$axis attr-dict";
}

def Kernel_YieldOp : Kernel_Op<"yield", [Pure, Terminator]> {
  let summary = "the values of a body at this point";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

//===--- behind the memory plan -------------------------------------------------------------------===//

def Kernel_TaskOp : Kernel_Op<"task", [Symbol, IsolatedFromAbove, SingleBlock, NoTerminator]> {
  let summary = "one entry of a step's list: a loop op on planned memory";
  let description = [{
    The block's arguments are the arena and the state block, `memref<Nxi8>` each. The body holds `memref.view`s at constant offsets, loads of the clock, and
    one loop op on them. `wait`: all earlier tasks of the list have ended.

    (C1) two block arguments, each a static memref of i8. (C2) exactly one loop op. (C3) no tensors.

    ```mlir
    kernel.task @LeNet.main.3 wait {
    ^bb0(%arena: memref<9437184xi8>, %state: memref<12848256xi8>):
      …
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, UnitAttr:$wait, DefaultValuedAttr<I64Attr, "0">:$flops, DefaultValuedAttr<I64Attr, "0">:$bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name (`wait` $wait^)? attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Kernel_StepOp : Kernel_Op<"step", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a planned step: its tasks in order, and where the runtime finds fields, ids, outputs and results in the arena";
  let description = [{
    `kind` and `batch` as in `train.step`. `fields`: a dictionary {name, offset, perm?} each; `outputs`: {name, offset}; `results`: {name, offset, shape}.
    `arena`: bytes that this step needs.

    (C1) each task is a kernel.task. (C2) each entry has its name and offset, and offsets lie behind the clock and inside the arena.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$kind, I64Attr:$batch, I64Attr:$arena, ArrayAttr:$fields, OptionalAttr<I64Attr>:$ids,
                       ArrayAttr:$outputs, ArrayAttr:$results_, FlatSymbolRefArrayAttr:$tasks);
  let assemblyFormat = [{
    $sym_name $kind `batch` $batch `arena` $arena `fields` $fields (`ids` $ids^)? `outputs` $outputs `results` $results_ `tasks` $tasks attr-dict
  }];
}

#endif // SINTER_KERNEL_OPS_TD
