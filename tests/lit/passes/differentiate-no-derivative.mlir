// A gradient that would have to go through an op without a derivative is an error at that op.
// RUN: sinter-opt %s -differentiate -verify-diagnostics -o /dev/null

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<4xf32> {train.owns = @w}, %r: index {train.clock = "step"}) {
  %rate = train.constant dense<1.0> : tensor<f32>
  // expected-error @+1 {{'train.sgd' op has no derivative, and the gradient goes through it}}
  %y = train.sgd %w, %w rate %rate : (tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %loss = train.sum %y over [0] : tensor<4xf32> -> tensor<f32>
  %g = train.gradient %loss of %w : tensor<4xf32>
  train.commit states [@w] (%g : tensor<4xf32>)
}
