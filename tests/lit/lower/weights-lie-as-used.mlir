// A convolution's weight lies as [kh, kw, C, O] and a dense one's as [in, out]; images as [B, H, W, C].
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK: train.state @conv.weight : tensor<3x3x2x5xf32> kind "parameter" {{.*}} layout <shape = [5, 2, 3, 3], view = [5, 2, 3, 3], perm = [2, 3, 1, 0]>
// CHECK: train.state @dense.weight : tensor<80x3xf32> {{.*}} layout <shape = [3, 80], view = [3, 80], perm = [1, 0]>
// CHECK: train.step @t.main.train kind "train"
// CHECK-SAME: %[[IMAGE:[a-z0-9_.]+]]: tensor<8x4x4x2xf32> {train.data = "image", train.perm = array<i64: 1, 2, 0>}
// CHECK: %[[CONV:.*]] = train.conv2d %[[IMAGE]], %{{.*}} -> tensor<8x4x4x5xf32>
// CHECK: train.broadcast %{{.*}} to [3] : tensor<5xf32>
// The flattened value has PyTorch's order.
// CHECK: %[[SAVED:.*]] = train.transpose %{{.*}} by [0, 3, 1, 2] : tensor<8x4x4x5xf32> -> tensor<8x5x4x4xf32>
// CHECK: %[[FLAT:.*]] = train.reshape %[[SAVED]] : tensor<8x5x4x4xf32> -> tensor<8x80xf32>
// CHECK: train.contract "bk,kn->bn" %[[FLAT]], %{{.*}} : (tensor<8x80xf32>, tensor<80x3xf32>) -> tensor<8x3xf32>
model.data @d seed 0 fields [{name = "image", type = tensor<2x4x4xf32>}, {classes = 3 : i64, name = "label", type = tensor<i32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @conv.weight : tensor<5x2x3x3xf32> init #train.init<normal, 0.0, 0.1> role "weight"
  model.param @conv.bias : tensor<5xf32> init #train.init<constant, 0.0, 0.0> role "bias"
  model.param @dense.weight : tensor<3x80xf32> init #train.init<normal, 0.0, 0.1> role "weight"
  model.net @Net(%image: tensor<2x4x4xf32> {model.name = "image"}) -> tensor<3xf32> {
    %k = model.read @conv.weight : tensor<5x2x3x3xf32>
    %b = model.read @conv.bias : tensor<5xf32>
    %0 = model.conv2d %image, %k, %b {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 1 : i64}
       : (tensor<2x4x4xf32>, tensor<5x2x3x3xf32>, tensor<5xf32>) -> tensor<5x4x4xf32>
    %1 = model.flatten %0 : (tensor<5x4x4xf32>) -> tensor<80xf32>
    %w = model.read @dense.weight : tensor<3x80xf32>
    %2 = model.dense %1, %w : (tensor<80xf32>, tensor<3x80xf32>) -> tensor<3xf32>
    model.return %2 : tensor<3xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %image = model.field "image" : tensor<2x4x4xf32>
    %label = model.field "label" : tensor<i32>
    %y = model.call @Net(%image) : (tensor<2x4x4xf32>) -> tensor<3xf32>
    %e = model.cross_entropy %y, %label {axis = 0 : i64, smoothing = 0.0 : f64} : (tensor<3xf32>, tensor<i32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@conv.weight, @conv.bias, @dense.weight]
  }
}
