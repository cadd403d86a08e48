// A weight used both ways round is one state, lies as its first use wants, and is transposed by no op: the other contraction reads it as it is.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-COUNT-1: train.state @w : tensor<4x2xf32>
// CHECK-LABEL: train.step @t.main.train
// CHECK-SAME: %[[W:[a-z0-9_.]+]]: tensor<4x2xf32> {train.owns = @w}
// CHECK: %[[H:.*]] = train.contract "bk,kn->bn" %{{.*}}, %[[W]] : (tensor<8x4xf32>, tensor<4x2xf32>) -> tensor<8x2xf32>
// CHECK-NOT: train.transpose
// CHECK: train.contract "bk,nk->bn" %[[H]], %[[W]] : (tensor<8x2xf32>, tensor<4x2xf32>) -> tensor<8x4xf32>
// CHECK: train.gradient %{{.*}} of %[[W]] : tensor<4x2xf32>
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}, {name = "y", type = tensor<4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<2x4xf32> init #train.init<normal, 0.0, 1.0> role "weight"
  model.net @Net(%x: tensor<4xf32> {model.name = "x"}) -> tensor<4xf32> {
    %w = model.read @w : tensor<2x4xf32>
    %0 = model.dense %x, %w : (tensor<4xf32>, tensor<2x4xf32>) -> tensor<2xf32>
    %t = model.permute %w {axes = array<i64: 1, 0>} : (tensor<2x4xf32>) -> tensor<4x2xf32>
    %1 = model.dense %0, %t : (tensor<2xf32>, tensor<4x2xf32>) -> tensor<4xf32>
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
