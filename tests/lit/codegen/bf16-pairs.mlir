// A product in bfloat16 reads copies in pairs: one instruction a pair with AVX512-BF16, elsewhere two multiply-adds.
// RUN: sinter-opt %s --kernel-to-functions=cpu=znver4 | FileCheck %s
// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s --check-prefix=EMULATED

// CHECK-LABEL: func.func private @product
// CHECK: llvm.x86.avx512bf16.cvtne2ps2bf16.512
// CHECK: call @micro.0
// CHECK: func.func private @micro.0
// CHECK-NOT: math.fma
// CHECK: llvm.x86.avx512bf16.dpbf16ps.512
// CHECK-NOT: math.fma

// EMULATED-NOT: avx512bf16
// EMULATED-LABEL: func.func private @product
// EMULATED: call @micro.0
// EMULATED: func.func private @micro.0
// EMULATED: math.fma
// EMULATED-NOT: avx512bf16
// EMULATED: return
kernel.task @product {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x = arith.constant 64 : index
  %w = arith.constant 8192 : index
  %y = arith.constant 49152 : index
  %a = memref.view %arena[%x][] : memref<65536xi8> to memref<4x63xf32>
  %b = memref.view %arena[%w][] : memref<65536xi8> to memref<63x128xf32>
  %c = memref.view %arena[%y][] : memref<65536xi8> to memref<4x128xf32>
  kernel.contract rows [4] cols 128 sum [63] ins(%a, %b : memref<4x63xf32>, memref<63x128xf32>)
    outs(%c : memref<4x128xf32>)
    maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] bf16 block [63]
}
