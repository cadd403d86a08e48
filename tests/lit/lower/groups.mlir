// A grouped convolution: each group reads its own channels and writes its own, one behind the other.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.eval
// CHECK: %[[X0:.*]] = train.slice %{{.*}} at [0, 0, 0, 0] by [1, 1, 1, 1] : tensor<8x4x4x4xf32> -> tensor<8x4x4x2xf32>
// CHECK: %[[W0:.*]] = train.slice %{{.*}} at [0, 0, 0, 0] by [1, 1, 1, 1] : tensor<1x1x2x6xf32> -> tensor<1x1x2x3xf32>
// CHECK: %[[Y0:.*]] = train.conv2d %[[X0]], %[[W0]]
// CHECK: %[[X1:.*]] = train.slice %{{.*}} at [0, 0, 0, 2]
// CHECK: %[[W1:.*]] = train.slice %{{.*}} at [0, 0, 0, 3]
// CHECK: %[[Y1:.*]] = train.conv2d %[[X1]], %[[W1]]
// CHECK: train.concat %[[Y0]], %[[Y1]] along 3 : tensor<8x4x4x3xf32>, tensor<8x4x4x3xf32> -> tensor<8x4x4x6xf32>
model.data @d seed 0 fields [{name = "image", type = tensor<4x4x4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<6x2x1x1xf32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.net @Net(%image: tensor<4x4x4xf32> {model.name = "image"}) -> tensor<6x4x4xf32> {
    %w = model.read @w : tensor<6x2x1x1xf32>
    %y = model.conv2d %image, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64}
       : (tensor<4x4x4xf32>, tensor<6x2x1x1xf32>) -> tensor<6x4x4xf32>
    model.return %y : tensor<6x4x4xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %x = model.field "image" : tensor<4x4x4xf32>
    %0 = model.call @Net(%x) : (tensor<4x4x4xf32>) -> tensor<6x4x4xf32>
    %1 = model.mean %0 {axes = array<i64: 0, 1, 2>, keep = false} : (tensor<6x4x4xf32>) -> tensor<f32>
    model.objective %1 : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
