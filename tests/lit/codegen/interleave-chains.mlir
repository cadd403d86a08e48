// RUN: sinter-opt %s --interleave-chains | FileCheck %s

// Two chains that were written one behind the other: loads come first, then each depth of both, then the stores. The mark goes.
// CHECK-LABEL: func.func @marked
// CHECK: scf.for
// CHECK: %[[A:.*]] = llvm.load
// CHECK-NEXT: %[[B:.*]] = llvm.load
// CHECK-NEXT: %[[A1:.*]] = arith.addf %[[A]], %[[A]]
// CHECK-NEXT: %[[B1:.*]] = arith.mulf %[[B]], %[[B]]
// CHECK-NEXT: %[[A2:.*]] = arith.mulf %[[A1]], %[[A]]
// CHECK-NEXT: %[[B2:.*]] = arith.addf %[[B1]], %[[B]]
// CHECK-NEXT: llvm.store %[[A2]]
// CHECK-NEXT: llvm.store %[[B2]]
// CHECK-NEXT: }
// CHECK-NOT: sinter.interleaved
func.func @marked(%p: !llvm.ptr, %q: !llvm.ptr, %n: i64) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  scf.for %i = %zero to %n step %one : i64 {
    %a = llvm.load %p : !llvm.ptr -> vector<16xf32>
    %a1 = arith.addf %a, %a : vector<16xf32>
    %a2 = arith.mulf %a1, %a : vector<16xf32>
    llvm.store %a2, %p : vector<16xf32>, !llvm.ptr
    %b = llvm.load %q : !llvm.ptr -> vector<16xf32>
    %b1 = arith.mulf %b, %b : vector<16xf32>
    %b2 = arith.addf %b1, %b : vector<16xf32>
    llvm.store %b2, %q : vector<16xf32>, !llvm.ptr
  } {sinter.interleaved}
  return
}

// Requests for lines stand among the loads.
// CHECK-LABEL: func.func @fetches
// CHECK: llvm.load
// CHECK-NEXT: "llvm.intr.prefetch"
// CHECK-NEXT: "llvm.intr.prefetch"
// CHECK-NEXT: llvm.load
// CHECK-NEXT: arith.mulf
func.func @fetches(%p: !llvm.ptr, %q: !llvm.ptr, %n: i64) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  scf.for %i = %zero to %n step %one : i64 {
    %a = llvm.load %p : !llvm.ptr -> vector<16xf32>
    "llvm.intr.prefetch"(%p) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}> : (!llvm.ptr) -> ()
    %a1 = arith.mulf %a, %a : vector<16xf32>
    llvm.store %a1, %p : vector<16xf32>, !llvm.ptr
    "llvm.intr.prefetch"(%q) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}> : (!llvm.ptr) -> ()
    %b = llvm.load %q : !llvm.ptr -> vector<16xf32>
    %b1 = arith.mulf %b, %b : vector<16xf32>
    llvm.store %b1, %q : vector<16xf32>, !llvm.ptr
  } {sinter.interleaved}
  return
}

// Without a mark nobody has said that a store and a load are strangers.
// CHECK-LABEL: func.func @unmarked
// CHECK: llvm.store
// CHECK-NEXT: llvm.load
func.func @unmarked(%p: !llvm.ptr, %x: f32, %n: i64) -> f32 {
  llvm.store %x, %p : f32, !llvm.ptr
  %a = llvm.load %p : !llvm.ptr -> f32
  return %a : f32
}

// What does more than load, compute and store is left alone.
// CHECK-LABEL: func.func @calls
// CHECK: llvm.store
// CHECK-NEXT: func.call
// CHECK-NEXT: llvm.load
func.func private @other()
func.func @calls(%p: !llvm.ptr, %x: f32, %n: i64) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  scf.for %i = %zero to %n step %one : i64 {
    llvm.store %x, %p : f32, !llvm.ptr
    func.call @other() : () -> ()
    %a = llvm.load %p : !llvm.ptr -> f32
    %b = arith.addf %a, %a : f32
    llvm.store %b, %p : f32, !llvm.ptr
  } {sinter.interleaved}
  return
}
