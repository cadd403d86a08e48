// RUN: sinter-opt %s -split-input-file -verify-diagnostics | FileCheck %s
// kernel.winograd prints as it parses; each of its constraints, broken once.

// CHECK-LABEL: func.func @prints
// CHECK: kernel.winograd padding [1, 0, 2, 1] block [3, 32] ins(%{{.*}}, %{{.*}} : memref<2x7x6x40xf32>, memref<36x40x70xf32>) outs(%{{.*}} : memref<2x8x5x70xf32>) shares 4
// CHECK: kernel.winograd by_weight padding [1, 0, 2, 1] block [3, 48] ins(%{{.*}}, %{{.*}} : memref<2x7x6x40xf32>, memref<2x8x5x70xf32>) outs(%{{.*}} : memref<2x3x3x40x70xf32>)
func.func @prints(%x: memref<2x7x6x40xf32>, %u: memref<36x40x70xf32>, %y: memref<2x8x5x70xf32>, %w: memref<2x3x3x40x70xf32>) {
  kernel.winograd padding [1, 0, 2, 1] block [3, 32] ins(%x, %u : memref<2x7x6x40xf32>, memref<36x40x70xf32>)
    outs(%y : memref<2x8x5x70xf32>) shares 4
  kernel.winograd by_weight padding [1, 0, 2, 1] block [3, 48] ins(%x, %y : memref<2x7x6x40xf32>, memref<2x8x5x70xf32>)
    outs(%w : memref<2x3x3x40x70xf32>)
  return
}

// -----
func.func @c1_rank(%x: memref<4x4x16xf32>, %u: memref<36x16x16xf32>) {
  // expected-error @below {{(C1) operand 0 must be f32 of rank 4, is 'memref<4x4x16xf32>'}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<4x4x16xf32>, memref<36x16x16xf32>) outs(%x : memref<4x4x16xf32>)
  return
}

// -----
func.func @c1_result(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>) {
  // expected-error @below {{(C1) the convolution's result must be [1, 4, 2, 16], is [1, 4, 4, 16]}}
  kernel.winograd padding [1, 0, 1, 0] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>) outs(%x : memref<1x4x4x16xf32>)
  return
}

// -----
func.func @c1_filters(%x: memref<1x4x4x16xf32>, %u: memref<9x16x16xf32>) {
  // expected-error @below {{(C1) filters must be [36, 16, 16], are [9, 16, 16]}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<9x16x16xf32>) outs(%x : memref<1x4x4x16xf32>)
  return
}

// -----
func.func @c1_gradient(%x: memref<1x4x4x16xf32>, %w: memref<1x9x1x16x16xf32>) {
  // expected-error @below {{(C1) filters must be [1, 3, 3, 16, 16], are [1, 9, 1, 16, 16]}}
  kernel.winograd by_weight padding [1, 1, 1, 1] block [1, 16] ins(%x, %x : memref<1x4x4x16xf32>, memref<1x4x4x16xf32>)
    outs(%w : memref<1x9x1x16x16xf32>)
  return
}

// -----
func.func @c2(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>) {
  // expected-error @below {{(C2) padding is four numbers that are not negative}}
  kernel.winograd padding [1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>) outs(%x : memref<1x4x4x16xf32>)
  return
}

// -----
func.func @c3_block(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>) {
  // expected-error @below {{(C3) block must be tiles, and channels in sixteens, is [1, 8]}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 8] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>) outs(%x : memref<1x4x4x16xf32>)
  return
}

// -----
func.func @c3_shards(%x: memref<1x4x4x16xf32>, %w: memref<2x3x3x16x16xf32>) {
  // expected-error @below {{(C3) shards must be from 1 to 1, are 2}}
  kernel.winograd by_weight padding [1, 1, 1, 1] block [1, 16] ins(%x, %x : memref<1x4x4x16xf32>, memref<1x4x4x16xf32>)
    outs(%w : memref<2x3x3x16x16xf32>)
  return
}

// -----
func.func @c4(%x: tensor<1x4x4x16xf32>, %u: tensor<36x16x16xf32>) {
  // expected-error @below {{(C4) must have 1 results, has 0}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : tensor<1x4x4x16xf32>, tensor<36x16x16xf32>) outs(%x : tensor<1x4x4x16xf32>)
  return
}

// -----
func.func @c5(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>) {
  // expected-error @below {{(C5) shares must be from 1 to 1, is 2}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>) outs(%x : memref<1x4x4x16xf32>) shares 2
  return
}
