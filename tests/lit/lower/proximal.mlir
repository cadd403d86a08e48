// A proximal l1 is in the loss that is shown, not in what is differentiated; the update is cut towards zero by rate times its factor.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK: %[[DATA:.*]] = train.batch_mean
// CHECK: %[[SHOWN:.*]] = train.add %[[DATA]], %{{.*}}
// CHECK: train.gradient %[[DATA]] of
// CHECK: %[[RATE:.*]] = train.rate
// CHECK: %[[W:.*]] = train.sgd
// CHECK: %[[FACTOR:.*]] = train.constant dense<5.000000e-01>
// CHECK: %[[CUT:.*]] = train.mul %[[RATE]], %[[FACTOR]]
// CHECK: %[[SIZE:.*]] = train.abs %[[W]]
// CHECK: train.sub %[[SIZE]], %[[CUT]]
// CHECK: %[[SIGN:.*]] = train.sign %[[W]]
// CHECK: %[[NEW:.*]] = train.mul %[[SIGN]], %{{.*}}
// CHECK: train.commit states [@w](%[[NEW]] : tensor<4xf32>) outputs ["loss"](%[[SHOWN]] : tensor<f32>)
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
    model.regularize l1 0.5 l2 0.0 proximal over [@w]
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
