// RUN: sinter-opt %s --wide-products | FileCheck %s

// Two rounds of a generator: the halves of x are taken apart once, those of the result put together once.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: (%[[X:.*]]: vector<16xi32>, %[[KEY:.*]]: i32)
// CHECK: %[[EVEN:.*]] = vector.bitcast %[[X]] : vector<16xi32> to vector<8xi64>
// CHECK: %[[ODD:.*]] = arith.shrui %[[EVEN]]
// CHECK-NOT: arith.mului_extended
// CHECK-COUNT-4: arith.muli %{{.*}} : vector<8xi64>
// CHECK-NOT: arith.muli
// CHECK: %[[Y:.*]] = vector.shuffle %{{.*}}, %{{.*}} [1, 17, 3, 19,
// CHECK-NOT: vector.bitcast
// CHECK: return %[[Y]]
func.func @chain(%x: vector<16xi32>, %key: i32) -> vector<16xi32> {
  %m = arith.constant dense<3528531795> : vector<16xi32>
  %k = vector.broadcast %key : i32 to vector<16xi32>
  %low, %high = arith.mului_extended %m, %x : vector<16xi32>
  %a = arith.xori %high, %low : vector<16xi32>
  %b = arith.xori %a, %k : vector<16xi32>
  %low2, %high2 = arith.mului_extended %m, %b : vector<16xi32>
  return %high2 : vector<16xi32>
}

// What the chain has on its way may be read as well.
// CHECK-LABEL: func.func @read_on_the_way
// CHECK: %[[A:.*]] = arith.xori %{{.*}} : vector<16xi32>
// CHECK: return %[[A]], %{{.*}}, %{{.*}} : vector<16xi32>
func.func @read_on_the_way(%x: vector<16xi32>) -> (vector<16xi32>, vector<16xi32>, vector<16xi32>) {
  %low, %high = arith.mului_extended %x, %x : vector<16xi32>
  %a = arith.xori %high, %low : vector<16xi32>
  %low2, %high2 = arith.mului_extended %a, %x : vector<16xi32>
  return %a, %low2, %high2 : vector<16xi32>, vector<16xi32>, vector<16xi32>
}

// Keys of which all lanes are one number need not be taken apart.
// CHECK-LABEL: func.func @keys
// CHECK-COUNT-1: arith.shrui %{{.*}} : vector<8xi64>
// CHECK-NOT: arith.shrui
// CHECK: return
func.func @keys(%x: vector<16xi32>, %seed: i64) -> vector<16xi32> {
  %m = arith.constant dense<3528531795> : vector<16xi32>
  %s = vector.broadcast %seed : i64 to vector<16xi64>
  %k = arith.trunci %s : vector<16xi64> to vector<16xi32>
  %a = arith.xori %x, %k : vector<16xi32>
  %low, %high = arith.mului_extended %m, %a : vector<16xi32>
  return %low : vector<16xi32>
}

// Whether a draw reaches a constant is asked of its bits: 0.3 in f32 is 5033165 · 2^-24. What is no such draw is compared as it is.
// CHECK-LABEL: func.func @draws
// CHECK: %[[X:.*]] = vector.shuffle
// CHECK: %[[BOUND:.*]] = arith.constant dense<1288490240> : vector<16xi32>
// CHECK: arith.cmpi uge, %[[X]], %[[BOUND]]
// CHECK: arith.constant dense<1288490240> : vector<16xi32>
// CHECK: arith.cmpi ult, %[[X]],
// CHECK-NOT: arith.cmpi
// CHECK-COUNT-2: arith.cmpf
// CHECK: return
func.func @draws(%a: vector<16xi32>) -> (vector<16xi1>, vector<16xi1>, vector<16xi1>, vector<16xi1>) {
  %m = arith.constant dense<3528531795> : vector<16xi32>
  %low, %x = arith.mului_extended %m, %a : vector<16xi32>
  %eight = arith.constant dense<8> : vector<16xi32>
  %scale = arith.constant dense<0x33800000> : vector<16xf32>
  %rate = arith.constant dense<3.000000e-01> : vector<16xf32>
  %one = arith.constant dense<1.000000e+00> : vector<16xf32>
  %upper = arith.shrui %x, %eight : vector<16xi32>
  %whole = arith.sitofp %upper : vector<16xi32> to vector<16xf32>
  %u = arith.mulf %whole, %scale : vector<16xf32>
  %stays = arith.cmpf oge, %u, %rate : vector<16xf32>
  %goes = arith.cmpf olt, %u, %rate : vector<16xf32>
  %always = arith.cmpf olt, %u, %one : vector<16xf32>
  %other = arith.cmpf oge, %whole, %rate : vector<16xf32>
  return %stays, %goes, %always, %other : vector<16xi1>, vector<16xi1>, vector<16xi1>, vector<16xi1>
}

// A single number, and lanes that have no neighbour.
// CHECK-LABEL: func.func @others
// CHECK-COUNT-2: arith.mului_extended
func.func @others(%x: i32, %y: vector<3xi32>) -> (i32, vector<3xi32>) {
  %low, %high = arith.mului_extended %x, %x : i32
  %low2, %high2 = arith.mului_extended %y, %y : vector<3xi32>
  return %high, %high2 : i32, vector<3xi32>
}
