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

// -----
// The gradient of a convolution that keeps the size: its middle tap reaches every element, and the rest follows there.
// CHECK-LABEL: train.step @same
// CHECK: kernel.contract {{.*}} taps [3, 3]
// CHECK: arith.mulf
// CHECK-NOT: kernel.sweep
train.state @w : tensor<3x3x2x4xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @same kind "predict" (%dy: tensor<2x8x8x4xf32> {train.data = "dy"}, %x: tensor<2x8x8x2xf32> {train.data = "x"}, %w: tensor<3x3x2x4xf32> {train.reads = @w}) {
  %dx = train.conv2d_input_grad %dy, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<2x8x8x4xf32>, tensor<3x3x2x4xf32>) -> tensor<2x8x8x2xf32>
  %r = train.mul %dx, %x : tensor<2x8x8x2xf32>, tensor<2x8x8x2xf32> -> tensor<2x8x8x2xf32>
  train.commit results ["r"] (%r : tensor<2x8x8x2xf32>)
}

// -----
// With a stride no tap reaches them all: the sweep stays.
// CHECK-LABEL: train.step @strided
// CHECK: kernel.contract {{.*}} taps [3, 3]
// CHECK: kernel.sweep
// CHECK: arith.mulf
train.state @w : tensor<3x3x2x4xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @strided kind "predict" (%dy: tensor<2x4x4x4xf32> {train.data = "dy"}, %x: tensor<2x8x8x2xf32> {train.data = "x"}, %w: tensor<3x3x2x4xf32> {train.reads = @w}) {
  %dx = train.conv2d_input_grad %dy, %w {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<2x4x4x4xf32>, tensor<3x3x2x4xf32>) -> tensor<2x8x8x2xf32>
  %r = train.mul %dx, %x : tensor<2x8x8x2xf32>, tensor<2x8x8x2xf32> -> tensor<2x8x8x2xf32>
  train.commit results ["r"] (%r : tensor<2x8x8x2xf32>)
}

// -----
// Nor without padding.
// CHECK-LABEL: train.step @valid
// CHECK: kernel.contract {{.*}} taps [3, 3]
// CHECK: kernel.sweep
// CHECK: arith.mulf
train.state @w : tensor<3x3x2x4xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @valid kind "predict" (%dy: tensor<2x6x6x4xf32> {train.data = "dy"}, %x: tensor<2x8x8x2xf32> {train.data = "x"}, %w: tensor<3x3x2x4xf32> {train.reads = @w}) {
  %dx = train.conv2d_input_grad %dy, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<2x6x6x4xf32>, tensor<3x3x2x4xf32>) -> tensor<2x8x8x2xf32>
  %r = train.mul %dx, %x : tensor<2x8x8x2xf32>, tensor<2x8x8x2xf32> -> tensor<2x8x8x2xf32>
  train.commit results ["r"] (%r : tensor<2x8x8x2xf32>)
}

// -----
// Random numbers are drawn four vectors at a time, for which a tile has no room: the sweep that draws stays, and takes in what leads up to it.
// CHECK-LABEL: train.step @draws
// CHECK: kernel.contract
// CHECK: kernel.sweep
// CHECK: arith.mului_extended
// CHECK-NOT: kernel.sweep
train.state @w : tensor<8x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @draws kind "predict" (%draw: index {train.clock = "draw"}, %seed: index {train.clock = "seed"}, %ids: tensor<4xi32> {train.clock = "ids"},
                                  %x: tensor<4x8xf32> {train.data = "x"}, %w: tensor<8x64xf32> {train.reads = @w}) {
  %y = train.contract "bk,kn->bn" %x, %w : (tensor<4x8xf32>, tensor<8x64xf32>) -> tensor<4x64xf32>
  %who = train.broadcast %ids to [0] : tensor<4xi32> -> tensor<4x64xi32>
  %u = train.random "noise" of %who draw %draw seed %seed : tensor<4x64xi32> -> tensor<4x64xf32>
  %r = train.mul %y, %u : tensor<4x64xf32>, tensor<4x64xf32> -> tensor<4x64xf32>
  train.commit results ["r"] (%r : tensor<4x64xf32>)
}

// -----
// A convolution in Winograd's tiles finishes its tiles: a bias by column, and a residual at the same points.
// CHECK-LABEL: train.step @tiles
// CHECK: kernel.winograd {{.*}} with(%{{.*}}, %{{.*}} : tensor<16xf32>, tensor<2x8x8x16xf32>) reads [#[[B:.*]], #[[R:.*]]] outs
// CHECK: arith.addf
// CHECK: arith.addf
// CHECK: arith.select
// CHECK-NOT: kernel.sweep
train.state @w : tensor<3x3x16x16xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @b : tensor<16xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @tiles kind "predict" (%x: tensor<2x8x8x16xf32> {train.data = "x"}, %w: tensor<3x3x16x16xf32> {train.reads = @w}, %b: tensor<16xf32> {train.reads = @b}) {
  %y = train.winograd %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<2x8x8x16xf32>, tensor<3x3x16x16xf32>) -> tensor<2x8x8x16xf32>
  %v = train.broadcast %b to [3] : tensor<16xf32> -> tensor<2x8x8x16xf32>
  %s = train.add %y, %v : tensor<2x8x8x16xf32>, tensor<2x8x8x16xf32> -> tensor<2x8x8x16xf32>
  %t = train.add %s, %x : tensor<2x8x8x16xf32>, tensor<2x8x8x16xf32> -> tensor<2x8x8x16xf32>
  %r = train.relu %t : tensor<2x8x8x16xf32>
  train.commit results ["r"] (%r : tensor<2x8x8x16xf32>)
}

// -----
// What is read by others too, and what a reader has turned, stays apart; so does a value that lies across the columns.
// CHECK-LABEL: train.step @tiles_apart
// CHECK: kernel.winograd
// CHECK: kernel.sweep
// CHECK: kernel.winograd
// CHECK: kernel.sweep
train.state @w : tensor<3x3x16x16xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @tiles_apart kind "predict" (%x: tensor<2x8x8x16xf32> {train.data = "x"}, %z: tensor<2x16x8x8xf32> {train.data = "z"}, %w: tensor<3x3x16x16xf32> {train.reads = @w}) {
  %y = train.winograd %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<2x8x8x16xf32>, tensor<3x3x16x16xf32>) -> tensor<2x8x8x16xf32>
  %r = train.relu %y : tensor<2x8x8x16xf32>
  %a = train.winograd %x, %w {padding = array<i64: 1, 1, 1, 1>, turned} : (tensor<2x8x8x16xf32>, tensor<3x3x16x16xf32>) -> tensor<2x8x8x16xf32>
  %t = train.transpose %z by [0, 2, 3, 1] : tensor<2x16x8x8xf32> -> tensor<2x8x8x16xf32>
  %b = train.add %a, %t : tensor<2x8x8x16xf32>, tensor<2x8x8x16xf32> -> tensor<2x8x8x16xf32>
  train.commit results ["y", "r", "b"] (%y, %r, %b : tensor<2x8x8x16xf32>, tensor<2x8x8x16xf32>, tensor<2x8x8x16xf32>)
}
