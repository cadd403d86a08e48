// RUN: sinter show %s --floor llvm --no-locations | FileCheck %s

// What the runtime starts from: the description, a table with a function for each task, and both in one constant. Nothing else stays.
// CHECK-NOT: kernel.step
// CHECK-NOT: train.state
// CHECK-DAG: llvm.mlir.global internal constant @sinter_description("{{.*}}version{{.*}}state_bytes{{.*}}stack_bytes\22:0,
// CHECK-DAG: llvm.mlir.global internal constant @sinter_functions() {{.*}} : !llvm.array<1 x ptr>
// CHECK-DAG: llvm.mlir.global external constant @sinter_program()
// CHECK-DAG: llvm.mlir.addressof @double : !llvm.ptr
train.state @w : tensor<16xf32> kind "parameter" init #train.init<constant, 1.0, 0.0>
kernel.task @double {
^bb0(%arena: memref<128xi8>, %state: memref<64xi8>):
  %offset = arith.constant 0 : index
  %w = memref.view %state[%offset][] : memref<64xi8> to memref<16xf32>
  kernel.sweep parallel [16] ins(%w : memref<16xf32>) outs(%w : memref<16xf32>)
    maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%x: f32):
    %y = arith.addf %x, %x : f32
    kernel.yield %y : f32
  }
}
kernel.step @step "train" batch 1 arena 128 fields [] outputs [] results [] tasks [@double]
