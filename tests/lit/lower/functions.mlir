// Each function of the language on a batch, images with their channels innermost; axes are moved only where an op needs it.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.eval
// CHECK-SAME: %[[IMAGE:[a-z0-9_.]+]]: tensor<8x4x6x2xf32> {train.data = "image"
// Channels are innermost already: softmax over axis 0 moves nothing.
// CHECK: train.softmax %[[IMAGE]] : tensor<8x4x6x2xf32>
// A number a channel is spread along the last axis.
// CHECK: %[[SPREAD:.*]] = train.broadcast %{{.*}} to [3] : tensor<2xf32> -> tensor<8x4x6x2xf32>
// CHECK: train.mul %{{.*}}, %[[SPREAD]]
// Axis 2 of [C, H, W] is axis 2 of [B, H, W, C].
// CHECK: train.sum %{{.*}} over [2] : tensor<8x4x6x2xf32> -> tensor<8x4x2xf32>
// CHECK: train.slice %{{.*}} at [0, 1, 0, 0] by [1, 2, 1, 1] : tensor<8x4x6x2xf32> -> tensor<8x2x6x2xf32>
// CHECK: train.concat %{{.*}} along 3 : tensor<8x4x6x2xf32>, tensor<8x4x6x2xf32> -> tensor<8x4x6x4xf32>
// CHECK: train.pad %{{.*}} at [0, 0, 1, 0] by [1, 1, 1, 1] with 0.000000e+00 : tensor<8x4x6x2xf32> -> tensor<8x4x9x2xf32>
// CHECK: train.reduce_max
// CHECK: train.one_hot %{{.*}} : tensor<8x3xi32> -> tensor<8x3xf32>
// CHECK: train.contract "bnk,km->bnm"
// CHECK: train.batch_mean
model.data @d seed 0 fields [{name = "image", type = tensor<2x4x6xf32>}, {classes = 3 : i64, name = "label", type = tensor<i32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @c : tensor<2x1x1xf32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.param @m : tensor<6x5xf32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.net @Net(%image: tensor<2x4x6xf32> {model.name = "image"}) -> tensor<2x4x6xf32> {
    model.return %image : tensor<2x4x6xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %x = model.field "image" : tensor<2x4x6xf32>
    %label = model.field "label" : tensor<i32>
    %0 = model.softmax %x {axis = 0 : i64} : tensor<2x4x6xf32>
    %c = model.read @c : tensor<2x1x1xf32>
    %1 = model.mul %0, %c : (tensor<2x4x6xf32>, tensor<2x1x1xf32>) -> tensor<2x4x6xf32>
    %2 = model.sum %1 {axes = array<i64: 2>, keep = false} : (tensor<2x4x6xf32>) -> tensor<2x4xf32>
    %3 = model.slice %1 {axis = 1 : i64, from = 1 : i64, to = 4 : i64, step = 2 : i64} : (tensor<2x4x6xf32>) -> tensor<2x2x6xf32>
    %4 = model.concat %1, %1 {axis = 0 : i64} : (tensor<2x4x6xf32>, tensor<2x4x6xf32>) -> tensor<4x4x6xf32>
    %5 = model.pad %1 {axis = 2 : i64, before = 1 : i64, after = 2 : i64, value = 0.0 : f64} : (tensor<2x4x6xf32>) -> tensor<2x4x9xf32>
    %6 = model.min %5 {axes = array<i64: 0, 1, 2>, keep = false} : (tensor<2x4x9xf32>) -> tensor<f32>
    %7 = model.one_hot %label {classes = 3 : i64} : (tensor<i32>) -> tensor<3xf32>
    %m = model.read @m : tensor<6x5xf32>
    %8 = model.mean %x {axes = array<i64: 0>, keep = false} : (tensor<2x4x6xf32>) -> tensor<4x6xf32>
    %9 = model.matmul %8, %m : (tensor<4x6xf32>, tensor<6x5xf32>) -> tensor<4x5xf32>
    %10 = model.sum %9 {axes = array<i64: 0, 1>, keep = false} : (tensor<4x5xf32>) -> tensor<f32>
    model.objective %10 : tensor<f32>
    model.report "smallest" %6 : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@m]
  }
}
