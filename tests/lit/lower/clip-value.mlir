// Clipping by value bounds each element from both sides.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK: %[[G:.*]] = train.gradient
// CHECK: %[[LOW:.*]] = train.constant dense<-2.000000e+00>
// CHECK: %[[ABOVE:.*]] = train.max %[[G]], %[[LOW]]
// CHECK: %[[HIGH:.*]] = train.constant dense<2.000000e+00>
// CHECK: %[[CLIPPED:.*]] = train.min %[[ABOVE]], %[[HIGH]]
// CHECK: train.sgd %{{.*}}, %[[CLIPPED]]
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}, {name = "y", type = tensor<4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<4xf32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.net @Net(%x: tensor<4xf32> {model.name = "x"}) -> tensor<4xf32> {
    %w = model.read @w : tensor<4xf32>
    %0 = model.mul %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    model.return %0 : tensor<4xf32>
  }
  model.stage @main batch 8 epochs 1.0 {
    %x = model.field "x" : tensor<4xf32>
    %y = model.field "y" : tensor<4xf32>
    %0 = model.call @Net(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %e = model.mse %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.clip "value" 2.0
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
