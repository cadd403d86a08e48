// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s
// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v3 | FileCheck %s --check-prefix=NARROW

// A task becomes a function of share, arena and state that calls micro-kernels; every product is a fused multiply-add.
// CHECK-LABEL: func.func private @product(%{{.*}}: i64, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK-SAME: kernel.shares = 1
// CHECK: call @micro.0
// CHECK-NOT: kernel.contract
// CHECK: func.func private @micro.0
// CHECK: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: arith.mulf

// Sixteen columns are two registers there: twelve rows by one vector do not fit, six do.
// NARROW: func.func private @micro.0
kernel.task @product {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x = arith.constant 64 : index
  %w = arith.constant 8192 : index
  %y = arith.constant 32768 : index
  %a = memref.view %arena[%x][] : memref<65536xi8> to memref<12x64xf32>
  %b = memref.view %arena[%w][] : memref<65536xi8> to memref<64x32xf32>
  %c = memref.view %arena[%y][] : memref<65536xi8> to memref<12x32xf32>
  kernel.contract rows [12] cols 32 sum [64] ins(%a, %b : memref<12x64xf32>, memref<64x32xf32>)
    outs(%c : memref<12x32xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [64]
}
