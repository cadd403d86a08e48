// A scan's derivative is a scan backwards that carries the state's gradient; the weight's is one product over rows and steps behind it.
// RUN: sinter-opt %s -differentiate -canonicalize -train-cse | FileCheck %s

train.state @w : tensor<8x8xf32> kind "parameter" init <orthogonal, 1.0, 1.0>
train.state @frozen : tensor<8x8xf32> kind "parameter" init <orthogonal, 1.0, 1.0>

// CHECK-LABEL: train.step @s
train.step @s kind "train" (%x: tensor<4x5x8xf32> {train.data = "x"}, %w: tensor<8x8xf32> {train.owns = @w},
                            %f: tensor<8x8xf32> {train.reads = @frozen}, %r: tensor<4x8xf32> {train.data = "r"}) {
  %h = train.constant dense<0.0> : tensor<4x8xf32>
  // The forward scan keeps what the product read, and what tanh gave.
  // CHECK: train.scan over 5 sequences
  // CHECK: train.next carried(%[[H:.*]], %{{.*}} : {{.*}}) kept({{.*}}%[[H]]
  // CHECK: train.scan over 5 backwards
  // CHECK-NOT: "bk,bn->kn"
  // CHECK: train.next
  // CHECK: train.contract "btk,btn->kn"
  // CHECK-NOT: train.contract
  // CHECK: train.commit
  %last, %second = train.scan over 5 sequences(%x : tensor<4x5x8xf32>) carried(%h, %h : tensor<4x8xf32>, tensor<4x8xf32>)
      constants(%w, %f : tensor<8x8xf32>, tensor<8x8xf32>) {
  ^bb0(%xt: tensor<4x8xf32>, %ht: tensor<4x8xf32>, %st: tensor<4x8xf32>, %wt: tensor<8x8xf32>, %ft: tensor<8x8xf32>):
    %0 = train.contract "bk,kn->bn" %ht, %wt : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
    %1 = train.add %xt, %0 : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
    %2 = train.tanh %1 : tensor<4x8xf32>
    %3 = train.contract "bk,kn->bn" %st, %ft : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
    %4 = train.add %3, %2 : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
    train.next carried(%2, %4 : tensor<4x8xf32>, tensor<4x8xf32>)
  } -> tensor<4x8xf32>, tensor<4x8xf32>
  %m = train.mul %second, %r : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  %loss = train.sum %m over [0, 1] : tensor<4x8xf32> -> tensor<f32>
  %g = train.gradient %loss of %w : tensor<8x8xf32>
  train.commit states [@w] (%g : tensor<8x8xf32>) outputs ["loss"] (%loss : tensor<f32>)
}
