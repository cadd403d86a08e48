// SGD with momentum keeps one state a parameter, which begins at zero and is committed with it.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK: train.state @w.momentum : tensor<4xf32> kind "optimizer" init <constant, 0.000000e+00 : f64, 0.000000e+00 : f64> of @w
// CHECK-LABEL: train.step @t.main.train
// CHECK-SAME: %[[M:[a-z0-9_.]+]]: tensor<4xf32> {train.owns = @w.momentum}
// CHECK: %[[W1:.*]], %[[M1:.*]] = train.sgd %{{.*}}, %{{.*}}, %[[M]] rate %{{.*}} {momentum = 9.000000e-01 : f64, nesterov, weight_decay = 1.000000e-02 : f64}
// CHECK: train.commit states [@w, @w.momentum](%[[W1]], %[[M1]]
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
    model.optimize "sgd" rate 0.1 over [@w] {momentum = 0.9 : f64, nesterov, weight_decay = 0.01 : f64}
  }
}
