// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v3 --split-input-file | FileCheck %s
// RUN: sinter-opt %s "--kernel-to-functions=cpu=x86-64-v3 apart" --split-input-file | FileCheck %s --check-prefix=APART

// Two tasks that differ in their addresses, in the sizes of arena and states and in what they tell the runtime are one function, which
// keeps both places of the spec.
// CHECK-LABEL: func.func private @shared.0(%{{.*}}: i64, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK-LABEL: func.func private @first(%{{.*}}: i64, %arg1: !llvm.ptr, %arg2: !llvm.ptr)
// CHECK-SAME: kernel.flops = 16 : i64, kernel.shares = 1 : i64, kernel.wait = false
// CHECK-DAG: %[[TO:.*]] = llvm.getelementptr %arg1[64]
// CHECK: call @shared.0(%arg0, %arg2, %[[TO]])
// CHECK-NOT: vector<
// CHECK-LABEL: func.func private @second(
// CHECK-SAME: kernel.flops = 17 : i64, kernel.shares = 1 : i64, kernel.wait = true
// CHECK-DAG: %[[FROM:.*]] = llvm.getelementptr %arg1[128]
// CHECK-DAG: %[[TO:.*]] = llvm.getelementptr %arg2[64]
// CHECK: call @shared.0(%arg0, %[[FROM]], %[[TO]])
// CHECK-NOT: vector<

// APART-NOT: shared
// APART-LABEL: func.func private @first(
// APART: arith.addf {{.*}} : vector<16xf32>
// APART-LABEL: func.func private @second(
// APART: arith.addf {{.*}} : vector<16xf32>
#id = affine_map<(i) -> (i)>
kernel.task @first attributes {flops = 16 : i64} {
^bb0(%arena: memref<128xi8>, %state: memref<64xi8>):
  %0 = arith.constant 0 : index
  %64 = arith.constant 64 : index
  %a = memref.view %state[%0][] : memref<64xi8> to memref<16xf32>
  %b = memref.view %arena[%64][] : memref<128xi8> to memref<16xf32>
  kernel.sweep parallel [16] ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) maps [#id, #id] {
  ^bb0(%x: f32):
    %y = arith.addf %x, %x : f32
    kernel.yield %y : f32
  }
}
kernel.task @second wait attributes {flops = 17 : i64} {
^bb0(%arena: memref<256xi8>, %state: memref<128xi8>):
  %from = arith.constant 128 : index
  %to = arith.constant 64 : index
  %a = memref.view %arena[%from][] {kernel.value = 3 : i64} : memref<256xi8> to memref<16xf32>
  %b = memref.view %state[%to][] : memref<128xi8> to memref<16xf32>
  kernel.sweep parallel [16] ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) maps [#id, #id] {
  ^bb0(%value: f32):
    %sum = arith.addf %value, %value : f32
    kernel.yield %sum : f32
  }
}

// -----

// What works in place, what adds another constant and what walks another shape are other code.
// CHECK-NOT: shared
// CHECK-LABEL: func.func private @plain(
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK-LABEL: func.func private @in_place(
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK-LABEL: func.func private @other_constant(
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK-LABEL: func.func private @other_shape(
// CHECK: arith.addf {{.*}} : vector<16xf32>
// APART-LABEL: func.func private @plain(
#id = affine_map<(i) -> (i)>
kernel.task @plain {
^bb0(%arena: memref<256xi8>, %state: memref<64xi8>):
  %0 = arith.constant 0 : index
  %64 = arith.constant 64 : index
  %a = memref.view %arena[%0][] : memref<256xi8> to memref<16xf32>
  %b = memref.view %arena[%64][] : memref<256xi8> to memref<16xf32>
  kernel.sweep parallel [16] ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) maps [#id, #id] {
  ^bb0(%x: f32):
    %one = arith.constant 1.0 : f32
    %y = arith.addf %x, %one : f32
    kernel.yield %y : f32
  }
}
kernel.task @in_place {
^bb0(%arena: memref<256xi8>, %state: memref<64xi8>):
  %0 = arith.constant 0 : index
  %again = arith.constant 0 : index
  %a = memref.view %arena[%0][] : memref<256xi8> to memref<16xf32>
  %b = memref.view %arena[%again][] : memref<256xi8> to memref<16xf32>
  kernel.sweep parallel [16] ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) maps [#id, #id] {
  ^bb0(%x: f32):
    %one = arith.constant 1.0 : f32
    %y = arith.addf %x, %one : f32
    kernel.yield %y : f32
  }
}
kernel.task @other_constant {
^bb0(%arena: memref<256xi8>, %state: memref<64xi8>):
  %0 = arith.constant 0 : index
  %64 = arith.constant 64 : index
  %a = memref.view %arena[%0][] : memref<256xi8> to memref<16xf32>
  %b = memref.view %arena[%64][] : memref<256xi8> to memref<16xf32>
  kernel.sweep parallel [16] ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) maps [#id, #id] {
  ^bb0(%x: f32):
    %one = arith.constant 2.0 : f32
    %y = arith.addf %x, %one : f32
    kernel.yield %y : f32
  }
}
kernel.task @other_shape {
^bb0(%arena: memref<256xi8>, %state: memref<64xi8>):
  %0 = arith.constant 0 : index
  %128 = arith.constant 128 : index
  %a = memref.view %arena[%0][] : memref<256xi8> to memref<32xf32>
  %b = memref.view %arena[%128][] : memref<256xi8> to memref<32xf32>
  kernel.sweep parallel [32] ins(%a : memref<32xf32>) outs(%b : memref<32xf32>) maps [#id, #id] {
  ^bb0(%x: f32):
    %one = arith.constant 1.0 : f32
    %y = arith.addf %x, %one : f32
    kernel.yield %y : f32
  }
}
