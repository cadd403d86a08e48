// Operands of products are rounded once each, their results too, but not the gradient of a parameter.
// RUN: sinter-opt %s --pass-pipeline='builtin.module(train.step(differentiate,round-products))' | FileCheck %s

train.state @w : tensor<4x4xf32> kind "parameter" init <constant, 0.0, 0.0>

// CHECK-LABEL: train.step @mixed
// CHECK-NOT: attributes {bf16}
train.step @mixed kind "train" (%x: tensor<8x4xf32> {train.data = "x"}, %w: tensor<4x4xf32> {train.owns = @w}) attributes {bf16} {
  // CHECK-DAG: %[[X:.*]] = train.bf16 %x
  // CHECK-DAG: %[[W:.*]] = train.bf16 %w
  // CHECK: %[[Y:.*]] = train.contract "bk,kn->bn" %[[X]], %[[W]]
  // CHECK: %[[Z:.*]] = train.bf16 %[[Y]]
  %y = train.contract "bk,kn->bn" %x, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  // CHECK: train.square %[[Z]]
  %q = train.square %y : tensor<8x4xf32>
  // CHECK: train.sum
  %loss = train.sum %q over [0, 1] : tensor<8x4xf32> -> tensor<f32>
  // CHECK: %[[D:.*]] = train.mul %{{.*}}, %[[Z]]
  // CHECK: %[[R:.*]] = train.bf16 %[[D]]
  // CHECK: %[[G:.*]] = train.contract "bk,bn->kn" %[[X]], %[[R]]
  // CHECK-NEXT: train.commit states [@w](%[[G]]
  %g = train.gradient %loss of %w : tensor<4x4xf32>
  train.commit states [@w] (%g : tensor<4x4xf32>) outputs ["loss"] (%loss : tensor<f32>)
}
