// RUN: sinter-opt %s -train-to-kernel | FileCheck %s
// An attention and its gradient are one loop op each, in tiles that the shape gives; what draws do is a body at each score.

train.state @q : tensor<8x100x4x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
// CHECK-LABEL: train.step @step
// CHECK: kernel.attend block [64, 64] causal scale 1.250000e-01 {{.*}} ids(%{{.*}} : tensor<8xi32>) {{.*}} {
// CHECK: ^bb0(%{{.*}}: i32):
// CHECK-COUNT-4: kernel.index
// CHECK: kernel.yield
// CHECK: -> tensor<8x100x4x64xf32>, tensor<8x4x100xf32>
// CHECK: kernel.attend backwards block [64, 64] causal scale 1.250000e-01
// CHECK-NOT: train.attention
train.step @step kind "train" (%q: tensor<8x100x4x64xf32> {train.owns = @q}, %i: tensor<8xi32> {train.clock = "ids"},
                               %d: index {train.clock = "draw"}, %s: index {train.clock = "seed"}) {
  %y, %l = train.attention %q, %q, %q causal scale 0.125 dropout 0.1 by "a" of %i draw %d seed %s
    : (tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>, tensor<8xi32>, index, index) -> (tensor<8x100x4x64xf32>, tensor<8x4x100xf32>)
  %g:3 = train.attention_grad %y, %q, %q, %q, %y, %l causal scale 0.125 dropout 0.1 by "a" of %i draw %d seed %s
    : (tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>, tensor<8x4x100xf32>, tensor<8xi32>, index, index)
      -> (tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>, tensor<8x100x4x64xf32>)
  train.commit states [@q] (%g#0 : tensor<8x100x4x64xf32>)
}

// Fewer positions than a tile has.
train.state @r : tensor<8x20x4x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
// CHECK-LABEL: train.step @few
// CHECK: kernel.attend block [32, 20] causal
// CHECK: kernel.attend backwards block [32, 20] causal
train.step @few kind "train" (%q: tensor<8x20x4x64xf32> {train.owns = @r}) {
  %y, %l = train.attention %q, %q, %q causal scale 0.125
    : (tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>) -> (tensor<8x20x4x64xf32>, tensor<8x4x20xf32>)
  %g:3 = train.attention_grad %y, %q, %q, %q, %y, %l causal scale 0.125
    : (tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>, tensor<8x4x20xf32>)
      -> (tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>, tensor<8x20x4x64xf32>)
  train.commit states [@r] (%g#0 : tensor<8x20x4x64xf32>)
}
