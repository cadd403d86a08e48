// The classic form: nothing is scaled while training, and (1 - p) at inference.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK: train.compare "ge"
// CHECK-NOT: train.mul
// CHECK: train.select %{{.*}}, %{{.*}}, %{{.*}} : tensor<8x4xi1>
// CHECK-LABEL: train.step @t.main.eval
// CHECK: %[[LEFT:.*]] = train.constant dense<7.500000e-01>
// CHECK: train.mul %{{.*}}, %[[LEFT]] : tensor<8x4xf32>, tensor<f32>
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}, {name = "y", type = tensor<4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<4xf32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.net @Net(%x: tensor<4xf32> {model.name = "x"}) -> tensor<4xf32> {
    %w = model.read @w : tensor<4xf32>
    %0 = model.add %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %1 = model.dropout %0 {p = 0.25 : f64, scale = "inference", layer = "drop"} : tensor<4xf32>
    model.return %1 : tensor<4xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %x = model.field "x" : tensor<4xf32>
    %y = model.field "y" : tensor<4xf32>
    %0 = model.call @Net(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %e = model.mse %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
