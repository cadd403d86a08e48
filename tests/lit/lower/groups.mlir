// A grouped convolution: groups are an axis of x, w and y, by reshapes alone; the weight lies as it is used.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.eval
// CHECK-DAG: %[[X:.*]] = train.reshape %{{.*}} : tensor<8x4x4x4xf32> -> tensor<8x4x4x2x2xf32>
// CHECK-DAG: %[[W:.*]] = train.reshape %{{.*}} : tensor<1x1x2x6xf32> -> tensor<1x1x2x2x3xf32>
// CHECK: %[[Y:.*]] = train.conv2d %[[X]], %[[W]]
// CHECK: train.reshape %[[Y]] : tensor<8x4x4x2x3xf32> -> tensor<8x4x4x6xf32>
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
