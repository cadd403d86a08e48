// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s

// Shards of the batch have a B of their own, the gradient of a first layer's images, whose blocks follow each other: each of six tiles
// asks for its part of the next.
// CHECK-LABEL: func.func private @blocks
// CHECK: %[[FIRST:.*]] = arith.divsi
// CHECK: call @[[BLOCK:micro\.[0-9]+]]({{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, i1) -> ()
// CHECK: func.func private @[[BLOCK]](%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[NEXT:.*]]: !llvm.ptr, %{{.*}}: i1)
// CHECK: scf.for
// CHECK: %[[STEP:.*]] = llvm.getelementptr %[[NEXT]]
// CHECK: "llvm.intr.prefetch"(%[[STEP]])
// CHECK: math.fma
kernel.task @blocks {
^bb0(%arena: memref<4194304xi8>, %state: memref<64xi8>):
  %x = arith.constant 0 : index
  %d = arith.constant 131072 : index
  %w = arith.constant 3145728 : index
  %a = memref.view %arena[%x][] : memref<4194304xi8> to memref<8x34x34x3xf32>
  %b = memref.view %arena[%d][] : memref<4194304xi8> to memref<8x32x32x64xf32>
  %c = memref.view %arena[%w][] : memref<4194304xi8> to memref<4x3x3x3x64xf32>
  kernel.contract rows [4, 3, 3, 3] cols 64 sum [2, 32, 32] ins(%a, %b : memref<8x34x34x3xf32>, memref<8x32x32x64xf32>)
    outs(%c : memref<4x3x3x3x64xf32>)
    maps [affine_map<(g, r, s, c, o, b, y, x) -> (b + g * 2, r + y, s + x, c)>,
          affine_map<(g, r, s, c, o, b, y, x) -> (b + g * 2, y, x, o)>,
          affine_map<(g, r, s, c, o, b, y, x) -> (g, r, s, c, o)>] block [1, 4, 32]
    schedule <mr = 6, nr = 4, unroll = 4, rowsOutside = false, shares = 4>
}
