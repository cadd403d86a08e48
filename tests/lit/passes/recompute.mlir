// What is kept and what is computed again: within a part nothing is kept, between parts what one hands to the next.
// RUN: sinter-opt %s --pass-pipeline='builtin.module(train.step(differentiate,recompute))' | FileCheck %s

train.state @w : tensor<4x4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @v : tensor<4x4xf32> kind "parameter" init <constant, 0.0, 0.0>

// CHECK-LABEL: train.step @parts
// CHECK-NOT: train.part
train.step @parts kind "train" (%x: tensor<8x4xf32> {train.data = "x"}, %w: tensor<4x4xf32> {train.owns = @w},
                                %v: tensor<4x4xf32> {train.owns = @v}) {
  // CHECK: %[[A:.*]] = train.contract "bk,kn->bn" %x, %w
  %a = train.contract "bk,kn->bn" %x, %w {train.part = "first"} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  // CHECK: %[[B:.*]] = train.tanh %[[A]]
  %b = train.tanh %a {train.part = "first"} : tensor<8x4xf32>
  // CHECK: %[[C:.*]] = train.square %[[B]]
  %c = train.square %b {train.part = "first"} : tensor<8x4xf32>
  // CHECK: %[[D:.*]] = train.contract "bk,kn->bn" %[[C]], %v
  %d = train.contract "bk,kn->bn" %c, %v {train.part = "second"} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  // CHECK: %[[E:.*]] = train.exp %[[D]]
  %e = train.exp %d {train.part = "second"} : tensor<8x4xf32>
  // CHECK: train.sum %[[E]]
  %loss = train.sum %e over [0, 1] : tensor<8x4xf32> -> tensor<f32>
  // The second part begins with what the first handed over.
  // CHECK: %[[D2:.*]] = train.contract "bk,kn->bn" %[[C]], %v {train.again}
  // CHECK: %[[E2:.*]] = train.exp %[[D2]] {train.again}
  // CHECK: %[[DD:.*]] = train.mul %{{.*}}, %[[E2]]
  // CHECK-NOT: train.square %{{.*}} {train.again}
  // The first with its input; it is computed once, for both that need it.
  // CHECK: %[[A2:.*]] = train.contract "bk,kn->bn" %x, %w {train.again}
  // CHECK: %[[B2:.*]] = train.tanh %[[A2]] {train.again}
  // CHECK-NOT: train.again
  // CHECK: train.commit
  %g, %h = train.gradient %loss of %w, %v : tensor<4x4xf32>, tensor<4x4xf32>
  train.commit states [@w, @v] (%g, %h : tensor<4x4xf32>, tensor<4x4xf32>) outputs ["loss"] (%loss : tensor<f32>)
}
