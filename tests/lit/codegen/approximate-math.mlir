// RUN: sinter-opt %s --approximate-math | FileCheck %s

// Sixteen floats at a time go through a polynomial.
// CHECK-LABEL: func.func @vectors
// CHECK-NOT: math.exp
// CHECK-NOT: math.tanh
// CHECK: return
func.func @vectors(%x: vector<16xf32>) -> vector<16xf32> {
  %e = math.exp %x : vector<16xf32>
  %t = math.tanh %e : vector<16xf32>
  return %t : vector<16xf32>
}

// The few doubles of a schedule stay, for libm.
// CHECK-LABEL: func.func @schedule
// CHECK: math.cos %{{.*}} : f64
func.func @schedule(%t: f64) -> f64 {
  %c = math.cos %t : f64
  return %c : f64
}

// Sines of large angles: the rest of the division by π/2 is taken in f64.
// CHECK-LABEL: func.func @angles
// CHECK: arith.extf %{{.*}} : vector<16xf32> to vector<16xf64>
// CHECK: arith.truncf
// CHECK-NOT: math.sin
// CHECK: return
func.func @angles(%x: vector<16xf32>) -> vector<16xf32> {
  %s = math.sin %x : vector<16xf32>
  return %s : vector<16xf32>
}

// e^x has no floor, and no step for each special value: 2^k goes into the exponent's bits.
// CHECK-LABEL: func.func @exponential
// CHECK: arith.shli
// CHECK: arith.addi
// CHECK-NOT: math.floor
// CHECK-COUNT-2: arith.select
// CHECK-NOT: arith.select
// CHECK: return
func.func @exponential(%x: f32) -> f32 {
  %e = math.exp %x : f32
  return %e : f32
}

// erf x is one polynomial with x held within bounds: no division, no choice between ranges.
// CHECK-LABEL: func.func @error_function
// CHECK-COUNT-2: arith.select
// CHECK-NOT: arith.select
// CHECK-NOT: arith.divf
// CHECK-COUNT-17: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @error_function(%x: vector<16xf32>) -> vector<16xf32> {
  %e = math.erf %x : vector<16xf32>
  return %e : vector<16xf32>
}

// GELU's slope is one polynomial, not those of erf and of exp.
// CHECK-LABEL: func.func @gelu_slope
// CHECK-NOT: arith.shli
// CHECK-COUNT-20: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @gelu_slope(%x: vector<16xf32>) -> vector<16xf32> {
  %half = arith.constant dense<0.5> : vector<16xf32>
  %one = arith.constant dense<1.0> : vector<16xf32>
  %minus_half = arith.constant dense<-0.5> : vector<16xf32>
  %width = arith.constant dense<0.707106769> : vector<16xf32>
  %height = arith.constant dense<0.398942292> : vector<16xf32>
  %scaled = arith.mulf %x, %width : vector<16xf32>
  %erf = math.erf %scaled : vector<16xf32>
  %below = arith.addf %erf, %one : vector<16xf32>
  %share = arith.mulf %below, %half : vector<16xf32>
  %square = arith.mulf %x, %x : vector<16xf32>
  %power = arith.mulf %square, %minus_half : vector<16xf32>
  %exp = math.exp %power : vector<16xf32>
  %density = arith.mulf %exp, %height : vector<16xf32>
  %tilt = arith.mulf %x, %density : vector<16xf32>
  %slope = arith.addf %share, %tilt : vector<16xf32>
  return %slope : vector<16xf32>
}

// Beside a GELU, which needs the erf, it is the same polynomial: its bits are those of elsewhere.
// CHECK-LABEL: func.func @gelu_and_slope
// CHECK-NOT: arith.shli
// CHECK-COUNT-37: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @gelu_and_slope(%x: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>) {
  %half = arith.constant dense<0.5> : vector<16xf32>
  %one = arith.constant dense<1.0> : vector<16xf32>
  %minus_half = arith.constant dense<-0.5> : vector<16xf32>
  %width = arith.constant dense<0.707106769> : vector<16xf32>
  %height = arith.constant dense<0.398942292> : vector<16xf32>
  %scaled = arith.mulf %x, %width : vector<16xf32>
  %erf = math.erf %scaled : vector<16xf32>
  %below = arith.addf %erf, %one : vector<16xf32>
  %share = arith.mulf %below, %half : vector<16xf32>
  %square = arith.mulf %x, %x : vector<16xf32>
  %power = arith.mulf %square, %minus_half : vector<16xf32>
  %exp = math.exp %power : vector<16xf32>
  %density = arith.mulf %exp, %height : vector<16xf32>
  %tilt = arith.mulf %x, %density : vector<16xf32>
  %slope = arith.addf %share, %tilt : vector<16xf32>
  return %slope, %below : vector<16xf32>, vector<16xf32>
}
