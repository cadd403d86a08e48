// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(fuse-sweeps,fuse-epilogues))' -split-input-file | FileCheck %s
// A contraction finishes its sums.

// Bias and ReLU, even where the sum is stored between blocks: there is one output, at the points of the sum.
// CHECK-LABEL: train.step @bias_relu
// CHECK: kernel.contract {{.*}} sum [784] {{.*}} with(%{{.*}} : tensor<512xf32>)
// CHECK: arith.addf
// CHECK: arith.select
// CHECK-NOT: kernel.sweep
train.state @w : tensor<784x512xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @b : tensor<512xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @bias_relu kind "predict" (%x: tensor<64x784xf32> {train.data = "x"}, %w: tensor<784x512xf32> {train.reads = @w}, %b: tensor<512xf32> {train.reads = @b}) {
  %y = train.contract "bk,kn->bn" %x, %w : (tensor<64x784xf32>, tensor<784x512xf32>) -> tensor<64x512xf32>
  %v = train.broadcast %b to [1] : tensor<512xf32> -> tensor<64x512xf32>
  %s = train.add %y, %v : tensor<64x512xf32>, tensor<64x512xf32> -> tensor<64x512xf32>
  %r = train.relu %s : tensor<64x512xf32>
  train.commit results ["y"] (%r : tensor<64x512xf32>)
}

// -----
// One block: the sum itself may stay an output beside what is made of it.
// CHECK-LABEL: train.step @both
// CHECK: %{{.*}}:2 = kernel.contract {{.*}} sum [64]
// CHECK-NOT: kernel.sweep
train.state @w : tensor<64x512xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @both kind "predict" (%x: tensor<64x64xf32> {train.data = "x"}, %w: tensor<64x512xf32> {train.reads = @w}) {
  %y = train.contract "bk,kn->bn" %x, %w : (tensor<64x64xf32>, tensor<64x512xf32>) -> tensor<64x512xf32>
  %r = train.tanh %y : tensor<64x512xf32>
  train.commit results ["y", "r"] (%y, %r : tensor<64x512xf32>, tensor<64x512xf32>)
}

// -----
// Several blocks and two outputs: the sweep stays.
// CHECK-LABEL: train.step @apart
// CHECK: kernel.contract {{.*}} sum [784]
// CHECK: kernel.sweep
train.state @w : tensor<784x512xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @apart kind "predict" (%x: tensor<64x784xf32> {train.data = "x"}, %w: tensor<784x512xf32> {train.reads = @w}) {
  %y = train.contract "bk,kn->bn" %x, %w : (tensor<64x784xf32>, tensor<784x512xf32>) -> tensor<64x512xf32>
  %r = train.tanh %y : tensor<64x512xf32>
  train.commit results ["y", "r"] (%y, %r : tensor<64x512xf32>, tensor<64x512xf32>)
}
