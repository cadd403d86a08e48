// The cost model's choice stands on the op; what stands there stays; what a file says goes before both.
// RUN: sinter-opt %s --choose-schedules=cpu=x86-64-v4 > %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: sinter-opt %t.mlir --kernel-to-functions=cpu=x86-64-v4 > %t.with.mlir
// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 > %t.without.mlir
// RUN: diff %t.with.mlir %t.without.mlir
// RUN: sinter-opt %s --choose-schedules="cpu=x86-64-v4 file=%S/Inputs/two.schedules" | FileCheck %s --check-prefix=TUNED
// RUN: sinter-opt %s --choose-schedules="cpu=x86-64-v3 file=%S/Inputs/two.schedules" | FileCheck %s --check-prefix=OTHER

// CHECK-LABEL: kernel.task @product
// CHECK: schedule <mr = {{[0-9]+}}, nr = {{[0-9]+}}, unroll = 4
// CHECK-LABEL: kernel.task @said
// CHECK: schedule <mr = 2, nr = 4, unroll = 1, rowsOutside = false, shares = 2
// CHECK-LABEL: kernel.task @tall
// CHECK: unroll = 8, rowsOutside = true
// TUNED-LABEL: kernel.task @product
// TUNED: block [32] schedule <mr = 3, nr = 2, unroll = 2, rowsOutside = true, shares = 1
// TUNED-LABEL: kernel.task @said
// TUNED: schedule <mr = 3, nr = 2, unroll = 2, rowsOutside = true, shares = 1
// OTHER-LABEL: kernel.task @product
// OTHER-NOT: mr = 3, nr = 2, unroll = 2
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
}
kernel.task @said {
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
    schedule #kernel.schedule<mr = 2, nr = 4, unroll = 1, rowsOutside = false, shares = 2> {
  ^bb0(%sum: f32):
    %r = arith.addf %sum, %sum : f32
    kernel.yield %r : f32
  }
}
// A walks along the sum within tiles of rows: a turn of the loop takes more steps.
kernel.task @tall {
^bb0(%arena: memref<131072xi8>, %state: memref<64xi8>):
  %x = arith.constant 64 : index
  %w = arith.constant 69632 : index
  %y = arith.constant 81920 : index
  %a = memref.view %arena[%x][] : memref<131072xi8> to memref<256x64xf32>
  %b = memref.view %arena[%w][] : memref<131072xi8> to memref<64x32xf32>
  %c = memref.view %arena[%y][] : memref<131072xi8> to memref<256x32xf32>
  kernel.contract rows [256] cols 32 sum [64] ins(%a, %b : memref<256x64xf32>, memref<64x32xf32>)
    outs(%c : memref<256x32xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [64]
}
