// Dropout draws by the layer's path while training, scales what is left, and is nothing in evaluation or where the layer is frozen.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.free.train
// CHECK: %[[IDS:.*]] = train.broadcast %{{.*}} to [0] : tensor<8xi32> -> tensor<8x4xi32>
// CHECK: %[[DRAWN:.*]] = train.random "drop" of %[[IDS]] draw
// CHECK: %[[P:.*]] = train.constant dense<2.500000e-01>
// CHECK: %[[KEPT:.*]] = train.compare "ge" %[[DRAWN]], %[[P]]
// CHECK: %[[LEFT:.*]] = train.select %[[KEPT]], %{{.*}}, %{{.*}}
// CHECK: %[[SCALE:.*]] = train.constant dense<1.33333337>
// CHECK: train.mul %[[LEFT]], %[[SCALE]]
// A second use of the layer draws other numbers.
// CHECK: train.random "drop#2"
// CHECK-LABEL: train.step @t.free.eval
// CHECK-NOT: train.random
// CHECK-LABEL: train.step @t.frozen.train
// CHECK-NOT: train.random
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}, {name = "y", type = tensor<4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<4xf32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.net @Net(%x: tensor<4xf32> {model.name = "x"}) -> tensor<4xf32> {
    %w = model.read @w : tensor<4xf32>
    %0 = model.mul %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %1 = model.dropout %0 {p = 0.25 : f64, scale = "training", layer = "drop"} : tensor<4xf32>
    %2 = model.dropout %1 {p = 0.25 : f64, scale = "training", layer = "drop"} : tensor<4xf32>
    model.return %2 : tensor<4xf32>
  }
  model.stage @free batch 8 epochs 1.0 {
    %x = model.field "x" : tensor<4xf32>
    %y = model.field "y" : tensor<4xf32>
    %0 = model.call @Net(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %e = model.mse %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
  model.stage @frozen batch 8 epochs 1.0 frozen_layers ["drop"] {
    %x = model.field "x" : tensor<4xf32>
    %y = model.field "y" : tensor<4xf32>
    %0 = model.call @Net(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %e = model.mse %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
