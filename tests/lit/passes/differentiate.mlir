// What `differentiate` builds, and above all what it does not.
// RUN: sinter-opt %s -split-input-file --pass-pipeline='builtin.module(train.step(differentiate,verify-frozen{print=true}))' | FileCheck %s

train.state @frozen : tensor<3x4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @trained : tensor<4x2xf32> kind "parameter" init <constant, 0.0, 0.0>

// CHECK: step @freeze: owns [trained], reads [frozen], computes gradients in 6 ops
// Nothing for the frozen layer: not its weight's gradient, not its input's, nor the relu's in front of it.
// CHECK-LABEL: train.step @freeze
train.step @freeze kind "train" (%x: tensor<8x3xf32> {train.data = "x"}, %w: tensor<3x4xf32> {train.reads = @frozen},
                                 %v: tensor<4x2xf32> {train.owns = @trained}) {
  // CHECK: %[[H:.*]] = train.contract "bk,kn->bn" %x, %frozen
  %h = train.contract "bk,kn->bn" %x, %w : (tensor<8x3xf32>, tensor<3x4xf32>) -> tensor<8x4xf32>
  // CHECK: %[[A:.*]] = train.relu %[[H]]
  %a = train.relu %h : tensor<8x4xf32>
  %y = train.contract "bn,no->bo" %a, %v : (tensor<8x4xf32>, tensor<4x2xf32>) -> tensor<8x2xf32>
  // CHECK: %[[Y:.*]] = train.contract
  %q = train.square %y : tensor<8x2xf32>
  %loss = train.sum %q over [0, 1] : tensor<8x2xf32> -> tensor<f32>
  // CHECK: %[[SPREAD:.*]] = train.broadcast %{{.*}} to [] : tensor<f32> -> tensor<8x2xf32>
  // CHECK: %[[TWICE:.*]] = train.mul %[[SPREAD]], %{{.*}}
  // CHECK: %[[DY:.*]] = train.mul %[[TWICE]], %[[Y]]
  // CHECK: %[[G:.*]] = train.contract "bn,bo->no" %[[A]], %[[DY]]
  // CHECK-NOT: train.contract
  // CHECK: train.commit states [@trained](%[[G]]
  %g = train.gradient %loss of %v : tensor<4x2xf32>
  train.commit states [@trained] (%g : tensor<4x2xf32>) outputs ["loss"] (%loss : tensor<f32>)
}

// -----

// A tie is one state with two uses: the gradients are added, the last use's first.
train.state @tied : tensor<4x4xf32> kind "parameter" init <constant, 0.0, 0.0>
// CHECK-LABEL: train.step @tie
train.step @tie kind "train" (%x: tensor<8x4xf32> {train.data = "x"}, %w: tensor<4x4xf32> {train.owns = @tied}) {
  // CHECK: %[[H:.*]] = train.contract "bk,kn->bn" %x, %tied
  %h = train.contract "bk,kn->bn" %x, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %y = train.contract "bn,kn->bk" %h, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %loss = train.sum %y over [0, 1] : tensor<8x4xf32> -> tensor<f32>
  // CHECK: %[[LAST:.*]] = train.contract "bk,bn->kn" %{{.*}}, %[[H]]
  // CHECK: %[[FIRST:.*]] = train.contract "bk,bn->kn" %x, %{{.*}}
  // CHECK: %[[SUM:.*]] = train.add %[[LAST]], %[[FIRST]]
  // CHECK: train.commit states [@tied](%[[SUM]]
  %g = train.gradient %loss of %w : tensor<4x4xf32>
  train.commit states [@tied] (%g : tensor<4x4xf32>)
}

// -----

// No gradient goes through stop_gradient, and it goes itself; what the loss does not read has gradient 0.
train.state @a : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @b : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
// CHECK-LABEL: train.step @stop
// CHECK-NOT: train.stop_gradient
// CHECK: %[[ZERO:.*]] = train.constant dense<0.000000e+00> : tensor<4xf32>
// CHECK: train.commit states [@a, @b](%{{.*}}, %[[ZERO]] :
train.step @stop kind "train" (%a: tensor<4xf32> {train.owns = @a}, %b: tensor<4xf32> {train.owns = @b}) {
  %e = train.exp %b : tensor<4xf32>
  %s = train.stop_gradient %e : tensor<4xf32>
  %p = train.mul %a, %s : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %loss = train.sum %p over [0] : tensor<4xf32> -> tensor<f32>
  %ga, %gb = train.gradient %loss of %a, %b : tensor<4xf32>, tensor<4xf32>
  train.commit states [@a, @b] (%ga, %gb : tensor<4xf32>, tensor<4xf32>)
}
