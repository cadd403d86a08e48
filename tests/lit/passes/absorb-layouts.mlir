// The transpose before a flatten goes into the layout of the dense weight behind it, in every step and for its optimizer's states.
// RUN: sinter-opt %s --model-to-train --absorb-layouts | FileCheck %s
// RUN: sinter-opt %s --model-to-train --absorb-layouts | FileCheck %s --check-prefix=GONE

// CHECK: train.state @w : tensor<80x3xf32> {{.*}} layout <shape = [3, 80], view = [3, 5, 4, 4], perm = [2, 3, 1, 0]>
// CHECK: train.state @w.momentum : tensor<80x3xf32> {{.*}} layout <shape = [3, 80], view = [3, 5, 4, 4], perm = [2, 3, 1, 0]> of @w
// CHECK: train.reshape %{{.*}} : tensor<8x4x4x5xf32> -> tensor<8x80xf32>
// GONE-NOT: train.transpose
model.data @d seed 0 fields [{name = "image", type = tensor<5x4x4xf32>}, {classes = 3 : i64, name = "label", type = tensor<i32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<3x80xf32> init #train.init<normal, 0.0, 0.1> role "weight"
  model.net @Net(%image: tensor<5x4x4xf32> {model.name = "image"}) -> tensor<3xf32> {
    %0 = model.flatten %image : (tensor<5x4x4xf32>) -> tensor<80xf32>
    %1 = model.relu %0 : tensor<80xf32>
    %2 = model.dropout %1 {p = 0.5 : f64, scale = "training", layer = "dropout1"} : tensor<80xf32>
    %w = model.read @w : tensor<3x80xf32>
    %3 = model.dense %2, %w : (tensor<80xf32>, tensor<3x80xf32>) -> tensor<3xf32>
    model.return %3 : tensor<3xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %image = model.field "image" : tensor<5x4x4xf32>
    %label = model.field "label" : tensor<i32>
    %y = model.call @Net(%image) : (tensor<5x4x4xf32>) -> tensor<3xf32>
    %e = model.cross_entropy %y, %label {axis = 0 : i64, smoothing = 0.0 : f64} : (tensor<3xf32>, tensor<i32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.regularize l1 0.0 l2 1.0e-4 over [@w]
    model.clip "norm" 1.0
    model.optimize "sgd" rate 0.1 over [@w] {momentum = 0.9 : f64}
  }
}
