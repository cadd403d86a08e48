// RUN: sinter-opt %s -verify-plan -split-input-file -verify-diagnostics
// Plans that are wrong, each in one way.

// (P3) the second task reads what the first one writes, and does not wait.
kernel.task @t0 {
^bb0(%arena: memref<192xi8>, %state: memref<64xi8>):
  %o = arith.constant 64 : index
  %y = memref.view %arena[%o][] {kernel.value = 0 : i64} : memref<192xi8> to memref<4xf32>
  kernel.sweep parallel [4] outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i)>] {
    %c = arith.constant 1.0 : f32
    kernel.yield %c : f32
  }
}
// expected-error @below {{(P3) must wait for @t0: both touch byte 64}}
kernel.task @t1 {
^bb0(%arena: memref<192xi8>, %state: memref<64xi8>):
  %o = arith.constant 64 : index
  %p = arith.constant 128 : index
  %x = memref.view %arena[%o][] {kernel.value = 0 : i64} : memref<192xi8> to memref<4xf32>
  %y = memref.view %arena[%p][] {kernel.value = 1 : i64} : memref<192xi8> to memref<4xf32>
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
}
kernel.step @s "predict" batch 4 arena 192 fields [] outputs [] results [] tasks [@t0, @t1]

// -----
// (P2) value 0 is gone when it is read: value 1 lies over its last element.
kernel.task @t0 {
^bb0(%arena: memref<192xi8>, %state: memref<64xi8>):
  %o = arith.constant 64 : index
  %y = memref.view %arena[%o][] {kernel.value = 0 : i64} : memref<192xi8> to memref<4xf32>
  kernel.sweep parallel [4] outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i)>] {
    %c = arith.constant 1.0 : f32
    kernel.yield %c : f32
  }
}
kernel.task @t1 wait {
^bb0(%arena: memref<192xi8>, %state: memref<64xi8>):
  %o = arith.constant 76 : index
  %y = memref.view %arena[%o][] {kernel.value = 1 : i64} : memref<192xi8> to memref<4xf32>
  kernel.sweep parallel [4] outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i)>] {
    %c = arith.constant 1.0 : f32
    kernel.yield %c : f32
  }
}
// expected-error @below {{(P2) reads value 0 where value 1 lies}}
kernel.task @t2 wait {
^bb0(%arena: memref<192xi8>, %state: memref<64xi8>):
  %o = arith.constant 64 : index
  %p = arith.constant 128 : index
  %x = memref.view %arena[%o][] {kernel.value = 0 : i64} : memref<192xi8> to memref<4xf32>
  %y = memref.view %arena[%p][] {kernel.value = 2 : i64} : memref<192xi8> to memref<4xf32>
  kernel.sweep parallel [4] ins(%x : memref<4xf32>) outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
}
kernel.step @s "predict" batch 4 arena 192 fields [] outputs [] results [] tasks [@t0, @t1, @t2]

// -----
// (P1) the clock is the runtime's.
// expected-error @below {{(P1) a view leaves its block: bytes 48 to 64}}
kernel.task @t0 {
^bb0(%arena: memref<192xi8>, %state: memref<64xi8>):
  %o = arith.constant 48 : index
  %y = memref.view %arena[%o][] {kernel.value = 0 : i64} : memref<192xi8> to memref<4xf32>
  kernel.sweep parallel [4] outs(%y : memref<4xf32>) maps [affine_map<(i) -> (i)>] {
    %c = arith.constant 1.0 : f32
    kernel.yield %c : f32
  }
}
kernel.step @s "predict" batch 4 arena 192 fields [] outputs [] results [] tasks [@t0]
