// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 | FileCheck %s

// By input with stride 2: the one tap stores its pixels, and zeros go only where it does not come: between pixels, and over odd lines.
// CHECK-LABEL: func.func private @one_tap
// CHECK: %[[SECOND:.*]] = arith.addi %[[IMAGE:.*]], %c16
// CHECK: llvm.store
// CHECK: %[[REST:.*]] = arith.constant 80
// CHECK: scf.for {{.*}} to %[[REST]]
// CHECK: llvm.store
// CHECK: call @[[ONE:micro\.[0-9]+]]({{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
// CHECK: func.func private @[[ONE]]
// CHECK-NOT: arith.addf
// CHECK: return
kernel.task @one_tap {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x = arith.constant 0 : index
  %w = arith.constant 1024 : index
  %y = arith.constant 4096 : index
  %a = memref.view %arena[%x][] : memref<65536xi8> to memref<1x2x2x16xf32>
  %b = memref.view %arena[%w][] : memref<65536xi8> to memref<1x1x16x16xf32>
  %c = memref.view %arena[%y][] : memref<65536xi8> to memref<1x4x4x16xf32>
  kernel.contract rows [1, 2, 2] cols 16 taps [1, 1] sum [16] ins(%a, %b : memref<1x2x2x16xf32>, memref<1x1x16x16xf32>)
    outs(%c : memref<1x4x4x16xf32>)
    maps [affine_map<(b, y, x, c, r, s, o) -> (b, y, x, o)>, affine_map<(b, y, x, c, r, s, o) -> (r, s, o, c)>,
          affine_map<(b, y, x, c, r, s, o) -> (b, y * 2 + r, x * 2 + s, c)>] block [16]
    schedule <mr = 4, nr = 1, unroll = 4, rowsOutside = false, shares = 1>
}
