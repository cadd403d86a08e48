// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s

// What a whole tile reads one element of, here a rate and a vector of rows, is loaded once, before the first store; what is one number a row is
// loaded for each vector.
// CHECK-LABEL: func.func private @micro.0(
// CHECK-SAME: %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr, %[[RATE:[^:]*]]: !llvm.ptr, %[[BIAS:[^:]*]]: !llvm.ptr,
// CHECK: math.fma
// CHECK-NOT: llvm.store
// CHECK: %[[ONE:.*]] = llvm.load %[[RATE]]
// CHECK: %[[ALL:.*]] = vector.broadcast %[[ONE]] : f32 to vector<16xf32>
// CHECK: llvm.load %[[BIAS]]
// CHECK: arith.mulf %{{.*}}, %[[ALL]]
// CHECK: llvm.store
// CHECK-NOT: llvm.load %[[RATE]]
// CHECK: %[[SECOND:.*]] = llvm.getelementptr %[[BIAS]][1]
// CHECK: llvm.load %[[SECOND]]
// CHECK: arith.mulf %{{.*}}, %[[ALL]]
kernel.task @scaled {
^bb0(%arena: memref<4096xi8>, %state: memref<64xi8>):
  %0 = arith.constant 0 : index
  %1 = arith.constant 1024 : index
  %2 = arith.constant 2048 : index
  %3 = arith.constant 3072 : index
  %4 = arith.constant 3136 : index
  %a = memref.view %arena[%0][] : memref<4096xi8> to memref<2x16xf32>
  %b = memref.view %arena[%1][] : memref<4096xi8> to memref<16x16xf32>
  %c = memref.view %arena[%2][] : memref<4096xi8> to memref<2x16xf32>
  %rate = memref.view %arena[%3][] : memref<4096xi8> to memref<f32>
  %bias = memref.view %arena[%4][] : memref<4096xi8> to memref<2xf32>
  kernel.contract rows [2] cols 16 sum [16] ins(%a, %b : memref<2x16xf32>, memref<16x16xf32>)
    with(%rate, %bias : memref<f32>, memref<2xf32>) outs(%c : memref<2x16xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> ()>, affine_map<(m, n, k) -> (m)>,
          affine_map<(m, n, k) -> (m, n)>] block [16] {
  ^bb0(%sum: f32, %r: f32, %h: f32):
    %scaled = arith.mulf %sum, %r : f32
    %moved = arith.addf %scaled, %h : f32
    kernel.yield %moved : f32
  }
}
