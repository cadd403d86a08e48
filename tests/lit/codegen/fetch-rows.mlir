// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 -split-input-file | FileCheck %s

// A product whose rows come from beyond the second-level cache fetches the next tile's while it runs.
// CHECK-LABEL: func.func private @large
// CHECK: func.func private @micro.0
// CHECK: scf.for
// CHECK: %[[NEXT:.*]] = llvm.getelementptr %{{.*}}[1536] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT: llvm.intr.prefetch"(%[[NEXT]])
// CHECK: math.fma
kernel.task @large {
^bb0(%arena: memref<4194304xi8>, %state: memref<64xi8>):
  %x = arith.constant 0 : index
  %w = arith.constant 2097152 : index
  %y = arith.constant 3145728 : index
  %a = memref.view %arena[%x][] : memref<4194304xi8> to memref<1024x256xf32>
  %b = memref.view %arena[%w][] : memref<4194304xi8> to memref<256x64xf32>
  %c = memref.view %arena[%y][] : memref<4194304xi8> to memref<1024x64xf32>
  kernel.contract rows [1024] cols 64 sum [256] ins(%a, %b : memref<1024x256xf32>, memref<256x64xf32>)
    outs(%c : memref<1024x64xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [256]
}

// -----

// A smaller one finds them there, and asks for its output's lines alone.
// CHECK-LABEL: func.func private @small
// CHECK: func.func private @micro.0
// CHECK-COUNT-2: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
// CHECK: func.func private @micro.1
kernel.task @small {
^bb0(%arena: memref<4194304xi8>, %state: memref<64xi8>):
  %x = arith.constant 0 : index
  %w = arith.constant 2097152 : index
  %y = arith.constant 3145728 : index
  %a = memref.view %arena[%x][] : memref<4194304xi8> to memref<256x256xf32>
  %b = memref.view %arena[%w][] : memref<4194304xi8> to memref<256x64xf32>
  %c = memref.view %arena[%y][] : memref<4194304xi8> to memref<256x64xf32>
  kernel.contract rows [256] cols 64 sum [256] ins(%a, %b : memref<256x256xf32>, memref<256x64xf32>)
    outs(%c : memref<256x64xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] block [256]
}
