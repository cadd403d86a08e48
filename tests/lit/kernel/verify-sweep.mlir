// RUN: sinter-opt %s -split-input-file -verify-diagnostics
// Each constraint of kernel.sweep, broken once.

func.func @c1_maps(%x: memref<4xf32>) {
  // expected-error @below {{(C1) has 1 maps for 2 inputs and outputs}}
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%x : memref<4xf32>) maps [affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
func.func @c1_rank(%x: memref<4xf32>) {
  // expected-error @below {{(C1) map 0 must lead from 1 axes to 1, is affine_map<(d0, d1) -> (d0)>}}
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%x : memref<4xf32>) maps [affine_map<(i, j) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
func.func @c2_init(%x: memref<4xf32>, %y: memref<f32>) {
  // expected-error @below {{(C2) init must stand exactly where reduce or guard does}}
  kernel.sweep parallel [] reduce [4] ins(%x : memref<4xf32>) outs(%y : memref<f32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> ()>] {
  ^bb0(%a: f32, %s: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
func.func @c2_type(%x: memref<4xf32>, %y: memref<f32>) {
  // expected-error @below {{(C2) an init must be a value of type 'f32', is 0 : i32}}
  kernel.sweep parallel [] reduce [4] ins(%x : memref<4xf32>) outs(%y : memref<f32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> ()>] init [0 : i32] {
  ^bb0(%a: f32, %s: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
func.func @c3_arguments(%x: memref<4xf32>) {
  // expected-error @below {{(C3) the body must take ('f32'), takes ('i32')}}
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%x : memref<4xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: i32):
    %f = arith.sitofp %a : i32 to f32
    kernel.yield %f : f32
  }
  return
}

// -----
func.func @c3_yield(%x: memref<4xf32>) {
  // expected-error @below {{(C3) the body must yield ('f32'), yields ()}}
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%x : memref<4xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    kernel.yield
  }
  return
}

// -----
func.func @c4_leaves(%x: memref<4xf32>) {
  // expected-error @below {{(C4) map 0 leaves axis 0 of 'memref<4xf32>'}}
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%x : memref<4xf32>) maps [affine_map<(i) -> (i - 1)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
// A guard that keeps the map inside is enough …
func.func @c4_guarded(%x: memref<4xf32>, %y: memref<4xf32>) {
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i - 1)>, affine_map<(i) -> (i)>]
      init [0.0 : f32] guard affine_set<(i) : (i - 1 >= 0)> {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  // … one that does not is not.
  // expected-error @below {{(C4) map 0 leaves axis 0 of 'memref<4xf32>'}}
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i - 2)>, affine_map<(i) -> (i)>]
      init [0.0 : f32] guard affine_set<(i) : (i - 1 >= 0)> {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
func.func @c4_reduced_output(%x: memref<4xf32>) {
  // expected-error @below {{(C4) the map of output 0 must use parallel axes only}}
  kernel.sweep parallel [] reduce [4] ins(%x : memref<4xf32>) outs(%x : memref<4xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] init [0.0 : f32] {
  ^bb0(%a: f32, %s: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
func.func @c5_mixed(%x: tensor<4xf32>, %y: memref<4xf32>) {
  // expected-error @below {{(C5) operands must be all tensors or all memrefs}}
  kernel.sweep parallel [4] ins(%x : tensor<4xf32>) outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  return
}

// -----
func.func @c6_capture(%x: memref<4xf32>, %f: f32) {
  // expected-error @below {{(C6) the body takes a value of type 'f32' from outside}}
  kernel.sweep parallel [4] outs(%x : memref<4xf32>) maps [affine_map<(i) -> (i)>] {
    kernel.yield %f : f32
  }
  return
}

// -----
func.func @c6_axis(%x: memref<4xi32>) {
  // expected-error @below {{(C6) kernel.index 1 names no axis, there are 1}}
  kernel.sweep parallel [4] outs(%x : memref<4xi32>) maps [affine_map<(i) -> (i)>] {
    %i = kernel.index 1
    %a = arith.index_cast %i : index to i32
    kernel.yield %a : i32
  }
  return
}

// -----
func.func @c7_shares(%x: memref<4xf32>) {
  // expected-error @below {{(C7) shares must be positive, is 0}}
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%x : memref<4xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] shares 0 {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  return
}
