// Where the flattened value is a result as well, or the weight is read in its own order elsewhere, the transposes stay.
// RUN: sinter-opt %s -split-input-file --model-to-train --absorb-layouts | FileCheck %s

// CHECK: train.state @w : tensor<80x3xf32> {{.*}} layout <shape = [3, 80], view = [3, 80], perm = [1, 0]>
// CHECK: train.transpose %{{.*}} : tensor<8x4x4x5xf32> -> tensor<8x5x4x4xf32>
model.data @d seed 0 fields [{name = "image", type = tensor<5x4x4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<3x80xf32> init #train.init<normal, 0.0, 0.1> role "weight"
  model.net @Net(%image: tensor<5x4x4xf32> {model.name = "image"}) -> (tensor<3xf32>, tensor<80xf32>) {
    %0 = model.flatten %image : (tensor<5x4x4xf32>) -> tensor<80xf32>
    %w = model.read @w : tensor<3x80xf32>
    %1 = model.dense %0, %w : (tensor<80xf32>, tensor<3x80xf32>) -> tensor<3xf32>
    model.return %1, %0 : tensor<3xf32>, tensor<80xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %image = model.field "image" : tensor<5x4x4xf32>
    %y:2 = model.call @Net(%image) : (tensor<5x4x4xf32>) -> (tensor<3xf32>, tensor<80xf32>)
    %e = model.mean %y#0 {axes = array<i64: 0>, keep = false} : (tensor<3xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}

// -----

// CHECK: train.state @w : tensor<80x3xf32> {{.*}} layout <shape = [3, 80], view = [3, 80], perm = [1, 0]>
// CHECK: train.transpose %{{.*}} : tensor<8x4x4x5xf32> -> tensor<8x5x4x4xf32>
model.data @d seed 0 fields [{name = "image", type = tensor<5x4x4xf32>}, {name = "code", type = tensor<80xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<3x80xf32> init #train.init<normal, 0.0, 0.1> role "weight"
  model.net @Net(%image: tensor<5x4x4xf32> {model.name = "image"}, %code: tensor<80xf32> {model.name = "code"}) -> tensor<3xf32> {
    %0 = model.flatten %image : (tensor<5x4x4xf32>) -> tensor<80xf32>
    %w = model.read @w : tensor<3x80xf32>
    %1 = model.dense %0, %w : (tensor<80xf32>, tensor<3x80xf32>) -> tensor<3xf32>
    %2 = model.dense %code, %w : (tensor<80xf32>, tensor<3x80xf32>) -> tensor<3xf32>
    %3 = model.add %1, %2 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    model.return %3 : tensor<3xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %image = model.field "image" : tensor<5x4x4xf32>
    %code = model.field "code" : tensor<80xf32>
    %y = model.call @Net(%image, %code) : (tensor<5x4x4xf32>, tensor<80xf32>) -> tensor<3xf32>
    %e = model.mean %y {axes = array<i64: 0>, keep = false} : (tensor<3xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
