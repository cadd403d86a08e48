// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 -split-input-file | FileCheck %s

// A tile of rows goes through both blocks of its sum before the next one: eight tiles outside, the blocks inside.
// CHECK-LABEL: func.func private @along
// CHECK: %[[TILES:.*]] = arith.constant 8 : i64
// CHECK: scf.for %{{.*}} to %[[TILES]]
// CHECK: %[[BLOCKS:.*]] = arith.constant 2 : i64
// CHECK: scf.for %{{.*}} to %[[BLOCKS]]
// CHECK: call @micro.0
kernel.task @along {
^bb0(%arena: memref<524288xi8>, %state: memref<64xi8>):
  %x = arith.constant 64 : index
  %w = arith.constant 262144 : index
  %y = arith.constant 393216 : index
  %a = memref.view %arena[%x][] : memref<524288xi8> to memref<64x512xf32>
  %b = memref.view %arena[%w][] : memref<524288xi8> to memref<512x32xf32>
  %c = memref.view %arena[%y][] : memref<524288xi8> to memref<64x32xf32>
  kernel.contract rows [64] cols 32 sum [512] ins(%a, %b : memref<64x512xf32>, memref<512x32xf32>)
    outs(%c : memref<64x32xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [256]
    schedule #kernel.schedule<mr = 8, nr = 2, unroll = 4, rowsOutside = true, shares = 1>
}

// -----

// Where rows of A lie across the sum, tiles share its lines, and all of them go through a block first.
// CHECK-LABEL: func.func private @across
// CHECK: %[[BLOCKS:.*]] = arith.constant 2 : i64
// CHECK: scf.for %{{.*}} to %[[BLOCKS]]
// CHECK: %[[TILES:.*]] = arith.constant 8 : i64
// CHECK: scf.for %{{.*}} to %[[TILES]]
// CHECK: call @micro.0
kernel.task @across {
^bb0(%arena: memref<524288xi8>, %state: memref<64xi8>):
  %x = arith.constant 64 : index
  %w = arith.constant 262144 : index
  %y = arith.constant 393216 : index
  %a = memref.view %arena[%x][] : memref<524288xi8> to memref<512x64xf32>
  %b = memref.view %arena[%w][] : memref<524288xi8> to memref<512x32xf32>
  %c = memref.view %arena[%y][] : memref<524288xi8> to memref<64x32xf32>
  kernel.contract rows [64] cols 32 sum [512] ins(%a, %b : memref<512x64xf32>, memref<512x32xf32>)
    outs(%c : memref<64x32xf32>)
    maps [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [256]
    schedule #kernel.schedule<mr = 8, nr = 2, unroll = 4, rowsOutside = true, shares = 1>
}
