// RUN: sinter-opt %s -train-to-kernel -split-input-file | FileCheck %s
// A maximum and its position in one sweep; its gradient scatters where windows lie apart and gathers where they overlap.

// CHECK-LABEL: train.step @apart
// CHECK: kernel.sweep parallel [4, 4, 4, 8] reduce [2, 2] {{.*}} init [0xFF800000 : f32, 0 : i8]
// CHECK-NOT: guard
// CHECK: kernel.sweep parallel [4, 4, 2, 4, 2, 8]
// CHECK-NOT: reduce
// CHECK-NOT: zero
train.step @apart kind "predict" (%x: tensor<4x8x8x8xf32> {train.data = "x"}) {
  %p, %i = train.max_pool2d %x {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
    : (tensor<4x8x8x8xf32>) -> (tensor<4x4x4x8xf32>, tensor<4x4x4x8xi8>)
  %y = train.max_pool2d_grad %p, %i {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
    : (tensor<4x4x4x8xf32>, tensor<4x4x4x8xi8>) -> tensor<4x8x8x8xf32>
  train.commit results ["y"] (%y : tensor<4x8x8x8xf32>)
}

// -----
// CHECK-LABEL: train.step @overlapping
// CHECK: kernel.sweep parallel [4, 4, 4, 8] reduce [3, 3] {{.*}} guard
// CHECK: kernel.sweep parallel [4, 8, 8, 8] reduce [3, 3] {{.*}} init [0.000000e+00 : f32] guard
train.step @overlapping kind "predict" (%x: tensor<4x8x8x8xf32> {train.data = "x"}) {
  %p, %i = train.max_pool2d %x {size = array<i64: 3, 3>, strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>}
    : (tensor<4x8x8x8xf32>) -> (tensor<4x4x4x8xf32>, tensor<4x4x4x8xi8>)
  %y = train.max_pool2d_grad %p, %i {size = array<i64: 3, 3>, strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>}
    : (tensor<4x4x4x8xf32>, tensor<4x4x4x8xi8>) -> tensor<4x8x8x8xf32>
  train.commit results ["y"] (%y : tensor<4x8x8x8xf32>)
}
