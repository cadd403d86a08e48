// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s

// Rows of a batch and a weight with more rows than columns: eight shares are two halves of the row tiles by four parts of the panels. What a
// call asks for of B is the next panel; behind the share's last one its first, of the next block of the sum, or behind the last block the next
// share's.
// CHECK-LABEL: func.func private @both(%arg0: i64
// CHECK-SAME: kernel.shares = 8
// CHECK: %[[PARTS:.*]] = arith.constant 4 : i64
// CHECK: arith.divsi %arg0, %[[PARTS]] : i64
// CHECK: arith.remsi %arg0, %[[PARTS]] : i64
// CHECK: scf.for
// CHECK: arith.cmpi eq
// CHECK: %[[LAST:.*]] = arith.cmpi eq
// CHECK: %[[BEHIND:.*]] = arith.select %[[LAST]]
// CHECK: %[[ENDS:.*]] = arith.cmpi sge
// CHECK: arith.select %[[ENDS]], %[[BEHIND]]
// CHECK: call @micro.
kernel.task @both {
^bb0(%arena: memref<2097152xi8>, %state: memref<64xi8>):
  %x = arith.constant 0 : index
  %w = arith.constant 131072 : index
  %y = arith.constant 1048576 : index
  %a = memref.view %arena[%x][] : memref<2097152xi8> to memref<61x300xf32>
  %b = memref.view %arena[%w][] : memref<2097152xi8> to memref<300x203xf32>
  %c = memref.view %arena[%y][] : memref<2097152xi8> to memref<61x203xf32>
  kernel.contract rows [61] cols 203 sum [300] ins(%a, %b : memref<61x300xf32>, memref<300x203xf32>)
    outs(%c : memref<61x203xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [150]
    schedule <mr = 12, nr = 2, unroll = 4, rowsOutside = false, shares = 8> {
  ^bb0(%sum: f32):
    %r = arith.addf %sum, %sum : f32
    kernel.yield %r : f32
  }
}
