// RUN: sinter-opt %s -train-to-kernel -split-input-file | FileCheck %s
// Columns of a product lie together in its second operand.

// As it is written: nothing moves; a long sum goes in even blocks.
// CHECK-LABEL: train.step @forward
// CHECK-NOT: kernel.sweep
// CHECK: kernel.contract rows [64] cols 512 sum [784] {{.*}} block [196]
train.state @w : tensor<784x512xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @forward kind "predict" (%x: tensor<64x784xf32> {train.data = "x"}, %w: tensor<784x512xf32> {train.reads = @w}) {
  %y = train.contract "bk,kn->bn" %x, %w : (tensor<64x784xf32>, tensor<784x512xf32>) -> tensor<64x512xf32>
  train.commit results ["y"] (%y : tensor<64x512xf32>)
}

// -----
// By input with a small weight: the weight is transposed.
// CHECK-LABEL: train.step @small_weight
// CHECK: %[[T:.*]] = kernel.sweep parallel [10, 512]
// CHECK: kernel.contract rows [64] cols 512 sum [10] ins(%{{.*}}, %[[T]]
train.state @w : tensor<512x10xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @small_weight kind "predict" (%dy: tensor<64x10xf32> {train.data = "dy"}, %w: tensor<512x10xf32> {train.reads = @w}) {
  %y = train.contract "bn,kn->bk" %dy, %w : (tensor<64x10xf32>, tensor<512x10xf32>) -> tensor<64x512xf32>
  train.commit results ["y"] (%y : tensor<64x512xf32>)
}

// -----
// By input with a large weight: it stays, the gradient and the result are transposed.
// CHECK-LABEL: train.step @large_weight
// CHECK-NOT: tensor<512x3136xf32>
// CHECK: %[[T:.*]] = kernel.sweep parallel [512, 64]
// CHECK: %[[Y:.*]] = kernel.contract rows [3136] cols 64 sum [512] ins(%{{.*}}, %[[T]] : tensor<3136x512xf32>, tensor<512x64xf32>)
// CHECK: kernel.sweep parallel [64, 3136] ins(%[[Y]] : tensor<3136x64xf32>)
train.state @w : tensor<3136x512xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @large_weight kind "predict" (%dy: tensor<64x512xf32> {train.data = "dy"}, %w: tensor<3136x512xf32> {train.reads = @w}) {
  %y = train.contract "bn,kn->bk" %dy, %w : (tensor<64x512xf32>, tensor<3136x512xf32>) -> tensor<64x3136xf32>
  train.commit results ["y"] (%y : tensor<64x3136xf32>)
}
