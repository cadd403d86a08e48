// Lengths in epochs are multiples of the clock's `epoch`, known once the data is read; a schedule in the objective goes by the same clocks, while training and
// while measuring.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK-SAME: %[[STEP:.*]]: index {train.clock = "step"}, %[[LAST:.*]]: index {train.clock = "last"}{{.*}}, %[[EPOCH:.*]]: index {train.clock = "epoch"}
// CHECK: train.rate "linear"(9.000000e-01) at %[[STEP]] of %[[LAST]] {to = 1.000000e-01 : f64}
// CHECK: train.rate "cosine"(1.000000e-01) at %[[STEP]] of %[[LAST]] epochs %[[EPOCH]] {warmup = 2 : i64, warmup_epochs}
// CHECK-LABEL: train.step @t.main.eval
// CHECK: train.rate "linear"(9.000000e-01) at %{{.*}} of %{{.*}} {to = 1.000000e-01 : f64}
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
    %alpha = model.schedule "linear" 0.9 {to = 0.1 : f64} : tensor<f32>
    %mixed = model.mul %alpha, %e : (tensor<f32>, tensor<f32>) -> tensor<f32>
    model.objective %mixed : tensor<f32>
    model.optimize "sgd" rate 0.1 schedule "cosine" over [@w] {warmup = 2.0 : f64, warmup_epochs}
  }
}
