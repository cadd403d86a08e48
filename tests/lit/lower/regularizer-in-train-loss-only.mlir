// A regularizer stands in the loss of the training step, which is differentiated, and not in the evaluation.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.main.train
// CHECK: %[[DATA:.*]] = train.batch_mean
// CHECK: %[[L1:.*]] = train.abs %{{.*}} : tensor<4xf32>
// CHECK: train.sum %[[L1]] over [0]
// CHECK: %[[L2:.*]] = train.square %{{.*}} : tensor<4xf32>
// CHECK: train.sum %[[L2]] over [0]
// CHECK: %[[LOSS:.*]] = train.add %[[DATA]], %{{.*}}
// CHECK: train.gradient %[[LOSS]] of
// CHECK: train.commit states [@w](%{{.*}}) outputs ["loss"](%[[LOSS]] : tensor<f32>)
// CHECK-LABEL: train.step @t.main.eval
// CHECK-NOT: train.abs
// CHECK: %[[MEAN:.*]] = train.batch_mean
// CHECK-NEXT: train.commit outputs ["loss"](%[[MEAN]] : tensor<f32>)
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
    model.regularize l1 0.5 l2 0.25 over [@w]
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
