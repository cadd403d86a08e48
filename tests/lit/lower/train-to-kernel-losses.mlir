// RUN: sinter-opt %s -pass-pipeline='builtin.module(train-to-kernel,train.step(cse))' | FileCheck %s
// A loss and its gradient share each row's maximum and sum of exponentials.

// CHECK-LABEL: train.step @shared
// CHECK: %[[MAX:.*]] = kernel.sweep parallel [8] reduce [10] {{.*}} init [0xFF800000 : f32]
// CHECK: kernel.sweep parallel [8] reduce [10] ins(%{{.*}}, %[[MAX]]
// CHECK-COUNT-2: math.exp
// CHECK-NOT: math.exp
train.step @shared kind "predict" (%x: tensor<8x10xf32> {train.data = "x"}, %l: tensor<8xi32> {train.data = "l"}) {
  %e = train.cross_entropy %x, %l : tensor<8x10xf32>, tensor<8xi32> -> tensor<8xf32>
  %d = train.cross_entropy_grad %e, %x, %l : (tensor<8xf32>, tensor<8x10xf32>, tensor<8xi32>) -> tensor<8x10xf32>
  train.commit results ["e", "d"] (%e, %d : tensor<8xf32>, tensor<8x10xf32>)
}
