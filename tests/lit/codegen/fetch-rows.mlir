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

// -----

// What an epilogue updates is asked for once, into the first cache and to be written; what it only reads, there too.
// CHECK-LABEL: func.func private @updated
// CHECK: func.func private @micro.0
// CHECK-COUNT-2: rw = 1
// CHECK-COUNT-2: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 3 : i32, rw = 0 : i32}>
// CHECK-NOT: llvm.intr.prefetch
// CHECK: return
kernel.task @updated {
^bb0(%arena: memref<4194304xi8>, %state: memref<1048576xi8>):
  %x = arith.constant 0 : index
  %w = arith.constant 2097152 : index
  %y = arith.constant 524288 : index
  %z = arith.constant 524288 : index
  %r = arith.constant 0 : index
  %a = memref.view %arena[%x][] : memref<4194304xi8> to memref<256x256xf32>
  %b = memref.view %arena[%w][] : memref<4194304xi8> to memref<256x64xf32>
  %c = memref.view %state[%y][] : memref<1048576xi8> to memref<256x64xf32>
  %d = memref.view %state[%z][] : memref<1048576xi8> to memref<256x64xf32>
  %e = memref.view %state[%r][] : memref<1048576xi8> to memref<256x64xf32>
  kernel.contract rows [256] cols 64 sum [256] ins(%a, %b : memref<256x256xf32>, memref<256x64xf32>)
    with(%c, %e : memref<256x64xf32>, memref<256x64xf32>) outs(%d : memref<256x64xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>,
          affine_map<(m, n, k) -> (m, n)>, affine_map<(m, n, k) -> (m, n)>] block [256] {
  ^bb0(%sum: f32, %old: f32, %rate: f32):
    %step = arith.mulf %sum, %rate : f32
    %new = arith.subf %old, %step : f32
    kernel.yield %new : f32
  }
}
