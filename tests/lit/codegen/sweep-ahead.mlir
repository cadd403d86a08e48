// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 --split-input-file | FileCheck %s

// A sweep asks for a large input 8 KiB ahead; the row of 4 KiB that all rows read is near.
// CHECK-LABEL: func.func private @pointwise
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[X:.*]][2048] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT: "llvm.intr.prefetch"(%[[AT]])
// CHECK-NEXT: llvm.load %[[X]]
// CHECK-NOT: prefetch
// CHECK: return
kernel.task @pointwise {
^bb0(%arena: memref<8393216xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %b0 = arith.constant 4194368 : index
  %y0 = arith.constant 4198528 : index
  %x = memref.view %arena[%x0][] : memref<8393216xi8> to memref<1024x1024xf32>
  %b = memref.view %arena[%b0][] : memref<8393216xi8> to memref<1024xf32>
  %y = memref.view %arena[%y0][] : memref<8393216xi8> to memref<1024x1024xf32>
  kernel.sweep parallel [1024, 1024] ins(%x, %b : memref<1024x1024xf32>, memref<1024xf32>) outs(%y : memref<1024x1024xf32>)
    maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>] {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %a, %c : f32
    kernel.yield %s : f32
  }
}

// -----
// Sums in registers, down 192 columns of 768: what is read next there lies whole rows on, three of which are more than 8 KiB.
// CHECK-LABEL: func.func private @columns
// CHECK: llvm.getelementptr %{{.*}}[2304] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK-NEXT: "llvm.intr.prefetch"
kernel.task @columns {
^bb0(%arena: memref<4194368xi8>, %state: memref<4096xi8>):
  %x0 = arith.constant 64 : index
  %y0 = arith.constant 0 : index
  %x = memref.view %arena[%x0][] : memref<4194368xi8> to memref<1024x768xf32>
  %y = memref.view %state[%y0][] : memref<4096xi8> to memref<192xf32>
  kernel.sweep parallel [192] reduce [1024] ins(%x : memref<1024x768xf32>) outs(%y : memref<192xf32>)
    maps [affine_map<(j, i) -> (i, j)>, affine_map<(j, i) -> (j)>] init [0.0 : f32] {
  ^bb0(%a: f32, %s: f32):
    %t = arith.mulf %a, %a : f32
    %u = arith.addf %s, %t : f32
    kernel.yield %u : f32
  }
}

// -----
// Less than 2 MiB stays in the second level of caches.
// CHECK-LABEL: func.func private @small
// CHECK-NOT: prefetch
// CHECK: return
kernel.task @small {
^bb0(%arena: memref<4194368xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %x = memref.view %arena[%x0][] : memref<4194368xi8> to memref<256x1024xf32>
  kernel.sweep parallel [256, 1024] ins(%x : memref<256x1024xf32>) outs(%x : memref<256x1024xf32>)
    maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>] {
  ^bb0(%a: f32):
    %s = arith.addf %a, %a : f32
    kernel.yield %s : f32
  }
}
