// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(fuse-sweeps,fuse-epilogues,mark-late))' | FileCheck %s
// What is kept of a large product, and read only behind products that touch more than the caches hold, is written past them.

// CHECK-LABEL: train.step @kept
// CHECK: %[[X:.*]]:2 = kernel.contract {{.*}} attributes {kernel.late = array<i64: 0>}
// CHECK: kernel.contract rows [1024] cols 1024 sum [1024] ins(%[[X]]#1
// CHECK-NOT: kernel.late
// CHECK: train.commit
train.state @w : tensor<64x1024xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @v : tensor<1024x1024xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @kept kind "predict" (%a: tensor<1024x64xf32> {train.data = "a"}, %w: tensor<64x1024xf32> {train.reads = @w}, %v: tensor<1024x1024xf32> {train.reads = @v}) {
  %x = train.contract "bk,kn->bn" %a, %w : (tensor<1024x64xf32>, tensor<64x1024xf32>) -> tensor<1024x1024xf32>
  %y = train.tanh %x : tensor<1024x1024xf32>
  %0 = train.contract "bk,kn->bn" %y, %v : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %1 = train.contract "bk,kn->bn" %0, %v : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %2 = train.contract "bk,kn->bn" %1, %v : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %3 = train.contract "bk,kn->bn" %2, %v : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %z = train.mul %3, %x : tensor<1024x1024xf32>, tensor<1024x1024xf32> -> tensor<1024x1024xf32>
  train.commit results ["z"] (%z : tensor<1024x1024xf32>)
}

// Read soon.
// CHECK-LABEL: train.step @near
// CHECK-NOT: kernel.late
train.step @near kind "predict" (%a: tensor<1024x64xf32> {train.data = "a"}, %w: tensor<64x1024xf32> {train.reads = @w}, %v: tensor<1024x1024xf32> {train.reads = @v}) {
  %x = train.contract "bk,kn->bn" %a, %w : (tensor<1024x64xf32>, tensor<64x1024xf32>) -> tensor<1024x1024xf32>
  %y = train.tanh %x : tensor<1024x1024xf32>
  %0 = train.contract "bk,kn->bn" %y, %v : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %z = train.mul %0, %x : tensor<1024x1024xf32>, tensor<1024x1024xf32> -> tensor<1024x1024xf32>
  train.commit results ["z"] (%z : tensor<1024x1024xf32>)
}

// A weight's update goes where the weight lies, however much comes behind it.
// CHECK-LABEL: train.step @update
// CHECK-NOT: kernel.late
// CHECK: train.commit
train.step @update kind "train" (%a: tensor<64x1024xf32> {train.data = "a"}, %v: tensor<1024x1024xf32> {train.owns = @v}) {
  %g = train.contract "bk,bn->kn" %a, %a : (tensor<64x1024xf32>, tensor<64x1024xf32>) -> tensor<1024x1024xf32>
  %v1 = train.sub %v, %g : tensor<1024x1024xf32>, tensor<1024x1024xf32> -> tensor<1024x1024xf32>
  %b = train.constant dense<1.0> : tensor<1024x1024xf32>
  %0 = train.contract "bk,kn->bn" %b, %b : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %1 = train.contract "bk,kn->bn" %0, %b : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %2 = train.contract "bk,kn->bn" %1, %b : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %3 = train.contract "bk,kn->bn" %2, %b : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  train.commit states [@v] (%v1 : tensor<1024x1024xf32>) results ["z"] (%3 : tensor<1024x1024xf32>)
}
