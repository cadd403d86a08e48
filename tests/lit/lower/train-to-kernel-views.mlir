// RUN: sinter-opt %s -train-to-kernel | FileCheck %s
// Views cost nothing: they become the maps of who reads them. A reshape is an alias.

// CHECK-DAG: #[[BIAS:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[TURNED:.*]] = affine_map<(d0, d1) -> (d1, d0 * 2 + 1)>
// CHECK-LABEL: train.step @folded
// CHECK-COUNT-1: kernel.sweep parallel [3, 4] ins(%{{.*}}, %{{.*}} : tensor<4x7xf32>, tensor<4xf32>) {{.*}} maps [#[[TURNED]], #[[BIAS]],
// CHECK-NOT: kernel.sweep
train.state @b : tensor<4xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @folded kind "predict" (%x: tensor<4x7xf32> {train.data = "x"}, %b: tensor<4xf32> {train.reads = @b}) {
  %t = train.transpose %x by [1, 0] : tensor<4x7xf32> -> tensor<7x4xf32>
  %s = train.slice %t at [1, 0] by [2, 1] : tensor<7x4xf32> -> tensor<3x4xf32>
  %w = train.broadcast %b to [1] : tensor<4xf32> -> tensor<3x4xf32>
  %y = train.add %s, %w : tensor<3x4xf32>, tensor<3x4xf32> -> tensor<3x4xf32>
  train.commit results ["y"] (%y : tensor<3x4xf32>)
}

// CHECK-LABEL: train.step @reshaped
// CHECK: %[[A:.*]] = kernel.alias %{{.*}} : tensor<4x2x3xf32> -> tensor<4x6xf32>
// CHECK: kernel.sweep parallel [4, 6] ins(%[[A]]
train.step @reshaped kind "predict" (%x: tensor<4x2x3xf32> {train.data = "x"}) {
  %f = train.reshape %x : tensor<4x2x3xf32> -> tensor<4x6xf32>
  %y = train.relu %f : tensor<4x6xf32>
  train.commit results ["y"] (%y : tensor<4x6xf32>)
}
