// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(choose-shares))' | FileCheck %s
// Threads share the ids of a look-up, but the columns of a sum: its order is the ids' own.

train.state @t : tensor<100x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @s : tensor<10x8xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
// CHECK-LABEL: train.step @large
// CHECK: kernel.gather {{.*}} shares 16 ->
// CHECK: kernel.scatter_add {{.*}} shares 4 ->
// CHECK-LABEL: train.step @small
// CHECK-NOT: shares
train.step @large kind "train" (%t: tensor<100x64xf32> {train.owns = @t}, %i: tensor<64x128xi32> {train.data = "i"}) {
  %y = train.gather %t at %i : tensor<100x64xf32>, tensor<64x128xi32> -> tensor<64x128x64xf32>
  %g = train.gather_grad %y at %i : tensor<64x128x64xf32>, tensor<64x128xi32> -> tensor<100x64xf32>
  train.commit states [@t] (%g : tensor<100x64xf32>)
}
train.step @small kind "predict" (%t: tensor<10x8xf32> {train.reads = @s}, %i: tensor<4x3xi32> {train.data = "i"}) {
  %y = train.gather %t at %i : tensor<10x8xf32>, tensor<4x3xi32> -> tensor<4x3x8xf32>
  train.commit results ["y"] (%y : tensor<4x3x8xf32>)
}
