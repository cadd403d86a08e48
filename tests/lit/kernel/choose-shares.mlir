// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(choose-shares))' | FileCheck %s
// A small sweep stays whole; a large one is cut, never into more shares than an axis has points, and so that two threads get as much.
// The outermost axis that is long enough is cut; sixteen columns are one vector, which no share can have a part of.

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

// CHECK-LABEL: train.step @axes
// CHECK: kernel.sweep parallel [128, 512] {{.*}} shares 12
// CHECK: kernel.sweep parallel [8, 64] reduce [16, 14, 7] {{.*}} shares 8
// CHECK: kernel.sweep parallel [8, 16] reduce {{.*}} shares 8
train.step @axes kind "predict" (%x: tensor<128x512xf32> {train.data = "x"}, %y: tensor<128x14x7x64xf32> {train.data = "y"}, %z: tensor<128x512x16xf32> {train.data = "z"}) {
  %a = train.relu %x : tensor<128x512xf32>
  %b = train.sum %y over [0, 1, 2] : tensor<128x14x7x64xf32> -> tensor<64xf32>
  %c = train.sum %z over [0, 1] : tensor<128x512x16xf32> -> tensor<16xf32>
  train.commit results ["a", "b", "c"] (%a, %b, %c : tensor<128x512xf32>, tensor<64xf32>, tensor<16xf32>)
}

// Few rows are summed in eight parts each, but a share takes whole rows: so their data lies. Many are summed whole.
// CHECK-LABEL: train.step @rows
// CHECK: kernel.sweep parallel [8, 16, 2] reduce [2048] {{.*}} shares 16
// CHECK: kernel.sweep parallel [16, 2] reduce [8]
// CHECK: kernel.sweep parallel [16, 64] reduce [1024] {{.*}} shares 16
// CHECK-NOT: kernel.sweep
train.step @rows kind "predict" (%x: tensor<16x2x16384xf32> {train.data = "x"}, %y: tensor<16x64x1024xf32> {train.data = "y"}) {
  %a = train.sum %x over [2] : tensor<16x2x16384xf32> -> tensor<16x2xf32>
  %b = train.sum %y over [2] : tensor<16x64x1024xf32> -> tensor<16x64xf32>
  train.commit results ["a", "b"] (%a, %b : tensor<16x2xf32>, tensor<16x64xf32>)
}
