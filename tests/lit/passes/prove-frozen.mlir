// What the proof says of a frozen layer, and that the step does as it says: one file for both.
// RUN: split-file %s %t
// RUN: sinter-opt %t/frozen.mlir --pass-pipeline='builtin.module(train.step(differentiate),prove-frozen{print=true})' -o %t/out.mlir | FileCheck %t/frozen.mlir --check-prefix=PROOF
// RUN: FileCheck %t/frozen.mlir --check-prefix=STEP --input-file=%t/out.mlir
// RUN: not sinter-opt %t/written.mlir -prove-frozen 2>&1 | FileCheck %t/written.mlir
// RUN: not sinter-opt %t/state.mlir -prove-frozen 2>&1 | FileCheck %t/state.mlir
// RUN: not sinter-opt %t/stray.mlir -prove-frozen 2>&1 | FileCheck %t/stray.mlir

//--- frozen.mlir
model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}]
  parts {train = [{fields = ["x"], file = "", kind = "synthetic", ops = [], place = "", count = 8 : i64}]}
train.state @body : tensor<3x4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @mean : tensor<4xf32> kind "buffer" init <constant, 0.0, 0.0>
train.state @head : tensor<4x2xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @head.exp_avg : tensor<4x2xf32> kind "optimizer" init <constant, 0.0, 0.0> of @head
train.state @head.exp_avg_sq : tensor<4x2xf32> kind "optimizer" init <constant, 0.0, 0.0> of @head

// The product costs 2 · 8 · 3 · 4 flops forward, and so would its weight's gradient; Adam keeps two numbers of four bytes for each of 12.
// PROOF: stage @warm of @r:
// PROOF-NEXT: body: not written; no gradient (192 flops a step spared); no optimizer state (96 bytes spared)
// PROOF-NEXT: mean: a buffer, not written
// PROOF-NEXT: the gradient ends behind relu (net.sinter:5:3)
// PROOF-NEXT: in all: 2 names frozen, 192 flops of gradient a step and 96 bytes of optimizer state spared

// STEP: train.step @train
// STEP: train.relu
// STEP: train.contract "bn,no->bo"
// STEP: train.contract "bn,bo->no"
// STEP-NOT: train.contract
// STEP: train.commit states [@head, @head.exp_avg, @head.exp_avg_sq]
// STEP: frozen_proof = ["body: not written
train.step @train kind "train" (%x: tensor<8x3xf32> {train.data = "x"}, %w: tensor<3x4xf32> {train.reads = @body},
                                %mean: tensor<4xf32> {train.reads = @mean}, %v: tensor<4x2xf32> {train.owns = @head},
                                %m: tensor<4x2xf32> {train.owns = @head.exp_avg}, %s: tensor<4x2xf32> {train.owns = @head.exp_avg_sq}) {
  %h = train.contract "bk,kn->bn" %x, %w : (tensor<8x3xf32>, tensor<3x4xf32>) -> tensor<8x4xf32>
  %a = train.relu %h : tensor<8x4xf32> loc("relu"("net.sinter":5:3))
  %y = train.contract "bn,no->bo" %a, %v : (tensor<8x4xf32>, tensor<4x2xf32>) -> tensor<8x2xf32>
  %q = train.square %y : tensor<8x2xf32>
  %loss = train.sum %q over [0, 1] : tensor<8x2xf32> -> tensor<f32>
  %g = train.gradient %loss of %v : tensor<4x2xf32>
  train.commit states [@head, @head.exp_avg, @head.exp_avg_sq] (%g, %m, %s : tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>)
    outputs ["loss"] (%loss : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<8x3xf32> {train.data = "x"}) {
  %loss = train.sum %x over [0, 1] : tensor<8x3xf32> -> tensor<f32>
  train.commit outputs ["loss"] (%loss : tensor<f32>)
}
train.run @r on @d seed 0 {
  train.stage @warm step @train eval @eval batch 8 epochs 1.0
    {frozen = ["body", "mean"], spared = [{like = "head", parameters = ["body"]}]}
}

//--- written.mlir
model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}]
  parts {train = [{fields = ["x"], file = "", kind = "synthetic", ops = [], place = "", count = 8 : i64}]}
train.state @w : tensor<3xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @train kind "train" (%x: tensor<8x3xf32> {train.data = "x"}, %w: tensor<3xf32> {train.owns = @w}) {
  %loss = train.sum %x over [0, 1] : tensor<8x3xf32> -> tensor<f32>
  train.commit states [@w] (%w : tensor<3xf32>) outputs ["loss"] (%loss : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<8x3xf32> {train.data = "x"}) {
  %loss = train.sum %x over [0, 1] : tensor<8x3xf32> -> tensor<f32>
  train.commit outputs ["loss"] (%loss : tensor<f32>)
}
train.run @r on @d seed 0 {
  // CHECK: error: 'train.stage' op freezes `w`, and its step may write it
  train.stage @warm step @train eval @eval batch 8 epochs 1.0 {frozen = ["w"]}
}

//--- state.mlir
model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}]
  parts {train = [{fields = ["x"], file = "", kind = "synthetic", ops = [], place = "", count = 8 : i64}]}
train.state @w : tensor<3xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @w.momentum : tensor<3xf32> kind "optimizer" init <constant, 0.0, 0.0> of @w
train.step @train kind "train" (%x: tensor<8x3xf32> {train.data = "x"}, %w: tensor<3xf32> {train.reads = @w},
                                %m: tensor<3xf32> {train.owns = @w.momentum}) {
  %loss = train.sum %x over [0, 1] : tensor<8x3xf32> -> tensor<f32>
  train.commit states [@w.momentum] (%w : tensor<3xf32>) outputs ["loss"] (%loss : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<8x3xf32> {train.data = "x"}) {
  %loss = train.sum %x over [0, 1] : tensor<8x3xf32> -> tensor<f32>
  train.commit outputs ["loss"] (%loss : tensor<f32>)
}
train.run @r on @d seed 0 {
  // CHECK: error: 'train.stage' op freezes `w`, and its step keeps optimizer state for it
  train.stage @warm step @train eval @eval batch 8 epochs 1.0 {frozen = ["w"]}
}

//--- stray.mlir
model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}]
  parts {train = [{fields = ["x"], file = "", kind = "synthetic", ops = [], place = "", count = 8 : i64}]}
train.state @w : tensor<3xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @train kind "train" (%x: tensor<8x3xf32> {train.data = "x"}, %w: tensor<3xf32> {train.reads = @w}) {
  %loss = train.sum %x over [0, 1] : tensor<8x3xf32> -> tensor<f32>
  // CHECK: net.sinter:3:1: error: 'train.mul' op computes a gradient that nothing owned needs
  %g = train.mul %w, %w : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32> loc("gradient"("net.sinter":3:1))
  train.commit outputs ["loss"] (%loss : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<8x3xf32> {train.data = "x"}) {
  %loss = train.sum %x over [0, 1] : tensor<8x3xf32> -> tensor<f32>
  train.commit outputs ["loss"] (%loss : tensor<f32>)
}
train.run @r on @d seed 0 {
  train.stage @warm step @train eval @eval batch 8 epochs 1.0 {frozen = ["w"]}
}
