// Clipping by norm takes the norm of all gradients together, and never makes them larger.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK: %[[G:.*]] = train.gradient
// CHECK: %[[SQUARE:.*]] = train.square %[[G]]
// CHECK: %[[SUM:.*]] = train.sum %[[SQUARE]] over [0]
// CHECK: %[[NORM:.*]] = train.sqrt %[[SUM]]
// CHECK: %[[LIMIT:.*]] = train.constant dense<2.000000e+00>
// CHECK: %[[FACTOR:.*]] = train.div %[[LIMIT]], %{{.*}}
// CHECK: %[[AT_MOST:.*]] = train.min %[[FACTOR]], %{{.*}}
// CHECK: %[[CLIPPED:.*]] = train.mul %[[G]], %[[AT_MOST]]
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
    model.clip "norm" 2.0
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
