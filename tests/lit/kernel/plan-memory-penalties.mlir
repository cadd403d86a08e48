// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,plan-memory,verify-plan)' | FileCheck %s
// A penalty's sum comes behind the first product that reads the weight, whatever was written between. What reads something else as well
// stays where it was written.

// CHECK: kernel.task @penalty.0
// CHECK: kernel.contract rows [4] cols 128
// CHECK: kernel.task @penalty.1
// CHECK: kernel.sweep parallel [] reduce [128, 128]
// CHECK: kernel.task @penalty.2
// CHECK: arith.negf
// CHECK: kernel.contract rows [4] cols 64
// CHECK: kernel.sweep parallel [] reduce [4, 64]
train.state @w : tensor<128x128xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @v : tensor<128x64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.step @penalty kind "train" (%x: tensor<4x128xf32> {train.data = "x"}, %w: tensor<128x128xf32> {train.owns = @w},
                                  %v: tensor<128x64xf32> {train.reads = @v}) {
  %y = train.contract "bk,kn->bn" %x, %w : (tensor<4x128xf32>, tensor<128x128xf32>) -> tensor<4x128xf32>
  %n = train.neg %x : tensor<4x128xf32>
  %z = train.contract "bk,kn->bn" %n, %v : (tensor<4x128xf32>, tensor<128x64xf32>) -> tensor<4x64xf32>
  %s = train.sum %z over [0, 1] : tensor<4x64xf32> -> tensor<f32>
  %p = train.sum %w over [0, 1] : tensor<128x128xf32> -> tensor<f32>
  %loss = train.add %s, %p : tensor<f32>, tensor<f32> -> tensor<f32>
  %c = train.contract "bk,bn->kn" %x, %y : (tensor<4x128xf32>, tensor<4x128xf32>) -> tensor<128x128xf32>
  %w1 = train.sub %w, %c : tensor<128x128xf32>, tensor<128x128xf32> -> tensor<128x128xf32>
  train.commit states [@w] (%w1 : tensor<128x128xf32>) outputs ["loss"] (%loss : tensor<f32>)
}
