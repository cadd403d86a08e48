// RUN: sinter-opt %s -split-input-file -verify-diagnostics
// Each constraint of kernel.contract, broken once.

#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @c1_maps(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %c: memref<4x16xf32>) {
  // expected-error @below {{(C1) has 2 maps for 3 inputs and outputs}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>) outs(%c : memref<4x16xf32>) maps [#a, #b] block [8]
  return
}

// -----
#a = affine_map<(i, j, k) -> (i, k)>
#bt = affine_map<(i, j, k) -> (j, k)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @c2_columns_apart(%a: memref<4x8xf32>, %b: memref<16x8xf32>, %c: memref<4x16xf32>) {
  // expected-error @below {{(C2) cols must have stride 1 in operand 1}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : memref<4x8xf32>, memref<16x8xf32>) outs(%c : memref<4x16xf32>) maps [#a, #bt, #c] block [8]
  return
}

// -----
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @c3_block(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %c: memref<4x16xf32>) {
  // expected-error @below {{(C3) block must have one positive extent for each of the 1 sum axes}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>) outs(%c : memref<4x16xf32>) maps [#a, #b, #c] block []
  return
}

// -----
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
#v = affine_map<(i, j, k) -> (j)>
func.func @c4_epilogue(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %v: memref<16xf32>, %c: memref<4x16xf32>) {
  // expected-error @below {{(C4) the body must take ('f32', 'f32'), takes ('f32')}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>) with(%v : memref<16xf32>) outs(%c : memref<4x16xf32>) maps [#a, #b, #v, #c] block [8] {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  return
}

// -----
// Padding without a tap.
#a = affine_map<(i, j, k) -> (i, k - 1)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @c5_outside(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %c: memref<4x16xf32>) {
  // expected-error @below {{(C5) coordinate 1 of operand 0 may fall outside, and does not use one tap and one other axis}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>) outs(%c : memref<4x16xf32>) maps [#a, #b, #c] block [8]
  return
}

// -----
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @c6_blocks(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %c: memref<4x16xf32>, %d: memref<4x16xf32>) {
  // expected-error @below {{(C6) a sum over taps or in several blocks keeps its partial sums in one output of f32}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>) outs(%c, %d : memref<4x16xf32>, memref<4x16xf32>) maps [#a, #b, #c, #c] block [4] {
  ^bb0(%s: f32):
    kernel.yield %s, %s : f32, f32
  }
  return
}

// -----
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @c7_results(%a: tensor<4x8xf32>, %b: tensor<8x16xf32>, %c: tensor<4x16xf32>) {
  // expected-error @below {{(C7) must have 1 results, has 0}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : tensor<4x8xf32>, tensor<8x16xf32>) outs(%c : tensor<4x16xf32>) maps [#a, #b, #c] block [8]
  return
}

// -----
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
func.func @c8_sum_axis(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %c: memref<4x16xi32>) {
  // expected-error @below {{(C8) kernel.index 2 names no axis, there are 2}}
  kernel.contract rows [4] cols 16 sum [8] ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>) outs(%c : memref<4x16xi32>) maps [#a, #b, #c] block [8] {
  ^bb0(%s: f32):
    %k = kernel.index 2
    %i = arith.index_cast %k : index to i32
    kernel.yield %i : i32
  }
  return
}
