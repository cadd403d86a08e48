// A scan is cut into shares of rows, each of which walks all steps; the weight is turned once, in front of it.
// RUN: sinter-opt %s -train-to-kernel | FileCheck %s
// RUN: sinter-opt %s -train-to-kernel | sinter-opt | FileCheck %s
// RUN: sinter-opt %s "-pass-pipeline=builtin.module(train-to-kernel,train.step(fuse-sweeps,fuse-epilogues,place-scans),plan-memory,verify-plan)" | FileCheck %s --check-prefix=PLAN

train.state @w : tensor<16x32xf32> kind "parameter" init <orthogonal, 1.0, 1.0>

// CHECK-LABEL: train.step @s
// CHECK: kernel.sweep parallel [32, 16]
// CHECK: kernel.scan over 5 backwards shares 4
// CHECK: ^bb0(%[[NOW:.*]]: tensor<8x5x32xf32>, %[[H:.*]]: tensor<8x16xf32>, %{{.*}}: tensor<32x16xf32>):
// CHECK: kernel.contract rows [8] cols 16 sum [32]
// CHECK: kernel.yield

// What is carried lies over what was carried, what is kept in its step's place, and the rest in scratch memory.
// PLAN: kernel.scan over 5 backwards shares 4
// PLAN: memref<{{[0-9]+}}xi8>):
// PLAN: kernel.yield
train.step @s kind "eval" (%x: tensor<32x5x32xf32> {train.data = "x"}, %h: tensor<32x16xf32> {train.data = "h"},
                           %w: tensor<16x32xf32> {train.reads = @w}) {
  %last, %all = train.scan over 5 backwards sequences(%x : tensor<32x5x32xf32>) carried(%h : tensor<32x16xf32>)
      constants(%w : tensor<16x32xf32>) {
  ^bb0(%xt: tensor<32x32xf32>, %ht: tensor<32x16xf32>, %wt: tensor<16x32xf32>):
    %0 = train.contract "bn,kn->bk" %xt, %wt : (tensor<32x32xf32>, tensor<16x32xf32>) -> tensor<32x16xf32>
    %1 = train.add %ht, %0 : tensor<32x16xf32>, tensor<32x16xf32> -> tensor<32x16xf32>
    train.next carried(%1 : tensor<32x16xf32>) kept(%1 : tensor<32x16xf32>)
  } -> tensor<32x16xf32>, tensor<32x5x16xf32>
  train.commit results ["last", "all"] (%last, %all : tensor<32x16xf32>, tensor<32x5x16xf32>)
}
