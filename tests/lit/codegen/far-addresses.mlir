// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v4 --canonicalize | FileCheck %s

// Offsets beyond 256 MiB, which a getelementptr's constant index cannot hold, are values of their own.
// CHECK-LABEL: func.func private @far
// CHECK: %[[OUT:.*]] = {{arith|llvm.mlir}}.constant{{.*}}536870976 : i64
// CHECK: %[[IN:.*]] = {{arith|llvm.mlir}}.constant{{.*}}268435520 : i64
// CHECK-NOT: getelementptr{{.*}}[-
// CHECK-DAG: getelementptr %{{.*}}[%[[IN]]]
// CHECK-DAG: getelementptr %{{.*}}[%[[OUT]]]
kernel.task @far {
^bb0(%arena: memref<1073741824xi8>, %state: memref<64xi8>):
  %x = arith.constant 268435520 : index
  %y = arith.constant 536870976 : index
  %a = memref.view %arena[%x][] : memref<1073741824xi8> to memref<64xf32>
  %b = memref.view %arena[%y][] : memref<1073741824xi8> to memref<64xf32>
  kernel.sweep parallel [64] ins(%a : memref<64xf32>) outs(%b : memref<64xf32>)
    maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%v: f32):
    %w = arith.addf %v, %v : f32
    kernel.yield %w : f32
  }
}
