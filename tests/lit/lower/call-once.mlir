// A model on one batch is computed once, however often the stage names it; reports follow the loss.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK: %[[Y:.*]] = train.mul %{{.*}}, %{{.*}} : tensor<8x4xf32>, tensor<8x4xf32>
// CHECK-NOT: train.mul
// CHECK: train.sum %[[Y]] over [1]
// CHECK: train.commit states [@w]{{.*}} outputs ["loss", "total"]
// CHECK: train.stage {{.*}} reports ["total"]
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
    %1 = model.call @Net(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %2 = model.sum %1 {axes = array<i64: 0>, keep = false} : (tensor<4xf32>) -> tensor<f32>
    model.report "total" %2 : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
