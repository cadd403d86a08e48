// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,plan-memory{print},verify-plan)' | FileCheck %s
// The update is written over the weight, behind the last reader of the old one, which moves up; nothing is copied.

// CHECK: in_place: arena [[ARENA:[0-9]+]] bytes, at least [[ARENA]]; copies 0 bytes; states in place 1; waits 1
// CHECK: kernel.task @in_place.0
// CHECK: kernel.contract
// CHECK: kernel.task @in_place.1
// CHECK: memref.view %{{.*}}[%{{.*}}][] {kernel.value = [[OLD:[0-9]+]] : i64} : memref<64xi8> to memref<4x4xf32>
// CHECK: kernel.sweep
// CHECK: kernel.task @in_place.2 wait
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: memref.view %[[STATE:[a-z0-9]+]][%[[ZERO]]][] {kernel.value = [[OLD]] : i64}
// CHECK: %[[SAME:.*]] = arith.constant 0 : index
// CHECK: memref.view %[[STATE]][%[[SAME]]][]
// CHECK: kernel.step @in_place "train" batch 4 arena [[ARENA]] fields [{name = "x", offset = {{[0-9]+}} : i64}]
// CHECK-SAME: outputs [{name = "loss", offset = {{[0-9]+}} : i64}]
// CHECK-SAME: tasks [@in_place.0, @in_place.1, @in_place.2]
train.state @w : tensor<4x4xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @in_place kind "train" (%x: tensor<4x4xf32> {train.data = "x"}, %w: tensor<4x4xf32> {train.owns = @w}) {
  %g = train.contract "bk,bn->kn" %x, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %n = train.sub %w, %g : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %l = train.sum %w over [0, 1] : tensor<4x4xf32> -> tensor<f32>
  train.commit states [@w] (%n : tensor<4x4xf32>) outputs ["loss"] (%l : tensor<f32>)
}
