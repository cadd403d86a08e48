// While training, batch norm takes the batch's statistics and moves the stored ones, the variance unbiased; a frozen layer and evaluation
// read the stored ones and own nothing.
// RUN: sinter-opt %s --model-to-train | FileCheck %s

// CHECK-LABEL: train.step @t.free.train
// CHECK-SAME: %[[COUNT:[a-z0-9_.]+]]: index {train.clock = "count"}
// CHECK-SAME: train.owns = @n.running_mean
// CHECK-SAME: train.owns = @n.running_var
// CHECK: %mean, %variance = train.moments %{{.*}} of %[[COUNT]] : tensor<8x4xf32> -> tensor<4xf32>, tensor<4xf32>
// CHECK: %[[N:.*]] = train.count %[[COUNT]] times 1.000000e+00
// CHECK: %[[LESS:.*]] = train.sub %[[N]], %{{.*}}
// CHECK: %[[OTHERS:.*]] = train.max %[[LESS]], %{{.*}}
// CHECK: %[[RATIO:.*]] = train.div %[[N]], %[[OTHERS]]
// CHECK: train.mul %variance, %[[RATIO]]
// CHECK: train.commit states [{{.*}}@n.running_mean, @n.running_var]
// CHECK-LABEL: train.step @t.free.eval
// CHECK-NOT: train.moments
// CHECK: train.commit outputs
// CHECK-LABEL: train.step @t.frozen.train
// CHECK-SAME: train.reads = @n.running_mean
// CHECK-NOT: train.moments
// CHECK: train.commit states [@w]
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}, {name = "y", type = tensor<4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<4xf32> init #train.init<constant, 1.0, 0.0> role "weight"
  model.param @n.weight : tensor<4xf32> init #train.init<constant, 1.0, 0.0> role "norm_scale"
  model.param @n.bias : tensor<4xf32> init #train.init<constant, 0.0, 0.0> role "norm_shift"
  model.buffer @n.running_mean : tensor<4xf32> init #train.init<constant, 0.0, 0.0> role "buffer"
  model.buffer @n.running_var : tensor<4xf32> init #train.init<constant, 1.0, 0.0> role "buffer"
  model.net @Net(%x: tensor<4xf32> {model.name = "x"}) -> tensor<4xf32> {
    %w = model.read @w : tensor<4xf32>
    %0 = model.mul %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %1 = model.read @n.weight : tensor<4xf32>
    %2 = model.read @n.bias : tensor<4xf32>
    %3 = model.read @n.running_mean : tensor<4xf32>
    %4 = model.read @n.running_var : tensor<4xf32>
    %5 = model.batch_norm %0, %1, %2, %3, %4 {momentum = 0.1 : f64, eps = 1.0e-5 : f64, axis = 0 : i64, layer = "n"}
       : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    model.return %5 : tensor<4xf32>
  }
  model.stage @free batch 8 epochs 1.0 {
    %x = model.field "x" : tensor<4xf32>
    %y = model.field "y" : tensor<4xf32>
    %0 = model.call @Net(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %e = model.mse %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w, @n.weight, @n.bias]
  }
  model.stage @frozen batch 8 epochs 1.0 frozen ["n.weight", "n.bias", "n.running_mean", "n.running_var"] frozen_layers ["n"] {
    %x = model.field "x" : tensor<4xf32>
    %y = model.field "y" : tensor<4xf32>
    %0 = model.call @Net(%x) : (tensor<4xf32>) -> tensor<4xf32>
    %e = model.mse %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
    model.objective %e : tensor<f32>
    model.optimize "sgd" rate 0.1 over [@w]
  }
}
