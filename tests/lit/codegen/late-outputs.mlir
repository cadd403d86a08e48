// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s

// An output that is read late is written past the caches, and its lines are not fetched; the other one is read next.
// CHECK-LABEL: func.func private @task
// CHECK: llvm.call_intrinsic "llvm.x86.sse.sfence"
// CHECK: func.func private @micro.0(%{{[^,]*}}, %{{[^,]*}}, %[[LATE:[^:]*]]: !llvm.ptr, %[[NEXT:[^:]*]]: !llvm.ptr)
// CHECK-NOT: llvm.getelementptr %[[LATE]]
// CHECK: llvm.intr.prefetch
// CHECK: math.tanh
// CHECK: llvm.store {{.*}} nontemporal
// CHECK: llvm.store {{.*}} {alignment = 4 : i64}
kernel.task @task {
^bb0(%arena: memref<8388608xi8>, %state: memref<64xi8>):
  %x = arith.constant 0 : index
  %w = arith.constant 1048576 : index
  %y = arith.constant 2097152 : index
  %z = arith.constant 4194304 : index
  %a = memref.view %arena[%x][] : memref<8388608xi8> to memref<60x256xf32>
  %b = memref.view %arena[%w][] : memref<8388608xi8> to memref<256x64xf32>
  %c = memref.view %arena[%y][] : memref<8388608xi8> to memref<60x64xf32>
  %d = memref.view %arena[%z][] : memref<8388608xi8> to memref<60x64xf32>
  kernel.contract rows [60] cols 64 sum [256] ins(%a, %b : memref<60x256xf32>, memref<256x64xf32>)
    outs(%c, %d : memref<60x64xf32>, memref<60x64xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>, affine_map<(m, n, k) -> (m, n)>] block [256]
    schedule <mr = 6, nr = 4, unroll = 4, rowsOutside = false, shares = 1> attributes {kernel.late = array<i64: 0>} {
  ^bb0(%sum: f32):
    %t = math.tanh %sum : f32
    kernel.yield %sum, %t : f32, f32
  }
}
