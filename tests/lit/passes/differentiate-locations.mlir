// A gradient's op says whose derivative it is.
// RUN: sinter-opt %s --pass-pipeline='builtin.module(train.step(differentiate),verify-locations)' -mlir-print-debuginfo | FileCheck %s

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<4xf32> {train.owns = @w}) {
  %e = train.exp %w : tensor<4xf32> loc("layer1"("net.sinter":3:5))
  %loss = train.sum %e over [0] : tensor<4xf32> -> tensor<f32> loc("net.sinter":4:1)
  // CHECK: train.mul {{.*}} loc(#[[EXP:.*]])
  %g = train.gradient %loss of %w : tensor<4xf32>
  train.commit states [@w] (%g : tensor<4xf32>)
}
// CHECK: #[[PLACE:.*]] = loc("net.sinter":3:5)
// CHECK: #[[LAYER:.*]] = loc("layer1"(#[[PLACE]]))
// CHECK: #[[EXP]] = loc("gradient"(#[[LAYER]]))
