// RUN: sinter-opt %s -split-input-file -verify-diagnostics
// Each constraint of kernel.gather and kernel.scatter_add, broken once.

func.func @c1_shape(%t: memref<5x3xf32>, %i: memref<4xi32>, %y: memref<4x2xf32>) {
  // expected-error @below {{(C1) rows 'memref<4x2xf32>' and ids 'memref<4xi32>' do not belong to a table 'memref<5x3xf32>'}}
  kernel.gather ins(%t, %i : memref<5x3xf32>, memref<4xi32>) outs(%y : memref<4x2xf32>)
  return
}

// -----
func.func @c1_ids(%x: memref<4x3xf32>, %i: memref<4xf32>, %t: memref<5x3xf32>) {
  // expected-error @below {{(C1) rows 'memref<4x3xf32>' and ids 'memref<4xf32>' do not belong to a table 'memref<5x3xf32>'}}
  kernel.scatter_add ins(%x, %i : memref<4x3xf32>, memref<4xf32>) outs(%t : memref<5x3xf32>)
  return
}

// -----
func.func @c2_semantics(%t: tensor<5x3xf32>, %i: tensor<4xi32>, %y: tensor<4x3xf32>) {
  // expected-error @below {{(C2) must have 1 results, has 0}}
  kernel.gather ins(%t, %i : tensor<5x3xf32>, tensor<4xi32>) outs(%y : tensor<4x3xf32>)
  return
}

// -----
func.func @c3_shares_of_ids(%t: memref<5x3xf32>, %i: memref<4xi32>, %y: memref<4x3xf32>) {
  // expected-error @below {{(C3) shares must be from 1 to 4, is 5}}
  kernel.gather ins(%t, %i : memref<5x3xf32>, memref<4xi32>) outs(%y : memref<4x3xf32>) shares 5
  return
}

// -----
func.func @c3_shares_of_columns(%x: memref<4x33xf32>, %i: memref<4xi32>, %t: memref<5x33xf32>) {
  // expected-error @below {{(C3) shares must be from 1 to 3, is 4}}
  kernel.scatter_add ins(%x, %i : memref<4x33xf32>, memref<4xi32>) outs(%t : memref<5x33xf32>) shares 4
  return
}
