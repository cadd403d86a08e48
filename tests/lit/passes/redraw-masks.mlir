// No mask of the forward pass is read in the backward pass: behind a ReLU a sign says the same, elsewhere it is drawn again.
// RUN: sinter-opt %s --pass-pipeline='builtin.module(train.step(differentiate,canonicalize{region-simplify=disabled},redraw-masks))' | FileCheck %s

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>

// CHECK-LABEL: train.step @sign
train.step @sign kind "train" (%draw: index {train.clock = "draw"}, %seed: index {train.clock = "seed"},
                               %ids: tensor<8xi32> {train.clock = "ids"}, %w: tensor<4xf32> {train.owns = @w}) {
  %p = train.constant dense<0.5> : tensor<f32>
  // CHECK-DAG: %[[SCALE:.*]] = train.constant dense<2.0{{.*}}> : tensor<f32>
  %s = train.constant dense<2.0> : tensor<f32>
  // CHECK-DAG: %[[ZERO:.*]] = train.constant dense<0.0{{.*}}> : tensor<f32>
  %zero = train.constant dense<0.0> : tensor<f32>
  %x = train.broadcast %w to [1] : tensor<4xf32> -> tensor<8x4xf32>
  // CHECK: %[[RELU:.*]] = train.relu
  %r = train.relu %x : tensor<8x4xf32>
  %v = train.reshape %r : tensor<8x4xf32> -> tensor<8x2x2xf32>
  %scaled = train.mul %v, %s : tensor<8x2x2xf32>, tensor<f32> -> tensor<8x2x2xf32>
  %who = train.broadcast %ids to [0] : tensor<8xi32> -> tensor<8x2x2xi32>
  %u = train.random "d" of %who draw %draw seed %seed : tensor<8x2x2xi32> -> tensor<8x2x2xf32>
  // CHECK: %[[KEPT:.*]] = train.compare "ge"
  %kept = train.compare "ge" %u, %p : tensor<8x2x2xf32>, tensor<f32> -> tensor<8x2x2xi1>
  // CHECK: %[[Y:.*]] = train.select %[[KEPT]]
  %y = train.select %kept, %scaled, %zero : tensor<8x2x2xi1>, tensor<8x2x2xf32>, tensor<f32> -> tensor<8x2x2xf32>
  %e = train.exp %y : tensor<8x2x2xf32>
  %loss = train.sum %e over [0, 1, 2] : tensor<8x2x2xf32> -> tensor<f32>
  // CHECK-NOT: %[[KEPT]]
  // CHECK-NOT: %[[RELU]]
  // CHECK: %[[DY:.*]] = train.exp %[[Y]]
  // CHECK: %[[GRADIENT:.*]] = train.mul %[[DY]], %{{.*}} : tensor<8x2x2xf32>, tensor<f32>
  // CHECK: %[[SIGN:.*]] = train.compare "gt" %[[Y]], %{{.*}}
  // CHECK: %[[DX:.*]] = train.select %[[SIGN]], %[[GRADIENT]], %{{.*}}
  // CHECK: train.reshape %[[DX]] : tensor<8x2x2xf32> -> tensor<8x4xf32>
  // CHECK-NOT: train.random
  // CHECK: train.commit
  %g = train.gradient %loss of %w : tensor<4xf32>
  train.commit states [@w] (%g : tensor<4xf32>) outputs ["loss"] (%loss : tensor<f32>)
}

// Where dropout makes numbers smaller, one that was positive may end as 0, and a tanh is positive or not: both masks are drawn again.
// CHECK-LABEL: train.step @drawn
train.step @drawn kind "train" (%draw: index {train.clock = "draw"}, %seed: index {train.clock = "seed"},
                                %ids: tensor<8xi32> {train.clock = "ids"}, %w: tensor<4xf32> {train.owns = @w}) {
  %p = train.constant dense<0.5> : tensor<f32>
  %s = train.constant dense<0.5> : tensor<f32>
  %zero = train.constant dense<0.0> : tensor<f32>
  %x = train.broadcast %w to [1] : tensor<4xf32> -> tensor<8x4xf32>
  %who = train.broadcast %ids to [0] : tensor<8xi32> -> tensor<8x4xi32>
  %t = train.tanh %x : tensor<8x4xf32>
  // CHECK: train.random "a" of %[[WHO:.*]] draw
  %u = train.random "a" of %who draw %draw seed %seed : tensor<8x4xi32> -> tensor<8x4xf32>
  // CHECK: %[[KEPTA:.*]] = train.compare "ge"
  %kept = train.compare "ge" %u, %p : tensor<8x4xf32>, tensor<f32> -> tensor<8x4xi1>
  %y = train.select %kept, %t, %zero : tensor<8x4xi1>, tensor<8x4xf32>, tensor<f32> -> tensor<8x4xf32>
  %r = train.relu %y : tensor<8x4xf32>
  %scaled = train.mul %r, %s : tensor<8x4xf32>, tensor<f32> -> tensor<8x4xf32>
  // CHECK: train.random "b"
  %u2 = train.random "b" of %who draw %draw seed %seed : tensor<8x4xi32> -> tensor<8x4xf32>
  // CHECK: %[[KEPTB:.*]] = train.compare "ge"
  %kept2 = train.compare "ge" %u2, %p : tensor<8x4xf32>, tensor<f32> -> tensor<8x4xi1>
  %z = train.select %kept2, %scaled, %zero : tensor<8x4xi1>, tensor<8x4xf32>, tensor<f32> -> tensor<8x4xf32>
  // CHECK: train.sum
  %loss = train.sum %z over [0, 1] : tensor<8x4xf32> -> tensor<f32>
  // CHECK-NOT: %[[KEPTB]],
  // CHECK: %[[U2:.*]] = train.random "b" of %[[WHO]] draw %draw seed %seed {train.again}
  // CHECK: %[[AGAINB:.*]] = train.compare "ge" %[[U2]], %{{.*}} {train.again}
  // CHECK: train.select %[[AGAINB]],
  // CHECK-NOT: %[[KEPTA]],
  // CHECK: %[[U:.*]] = train.random "a" of %[[WHO]] draw %draw seed %seed {train.again}
  // CHECK: %[[AGAINA:.*]] = train.compare "ge" %[[U]], %{{.*}} {train.again}
  // CHECK: train.select %[[AGAINA]],
  // CHECK: train.commit
  %g = train.gradient %loss of %w : tensor<4xf32>
  train.commit states [@w] (%g : tensor<4xf32>) outputs ["loss"] (%loss : tensor<f32>)
}
