// RUN: sinter-opt %s --kernel-to-functions=cpu=x86-64-v3 --split-input-file | FileCheck %s

// A row of 20 is one whole vector and four lanes of another.
// CHECK-LABEL: func.func private @pointwise
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: llvm.intr.masked.load
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: llvm.intr.masked.store
kernel.task @pointwise {
^bb0(%arena: memref<4096xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %b0 = arith.constant 1024 : index
  %x = memref.view %arena[%x0][] : memref<4096xi8> to memref<4x20xf32>
  %b = memref.view %arena[%b0][] : memref<4096xi8> to memref<20xf32>
  kernel.sweep parallel [4, 20] ins(%x, %b : memref<4x20xf32>, memref<20xf32>) outs(%x : memref<4x20xf32>)
    maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>] {
  ^bb0(%a: f32, %c: f32):
    %y = arith.addf %a, %c : f32
    kernel.yield %y : f32
  }
}

// -----
// A sum along memory: sixteen partial sums, then a tree of four steps.
// CHECK-LABEL: func.func private @sum
// CHECK: scf.for
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK: arith.addf {{.*}} : vector<4xf32>
// CHECK: arith.addf {{.*}} : vector<2xf32>
// CHECK: arith.addf {{.*}} : vector<1xf32>
kernel.task @sum {
^bb0(%arena: memref<4096xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %y0 = arith.constant 2048 : index
  %x = memref.view %arena[%x0][] : memref<4096xi8> to memref<64xf32>
  %y = memref.view %arena[%y0][] : memref<4096xi8> to memref<f32>
  kernel.sweep parallel [] reduce [64] ins(%x : memref<64xf32>) outs(%y : memref<f32>)
    maps [affine_map<(i) -> (i)>, affine_map<(i) -> ()>] init [0.0 : f32] {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %s, %a : f32
    kernel.yield %t : f32
  }
}

// -----
// A body that takes neither sums nor maxima is walked element by element.
// CHECK-LABEL: func.func private @chain
// CHECK-NOT: vector<16xf32>
// CHECK: arith.mulf {{.*}} : f32
kernel.task @chain {
^bb0(%arena: memref<4096xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %y0 = arith.constant 2048 : index
  %x = memref.view %arena[%x0][] : memref<4096xi8> to memref<64xf32>
  %y = memref.view %arena[%y0][] : memref<4096xi8> to memref<f32>
  kernel.sweep parallel [] reduce [64] ins(%x : memref<64xf32>) outs(%y : memref<f32>)
    maps [affine_map<(i) -> (i)>, affine_map<(i) -> ()>] init [1.0 : f32] {
  ^bb0(%a: f32, %s: f32):
    %t = arith.mulf %s, %a : f32
    kernel.yield %t : f32
  }
}

// -----
// Between two axes of stride 1 squares of sixteen by sixteen are turned in registers: sixteen loads, four rounds of sixteen shuffles, sixteen stores.
// CHECK-LABEL: func.func private @move
// CHECK-COUNT-2: scf.for
// CHECK-NOT: llvm.load {{.*}} -> f32
// CHECK-COUNT-16: llvm.load {{.*}} -> vector<16xf32>
// CHECK: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK: vector.shuffle {{.*}} [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]
// CHECK-COUNT-62: vector.shuffle
// CHECK-COUNT-16: llvm.store {{.*}} : vector<16xf32>
kernel.task @move {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %y0 = arith.constant 32768 : index
  %x = memref.view %arena[%x0][] : memref<65536xi8> to memref<64x48xf32>
  %y = memref.view %arena[%y0][] : memref<65536xi8> to memref<48x64xf32>
  kernel.sweep parallel [48, 64] ins(%x : memref<64x48xf32>) outs(%y : memref<48x64xf32>)
    maps [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>] {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
}

// -----
// A body that reads along another axis than it writes has its inputs turned; five columns and three rows are left over.
// CHECK-LABEL: func.func private @turned
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK: vector.shuffle
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: llvm.intr.masked.load
// CHECK-NOT: llvm.load {{.*}} -> f32
kernel.task @turned {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %y0 = arith.constant 32768 : index
  %x = memref.view %arena[%x0][] : memref<65536xi8> to memref<37x19xf32>
  %y = memref.view %arena[%y0][] : memref<65536xi8> to memref<19x37xf32>
  kernel.sweep parallel [19, 37] ins(%x, %y : memref<37x19xf32>, memref<19x37xf32>) outs(%y : memref<19x37xf32>)
    maps [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>] {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    kernel.yield %c : f32
  }
}

// -----
// A body that asks where it stands is written for four vectors, whose places differ in the bits of constants.
// CHECK-LABEL: func.func private @placed
// CHECK: arith.constant dense<[0, 1, 2, {{.*}}, 15]> : vector<16xindex>
// CHECK-NEXT: arith.ori {{.*}} : vector<16xindex>
// CHECK: arith.constant dense<[48, 49, 50, {{.*}}, 63]> : vector<16xindex>
// CHECK-NEXT: arith.ori {{.*}} : vector<16xindex>
// CHECK-COUNT-4: llvm.store {{.*}} : vector<16xi32>
kernel.task @placed {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %x = memref.view %arena[%x0][] : memref<65536xi8> to memref<3x128xi32>
  kernel.sweep parallel [3, 128] ins(%x : memref<3x128xi32>) outs(%x : memref<3x128xi32>)
    maps [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>] {
  ^bb0(%a: i32):
    %j = kernel.index 1
    %k = arith.index_cast %j : index to i32
    %c = arith.addi %a, %k : i32
    kernel.yield %c : i32
  }
}

// -----
// Sums of 300 columns over 24 rows stand in the output while the rows go by as they lie: four vectors at a time, then two, then twelve lanes.
// CHECK-LABEL: func.func private @columns
// CHECK: %[[ROWS:.*]] = arith.constant 24 : i64
// CHECK: scf.for %{{.*}} to %[[ROWS]]
// CHECK: %[[FIRST:.*]] = llvm.load {{.*}} -> vector<16xf32>
// CHECK: arith.addf %[[FIRST]], %{{.*}} : vector<16xf32>
// CHECK-COUNT-4: llvm.store {{.*}} : vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK: llvm.intr.masked.store
kernel.task @columns {
^bb0(%arena: memref<65536xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %y0 = arith.constant 28864 : index
  %x = memref.view %arena[%x0][] : memref<65536xi8> to memref<24x300xf32>
  %y = memref.view %arena[%y0][] : memref<65536xi8> to memref<300xf32>
  kernel.sweep parallel [300] reduce [24] ins(%x : memref<24x300xf32>) outs(%y : memref<300xf32>)
    maps [affine_map<(j, i) -> (i, j)>, affine_map<(j, i) -> (j)>] init [0.0 : f32] {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %s, %a : f32
    kernel.yield %t : f32
  }
}

// -----
// Rows are cut into parts, but walked as they lie: the rows outside, and a number for each of them does not keep the sum from its lanes.
// CHECK-LABEL: func.func private @rows
// CHECK: %[[ROWS:.*]] = arith.constant 6 : i64
// CHECK: scf.for %{{.*}} to %[[ROWS]]
// CHECK: %[[PARTS:.*]] = arith.constant 4 : i64
// CHECK: scf.for %{{.*}} to %[[PARTS]]
// CHECK: llvm.load {{.*}} -> f32
// CHECK: arith.mulf {{.*}} : vector<16xf32>
// CHECK: vector.shuffle
kernel.task @rows {
^bb0(%arena: memref<16384xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %c0 = arith.constant 9664 : index
  %y0 = arith.constant 9728 : index
  %x = memref.view %arena[%x0][] : memref<16384xi8> to memref<6x128xf32>
  %c = memref.view %arena[%c0][] : memref<16384xi8> to memref<6xf32>
  %y = memref.view %arena[%y0][] : memref<16384xi8> to memref<4x6xf32>
  kernel.sweep parallel [4, 6] reduce [32] ins(%x, %c : memref<6x128xf32>, memref<6xf32>) outs(%y : memref<4x6xf32>)
    maps [affine_map<(p, i, j) -> (i, p * 32 + j)>, affine_map<(p, i, j) -> (i)>, affine_map<(p, i, j) -> (p, i)>] init [0.0 : f32] {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %m = arith.mulf %a, %b : f32
    %t = arith.addf %s, %m : f32
    kernel.yield %t : f32
  }
}

// -----
// 32 MiB are written past the cache, with a fence behind them; in place they are not.
// CHECK-LABEL: func.func private @past
// CHECK: llvm.store {{.*}} {alignment = 64 : i64, nontemporal}
// CHECK: llvm.call_intrinsic "llvm.x86.sse.sfence"
// CHECK-LABEL: func.func private @in_place
// CHECK-NOT: nontemporal
// CHECK-NOT: sfence
// CHECK: return
kernel.task @past {
^bb0(%arena: memref<67108928xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %y0 = arith.constant 33554496 : index
  %x = memref.view %arena[%x0][] : memref<67108928xi8> to memref<8388608xf32>
  %y = memref.view %arena[%y0][] : memref<67108928xi8> to memref<8388608xf32>
  kernel.sweep parallel [8388608] ins(%x : memref<8388608xf32>) outs(%y : memref<8388608xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    %t = arith.mulf %a, %a : f32
    kernel.yield %t : f32
  }
}
kernel.task @in_place {
^bb0(%arena: memref<67108928xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %x = memref.view %arena[%x0][] : memref<67108928xi8> to memref<8388608xf32>
  kernel.sweep parallel [8388608] ins(%x : memref<8388608xf32>) outs(%x : memref<8388608xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    %t = arith.mulf %a, %a : f32
    kernel.yield %t : f32
  }
}

// -----
// A number that every point reads is loaded before anything is stored.
// CHECK-LABEL: func.func private @uniform
// CHECK-NOT: scf.for
// CHECK: llvm.load {{.*}} -> f32
// CHECK: scf.for
// CHECK-NOT: -> f32
// CHECK: llvm.store
kernel.task @uniform {
^bb0(%arena: memref<4096xi8>, %state: memref<64xi8>):
  %x0 = arith.constant 64 : index
  %r0 = arith.constant 2048 : index
  %x = memref.view %arena[%x0][] : memref<4096xi8> to memref<64xf32>
  %r = memref.view %arena[%r0][] : memref<4096xi8> to memref<f32>
  kernel.sweep parallel [64] ins(%x, %r : memref<64xf32>, memref<f32>) outs(%x : memref<64xf32>)
    maps [affine_map<(i) -> (i)>, affine_map<(i) -> ()>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32, %b: f32):
    %y = arith.mulf %a, %b : f32
    kernel.yield %y : f32
  }
}
