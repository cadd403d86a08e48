// AdamW keeps two states, corrects both by the step, and follows its schedule.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-DAG: train.state @w.exp_avg : tensor<4xf32> kind "optimizer"
// CHECK-DAG: train.state @w.exp_avg_sq : tensor<4xf32> kind "optimizer"
// CHECK-LABEL: train.step @t.main.train
// CHECK-SAME: %[[STEP:[a-z0-9_.]+]]: index {train.clock = "step"}, %[[LAST:[a-z0-9_.]+]]: index {train.clock = "last"}
// CHECK: %[[RATE:.*]] = train.rate "cosine"(1.000000e-01) at %[[STEP]] of %[[LAST]] {factor = 5.000000e-01 : f64, to = 1.000000e-03 : f64, warmup = 5 : i64}
// CHECK: %[[C1:.*]] = train.bias_correction 9.000000e-01 at %[[STEP]]
// CHECK: %[[C2:.*]] = train.bias_correction {{9.9000.*e-01|0.98999.*}} at %[[STEP]]
// CHECK: train.adam {{.*}} rate %[[RATE]] corrections %[[C1]], %[[C2]] {{.*}}decoupled
// CHECK: train.commit states [@w, @w.exp_avg, @w.exp_avg_sq]
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
    model.optimize "adamw" rate 0.1 schedule "cosine" over [@w] {beta1 = 0.9 : f64, beta2 = 0.99 : f64, eps = 1.0e-8 : f64, weight_decay = 0.01 : f64, warmup = 5.0 : f64, floor = 0.001 : f64, factor = 0.5 : f64}
  }
}
