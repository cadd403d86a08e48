// A schedule on the op overrides the model's choice; one that does not fit the registers is refused.
// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s
// RUN: not sinter-opt %s --kernel-to-functions=cpu=x86-64-v3 2>&1 | FileCheck %s --check-prefix=NARROW

// CHECK-LABEL: func.func private @product
// CHECK-SAME: kernel.shares = 2
// CHECK: func.func private @micro.0
// Two rows by four vectors: eight accumulators, no more.
// CHECK-COUNT-8: math.fma
// NARROW: a tile of 2 × 4 vectors does not fit the registers of x86-64-v3
kernel.task @product {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x = arith.constant 64 : index
  %w = arith.constant 8192 : index
  %y = arith.constant 49152 : index
  %a = memref.view %arena[%x][] : memref<65536xi8> to memref<4x64xf32>
  %b = memref.view %arena[%w][] : memref<65536xi8> to memref<64x128xf32>
  %c = memref.view %arena[%y][] : memref<65536xi8> to memref<4x128xf32>
  kernel.contract rows [4] cols 128 sum [64] ins(%a, %b : memref<4x64xf32>, memref<64x128xf32>)
    outs(%c : memref<4x128xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [64]
    schedule #kernel.schedule<mr = 2, nr = 4, unroll = 1, rowsOutside = false, shares = 2>
}
