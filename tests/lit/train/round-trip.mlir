// What the train floor prints, it reads: twice through is once through.
// RUN: sinter-opt %s -o %t.once && sinter-opt %t.once -o %t.twice && diff %t.once %t.twice
// RUN: FileCheck %s < %t.once

// CHECK: train.state @w : tensor<12x4xf32> kind "parameter" init <normal, {{.*}}> layout <shape = [4, 12], view = [4, 3, 2, 2], perm = [2, 3, 1, 0]> also ["v"]
train.state @w : tensor<12x4xf32> kind "parameter" init #train.init<normal, 0.0, 0.02>
  layout #train.layout<shape = [4, 12], view = [4, 3, 2, 2], perm = [2, 3, 1, 0]> also ["v"]
// CHECK: train.state @w.momentum : tensor<12x4xf32> kind "optimizer" init <constant, {{.*}}> of @w
train.state @w.momentum : tensor<12x4xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @w

// Arguments are named after what they are bound to.
// CHECK: train.step @s kind "train" (%step: index {train.clock = "step"}
// CHECK-SAME: %image: tensor<8x2x2x3xf32> {train.data = "image", train.perm = array<i64: 1, 2, 0>}
// CHECK-SAME: %w: tensor<12x4xf32> {train.owns = @w}
train.step @s kind "train" (%t: index {train.clock = "step"}, %T: index {train.clock = "last"}, %n: index {train.clock = "count"},
    %x: tensor<8x2x2x3xf32> {train.data = "image", train.perm = array<i64: 1, 2, 0>}, %label: tensor<8xi32> {train.data = "label"},
    %v: tensor<12x4xf32> {train.owns = @w}, %m: tensor<12x4xf32> {train.owns = @w.momentum}) {
  %flat = train.reshape %x : tensor<8x2x2x3xf32> -> tensor<8x12xf32>
  %h = train.contract "bk,kn->bn" %flat, %v : (tensor<8x12xf32>, tensor<12x4xf32>) -> tensor<8x4xf32>
  %a = train.leaky_relu %h {slope = 0.1 : f64} : tensor<8x4xf32>
  %e = train.cross_entropy %a, %label {smoothing = 0.1 : f64} : tensor<8x4xf32>, tensor<8xi32> -> tensor<8xf32>
  %loss = train.batch_mean %e of %n : tensor<8xf32> -> tensor<f32>
  // CHECK: train.gradient %{{.*}} of %w : tensor<12x4xf32>
  %g = train.gradient %loss of %v : tensor<12x4xf32>
  // CHECK: train.rate "cosine"(1.000000e-02) at %step of %last {warmup = 5 : i64} : tensor<f32>
  %lr = train.rate "cosine"(0.01) at %t of %T {warmup = 5 : i64} : tensor<f32>
  %v1, %m1 = train.sgd %v, %g, %m rate %lr {momentum = 0.9, nesterov} : (tensor<12x4xf32>, tensor<12x4xf32>, tensor<12x4xf32>, tensor<f32>) -> (tensor<12x4xf32>, tensor<12x4xf32>)
  // CHECK: train.commit states [@w, @w.momentum]
  // CHECK-SAME: outputs ["loss"]
  train.commit states [@w, @w.momentum] (%v1, %m1 : tensor<12x4xf32>, tensor<12x4xf32>) outputs ["loss"] (%loss : tensor<f32>)
}

// CHECK: train.step @p kind "predict"
train.step @p kind "predict" (%x: tensor<8x4xf32> {train.data = "x"}) {
  // CHECK: train.commit results ["y"]
  %y = train.softmax %x : tensor<8x4xf32>
  train.commit results ["y"] (%y : tensor<8x4xf32>)
}
