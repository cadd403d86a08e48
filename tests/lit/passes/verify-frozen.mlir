// A gradient that nothing commits is computed for something frozen.
// RUN: not sinter-opt %s -verify-frozen 2>&1 | FileCheck %s

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<4xf32> {train.reads = @w}) {
  %e = train.exp %w : tensor<4xf32>
  %loss = train.sum %e over [0] : tensor<4xf32> -> tensor<f32>
  // CHECK: net.sinter:3:1: error: 'train.mul' op computes a gradient that no owned state needs
  %g = train.mul %e, %e : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32> loc("gradient"("net.sinter":3:1))
  train.commit outputs ["loss"] (%loss : tensor<f32>)
}
