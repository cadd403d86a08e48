// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(fuse-sweeps,cse))' -split-input-file | FileCheck %s
// A pointwise value is computed where it is read.

// CHECK-LABEL: train.step @chain
// CHECK-COUNT-1: kernel.sweep
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: math.tanh
// CHECK-NOT: kernel.sweep
train.step @chain kind "predict" (%x: tensor<8x64xf32> {train.data = "x"}) {
  %a = train.exp %x : tensor<8x64xf32>
  %b = train.add %a, %x : tensor<8x64xf32>, tensor<8x64xf32> -> tensor<8x64xf32>
  %c = train.tanh %b : tensor<8x64xf32>
  train.commit results ["y"] (%c : tensor<8x64xf32>)
}

// -----
// Not where it would be computed again at every column.
// CHECK-LABEL: train.step @dear
// CHECK-COUNT-2: kernel.sweep
// CHECK-NOT: kernel.sweep
train.step @dear kind "predict" (%x: tensor<8xf32> {train.data = "x"}, %z: tensor<8x64xf32> {train.data = "z"}) {
  %a = train.exp %x : tensor<8xf32>
  %b = train.broadcast %a to [0] : tensor<8xf32> -> tensor<8x64xf32>
  %c = train.mul %b, %z : tensor<8x64xf32>, tensor<8x64xf32> -> tensor<8x64xf32>
  train.commit results ["y"] (%c : tensor<8x64xf32>)
}

// -----
// Nor a division for each of 64 rows, which goes along their columns; one number for each row may be computed there.
// CHECK-LABEL: train.step @division
// CHECK: kernel.sweep parallel [16]
// CHECK: arith.divf
// CHECK: kernel.sweep parallel [64, 16]
// CHECK-NOT: kernel.sweep
// CHECK: arith.divf
// CHECK-NOT: kernel.sweep
train.state @w : tensor<16xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @division kind "predict" (%x: tensor<16xf32> {train.reads = @w}, %y: tensor<64xf32> {train.data = "y"}, %z: tensor<64x16xf32> {train.data = "z"}) {
  %n = train.constant dense<3.0> : tensor<f32>
  %a = train.div %x, %n : tensor<16xf32>, tensor<f32> -> tensor<16xf32>
  %b = train.broadcast %a to [1] : tensor<16xf32> -> tensor<64x16xf32>
  %c = train.mul %b, %z : tensor<64x16xf32>, tensor<64x16xf32> -> tensor<64x16xf32>
  %d = train.div %y, %n : tensor<64xf32>, tensor<f32> -> tensor<64xf32>
  %e = train.broadcast %d to [0] : tensor<64xf32> -> tensor<64x16xf32>
  %f = train.mul %e, %c : tensor<64x16xf32>, tensor<64x16xf32> -> tensor<64x16xf32>
  train.commit results ["y"] (%f : tensor<64x16xf32>)
}

// -----
// Into both of two readers if it is cheap, into none if not.
// CHECK-LABEL: train.step @two_readers
// CHECK: kernel.sweep
// CHECK: math.exp
// CHECK: kernel.yield
// CHECK-COUNT-2: arith.cmpf
// CHECK-NOT: kernel.sweep parallel [8, 64] ins({{.*}}tensor<8x64xi8>
train.step @two_readers kind "predict" (%x: tensor<8x64xf32> {train.data = "x"}) {
  %e = train.exp %x : tensor<8x64xf32>
  %m = train.compare "gt" %e, %x : tensor<8x64xf32>, tensor<8x64xf32> -> tensor<8x64xi1>
  %a = train.cast %m : tensor<8x64xi1> -> tensor<8x64xf32>
  %r = train.relu %e : tensor<8x64xf32>
  %y = train.mul %a, %r : tensor<8x64xf32>, tensor<8x64xf32> -> tensor<8x64xf32>
  train.commit results ["y", "r"] (%y, %e : tensor<8x64xf32>, tensor<8x64xf32>)
}

// -----
// A pool's gradient takes the mask that follows it to its own points.
// CHECK-LABEL: train.step @backwards
// CHECK: reduce
// CHECK: kernel.sweep parallel [4, 4, 2, 4, 2, 8]
// CHECK-NOT: kernel.sweep
train.step @backwards kind "predict" (%x: tensor<4x8x8x8xf32> {train.data = "x"}) {
  %p, %i = train.max_pool2d %x {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
    : (tensor<4x8x8x8xf32>) -> (tensor<4x4x4x8xf32>, tensor<4x4x4x8xi8>)
  %d = train.max_pool2d_grad %p, %i {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
    : (tensor<4x4x4x8xf32>, tensor<4x4x4x8xi8>) -> tensor<4x8x8x8xf32>
  %y = train.mul %d, %x : tensor<4x8x8x8xf32>, tensor<4x8x8x8xf32> -> tensor<4x8x8x8xf32>
  train.commit results ["y"] (%y : tensor<4x8x8x8xf32>)
}
