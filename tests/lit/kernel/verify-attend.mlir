// RUN: sinter-opt %s -split-input-file -verify-diagnostics | FileCheck %s
// kernel.attend prints as it parses; each of its constraints, broken once.

// CHECK-LABEL: func.func @prints
// CHECK: kernel.attend block [16, 5] causal scale 5.000000e-01 ins({{.*}} : memref<2x3x2x4xf32>, memref<2x5x2x4xf32>, memref<2x5x2x4xf32>) ids(%{{.*}} : memref<2xi32>) outs({{.*}} : memref<2x3x2x4xf32>, memref<2x2x3xf32>) shares 4 {
// CHECK: kernel.attend backwards block [16, 5] scale 5.000000e-01 ins(
func.func @prints(%q: memref<2x3x2x4xf32>, %k: memref<2x5x2x4xf32>, %l: memref<2x2x3xf32>, %i: memref<2xi32>) {
  kernel.attend block [16, 5] causal scale 0.5 ins(%q, %k, %k : memref<2x3x2x4xf32>, memref<2x5x2x4xf32>, memref<2x5x2x4xf32>)
    ids(%i : memref<2xi32>) outs(%q, %l : memref<2x3x2x4xf32>, memref<2x2x3xf32>) shares 4 {
  ^bb0(%id: i32):
    %one = arith.constant 1.0 : f32
    kernel.yield %one : f32
  }
  kernel.attend backwards block [16, 5] scale 0.5
    ins(%q, %k, %k, %q, %l, %q : memref<2x3x2x4xf32>, memref<2x5x2x4xf32>, memref<2x5x2x4xf32>, memref<2x3x2x4xf32>, memref<2x2x3xf32>, memref<2x3x2x4xf32>)
    outs(%q, %k, %k : memref<2x3x2x4xf32>, memref<2x5x2x4xf32>, memref<2x5x2x4xf32>)
  return
}

// -----
func.func @c1_count(%q: memref<2x3x2x4xf32>) {
  // expected-error @below {{(C1) must have 3 inputs and 2 outputs, has 2 and 1}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q : memref<2x3x2x4xf32>, memref<2x3x2x4xf32>) outs(%q : memref<2x3x2x4xf32>)
  return
}

// -----
func.func @c1_rank(%q: memref<2x3x8xf32>) {
  // expected-error @below {{(C1) q and k must be [batch, positions, heads, columns]}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q, %q : memref<2x3x8xf32>, memref<2x3x8xf32>, memref<2x3x8xf32>)
    outs(%q, %q : memref<2x3x8xf32>, memref<2x3x8xf32>)
  return
}

// -----
func.func @c1_shape(%q: memref<2x3x2x4xf32>, %l: memref<2x3x2xf32>) {
  // expected-error @below {{(C1) operand 4 must be f32 of [2, 2, 3], is 'memref<2x3x2xf32>'}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q, %q : memref<2x3x2x4xf32>, memref<2x3x2x4xf32>, memref<2x3x2x4xf32>)
    outs(%q, %l : memref<2x3x2x4xf32>, memref<2x3x2xf32>)
  return
}

// -----
func.func @c2_block(%q: memref<2x3x2x4xf32>, %l: memref<2x2x3xf32>) {
  // expected-error @below {{(C2) block must be queries, a multiple of 16, and keys, is [3, 3]}}
  kernel.attend block [3, 3] scale 0.5 ins(%q, %q, %q : memref<2x3x2x4xf32>, memref<2x3x2x4xf32>, memref<2x3x2x4xf32>)
    outs(%q, %l : memref<2x3x2x4xf32>, memref<2x2x3xf32>)
  return
}

// -----
func.func @c3_ids(%q: memref<2x3x2x4xf32>, %l: memref<2x2x3xf32>, %i: memref<2xi32>) {
  // expected-error @below {{(C3) ids must stand exactly where a body does}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q, %q : memref<2x3x2x4xf32>, memref<2x3x2x4xf32>, memref<2x3x2x4xf32>)
    ids(%i : memref<2xi32>) outs(%q, %l : memref<2x3x2x4xf32>, memref<2x2x3xf32>)
  return
}

// -----
func.func @c3_shape_of_ids(%q: memref<2x3x2x4xf32>, %l: memref<2x2x3xf32>, %i: memref<3xi32>) {
  // expected-error @below {{(C3) ids must be i32 of [2], is 'memref<3xi32>'}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q, %q : memref<2x3x2x4xf32>, memref<2x3x2x4xf32>, memref<2x3x2x4xf32>)
    ids(%i : memref<3xi32>) outs(%q, %l : memref<2x3x2x4xf32>, memref<2x2x3xf32>) {
  ^bb0(%id: i32):
    %one = arith.constant 1.0 : f32
    kernel.yield %one : f32
  }
  return
}

// -----
func.func @c3_body(%q: memref<2x3x2x4xf32>, %l: memref<2x2x3xf32>, %i: memref<2xi32>) {
  // expected-error @below {{(C3) the body must take ('i32'), takes ('f32')}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q, %q : memref<2x3x2x4xf32>, memref<2x3x2x4xf32>, memref<2x3x2x4xf32>)
    ids(%i : memref<2xi32>) outs(%q, %l : memref<2x3x2x4xf32>, memref<2x2x3xf32>) {
  ^bb0(%id: f32):
    kernel.yield %id : f32
  }
  return
}

// -----
func.func @c4_semantics(%q: tensor<2x3x2x4xf32>, %l: tensor<2x2x3xf32>) {
  // expected-error @below {{(C4) must have 2 results, has 0}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q, %q : tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>)
    outs(%q, %l : tensor<2x3x2x4xf32>, tensor<2x2x3xf32>)
  return
}

// -----
func.func @c5_axis(%q: memref<2x3x2x4xf32>, %l: memref<2x2x3xf32>, %i: memref<2xi32>) {
  // expected-error @below {{(C5) kernel.index 4 names no axis, there are 4}}
  kernel.attend block [16, 3] scale 0.5 ins(%q, %q, %q : memref<2x3x2x4xf32>, memref<2x3x2x4xf32>, memref<2x3x2x4xf32>)
    ids(%i : memref<2xi32>) outs(%q, %l : memref<2x3x2x4xf32>, memref<2x2x3xf32>) {
  ^bb0(%id: i32):
    %j = kernel.index 4
    %one = arith.constant 1.0 : f32
    kernel.yield %one : f32
  }
  return
}

// -----
func.func @c6_shares(%q: memref<2x40x2x4xf32>, %l: memref<2x2x40xf32>) {
  // expected-error @below {{(C6) shares must be from 1 to 12, is 13}}
  kernel.attend block [16, 16] scale 0.5 ins(%q, %q, %q : memref<2x40x2x4xf32>, memref<2x40x2x4xf32>, memref<2x40x2x4xf32>)
    outs(%q, %l : memref<2x40x2x4xf32>, memref<2x2x40xf32>) shares 13
  return
}
