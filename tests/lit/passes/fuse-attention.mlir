// RUN: sinter-opt %s -fuse-attention -canonicalize | FileCheck %s
// What looks like an attention becomes one op, with its scale, its mask and its draws; scores that are read elsewhere, and a step in
// bfloat16, stay.

// CHECK-LABEL: train.step @drops
// CHECK-NOT: train.softmax
// CHECK: %[[Q:.*]] = train.reshape %{{.*}} : tensor<2x3x8xf32> -> tensor<2x3x2x4xf32>
// CHECK-NOT: train.softmax
// CHECK: %[[Y:.*]], %{{.*}} = train.attention %[[Q]], %k, %k causal scale 5.000000e-01 dropout 2.500000e-01 by "a" of %{{.*}} draw %{{.*}} seed %{{.*}} :
// CHECK-NEXT: train.commit results ["y"]{{ ?}}(%[[Y]]
train.step @drops kind "predict" (%x: tensor<2x3x8xf32> {train.data = "x"}, %k: tensor<2x3x2x4xf32> {train.data = "k"},
                                  %i: tensor<2xi32> {train.clock = "ids"}, %d: index {train.clock = "draw"}, %s: index {train.clock = "seed"}) {
  %half = train.constant dense<0.5> : tensor<f32>
  %zero = train.constant dense<0.0> : tensor<f32>
  %p = train.constant dense<0.25> : tensor<f32>
  %c = train.constant dense<1.33333337> : tensor<f32>
  %0 = train.mul %x, %half : tensor<2x3x8xf32>, tensor<f32> -> tensor<2x3x8xf32>
  %1 = train.reshape %0 : tensor<2x3x8xf32> -> tensor<2x3x2x4xf32>
  %2 = train.contract "bthd,bshd->bhts" %1, %k : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> tensor<2x2x3x3xf32>
  %3 = train.causal_mask %2 : tensor<2x2x3x3xf32>
  %4 = train.softmax %3 : tensor<2x2x3x3xf32>
  %5 = train.mul %4, %c : tensor<2x2x3x3xf32>, tensor<f32> -> tensor<2x2x3x3xf32>
  %6 = train.broadcast %i to [0] : tensor<2xi32> -> tensor<2x2x3x3xi32>
  %7 = train.random "a" of %6 draw %d seed %s : tensor<2x2x3x3xi32> -> tensor<2x2x3x3xf32>
  %8 = train.compare "ge" %7, %p : tensor<2x2x3x3xf32>, tensor<f32> -> tensor<2x2x3x3xi1>
  %9 = train.select %8, %5, %zero : tensor<2x2x3x3xi1>, tensor<2x2x3x3xf32>, tensor<f32> -> tensor<2x2x3x3xf32>
  %y = train.contract "bhts,bshd->bthd" %9, %k : (tensor<2x2x3x3xf32>, tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32>
  train.commit results ["y"] (%y : tensor<2x3x2x4xf32>)
}

// CHECK-LABEL: train.step @plain
// CHECK: train.attention %k, %k, %k scale 1.000000e+00
// CHECK-NOT: train.softmax
train.step @plain kind "predict" (%k: tensor<2x3x2x4xf32> {train.data = "k"}) {
  %2 = train.contract "bthd,bshd->bhts" %k, %k : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> tensor<2x2x3x3xf32>
  %4 = train.softmax %2 : tensor<2x2x3x3xf32>
  %y = train.contract "bhts,bshd->bthd" %4, %k : (tensor<2x2x3x3xf32>, tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32>
  train.commit results ["y"] (%y : tensor<2x3x2x4xf32>)
}

// CHECK-LABEL: train.step @scores_are_read
// CHECK: train.softmax
// CHECK-NOT: train.attention
train.step @scores_are_read kind "predict" (%k: tensor<2x3x2x4xf32> {train.data = "k"}) {
  %2 = train.contract "bthd,bshd->bhts" %k, %k : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> tensor<2x2x3x3xf32>
  %4 = train.softmax %2 : tensor<2x2x3x3xf32>
  %y = train.contract "bhts,bshd->bthd" %4, %k : (tensor<2x2x3x3xf32>, tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32>
  train.commit results ["y", "p"] (%y, %4 : tensor<2x3x2x4xf32>, tensor<2x2x3x3xf32>)
}

// CHECK-LABEL: train.step @rounds
// CHECK: train.softmax
// CHECK-NOT: train.attention
train.step @rounds kind "predict" (%k: tensor<2x3x2x4xf32> {train.data = "k"}) attributes {bf16} {
  %2 = train.contract "bthd,bshd->bhts" %k, %k : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> tensor<2x2x3x3xf32>
  %4 = train.softmax %2 : tensor<2x2x3x3xf32>
  %y = train.contract "bhts,bshd->bthd" %4, %k : (tensor<2x2x3x3xf32>, tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32>
  train.commit results ["y"] (%y : tensor<2x3x2x4xf32>)
}
