// RUN: sinter-opt %s -train-to-kernel -split-input-file | FileCheck %s
// Large sums are cut into shards by their shape alone; a sum to one number goes in sixteen lanes.

// CHECK-LABEL: train.step @bias_gradient
// CHECK: %[[P:.*]] = kernel.sweep parallel [8, 32] reduce [8, 28, 28] {{.*}} outs(%{{.*}} : tensor<8x32xf32>)
// CHECK: kernel.sweep parallel [32] reduce [8] ins(%[[P]]
train.step @bias_gradient kind "predict" (%x: tensor<64x28x28x32xf32> {train.data = "x"}) {
  %y = train.sum %x over [0, 1, 2] : tensor<64x28x28x32xf32> -> tensor<32xf32>
  train.commit results ["y"] (%y : tensor<32xf32>)
}

// -----
// CHECK-LABEL: train.step @to_one
// CHECK: %[[P:.*]] = kernel.sweep parallel [8, 16] reduce [98, 32] {{.*}} outs(%{{.*}} : tensor<8x16xf32>)
// CHECK: kernel.sweep parallel [] reduce [8, 16] ins(%[[P]]
train.step @to_one kind "predict" (%x: tensor<784x512xf32> {train.data = "x"}) {
  %y = train.sum %x over [0, 1] : tensor<784x512xf32> -> tensor<f32>
  train.commit results ["y"] (%y : tensor<f32>)
}

// -----
// CHECK-LABEL: train.step @small
// CHECK: kernel.sweep parallel [10] reduce [64]
// CHECK-NOT: kernel.sweep
train.step @small kind "predict" (%x: tensor<64x10xf32> {train.data = "x"}) {
  %y = train.sum %x over [0] : tensor<64x10xf32> -> tensor<10xf32>
  train.commit results ["y"] (%y : tensor<10xf32>)
}
