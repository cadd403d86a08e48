// RUN: sinter-opt %s -split-input-file -verify-diagnostics | FileCheck %s
// kernel.winograd prints as it parses; each of its constraints, broken once.

// CHECK-LABEL: func.func @prints
// CHECK: kernel.winograd padding [1, 0, 2, 1] block [3, 32] ins(%{{.*}}, %{{.*}} : memref<2x7x6x40xf32>, memref<36x40x70xf32>) outs(%{{.*}} : memref<2x8x5x70xf32>) shares 4
// CHECK: kernel.winograd by_weight padding [1, 0, 2, 1] block [3, 48] ins(%{{.*}}, %{{.*}} : memref<2x7x6x40xf32>, memref<2x8x5x70xf32>) outs(%{{.*}} : memref<2x3x3x40x70xf32>)
// CHECK: kernel.winograd padding [1, 0, 2, 1] block [3, 32] ins(%{{.*}}, %{{.*}} : memref<2x7x6x40xf32>, memref<3x3x40x70xf32>)
// CHECK: kernel.winograd turned padding [1, 0, 2, 1] block [3, 32] ins(%{{.*}}, %{{.*}} : memref<2x7x6x40xf32>, memref<3x3x70x40xf32>)
func.func @prints(%x: memref<2x7x6x40xf32>, %u: memref<36x40x70xf32>, %y: memref<2x8x5x70xf32>, %w: memref<2x3x3x40x70xf32>,
                 %v: memref<3x3x40x70xf32>, %t: memref<3x3x70x40xf32>) {
  kernel.winograd padding [1, 0, 2, 1] block [3, 32] ins(%x, %u : memref<2x7x6x40xf32>, memref<36x40x70xf32>)
    outs(%y : memref<2x8x5x70xf32>) shares 4
  kernel.winograd by_weight padding [1, 0, 2, 1] block [3, 48] ins(%x, %y : memref<2x7x6x40xf32>, memref<2x8x5x70xf32>)
    outs(%w : memref<2x3x3x40x70xf32>)
  kernel.winograd padding [1, 0, 2, 1] block [3, 32] ins(%x, %v : memref<2x7x6x40xf32>, memref<3x3x40x70xf32>)
    outs(%y : memref<2x8x5x70xf32>)
  kernel.winograd turned padding [1, 0, 2, 1] block [3, 32] ins(%x, %t : memref<2x7x6x40xf32>, memref<3x3x70x40xf32>)
    outs(%y : memref<2x8x5x70xf32>)
  return
}

// -----
// CHECK-LABEL: func.func @epilogue
// CHECK: kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%{{.*}}, %{{.*}} : memref<1x4x4x16xf32>, memref<36x16x16xf32>) with(%{{.*}}, %{{.*}} : memref<1x4x4x16xi8>, memref<16xf32>) reads [#map, #map1] outs(%{{.*}} : memref<1x4x4x16xf32>) {
func.func @epilogue(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>, %m: memref<1x4x4x16xi8>, %b: memref<16xf32>, %y: memref<1x4x4x16xf32>) {
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>)
    with(%m, %b : memref<1x4x4x16xi8>, memref<16xf32>) reads [affine_map<(b, h, w, o) -> (b, h, w, o)>, affine_map<(b, h, w, o) -> (o)>]
    outs(%y : memref<1x4x4x16xf32>) {
  ^bb0(%s: f32, %keep: i8, %bias: f32):
    %0 = arith.addf %s, %bias : f32
    kernel.yield %0 : f32
  }
  return
}

// -----
func.func @c6_count(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @below {{(C6) has 0 reads for 1 values}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>)
    with(%x : memref<1x4x4x16xf32>) reads [] outs(%y : memref<1x4x4x16xf32>) {
  ^bb0(%s: f32, %v: f32):
    kernel.yield %s : f32
  }
  return
}

// -----
func.func @c6_last(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>, %v: memref<16x4xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @below {{(C6) read 0 must take axes of the result to those of 'memref<16x4xf32>'}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>)
    with(%v : memref<16x4xf32>) reads [affine_map<(b, h, w, o) -> (o, h)>] outs(%y : memref<1x4x4x16xf32>) {
  ^bb0(%s: f32, %w: f32):
    kernel.yield %s : f32
  }
  return
}

// -----
func.func @c6_leaves(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>, %v: memref<15xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @below {{(C6) read 0 leaves 'memref<15xf32>'}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>)
    with(%v : memref<15xf32>) reads [affine_map<(b, h, w, o) -> (o)>] outs(%y : memref<1x4x4x16xf32>) {
  ^bb0(%s: f32, %w: f32):
    kernel.yield %s : f32
  }
  return
}

// -----
func.func @c6_unread(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @below {{(C6) values without an epilogue that reads them}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>)
    with(%x : memref<1x4x4x16xf32>) reads [affine_map<(b, h, w, o) -> (b, h, w, o)>] outs(%y : memref<1x4x4x16xf32>)
  return
}

// -----
func.func @c6_coordinate(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @below {{(C6) kernel.index 1 names no axis, there are 0}}
  kernel.winograd padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>)
    outs(%y : memref<1x4x4x16xf32>) {
  ^bb0(%s: f32):
    %i = kernel.index 1
    kernel.yield %s : f32
  }
  return
}

// -----
func.func @c6_by_weight(%x: memref<1x4x4x16xf32>, %w: memref<1x3x3x16x16xf32>) {
  // expected-error @below {{(C6) a gradient by weight has no epilogue}}
  kernel.winograd by_weight padding [1, 1, 1, 1] block [1, 16] ins(%x, %x : memref<1x4x4x16xf32>, memref<1x4x4x16xf32>)
    outs(%w : memref<1x3x3x16x16xf32>) {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  return
}

// -----
func.func @c1_turned(%x: memref<1x4x4x16xf32>, %u: memref<36x16x16xf32>) {
  // expected-error @below {{(C1) only weights of which filters are made are turned}}
  kernel.winograd turned padding [1, 1, 1, 1] block [1, 16] ins(%x, %u : memref<1x4x4x16xf32>, memref<36x16x16xf32>) outs(%x : memref<1x4x4x16xf32>)
  return
}

// -----
func.func @c1_weights(%x: memref<1x4x4x16xf32>, %w: memref<3x3x16x32xf32>, %y: memref<1x4x4x32xf32>) {
  // expected-error @below {{(C1) filters must be [3, 3, 32, 16], are [3, 3, 16, 32]}}
  kernel.winograd turned padding [1, 1, 1, 1] block [1, 16] ins(%x, %w : memref<1x4x4x16xf32>, memref<3x3x16x32xf32>) outs(%y : memref<1x4x4x32xf32>)
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
