// With two blocks, or a parameter named like the data, a state's symbol begins with its block's name, so that names stay apart.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK: train.state @"a/w" {{.*}} {run = "a"}
// CHECK: train.step @a.main.train {{.*}}train.owns = @"a/w"
// CHECK: train.run @a on @d
// CHECK: train.state @"b/w" {{.*}} {run = "b"}
// CHECK: train.step @b.main.train {{.*}}train.owns = @"b/w"
// CHECK: train.run @b on @d
model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @a of @Net on @d seed 0 {
  model.param @w : tensor<f32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.net @Net(%x: tensor<f32> {model.name = "x"}) -> tensor<f32> {
    %w = model.read @w : tensor<f32>
    %0 = model.mul %x, %w : (tensor<f32>, tensor<f32>) -> tensor<f32>
    model.return %0 : tensor<f32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %x = model.field "x" : tensor<f32>
    %0 = model.call @Net(%x) : (tensor<f32>) -> tensor<f32>
    model.objective %0 : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
model.train @b of @Net on @d seed 0 {
  model.param @w : tensor<f32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.net @Net(%x: tensor<f32> {model.name = "x"}) -> tensor<f32> {
    %w = model.read @w : tensor<f32>
    %0 = model.mul %x, %w : (tensor<f32>, tensor<f32>) -> tensor<f32>
    model.return %0 : tensor<f32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %x = model.field "x" : tensor<f32>
    %0 = model.call @Net(%x) : (tensor<f32>) -> tensor<f32>
    model.objective %0 : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
