// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,plan-memory{print},verify-plan)' | FileCheck %s --implicit-check-not=error
// The old weight is needed to compute what depends on the new one: a copy ends the step.

// CHECK: late: {{.*}}; copies 64 bytes; states in place 0;
train.state @w : tensor<4x4xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @late kind "train" (%x: tensor<4x4xf32> {train.data = "x"}, %w: tensor<4x4xf32> {train.owns = @w}) {
  %n = train.exp %w : tensor<4x4xf32>
  %g = train.contract "bk,bn->kn" %n, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %h = train.contract "bk,bn->kn" %g, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %l = train.sum %h over [0, 1] : tensor<4x4xf32> -> tensor<f32>
  train.commit states [@w] (%n : tensor<4x4xf32>) outputs ["loss"] (%l : tensor<f32>)
}
