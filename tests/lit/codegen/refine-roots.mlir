// RUN: sinter-opt %s --refine-roots | FileCheck %s

// An estimate, a step for root and reciprocal together, and what the root's square lacks; sixteen with a zero, an infinity or a tiny number
// among them take the instruction.
// CHECK-LABEL: func.func @sixteen
// CHECK-SAME: %[[X:.*]]: vector<16xf32>
// CHECK: %[[OTHERS:.*]] = arith.cmpi uge
// CHECK: %[[MASK:.*]] = llvm.bitcast %[[OTHERS]] : vector<16xi1> to i16
// CHECK: %[[USUAL:.*]] = arith.cmpi eq, %[[MASK]]
// CHECK: %[[ROOT:.*]] = scf.if %[[USUAL]]
// CHECK-NOT: math.sqrt
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.rsqrt14.ps.512"(%[[X]]
// CHECK-COUNT-5: math.fma
// CHECK: else
// CHECK: math.sqrt %[[X]] : vector<16xf32>
// CHECK: return %[[ROOT]]
func.func @sixteen(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.sqrt %x : vector<16xf32>
  return %y : vector<16xf32>
}

// One number is left to the instruction, be it by itself or sixteen times.
// CHECK-LABEL: func.func @one
// CHECK-NOT: llvm.call_intrinsic
// CHECK: return
func.func @one(%x: f32, %d: vector<16xf64>) -> (f32, vector<16xf32>, vector<16xf64>) {
  %a = math.sqrt %x : f32
  %many = vector.broadcast %x : f32 to vector<16xf32>
  %b = math.sqrt %many : vector<16xf32>
  %c = math.sqrt %d : vector<16xf64>
  return %a, %b, %c : f32, vector<16xf32>, vector<16xf64>
}
