// RUN: sinter-opt %s -train-to-kernel | FileCheck %s
// A pointwise op is one sweep over its shape; a scalar operand is read at (), a clock is taken from outside the body.

// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0, d1) -> ()>
// CHECK-LABEL: train.step @pointwise
// CHECK-SAME: %[[N:[a-z0-9]+]]: index
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4x3xf32>
// CHECK: kernel.sweep parallel [4, 3] ins(%{{.*}}, %{{.*}} : tensor<4x3xf32>, tensor<f32>) outs(%[[E]] : tensor<4x3xf32>) maps [#[[ALL]], #[[SCALAR]], #[[ALL]]]
// CHECK: arith.mulf
// CHECK: kernel.sweep parallel [4, 3]
// CHECK: %[[ROW:.*]] = kernel.index 0
// CHECK: arith.cmpi slt, %[[ROW]], %[[N]] : index
// CHECK-NOT: train.mul
train.state @s : tensor<f32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @pointwise kind "predict" (%n: index {train.clock = "count"}, %x: tensor<4x3xf32> {train.data = "x"}, %s: tensor<f32> {train.reads = @s}) {
  %y = train.mul %x, %s : tensor<4x3xf32>, tensor<f32> -> tensor<4x3xf32>
  %m = train.mask_rows %y of %n : tensor<4x3xf32>
  train.commit results ["y"] (%m : tensor<4x3xf32>)
}

// A boolean lies in memory as i8.
// CHECK-LABEL: train.step @boolean
// CHECK: kernel.sweep {{.*}} outs(%{{.*}} : tensor<4xi8>)
// CHECK: arith.extui %{{.*}} : i1 to i8
// CHECK: kernel.sweep {{.*}} ins(%{{.*}} : tensor<4xi8>)
// CHECK: arith.cmpi ne
train.step @boolean kind "predict" (%x: tensor<4xf32> {train.data = "x"}) {
  %c = train.compare "gt" %x, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
  %y = train.cast %c : tensor<4xi1> -> tensor<4xf32>
  train.commit results ["y"] (%y : tensor<4xf32>)
}
