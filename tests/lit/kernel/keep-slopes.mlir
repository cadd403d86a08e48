// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(fuse-sweeps,fuse-epilogues,fuse-sweeps{after-epilogues},keep-slopes,cse))' -split-input-file | FileCheck %s
// A GELU and its gradient need one tanh: the epilogue of the forward product computes it once, and keeps the slope in place of what the GELU is of.

// CHECK-LABEL: train.step @gelu
// CHECK: %[[FORWARD:.*]]:2 = kernel.contract rows [64] cols 32 sum [16]
// CHECK: math.tanh
// CHECK-NOT: math.tanh
// CHECK: kernel.contract rows [64] cols 32 sum [8] {{.*}} with(%[[FORWARD]]#0 : tensor<64x32xf32>)
// CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32, %[[SLOPE:.*]]: f32):
// CHECK-NEXT: %[[PRODUCT:.*]] = arith.mulf %[[SUM]], %[[SLOPE]]
// CHECK-NEXT: kernel.yield %[[PRODUCT]]
train.state @w : tensor<16x32xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @v : tensor<8x32xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @gelu kind "predict" (%a: tensor<64x16xf32> {train.data = "a"}, %b: tensor<64x8xf32> {train.data = "b"}, %w: tensor<16x32xf32> {train.reads = @w}, %v: tensor<8x32xf32> {train.reads = @v}) {
  %c = train.constant dense<0.797884583> : tensor<f32>
  %k = train.constant dense<0.0356774069> : tensor<f32>
  %one = train.constant dense<1.0> : tensor<f32>
  %x = train.contract "bk,kn->bn" %a, %w : (tensor<64x16xf32>, tensor<16x32xf32>) -> tensor<64x32xf32>
  %y = train.gelu %x {approximate} : tensor<64x32xf32>
  %dy = train.contract "bk,kn->bn" %b, %v : (tensor<64x8xf32>, tensor<8x32xf32>) -> tensor<64x32xf32>
  %square = train.square %x : tensor<64x32xf32>
  %0 = train.mul %square, %k : tensor<64x32xf32>, tensor<f32> -> tensor<64x32xf32>
  %1 = train.add %0, %c : tensor<64x32xf32>, tensor<f32> -> tensor<64x32xf32>
  %2 = train.mul %x, %1 : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
  %3 = train.tanh %2 : tensor<64x32xf32>
  %4 = train.add %3, %one : tensor<64x32xf32>, tensor<f32> -> tensor<64x32xf32>
  %dx = train.mul %dy, %4 : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
  train.commit results ["y", "dx"] (%y, %dx : tensor<64x32xf32>, tensor<64x32xf32>)
}

// -----
// Another tanh than the epilogue's: nothing would be saved.
// CHECK-LABEL: train.step @other
// CHECK: kernel.contract rows [64] cols 32 sum [16]
// CHECK: math.tanh
// CHECK: kernel.contract rows [64] cols 32 sum [8]
// CHECK: math.tanh
train.state @w : tensor<16x32xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @v : tensor<8x32xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @other kind "predict" (%a: tensor<64x16xf32> {train.data = "a"}, %b: tensor<64x8xf32> {train.data = "b"}, %w: tensor<16x32xf32> {train.reads = @w}, %v: tensor<8x32xf32> {train.reads = @v}) {
  %x = train.contract "bk,kn->bn" %a, %w : (tensor<64x16xf32>, tensor<16x32xf32>) -> tensor<64x32xf32>
  %y = train.gelu %x {approximate} : tensor<64x32xf32>
  %dy = train.contract "bk,kn->bn" %b, %v : (tensor<64x8xf32>, tensor<8x32xf32>) -> tensor<64x32xf32>
  %t = train.tanh %x : tensor<64x32xf32>
  %dx = train.mul %dy, %t : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
  train.commit results ["y", "dx"] (%y, %dx : tensor<64x32xf32>, tensor<64x32xf32>)
}

// -----
// What the backward pass reads by itself as well stays.
// CHECK-LABEL: train.step @both
// CHECK: kernel.contract rows [64] cols 32 sum [16]
// CHECK: math.tanh
// CHECK: kernel.contract rows [64] cols 32 sum [8]
// CHECK: math.tanh
train.state @w : tensor<16x32xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @v : tensor<8x32xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @both kind "predict" (%a: tensor<64x16xf32> {train.data = "a"}, %b: tensor<64x8xf32> {train.data = "b"}, %w: tensor<16x32xf32> {train.reads = @w}, %v: tensor<8x32xf32> {train.reads = @v}) {
  %x = train.contract "bk,kn->bn" %a, %w : (tensor<64x16xf32>, tensor<16x32xf32>) -> tensor<64x32xf32>
  %y = train.tanh %x : tensor<64x32xf32>
  %dy = train.contract "bk,kn->bn" %b, %v : (tensor<64x8xf32>, tensor<8x32xf32>) -> tensor<64x32xf32>
  %t = train.tanh %x : tensor<64x32xf32>
  %0 = train.mul %dy, %t : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
  %dx = train.mul %0, %x : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
  train.commit results ["y", "dx"] (%y, %dx : tensor<64x32xf32>, tensor<64x32xf32>)
}
