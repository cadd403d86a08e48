// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s

// 64 rows walk panels of a B of 2 MiB: each call asks for a part of the next panel, beginning where the rows before it left off, and for what it
// writes, a row in each turn of its sum.
// CHECK-LABEL: func.func private @panels
// CHECK: call @[[MICRO:micro\.[0-9]+]](%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, i1) -> ()
// CHECK: func.func private @[[MICRO]](%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[C:.*]]: !llvm.ptr, %[[AHEAD:.*]]: !llvm.ptr, %{{.*}}: i1)
// CHECK: scf.for
// CHECK: %[[AT:.*]] = arith.minsi
// CHECK: %[[LINE:.*]] = llvm.getelementptr %[[AHEAD]][%[[AT]]]
// CHECK: "llvm.intr.prefetch"(%[[LINE]])
// CHECK: %[[ROW:.*]] = arith.minsi
// CHECK: %[[OUT:.*]] = llvm.getelementptr %[[C]][%[[ROW]]]
// CHECK: "llvm.intr.prefetch"(%[[OUT]])
// CHECK: math.fma
kernel.task @panels {
^bb0(%arena: memref<4194304xi8>, %state: memref<64xi8>):
  %x = arith.constant 0 : index
  %w = arith.constant 262144 : index
  %y = arith.constant 2359296 : index
  %a = memref.view %arena[%x][] : memref<4194304xi8> to memref<64x1024xf32>
  %b = memref.view %arena[%w][] : memref<4194304xi8> to memref<1024x512xf32>
  %c = memref.view %arena[%y][] : memref<4194304xi8> to memref<64x512xf32>
  kernel.contract rows [64] cols 512 sum [1024] ins(%a, %b : memref<64x1024xf32>, memref<1024x512xf32>)
    outs(%c : memref<64x512xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [256]
    schedule <mr = 14, nr = 2, unroll = 4, rowsOutside = false, shares = 1>
}
