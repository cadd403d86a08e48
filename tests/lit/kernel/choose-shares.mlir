// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(choose-shares))' | FileCheck %s
// A small sweep stays whole; a large one is cut, never into more shares than its longest axis has points.

// CHECK-LABEL: train.step @sizes
// CHECK: kernel.sweep parallel [64, 4] {{.*}}maps [{{[^]]*}}] {
// CHECK: kernel.sweep parallel [64, 28, 28, 32] {{.*}} shares 16
// CHECK: kernel.sweep parallel [] reduce
// CHECK-NOT: shares
train.step @sizes kind "predict" (%x: tensor<64x4xf32> {train.data = "x"}, %z: tensor<64x28x28x32xf32> {train.data = "z"}) {
  %a = train.exp %x : tensor<64x4xf32>
  %b = train.exp %z : tensor<64x28x28x32xf32>
  %c = train.sum %a over [0, 1] : tensor<64x4xf32> -> tensor<f32>
  train.commit results ["a", "b", "c"] (%a, %b, %c : tensor<64x4xf32>, tensor<64x28x28x32xf32>, tensor<f32>)
}
