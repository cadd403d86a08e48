// Equal ops become one with both places; draws of different purposes stay apart, equal draws do not.
// RUN: sinter-opt %s -train-cse -mlir-print-debuginfo | FileCheck %s

train.step @s kind "eval" (%ids: tensor<4xi32> {train.clock = "ids"}, %draw: index {train.clock = "draw"}, %seed: index {train.clock = "seed"}) {
  // CHECK: train.broadcast %ids to [0] : tensor<4xi32> -> tensor<4x2xi32> loc(#[[BOTH:.*]])
  // CHECK-NOT: train.broadcast
  %0 = train.broadcast %ids to [0] : tensor<4xi32> -> tensor<4x2xi32> loc("one")
  %1 = train.broadcast %ids to [0] : tensor<4xi32> -> tensor<4x2xi32> loc("other")
  // CHECK: %[[A:.*]] = train.random "a"
  // CHECK-NOT: train.random "a"
  // CHECK: %[[B:.*]] = train.random "b"
  %a = train.random "a" of %0 draw %draw seed %seed : tensor<4x2xi32> -> tensor<4x2xf32>
  %again = train.random "a" of %1 draw %draw seed %seed : tensor<4x2xi32> -> tensor<4x2xf32>
  %b = train.random "b" of %1 draw %draw seed %seed : tensor<4x2xi32> -> tensor<4x2xf32>
  // CHECK: train.commit results ["a", "again", "b"](%[[A]], %[[A]], %[[B]]
  train.commit results ["a", "again", "b"] (%a, %again, %b : tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>)
}
// CHECK-DAG: #[[ONE:.*]] = loc("one")
// CHECK-DAG: #[[OTHER:.*]] = loc("other")
// CHECK: #[[BOTH]] = loc(fused[#[[ONE]], #[[OTHER]]])
