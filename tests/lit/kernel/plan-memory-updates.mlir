// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,plan-memory,verify-plan)' | FileCheck %s
// A large weight is updated as soon as its gradient is there; small updates stay where they were written.

// CHECK: kernel.task @early.0
// CHECK: kernel.contract
// CHECK: kernel.task @early.1 wait
// CHECK: kernel.sweep parallel [128, 128]
// CHECK: kernel.task @early.2
// CHECK: kernel.contract
// CHECK: kernel.task @early.3 wait
// CHECK: kernel.sweep parallel [128, 128]
// CHECK: kernel.task @early.4
// CHECK: kernel.sweep parallel [128] reduce
// CHECK: kernel.task @early.5 wait
// CHECK: kernel.sweep parallel [128] ins
// CHECK: arith.negf
// CHECK: kernel.task @early.6
// CHECK: arith.subf
// CHECK: kernel.task @early.7 wait
// CHECK: arith.subf
train.state @v : tensor<128x128xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @w : tensor<128x128xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @a : tensor<128xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @b : tensor<128xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @early kind "train" (%x: tensor<4x128xf32> {train.data = "x"}, %v: tensor<128x128xf32> {train.owns = @v},
                                %w: tensor<128x128xf32> {train.owns = @w}, %a: tensor<128xf32> {train.owns = @a}, %b: tensor<128xf32> {train.owns = @b}) {
  %g = train.contract "bk,bn->kn" %x, %x : (tensor<4x128xf32>, tensor<4x128xf32>) -> tensor<128x128xf32>
  %h = train.contract "bk,bn->kn" %x, %x : (tensor<4x128xf32>, tensor<4x128xf32>) -> tensor<128x128xf32>
  %c = train.sum %x over [0] : tensor<4x128xf32> -> tensor<128xf32>
  %d = train.neg %c : tensor<128xf32>
  %a1 = train.sub %a, %c : tensor<128xf32>, tensor<128xf32> -> tensor<128xf32>
  %v1 = train.sub %v, %g : tensor<128x128xf32>, tensor<128x128xf32> -> tensor<128x128xf32>
  %w1 = train.sub %w, %h : tensor<128x128xf32>, tensor<128x128xf32> -> tensor<128x128xf32>
  %b1 = train.sub %b, %d : tensor<128xf32>, tensor<128xf32> -> tensor<128xf32>
  train.commit states [@v, @w, @a, @b] (%v1, %w1, %a1, %b1 : tensor<128x128xf32>, tensor<128x128xf32>, tensor<128xf32>,
                                                     tensor<128xf32>)
}
