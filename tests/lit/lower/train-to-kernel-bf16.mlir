// A product of rounded operands is one in bfloat16. It rounds what it reads, so what products alone read is not rounded before; a product without
// columns of its own stays one of f32.
// RUN: sinter-opt %s --train-to-kernel --cse | FileCheck %s

train.state @w : tensor<5x24xf32> kind "parameter" init <constant, 0.0, 0.0>

// CHECK-LABEL: train.step @products
train.step @products kind "eval" (%x: tensor<8x5xf32> {train.data = "x"}, %w: tensor<5x24xf32> {train.reads = @w}) {
  %p = train.bf16 %x : tensor<8x5xf32>
  %q = train.bf16 %w : tensor<5x24xf32>
  // CHECK-NOT: kernel.sweep
  // CHECK: kernel.contract rows [8] cols 24 sum [5] ins(%x, %w : {{.*}} bf16 block [5]
  %y = train.contract "bk,kn->bn" %p, %q : (tensor<8x5xf32>, tensor<5x24xf32>) -> tensor<8x24xf32>
  // CHECK: kernel.contract
  // CHECK-NOT: bf16
  // CHECK: train.commit
  %z = train.contract "bn,bn->" %y, %y : (tensor<8x24xf32>, tensor<8x24xf32>) -> tensor<f32>
  train.commit outputs ["z"] (%z : tensor<f32>)
}
