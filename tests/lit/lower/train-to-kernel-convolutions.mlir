// RUN: sinter-opt %s -train-to-kernel -split-input-file | FileCheck %s
// Roles of a convolution's axes in its three directions.

// Many channels: taps stay apart, so that padding needs no copy.
// CHECK-LABEL: train.step @forward
// CHECK-NOT: kernel.sweep
// CHECK: kernel.contract rows [4, 8, 8] cols 64 taps [3, 3] sum [32] {{.*}} block [32]
train.state @w : tensor<3x3x32x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @forward kind "predict" (%x: tensor<4x8x8x32xf32> {train.data = "x"}, %w: tensor<3x3x32x64xf32> {train.reads = @w}) {
  %y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x8x8x32xf32>, tensor<3x3x32x64xf32>) -> tensor<4x8x8x64xf32>
  train.commit results ["y"] (%y : tensor<4x8x8x64xf32>)
}

// -----
// Few channels: a padded copy, and one sum over taps and channels.
// CHECK-LABEL: train.step @first_layer
// CHECK: kernel.sweep parallel [4, 10, 10, 3] {{.*}} init [0.000000e+00 : f32] guard
// CHECK: kernel.contract rows [4, 8, 8] cols 64 sum [3, 3, 3] {{.*}} block [3, 3, 3]
train.state @w : tensor<3x3x3x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @first_layer kind "predict" (%x: tensor<4x8x8x3xf32> {train.data = "x"}, %w: tensor<3x3x3x64xf32> {train.reads = @w}) {
  %y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x8x8x3xf32>, tensor<3x3x3x64xf32>) -> tensor<4x8x8x64xf32>
  train.commit results ["y"] (%y : tensor<4x8x8x64xf32>)
}

// -----
// By input: the weight's channels change places, so that columns lie together.
// CHECK-LABEL: train.step @by_input
// CHECK: %[[T:.*]] = kernel.sweep parallel [3, 3, 64, 32]
// CHECK: kernel.contract rows [4, 8, 8] cols 32 taps [3, 3] sum [64] ins(%{{.*}}, %[[T]]
train.state @w : tensor<3x3x32x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @by_input kind "predict" (%dy: tensor<4x8x8x64xf32> {train.data = "dy"}, %w: tensor<3x3x32x64xf32> {train.reads = @w}) {
  %dx = train.conv2d_input_grad %dy, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x8x8x64xf32>, tensor<3x3x32x64xf32>) -> tensor<4x8x8x32xf32>
  train.commit results ["dx"] (%dx : tensor<4x8x8x32xf32>)
}

// -----
// By weight: taps are the output's; a block of the sum has at least 128 pixels.
// CHECK-LABEL: train.step @by_weight
// CHECK-NOT: kernel.sweep
// CHECK: kernel.contract rows [32] cols 64 taps [3, 3] sum [4, 8, 8] {{.*}} block [2, 8, 8]
train.step @by_weight kind "predict" (%x: tensor<4x8x8x32xf32> {train.data = "x"}, %dy: tensor<4x8x8x64xf32> {train.data = "dy"}) {
  %dw = train.conv2d_weight_grad %x, %dy {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x8x8x32xf32>, tensor<4x8x8x64xf32>) -> tensor<3x3x32x64xf32>
  train.commit results ["dw"] (%dw : tensor<3x3x32x64xf32>)
}

// -----
// A weight that stays in the cache beside images that do not: each shard of the batch walks all of it.
// CHECK-LABEL: train.step @large_images
// CHECK: %[[P:.*]] = kernel.contract rows [4, 64] cols 64 taps [3, 3] sum [1, 32, 32] {{.*}} -> tensor<4x3x3x64x64xf32>
// CHECK: kernel.sweep parallel [3, 3, 64, 64] reduce [4] ins(%[[P]]
train.step @large_images kind "predict" (%x: tensor<4x32x32x64xf32> {train.data = "x"}, %dy: tensor<4x32x32x64xf32> {train.data = "dy"}) {
  %dw = train.conv2d_weight_grad %x, %dy {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x32x32x64xf32>, tensor<4x32x32x64xf32>) -> tensor<3x3x64x64xf32>
  train.commit results ["dw"] (%dw : tensor<3x3x64x64xf32>)
}

// -----
// A small weight: shards of the batch, summed in their order.
// CHECK-LABEL: train.step @small_weight
// CHECK: %[[P:.*]] = kernel.contract rows [4, 3, 3, 3] cols 64 sum [1, 8, 8] {{.*}} -> tensor<4x3x3x3x64xf32>
// CHECK: kernel.sweep parallel [3, 3, 3, 64] reduce [4] ins(%[[P]]
train.step @small_weight kind "predict" (%x: tensor<4x8x8x3xf32> {train.data = "x"}, %dy: tensor<4x8x8x64xf32> {train.data = "dy"}) {
  %dw = train.conv2d_weight_grad %x, %dy {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x8x8x3xf32>, tensor<4x8x8x64xf32>) -> tensor<3x3x3x64xf32>
  train.commit results ["dw"] (%dw : tensor<3x3x3x64xf32>)
}

// -----
// Groups go outside, behind the batch, so that the rows within share their part of the weight.
// CHECK-LABEL: train.step @groups
// CHECK: kernel.contract rows [4, 3, 8, 8] cols 64 taps [3, 3] sum [32]
train.state @w : tensor<3x3x32x3x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @groups kind "predict" (%x: tensor<4x8x8x3x32xf32> {train.data = "x"}, %w: tensor<3x3x32x3x64xf32> {train.reads = @w}) {
  %y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x8x8x3x32xf32>, tensor<3x3x32x3x64xf32>) -> tensor<4x8x8x3x64xf32>
  train.commit results ["y"] (%y : tensor<4x8x8x3x64xf32>)
}

// -----
// Depthwise: a sweep along the channels.
// CHECK-LABEL: train.step @depthwise
// CHECK-NOT: kernel.contract
// CHECK: kernel.sweep parallel [4, 8, 8, 48, 1] reduce [3, 3, 1]
// CHECK-NOT: kernel.contract
train.state @w : tensor<3x3x1x48x1xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @depthwise kind "predict" (%x: tensor<4x8x8x48x1xf32> {train.data = "x"}, %w: tensor<3x3x1x48x1xf32> {train.reads = @w}) {
  %y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<4x8x8x48x1xf32>, tensor<3x3x1x48x1xf32>) -> tensor<4x8x8x48x1xf32>
  train.commit results ["y"] (%y : tensor<4x8x8x48x1xf32>)
}

// -----
// By its input each pixel gathers from the windows that it is in; by its weight shards of the batch are summed apart.
// CHECK-LABEL: train.step @depthwise_gradients
// CHECK-NOT: kernel.contract
// CHECK: kernel.sweep parallel [32, 8, 8, 48, 1]
// CHECK: kernel.sweep parallel [8, 3, 3, 1, 48, 1] reduce [4, 4, 4]
// CHECK: kernel.sweep parallel [3, 3, 1, 48, 1] reduce [8]
train.state @w : tensor<3x3x1x48x1xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @depthwise_gradients kind "predict" (%x: tensor<32x8x8x48x1xf32> {train.data = "x"}, %dy: tensor<32x4x4x48x1xf32> {train.data = "dy"}, %w: tensor<3x3x1x48x1xf32> {train.reads = @w}) {
  %dx = train.conv2d_input_grad %dy, %w {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<32x4x4x48x1xf32>, tensor<3x3x1x48x1xf32>) -> tensor<32x8x8x48x1xf32>
  %dw = train.conv2d_weight_grad %x, %dy {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<32x8x8x48x1xf32>, tensor<32x4x4x48x1xf32>) -> tensor<3x3x1x48x1xf32>
  train.commit results ["dx", "dw"] (%dx, %dw : tensor<32x8x8x48x1xf32>, tensor<3x3x1x48x1xf32>)
}
